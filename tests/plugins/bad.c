/* SPDX-License-Identifier: MIT
 * Plugins that are wrong in one point each: store_bad_KIND.so is this file, compiled with
 * -DBAD=KIND and -DBAD_IS_KIND. */
#include "test_store.h"

#include <stdlib.h>

#define QUOTE(text)  #text
#define NAME_OF(bad) "bad_" QUOTE(bad)
#define JOIN(a, b)   a##b
#define KIND_OF(bad) JOIN(KIND_, bad)
#define IS(kind)     ((int)KIND_OF(BAD) == (int)KIND_##kind)

enum kind {
    KIND_chosen,
    KIND_keys,
    KIND_keys_choice,
    KIND_keys_help,
    KIND_keys_outside,
    KIND_keys_twice,
    KIND_keys_type,
    KIND_lookup,
    KIND_name,
    KIND_newer_abi,
    KIND_nosymbol,
    KIND_null,
    KIND_openfails,
    KIND_outcome,
    KIND_result,
    KIND_short_struct
};

static const struct memberchat_key keys[] = {
    {.name = "size",
     .help = IS(keys_help) ? NULL : "a good key",
     .type = IS(keys_type)     ? (enum memberchat_type)99
             : IS(keys_choice) ? MEMBERCHAT_CHOICE
                               : MEMBERCHAT_INTEGER,
     .offset = IS(keys_outside)},
    {.name = IS(keys_twice) ? "size" : "cache", .help = "the host has it", .type = MEMBERCHAT_BOOL},
};

static void *bad_open(const void *settings, const struct memberchat_services *services,
                      uint32_t how, struct memberchat_result *result)
{
    if (!IS(openfails))
        return test_store_open(settings, services, how, result);
    services->reason(result, "the directory of this store is %s", "a fiction");
    return NULL;
}

static char huge[1 << 20];

static void tell_many(const struct memberchat_services *services, struct memberchat_result *result)
{
    for (int i = 0; i < 100; i++) {
        const char name[] = {'a', (char)('0' + i / 10), (char)('0' + i % 10)};
        services->set_attribute(result, name, sizeof name, huge, 100);
    }
}

static enum memberchat_outcome bad_lookup(void *handle, const char *id, size_t id_length,
                                          int64_t deadline, struct memberchat_result *result)
{
    const struct memberchat_services *services = ((struct test_store *)handle)->services;
    if (test_id_is(id, id_length, "zero"))
        return (enum memberchat_outcome)0;
    if (test_id_is(id, id_length, "ninety-nine"))
        return (enum memberchat_outcome)99;
    if (test_id_is(id, id_length, "no-id"))
        return MEMBERCHAT_FOUND;
    memset(huge, 'x', sizeof huge);
    if (test_id_is(id, id_length, "huge-id"))
        services->set(result, MEMBERCHAT_ID, huge, sizeof huge);
    else if (test_id_is(id, id_length, "bad-utf8"))
        services->set(result, MEMBERCHAT_ID, "bad\xff", 4);
    else if (test_id_is(id, id_length, "someone-else"))
        services->set(result, MEMBERCHAT_ID, "admin", 5);
    else
        test_store_lookup(handle, id, id_length, deadline, result);
    if (test_id_is(id, id_length, "control-name"))
        services->set(result, MEMBERCHAT_NAME, "A\r\nSet-Cookie: x\0y", 18);
    if (test_id_is(id, id_length, "huge-attribute"))
        services->set_attribute(result, "a", 1, huge, sizeof huge);
    if (test_id_is(id, id_length, "many"))
        tell_many(services, result);
    return MEMBERCHAT_FOUND;
}

static const struct memberchat_store_plugin plugin = {
    .abi = MEMBERCHAT_STORE_ABI + IS(newer_abi),
    .size = IS(short_struct) ? offsetof(struct memberchat_store_plugin, close)
                             : sizeof(struct memberchat_store_plugin),
    .name = IS(name) ? "good_name" : NAME_OF(BAD),
    .version = "1",
    .summary = "for tests",
    .flags = IS(result) ? 0 : MEMBERCHAT_STORE_THREAD_SAFE | MEMBERCHAT_STORE_LOCAL,
    .key_count = IS(keys) || IS(keys_twice)                                              ? 2
                 : IS(keys_outside) || IS(keys_help) || IS(keys_type) || IS(keys_choice) ? 1
                                                                                         : 0,
    .keys = keys,
    .settings_size = sizeof(int64_t),
    .open = bad_open,
    .lookup = IS(lookup) ? NULL : bad_lookup,
    .close = test_store_close,
};

#ifndef BAD_IS_nosymbol
static void *open_silently(const void *settings, const struct memberchat_services *services,
                           uint32_t how, struct memberchat_result *result)
{
    (void)settings, (void)services, (void)how, (void)result;
    return NULL;
}

/* What $MEMBERCHAT_BAD chooses. */
static const struct memberchat_store_plugin *choose(const char *fault)
{
    static struct memberchat_store_plugin chosen;
    static struct memberchat_key key;
    const struct {
        const char *fault;
        void *member;
        size_t size;
    } rows[] = {
        {"no name", &chosen.name, sizeof chosen.name},
        {"no version", &chosen.version, sizeof chosen.version},
        {"no summary", &chosen.summary, sizeof chosen.summary},
        {"no open", &chosen.open, sizeof chosen.open},
        {"no close", &chosen.close, sizeof chosen.close},
        {"no keys", &chosen.keys, sizeof chosen.keys},
        {"key without a name", &key.name, sizeof key.name},
        {"key without a type", &key.type, sizeof key.type},
    };
    chosen = plugin;
    key = keys[0];
    chosen.keys = &key;
    chosen.key_count = 1;
    if (strcmp(fault, "open without a reason") == 0)
        chosen.open = open_silently;
    if (strcmp(fault, "key far away") == 0)
        key.offset = sizeof(int64_t) + 1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].fault, fault) == 0)
            memset(rows[i].member, 0, rows[i].size);
    return &chosen;
}

const struct memberchat_store_plugin *memberchat_store_plugin(void)
{
    const char *fault = getenv("MEMBERCHAT_BAD");
    return IS(null) ? NULL : IS(chosen) && fault ? choose(fault) : &plugin;
}
#else
const struct memberchat_store_plugin *memberchat_store_plugins(void);

const struct memberchat_store_plugin *memberchat_store_plugins(void)
{
    return &plugin;
}
#endif
