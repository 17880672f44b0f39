/* SPDX-License-Identifier: MIT
 * A whole configuration: the top, the stores, and every mistake in them. */
#include "settings/settings.h"

#include "base/clock.h"
#include "question.h"
#include "settings_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET "ssssssssssssssss"

static void defaults(void **state)
{
    struct settings *settings = load(&(struct config_texts){0});
    (void)state;
    expect(settings, "%s", told());
    assert_string_equal(told(), "");
    assert_int_equal(settings->top.threads, 8);
    assert_int_equal(settings->top.request_timeout_ms, 3000);
    assert_false(settings->request_timeout_set);
    assert_int_equal(settings->top.body_limit, 16384);
    assert_int_equal(settings->trusted_proxy_count, 0);
    assert_string_equal(settings->log.target, "stderr");
    assert_int_equal(settings->log.level, LOG_LEVEL_INFO);
    assert_int_equal(settings->log.format, LOG_FORMAT_TEXT);
    assert_int_equal(settings->store_count, 1);
    assert_int_equal(settings->app_count, 1);
    const struct settings_store *store = settings_find_store(settings, "members");
    assert_non_null(store);
    assert_false(store->cached); /* a file */
    assert_int_equal(store->breaker.failures, 5);
    assert_int_equal(store->breaker.open_ms, 1000);
    assert_int_equal(store->breaker.max_open_ms, 30000);
    assert_null(settings_find_store(settings, "member"));
    settings_free(settings);
    settings_free(NULL);
}

static void everything_at_the_top(void **state)
{
    struct settings *settings = load(&(struct config_texts){
        .top = "threads = 3; request_timeout = \"500ms\"; body_limit = \"1M\";\n"
               "trusted_proxies = [ \"10.0.0.0/8\", \"::1\" ];\n"
               "log = { target = \"logs/x.log\"; level = \"debug\"; format = \"json\" }",
        .store = "cache = { size = 7; ttl = \"1m\"; negative_ttl = \"1s\"; stale = \"1h\" };"
                 " breaker = { failures = 2; open = \"2s\"; max_open = \"4s\" }"});
    (void)state;
    expect(settings, "%s", told());
    assert_int_equal(settings->top.threads, 3);
    assert_true(settings->request_timeout_set);
    assert_int_equal(settings->top.request_timeout_ms, 500);
    assert_int_equal(settings->top.body_limit, 1048576);
    assert_int_equal(settings->trusted_proxy_count, 2);
    assert_true(networks_contain(settings->trusted_proxies, 2, "10.1.2.3"));
    assert_string_equal(settings->log.target, scratch_path("logs/x.log"));
    assert_int_equal(settings->log.level, LOG_LEVEL_DEBUG);
    assert_int_equal(settings->log.format, LOG_FORMAT_JSON);
    const struct settings_store *store = &settings->stores[0];
    assert_true(store->cached);
    assert_int_equal(store->cache.size, 7);
    assert_int_equal(store->cache.ttl_ms, 60000);
    assert_int_equal(store->cache.negative_ttl_ms, 1000);
    assert_int_equal(store->cache.stale_ms, 3600000);
    assert_int_equal(store->breaker.failures, 2);
    settings_free(settings);
}

static void mistakes_at_the_top(void **state)
{
    static const struct mistake rows[] = {
        {{.top = "thread = 8"}, ":1: thread: unknown key (did you mean \"threads\"?)"},
        {{.top = "threads = 0"}, ":1: threads: is 0; it must be 1 to 256"},
        {{.top = "threads = \"8\""}, ":1: threads: expected a whole number"},
        {{.top = "request_timeout = 3"}, ":1: request_timeout: expected a duration"},
        {{.top = "request_timeout = \"2m\""},
         ":1: request_timeout: is \"2m\"; it must be \"10ms\" to \"1m\""},
        {{.top = "body_limit = \"1G\""},
         ":1: body_limit: is 1073741824 bytes; it must be \"1k\" to"},
        {{.top = "trusted_proxies = [ \"10.0.0.0/33\" ]"},
         ":1: trusted_proxies: \"10.0.0.0/33\" is not an address or network"},
        {{.top = "log = \"stderr\""}, ":1: log: expected a group in braces, found a string"},
        {{.top = "log = { level = \"loud\" }"},
         ":1: log.level: is \"loud\"; it must be one of: error"},
        {{.top = "log = { target = \"\" }"}, ":1: log.target: has 0 bytes"},
        {{.top = "log = {\n file = \"x\" }"}, ":2: log.file: unknown key"},
        {{.top = "status = { allow = [ \"nobody\" ] }"},
         ":1: status.allow: \"nobody\" is not an address"},
        {{.top = "status = { password = \"a\" }"},
         "status.password: unknown key (did you mean \"password_file\"?)"},
        {{.top = "status = { alow = [ ] }"}, "status.alow: unknown key (did you mean \"allow\"?)"},
    };
    (void)state;
    check_mistakes(rows, COUNT(rows));
}

