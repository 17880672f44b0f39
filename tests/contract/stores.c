/* SPDX-License-Identifier: MIT
 * What every store must do, asked of each through the host. */
#include "asking.h"

#include "base/clock.h"
#include "settings/config_fill.h"
#include "members/plugin.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Everything that parser, check, help and manual live of. */
static void describes_itself(void **state)
{
    struct reason why;
    struct config_report report = {0};
    struct arena arena = {0};
    (void)state;
    const struct memberchat_store_plugin *plugin =
        plugin_load(*fixture->folder, fixture->plugin, &why);
    expect(plugin, "%s", why.text);
    assert_true(*plugin->version && *plugin->summary);
    for (size_t i = 0; i < plugin->key_count; i++) {
        const struct memberchat_key *key = &plugin->keys[i];
        size_t length = strlen(key->help);
        expect(length && key->help[length - 1] != '.' && !strchr(key->help, '\n'),
               "the help of %s is one line without a full stop", key->name);
        expect(!key->fallback || !(key->flags & MEMBERCHAT_KEY_REQUIRED),
               "%s is required and has a default", key->name);
        expect(key->type != MEMBERCHAT_BOOL || !key->fallback ||
                   strcmp(key->fallback, "true") == 0 || strcmp(key->fallback, "false") == 0,
               "the default of %s", key->name);
    }
    const struct config_table table = {plugin->keys, plugin->key_count,
                                       arena_alloc(&arena, plugin->settings_size)};
    struct config *config = config_open(scratch_write("empty.conf", SPAN("g = { }")), &report);
    config_fill(config_child(config_root(config), "g"), &table, 1, &arena, &report);
    char *rest = (char *)arena_string(&arena, bytes_span(&report.text));
    for (char *line = strtok(rest, "\n"); line; line = strtok(NULL, "\n"))
        expect_contains(line, "is missing"); /* each default is good */
    config_close(config);
    config_report_free(&report);
    arena_free(&arena);
}

static void settings_are_good(void **state)
{
    struct store_report told;
    (void)state;
    expect(store_check(store, &told), "%s", told.reason);
}

static void members_are_found(void **state)
{
    struct member member = {0};
    (void)state;
    assert_int_equal(ask(SPAN("1"), &member, 5000), MEMBERCHAT_FOUND);
    expect_span(member_field(&member, MEMBERCHAT_ID), "1");
    if (fixture->all_fields) {
        expect_span(member_field(&member, MEMBERCHAT_NAME), "Ann");
        expect_span(member_field(&member, MEMBERCHAT_AVATAR), CONTRACT_AVATAR);
        expect_span(member_field(&member, MEMBERCHAT_ROLE), CONTRACT_ROLE);
        assert_int_equal(ask(SPAN("2"), &member, 5000), MEMBERCHAT_FOUND);
        expect_span(member_field(&member, MEMBERCHAT_NAME), NULL);
        expect_span(member_field(&member, MEMBERCHAT_AVATAR), NULL);
        expect_span(member_field(&member, MEMBERCHAT_ROLE), NULL);
        expect_not_found(SPAN("gone"));
    }
    member_free(&member);
}

/* Each store hands over what it has, and the host makes the same of it. */
static void what_cannot_be_used_is_left_out(void **state)
{
    struct member member = {0};
    (void)state;
    assert_int_equal(ask(SPAN("long"), &member, 5000), MEMBERCHAT_FOUND);
    assert_int_equal(member_field(&member, MEMBERCHAT_NAME).length, MEMBERCHAT_NAME_MAX);
    expect_span(member_field(&member, MEMBERCHAT_ROLE), NULL);
    member_free(&member);
}

static void members_are_mapped(void **state)
{
    static const char mapping[] =
        "member = { asked = [ \"before @\", \"append 1\" ]; name = [ \"{name} ({id})\" ];"
        " avatar = \"{avatar}?{role|lower}\";"
        " roles = ( { field = \"name\"; contains = \"nn\"; role = \"first\" } ) }";
    struct member member = {0};
    struct store_report told;
    char room[MEMBERCHAT_ID_MAX];
    (void)state;
    struct settings *mapped = configure("mapped.conf", mapping);
    struct store *kept = store;
    store = mapped->stores[0].store;
    expect(store_open(store, false, &told), "%s", told.reason);
    expect_span(store_translate(store, SPAN("@x"), room), NULL);
    struct span id = store_translate(store, SPAN("gone@x"), room);
    expect_span(id, "gone1");
    assert_int_equal(ask(id, &member, 5000), MEMBERCHAT_NOT_FOUND);
    assert_int_equal(ask(SPAN("1"), &member, 5000), MEMBERCHAT_FOUND);
    expect_span(member_field(&member, MEMBERCHAT_ID), "1");
    expect_span(member_field(&member, MEMBERCHAT_NAME), "Ann (1)");
    expect_span(member_field(&member, MEMBERCHAT_AVATAR), CONTRACT_AVATAR "?" CONTRACT_ROLE);
    expect_span(member_field(&member, MEMBERCHAT_ROLE), "first");
    member_free(&member);
    settings_free(mapped);
    store = kept;
}

