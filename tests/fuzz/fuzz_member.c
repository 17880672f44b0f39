/* SPDX-License-Identifier: MIT
 * What a store plugin says of a member, and the mapping of it.  An input is what the plugin does:
 * a byte that chooses the call, one with a length, and so many bytes; the very first one is the
 * outcome. */
#include "fuzz.h"

#include "base/text.h"
#include "host/log.h"
#include "members/store.h"

#include <string.h>

const char fuzz_corpus[] = "member";

static struct span input; /* of the plugin that is called */
static const struct span asked = {"m1", 2};

/* ---- The plugin ---- */

static struct span take(void)
{
    size_t length = input.length ? (unsigned char)*input.data : 0;
    input = input.length ? (struct span){input.data + 1, input.length - 1} : input;
    length = length < input.length ? length : input.length;
    struct span taken = {input.data, length};
    input = (struct span){input.data + length, input.length - length};
    return taken;
}

static enum memberchat_outcome look_up(void *handle, const char *id, size_t id_length,
                                       int64_t deadline, struct memberchat_result *result)
{
    const struct memberchat_services *services = handle;
    (void)deadline;
    must(id_length == asked.length && memcmp(id, asked.data, id_length) == 0);
    int outcome = input.length ? (signed char)*input.data : MEMBERCHAT_FOUND;
    input = input.length ? (struct span){input.data + 1, input.length - 1} : input;
    while (input.length) {
        int call = (signed char)*input.data;
        input = (struct span){input.data + 1, input.length - 1};
        struct span first = take();
        if (call >= 0x20) {
            struct span second = take();
            services->set_attribute(result, first.data, first.length, second.data, second.length);
        } else {
            services->set(result, (enum memberchat_field)call, first.data, first.length);
        }
    }
    return (enum memberchat_outcome)outcome;
}

static void *open_nothing(const void *settings, const struct memberchat_services *services,
                          uint32_t how, struct memberchat_result *result)
{
    (void)settings;
    (void)how;
    (void)result;
    return (void *)(uintptr_t)services;
}

static void close_nothing(void *handle)
{
    (void)handle;
}

static const struct memberchat_store_plugin plugin = {.abi = MEMBERCHAT_STORE_ABI,
                                                      .size = sizeof plugin,
                                                      .name = "fuzzed",
                                                      .flags = MEMBERCHAT_STORE_THREAD_SAFE,
                                                      .open = open_nothing,
                                                      .lookup = look_up,
                                                      .close = close_nothing};

static struct store *open_store(void)
{
    static struct mapping mapping;
    static const struct mapping_rule rules[] = {
        {.field = "groups", .is = "cn=staff,dc=x", .role = "host"},
        {.field = "name", .contains = "Ann", .role = "guest"}};
    static struct arena arena;
    struct store_report report;
    struct reason why;
    must(mapping_add_name(&mapping, "{first} {last|trim}", &arena, &why));
    must(mapping_add_name(&mapping, "{name|=nobody}", &arena, &why));
    must(mapping_set_avatar(&mapping, "https://img.example.com/{id|sha256}/{face|uri}", &arena,
                            &why));
    must(mapping_set_role(&mapping, "{role|lower|trim}", &arena, &why));
    must(mapping_add_rule(&mapping, &rules[0], &arena, &why));
    must(mapping_add_rule(&mapping, &rules[1], &arena, &why));
    struct store *store = store_new("fuzzed", &plugin, NULL, &mapping, &arena);
    must(store && store_open(store, 0, &report));
    return store;
}

/* ---- What is believed ---- */

static void check_text(struct span text, size_t most)
{
    must(text_is_plain(text) && text.length <= most);
}

/* The person who was asked for, in plain text of bounded length. */
static void check_member(const struct member *member)
{
    must(span_matches(member_field(member, MEMBERCHAT_ID), asked));
    check_text(member_field(member, MEMBERCHAT_NAME), MEMBERCHAT_NAME_MAX);
    check_text(member_field(member, MEMBERCHAT_AVATAR), MEMBERCHAT_AVATAR_MAX);
    check_text(member_field(member, MEMBERCHAT_ROLE), MEMBERCHAT_ROLE_MAX);
    must(member->attribute_count <= MEMBERCHAT_VALUES_MAX);
    must(member->name_count <= MEMBERCHAT_ATTRIBUTES_MAX);
    for (size_t i = 0; i < member->attribute_count; i++) {
        must(member_attribute_name(member, i).length > 0);
        check_text(member_attribute_name(member, i), MEMBERCHAT_ATTRIBUTE_NAME_MAX);
        check_text(member_attribute_value(member, i), MEMBERCHAT_ATTRIBUTE_VALUE_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct store *store;
    struct member member = {0}, delivered = {0};
    struct store_report report;
    const struct store_question question = {
        .id = asked, .deadline = INT64_MAX, .delivered_r = &delivered};
    if (!store) {
        log_configure("/dev/null", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        store = open_store();
    }
    input = (struct span){(const char *)data, size};
    enum memberchat_outcome outcome = store_lookup(store, &question, &member, &report);
    must(outcome == MEMBERCHAT_FOUND || outcome == MEMBERCHAT_NOT_FOUND ||
         outcome == MEMBERCHAT_UNAVAILABLE || outcome == MEMBERCHAT_MISCONFIGURED);
    must(memchr(report.reason, '\0', sizeof report.reason));
    if (outcome == MEMBERCHAT_FOUND) {
        check_member(&delivered);
        check_member(&member);
    }
    member_free(&member);
    member_free(&delivered);
    return 0;
}