static void mistakes_in_stores(void **state)
{
#define MEMBER(keys)                                                                               \
    {                                                                                              \
        .store = "member = { " keys " }"                                                           \
    }
    static const struct mistake rows[] = {
        {{.store = "max_bads = 1"},
         ":3: stores.members.max_bads: unknown key (did you mean \"max_bad\"?)"},
        {{.store = "\n max_bad = -1"},
         ":4: stores.members.max_bad: is -1; it must be 0 to 1000000000"},
        {{.store = "cache = true"}, "stores.members.cache: expected a group"},
        {{.store = "cache = { size = -1 }"}, "stores.members.cache.size: is -1"},
        {{.store = "cache = { tll = \"1s\" }"},
         "stores.members.cache.tll: unknown key (did you mean \"ttl\"?)"},
        {{.store = "breaker = { failure = 1 }"}, "stores.members.breaker.failure: unknown key"},
        {{.store = "breaker = { max_open = \"0s\" }"},
         "stores.members.breaker.max_open: is \"0s\""},
        {{.store = "breaker = { open = \"31s\" }"},
         "stores.members.breaker.max_open: is less than \"open\""},
        {{.store = "id_column = \"x\"; name_column = \"x\""},
         ":3: stores.members.name_column: \"x\" is the column of \"id_column\", too"},
        {{.store = "id_column = \"nothing\""}, ":3: stores.members.path: "},
        {MEMBER("roles = ( { field = \"a\"; is = \"b\"; role = \"\\xff\" } )"),
         "stores.members.member.roles.1.role: must be UTF-8 without control characters"},
        {MEMBER("roles = ( { field = \"a\\x01\"; is = \"b\"; role = \"c\" } )"),
         "stores.members.member.roles.1.field: "},
        {MEMBER("avatar = \"https://x/{id|no}\""), "stores.members.member.avatar: "},
        {MEMBER("avatar = \"https://x/{i\x01}\""), "stores.members.member.avatar: "},
        {MEMBER("role = \"{role|no}\""), "stores.members.member.role: "},
        {MEMBER("role = \"a {role\""), "stores.members.member.role: "},
        {MEMBER("name = \"a {name|no}\""), "stores.members.member.name: "},
    };
    (void)state;
    check_mistakes(rows, COUNT(rows));
}

/* Those of which nothing can be made of the good rest. */
static void stores_that_are_none(void **state)
{
    static const struct {
        const char *stores, *told;
    } rows[] = {
        {"", ": stores: is missing: the member stores"},
        {"stores = { }", ":1: stores: is empty"},
        {"stores = \"x\"", ":1: stores: expected a group in braces, found a string"},
        {"stores = { members = \"file\" }", ":1: stores.members: expected a group in braces"},
        {"stores = { members = { path = \"x\" } }", ":1: stores.members.plugin: is missing"},
        {"stores = { members = { plugin = 1 } }", ":1: stores.members.plugin: expected a string"},
        {"stores = { members = { plugin = \"fiel\" } }", "there is no store plugin \"fiel\""},
        {"stores = { members = { plugin = \"../file\" } }",
         "is not a valid name of a store plugin"},
        {"stores = { members = { plugin = \"file\" } }", ":1: stores.members.path: is missing"},
        {"stores = { members = { plugin = \"file\"; path = \"nothing.csv\" } }", "nothing.csv"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "%s\napps = { demo = { api_key = \"k\"; api_secret = \"ssssssssssssssss\"; store "
                 "= \"members\";"
                 " chat_server_url = \"ws://x\"; token = { key_file = \"key\" } } }",
                 rows[i].stores);
        assert_null(load_text(text));
        expect_contains(told(), rows[i].told);
        expect(report.errors == 1, "row %zu: %u errors\n%s", i, report.errors, told());
    }
}

static void all_mistakes_of_a_file(void **state)
{
    (void)state;
    assert_null(load_text("threads = 0\nstores = {\n a = { plugin = \"file\" }\n"
                          " b = { plugin = \"nothing\" }\n}\n"
                          "apps = {\n one = { api_kye = \"x\" }\n two = { }\n}\nlogs = { }\n"));
    static const char *const wanted[] = {":1: threads: is 0",
                                         ":3: stores.a.path: is missing",
                                         ":4: stores.b.plugin: there is no",
                                         ":7: apps.one.api_kye: unknown key",
                                         ":7: apps.one.store: is missing",
                                         ":8: apps.two.api_key: is missing",
                                         ":8: apps.two.token: is missing",
                                         ":10: logs: unknown key (did you mean \"log\"?)"};
    for (size_t i = 0; i < COUNT(wanted); i++)
        expect_contains(told(), wanted[i]);
    expect_lacks(told(), "apps.one.api_key: is missing"); /* it is misspelt */
}

