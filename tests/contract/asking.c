/* SPDX-License-Identifier: MIT
 * A store as a fixture has made it, and questions to it. */
#include "asking.h"

#include "base/clock.h"
#include "settings/config_fill.h"

#include <stdlib.h>
#include <string.h>

const struct contract_fixture *fixture;
struct settings *settings;
struct store *store;

struct settings *configure(const char *name, const char *more)
{
    struct config_report report = {0};
    struct bytes text = {0};
    bytes_addf(
        &text,
        "stores = { members = { plugin = \"%s\"; %s; %s } }\n"
        "apps = { a = { api_key = \"a\"; api_secret = \"aaaaaaaaaaaaaaaa\"; store = \"members\";"
        " chat_server_url = \"ws://x\"; token = { key_file = \"key\" } } }\n",
        fixture->plugin, fixture->keys, more);
    const char *path = scratch_write(name, bytes_span(&text));
    struct settings *made = settings_read(path, *fixture->folder, NULL, &report);
    expect(made, "%s", bytes_string(&report.text));
    config_report_free(&report);
    bytes_free(&text);
    return made;
}

int asking_start(void **state)
{
    struct store_report told;
    fixture = *state;
    if (scratch_start(state) != 0)
        return -1;
    scratch_write_basics();
    assert_true(fixture->make());
    settings = configure("memberchat.conf", "");
    store = settings->stores[0].store;
    expect(store_open(store, false, &told), "%s", told.reason);
    return 0;
}

int asking_stop(void **state)
{
    settings_free(settings);
    if (fixture->free)
        fixture->free();
    return scratch_stop(state);
}

int64_t soon(int64_t ms)
{
    return clock_monotonic_ms() + ms;
}

enum memberchat_outcome ask(struct span id, struct member *member_r, int64_t ms)
{
    struct store_report told;
    char *copy = exact_copy(id);
    const struct store_question question = {.id = {copy, id.length}, .deadline = soon(ms)};
    enum memberchat_outcome outcome = store_lookup(store, &question, member_r, &told);
    free(copy);
    expect(!strstr(told.reason, "answer was refused") && !strstr(told.reason, "does not exist"),
           "the host had to refuse an answer: %s", told.reason);
    expect((outcome != MEMBERCHAT_UNAVAILABLE && outcome != MEMBERCHAT_MISCONFIGURED) ||
               told.reason[0],
           "%d without a reason", outcome);
    return outcome;
}

void expect_found(struct span id)
{
    struct member member = {0};
    enum memberchat_outcome outcome = ask(id, &member, 5000);
    expect(outcome == MEMBERCHAT_FOUND, "%.*s: %d", (int)id.length, id.data, outcome);
    expect(span_equal(member_field(&member, MEMBERCHAT_ID), id), "%.*s has another id",
           (int)id.length, id.data);
    member_free(&member);
}

void expect_not_found(struct span id)
{
    struct member member = {0};
    enum memberchat_outcome outcome = ask(id, &member, 5000);
    expect(outcome == MEMBERCHAT_NOT_FOUND, "%.*s: %d", (int)id.length, id.data, outcome);
    member_free(&member);
}