/* Look-ups are exact: no id is a pattern, a path or a piece of another. */
static void others_are_not_found(void **state)
{
    static const struct span ids[] = {
        LITERAL("nobody"),      LITERAL("no"),         LITERAL("no*"),  LITERAL("no)(uid=*"),
        LITERAL("no/../1"),     LITERAL("no\xc3\xbc"), LITERAL("no,1"), LITERAL("no\"1"),
        LITERAL("no'OR'1'='1"), LITERAL("no%31"),      LITERAL("no 1"),
    };
    static const struct span near[] = {
        LITERAL("1 "),
        LITERAL(" 1"),
        LITERAL("01"),
        LITERAL("1,"),
        LITERAL("*"),
        LITERAL("?"),
        LITERAL("a"),
        LITERAL("Upper"),
        LITERAL("UPPER "),
        LITERAL("appUserId"),
        LITERAL("Ann"),
        LITERAL("\"a b\""),
        LITERAL("j\xc3\xbcrgen"),
        LITERAL("J\xc3\xbcrge"),
        LITERAL("a%20b"),
        LITERAL("1\xc2\xa0"),
        LITERAL("x"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++)
        expect_not_found(ids[i]);
    for (size_t i = 0; fixture->all_fields && i < COUNT(near); i++)
        expect_not_found(near[i]);
}

static void odd_ids_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < contract_odd_count; i++)
        expect_found(span_of(contract_odd_ids[i]));
}

static void every_length_of_id(void **state)
{
    char *id = repeated('n', MEMBERCHAT_ID_MAX);
    (void)state;
    id[1] = 'o';
    for (size_t length = 2; length <= MEMBERCHAT_ID_MAX; length += length < 8 ? 1 : 15)
        expect_not_found((struct span){id, length});
    expect_not_found((struct span){id, MEMBERCHAT_ID_MAX});
    free(id);
}

static void deadlines_are_kept(void **state)
{
    static const int64_t deadlines[] = {-100000, -1, 0, 1, 60, 1000};
    (void)state;
    if (fixture->hang)
        fixture->hang();
    for (size_t i = 0; i < COUNT(deadlines); i++) {
        struct member member = {0};
        int64_t begin = clock_monotonic_ms(), ms = deadlines[i];
        enum memberchat_outcome outcome = ask(SPAN("1"), &member, ms);
        int64_t took = clock_monotonic_ms() - begin;
        expect(took <= (ms > 0 ? ms : 0) + limit_ms(250), "%lld ms with a deadline of %lld",
               (long long)took, (long long)ms);
        expect(outcome == (fixture->hang ? MEMBERCHAT_UNAVAILABLE : MEMBERCHAT_FOUND) ||
                   (ms <= (fixture->signs_in ? 60 : 1) && outcome == MEMBERCHAT_UNAVAILABLE),
               "%d with a deadline of %lld", outcome, (long long)ms);
        member_free(&member);
    }
}

static void down_is_not_the_same_as_absent(void **state)
{
    struct member member = {0};
    struct store_report told;
    (void)state;
    fixture->stop();
    assert_int_equal(ask(SPAN("1"), &member, 2000), MEMBERCHAT_UNAVAILABLE);
    assert_int_equal(ask(SPAN("nobody"), &member, 2000), MEMBERCHAT_UNAVAILABLE);
    assert_int_equal(store_probe(store, soon(2000), &told), MEMBERCHAT_UNAVAILABLE);
    member_free(&member);
}

static void probes(void **state)
{
    struct store_report told;
    (void)state;
    for (int i = 0; i < 3; i++)
        expect(store_probe(store, soon(5000), &told) == MEMBERCHAT_FOUND, "%s", told.reason);
}

static atomic_bool over;