static void who_may_see_the_status(void **state)
{
    struct settings *settings = load(&(struct config_texts){
        .top = "status = { allow = [ \"10.0.0.0/8\" ]; file = \"figures\"; }"});
    (void)state;
    assert_non_null(settings);
    assert_int_equal(report.warnings, 0);
    assert_int_equal(settings->status.allow.count, 1);
    assert_true(networks_contain(settings->status_allow, 1, "10.1.2.3"));
    assert_string_equal(settings->status.file, scratch_path("figures"));
    assert_false(settings->status.show_ids);
    settings_free(settings);
}

static void caches_of_stores_that_wait(void **state)
{
    struct settings *settings;
    (void)state;
    config_report_free(&report);
    report = (struct config_report){0};
    settings = settings_read(
        scratch_write("memberchat.conf",
                      SPAN("stores = { far = { plugin = \"slow\" } }\n"
                           "apps = { demo = { api_key = \"k\"; api_secret = \"ssssssssssssssss\"; "
                           "store = \"far\";"
                           " chat_server_url = \"ws://x\"; token = { key_file = \"key\" } } }")),
        test_plugins, NULL, &report);
    expect(settings, "%s", told());
    assert_true(settings->stores[0].cached);
    assert_int_equal(settings->stores[0].cache.size, 100000);
    assert_int_equal(settings->stores[0].cache.ttl_ms, 60000);
    assert_int_equal(settings->stores[0].cache.negative_ttl_ms, 5000);
    assert_int_equal(settings->stores[0].cache.stale_ms, 300000);
    settings_free(settings);
}

static enum memberchat_outcome look_up(const struct settings *settings, const char *id)
{
    struct member member = {0};
    struct directory_answer answer =
        directory_find(settings->apps[0].directories, settings->apps[0].store_count,
                       QUESTION(span_of(id), 5000), &member);
    member_free(&member);
    return (enum memberchat_outcome)answer.outcome;
}

static void stores_are_opened_and_shared(void **state)
{
    struct settings *first = load(&(struct config_texts){0});
    (void)state;
    expect(first && settings_open(first, NULL, false, &report), "%s", told());
    assert_int_equal(look_up(first, "1"), MEMBERCHAT_FOUND);
    assert_int_equal(look_up(first, "nobody"), MEMBERCHAT_NOT_FOUND);

    struct settings *same = load(&(struct config_texts){.top = "threads = 2"});
    assert_true(settings_open(same, first, false, &report));
    assert_ptr_equal(same->stores[0].directory, first->stores[0].directory);
    struct settings *other = load(&(struct config_texts){.store = "max_bad = 5"});
    assert_true(settings_open(other, same, false, &report));
    assert_ptr_not_equal(other->stores[0].directory, first->stores[0].directory);
    settings_free(first);
    assert_int_equal(look_up(same, "1"), MEMBERCHAT_FOUND); /* outlives the first one's settings */
    settings_free(same);
    assert_int_equal(look_up(other, "2"), MEMBERCHAT_FOUND);
    settings_free(other);
}

static void stores_that_do_not_open(void **state)
{
    struct settings *settings = load(&(struct config_texts){0});
    (void)state;
    expect(settings, "%s", told());
    scratch_write("members.csv", SPAN("no,id,here\n"));
    assert_false(settings_open(settings, NULL, false, &report));
    assert_int_equal(report.errors, 1);
    expect_contains(told(), "memberchat.conf:3: stores.members: ");
    expect_contains(told(), "members.csv");
    settings_free(settings);
}

/* The file with the password for /status. */
static void password_files(void **state)
{
    static const struct {
        const char *content; /* NULL: it is not there */
        unsigned mode;
        const char *told; /* "": nothing */
    } rows[] = {
        {NULL, 0, "password cannot be read: No such file"},
        {"", 0600, "status.password_file: "},
        {"\nsecret\n", 0600, "status.password_file: "},
        {"\r\nsecret\n", 0600, "status.password_file: "},
        {"0f8e2c71d5ab4936e1\n", 0606, "can write to"},
        {"0f8e2c71d5ab4936e1\n", 0604, "any user of this machine can read"},
        {"0f8e2c71d5ab4936e1\n", 0600, ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].content)
            scratch_write_mode("password", span_of(rows[i].content), rows[i].mode);
        settings_free(load(&(struct config_texts){
            .top = "status = { allow = [ \"::1\" ]; password_file = \"password\" }"}));
        expect_contains(told(), rows[i].told);
        expect(*rows[i].told || !*told(), "%s", told());
    }
}