static void *ask_often(void *argument)
{
    (void)argument;
    for (int i = 0; i < 100; i++) {
        expect_found(SPAN("1"));
        expect_not_found(SPAN("nobody"));
        expect_found(span_of(contract_odd_ids[(size_t)i % contract_odd_count]));
    }
    return NULL;
}

static void *reload_often(void *argument)
{
    int count = 0;
    (void)argument;
    for (; !atomic_load(&over); count++) {
        if (fixture->rename && count % 10 == 5)
            fixture->rename();
        store_reload(store, count % 5 == 0);
        pause_ms(2);
    }
    return NULL;
}

static void many_threads_during_reloads(void **state)
{
    pthread_t askers[6], reloader;
    (void)state;
    atomic_store(&over, false);
    assert_int_equal(pthread_create(&reloader, NULL, reload_often, NULL), 0);
    for (size_t i = 0; i < COUNT(askers); i++)
        assert_int_equal(pthread_create(&askers[i], NULL, ask_often, NULL), 0);
    for (size_t i = 0; i < COUNT(askers); i++)
        pthread_join(askers[i], NULL);
    atomic_store(&over, true);
    pthread_join(reloader, NULL);
}

static void changes_are_seen_after_a_reload(void **state)
{
    struct member member = {0};
    int64_t end = soon(10000);
    (void)state;
    fixture->rename();
    do {
        store_reload(store, false);
        assert_int_equal(ask(SPAN("1"), &member, 5000), MEMBERCHAT_FOUND);
        pause_ms(20);
    } while (!span_equal(member_field(&member, MEMBERCHAT_NAME), SPAN("Anna")) &&
             clock_monotonic_ms() < end);
    expect_span(member_field(&member, MEMBERCHAT_NAME), "Anna");
    member_free(&member);
}

static size_t open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t count = 0;
    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

/* Many lives, each of them short or for one request. */
static void closing_leaves_nothing(void **state)
{
    size_t before = 0;
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct config_report report = {0};
        struct settings *others =
            settings_read(scratch_path("memberchat.conf"), *fixture->folder, NULL, &report);
        expect(others, "%s", bytes_string(&report.text));
        struct store *kept = store;
        store = others->stores[0].store;
        struct store_report told;
        expect(store_open(store, i % 4 < 2, &told), "%s", told.reason);
        if (i % 2)
            expect_found(SPAN("1"));
        store = kept;
        settings_free(others);
        config_report_free(&report);
        if (i == 1)
            before = open_descriptors();
    }
    assert_true(open_descriptors() <= before);
}

/* ---- All of them for each store ---- */

#define CASE(function)                                                                             \
    {                                                                                              \
#function, function                                                                        \
    }

static const struct {
    const char *name;
    CMUnitTestFunction function;
} cases[] = {
    CASE(describes_itself),
    CASE(settings_are_good),
    CASE(members_are_found),
    CASE(what_cannot_be_used_is_left_out),
    CASE(members_are_mapped),
    CASE(others_are_not_found),
    CASE(odd_ids_are_found),
    CASE(every_length_of_id),
    CASE(deadlines_are_kept),
    CASE(down_is_not_the_same_as_absent),
    CASE(probes),
    CASE(many_threads_during_reloads),
    CASE(changes_are_seen_after_a_reload),
    CASE(closing_leaves_nothing),
};

/* Whether a fixture can do what a case needs. */
static bool applies(CMUnitTestFunction function, const struct contract_fixture *to)
{
    return (function != down_is_not_the_same_as_absent || to->stop) &&
           (function != what_cannot_be_used_is_left_out || to->all_fields) &&
           (function != members_are_mapped || to->all_fields) &&
           (function != changes_are_seen_after_a_reload || to->rename);
}

int main(void)
{
    struct CMUnitTest tests[CONTRACT_FIXTURES_MAX * COUNT(cases)];
    struct arena names = {0};
    size_t count = 0;
    for (size_t f = 0; contract_fixtures[f]; f++)
        for (size_t c = 0; c < COUNT(cases); c++) {
            if (!applies(cases[c].function, contract_fixtures[f]))
                continue;
            tests[count++] = (struct CMUnitTest){
                .name = arena_format(&names, "%s: %s", contract_fixtures[f]->name, cases[c].name),
                .test_func = cases[c].function,
                .setup_func = asking_start,
                .teardown_func = asking_stop,
                .initial_state = (void *)contract_fixtures[f],
            };
        }
    /* cmocka's macro wants an array of a known size */
    int failed = _cmocka_run_group_tests("stores", tests, count, NULL, NULL);
    arena_free(&names);
    return failed;
}