/* For one request: what is not chosen is not read, and its mistakes do not matter. */
static void only_what_is_chosen_is_read(void **state)
{
    static const struct {
        const char *store, *app;
        unsigned parts;
        const char *secret;
        bool good;
    } rows[] = {
        {"pat = \"x\"", "", 0, SECRET, true},
        {"pat = \"x\"", "", SETTINGS_ONE_APP, SECRET, true},
        {"pat = \"x\"", "", SETTINGS_ONE_APP | SETTINGS_APP_STORES, SECRET, false},
        {"pat = \"x\"", "", SETTINGS_ONE_APP | SETTINGS_APP_STORES, "wrong", true},
        {"pat = \"x\"", "", SETTINGS_STORES, SECRET, false},
        {"max_bad = 5", "", SETTINGS_STORES, SECRET, true},
        {"", "bad = 1", 0, SECRET, true},
        {"", "bad = 1", SETTINGS_STORES, SECRET, true},
        {"", "bad = 1", SETTINGS_ONE_APP, SECRET, false},
        {"", "bad = 1", SETTINGS_APPS, SECRET, false},
        {"", "", SETTINGS_ONE_APP | SETTINGS_APP_STORES | SETTINGS_KEYS, SECRET, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char app[256];
        snprintf(app, sizeof app, "api_secret = \"ssssssssssssssss\"; store = \"members\"; %s",
                 rows[i].app);
        const char *text = config_text(&(struct config_texts){.store = rows[i].store, .app = app});
        const struct settings_choice choice = {rows[i].parts, SPAN("demo-key"),
                                               span_of(rows[i].secret)};
        config_report_free(&report);
        report = (struct config_report){0};
        struct settings *settings = settings_read(scratch_write("memberchat.conf", span_of(text)),
                                                  plugins, &choice, &report);
        expect((settings != NULL) == rows[i].good, "row %zu: %s", i, told());
        if (settings && rows[i].parts & SETTINGS_APP_STORES &&
            strcmp(rows[i].secret, SECRET) == 0) {
            assert_true(settings_open(settings, NULL, true, &report));
            assert_int_equal(look_up(settings, "1"), MEMBERCHAT_FOUND);
        }
        settings_free(settings);
    }
}

static void another_key_chooses_no_app(void **state)
{
    const struct settings_choice choice = {SETTINGS_ONE_APP, SPAN("demo-kez"),
                                           SPAN("ssssssssssssssss")};
    (void)state;
    const char *text = config_text(&(struct config_texts){.app = "bad = 1"});
    struct settings *settings =
        settings_read(scratch_write("memberchat.conf", span_of(text)), plugins, &choice, &report);
    expect(settings, "%s", told());
    assert_int_equal(settings->app_count, 0);
    assert_null(settings_find_app(settings, SPAN("demo-key")));
    assert_null(settings_find_app_id(settings, "demo"));
    settings_free(settings);
}

static void two_apps_with_the_key_of_one_request(void **state)
{
    const struct settings_choice choice = {SETTINGS_ONE_APP, SPAN("demo-key"),
                                           SPAN("ssssssssssssssss")};
    (void)state;
    const char *text = config_text(&(struct config_texts){
        .app = "api_secret = \"ssssssssssssssss\"; store = \"members\"",
        .apps = "other = { api_key = \"demo-key\"; api_secret = \"tttttttttttttttt\"; store = "
                "\"members\";"
                " chat_server_url = \"ws://x\"; token = { key_file = \"key\" } }"});
    assert_null(
        settings_read(scratch_write("memberchat.conf", span_of(text)), plugins, &choice, &report));
    expect_contains(told(), "apps.other.api_key: is also that of the app \"demo\"");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, settings_start, settings_stop)
    const struct CMUnitTest tests[] = {
        TEST(defaults),
        TEST(everything_at_the_top),
        TEST(mistakes_at_the_top),
        TEST(mistakes_in_stores),
        TEST(stores_that_are_none),
        TEST(all_mistakes_of_a_file),
        TEST(who_may_see_the_status),
        TEST(caches_of_stores_that_wait),
        TEST(stores_are_opened_and_shared),
        TEST(stores_that_do_not_open),
        TEST(password_files),
        TEST(only_what_is_chosen_is_read),
        TEST(another_key_chooses_no_app),
        TEST(two_apps_with_the_key_of_one_request),
    };
    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
