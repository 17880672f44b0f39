/* SPDX-License-Identifier: MIT
 * The apps of a configuration: what each says, and every mistake in it. */
#include "settings/settings.h"

#include "settings_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REST   "store = \"members\""
#define SECRET "api_secret = \"demo-secret-demo\"; "
#define SECOND "second of seventeen"

static void defaults(void **state)
{
    struct settings *settings = load(&(struct config_texts){0});
    (void)state;
    expect(settings, "%s", told());
    const struct app *app = settings_find_app(settings, SPAN("demo-key"));
    assert_non_null(app);
    assert_string_equal(app->id, "demo");
    assert_ptr_equal(app, settings_find_app_id(settings, "demo"));
    assert_true(app->settings.guests);
    assert_false(app->settings.extended_response);
    assert_int_equal(app->settings.cors_origins.count, 0);
    assert_string_equal(app->settings.chat_server_url, "wss://chat.example.com/ws");
    assert_int_equal(app->store_count, 1);
    assert_ptr_equal(app->stores[0], &settings->stores[0]);
    assert_string_equal(app->token.issuer, "memberchat");
    assert_string_equal(app->token.audience, "demo");
    assert_int_equal(app->token.ttl_ms, 900000);
    assert_int_equal(app->token.guest_ttl_ms, 600000);
    assert_non_null(app->profile.key);
    assert_null(settings_find_app(settings, SPAN("demo-ke")));
    assert_null(settings_find_app(settings, SPAN("demo-key\0")));
    assert_null(settings_find_app(settings, SPAN("")));
    assert_null(settings_find_app(settings, SPAN_NONE));
    assert_null(settings_find_app_id(settings, "other"));
    settings_free(settings);
}

static void everything_of_an_app(void **state)
{
    struct settings *settings = load(&(struct config_texts){
        .app = SECRET
        "store = [ \"members\", \"members\" ]; app_id = \"Demo One\"; guests = false;"
        " cors_origins = [ \"https://www.example.com\", \"http://localhost:3000\", \"*\" ];"
        " extended_response = true",
        .token = "algorithm = \"HS256\"; key_id = \"2026-11\"; issuer = \"me\"; audience = \"you\";"
                 " ttl = \"1h\"; guest_ttl = \"1m\"; next_keys = [ ]; previous_keys = [ ]"});
    (void)state;
    expect(settings, "%s", told());
    const struct app *app = settings_find_app_id(settings, "Demo One");
    assert_non_null(app);
    assert_false(app->settings.guests);
    assert_true(app->settings.extended_response);
    assert_int_equal(app->settings.cors_origins.count, 3);
    assert_int_equal(app->store_count, 2);
    assert_string_equal(app->token.issuer, "me");
    assert_string_equal(app->token.audience, "you");
    assert_string_equal(app->profile.key->id, "2026-11");
    assert_int_equal(app->token.ttl_ms, 3600000);
    assert_int_equal(app->token.guest_ttl_ms, 60000);
    settings_free(settings);
}

static void mistakes_in_apps(void **state)
{
#define APP(keys)                                                                                  \
    {                                                                                              \
        .app = SECRET REST "; " keys                                                               \
    }
    static const struct mistake rows[] = {
        {{.app = SECRET "stor = \"members\"; store = \"members\""},
         ":8: apps.demo.stor: unknown key (did you mean \"store\"?)"},
        {{.app = SECRET "\nstor = \"members\""},
         ":9: apps.demo.stor: unknown key (did you mean \"store\"?)"},
        {{.app = "api_secret = \"demo-secret-demo\""}, ":6: apps.demo.store: is missing"},
        {{.app = SECRET "store = \"member\""}, ":8: apps.demo.store: there is no store \"member\""},
        {{.app = SECRET "store = [ \"members\", \"staff\" ]"}, "there is no store \"staff\""},
        {{.app = SECRET "store = [ ]"}, ":8: apps.demo.store: has 0 entries"},
        {{.app = SECRET "store = 1"},
         ":8: apps.demo.store: expected a string in quotes, or a list such as"},
        {APP("guests = \"yes\""), "apps.demo.guests: expected true or false"},
        {APP("app_id = \"\""), "apps.demo.app_id: has 0 bytes"},
        {APP("app_id = \"a\\x01\""), "apps.demo.app_id: must be UTF-8 without control characters"},
        {APP("cors_origins = [ \"https://x/\" ]"), "\"https://x/\" is not an origin"},
        {APP("cors_origins = [ \"https://X\" ]"), "\"https://X\" is not an origin"},
        {APP("cors_origins = [ \"www.example.com\" ]"), "is not an origin"},
        {APP("cors_origins = [ \"https://a, https://b\" ]"), "is not an origin"},
        {APP("cors_origins = [ \"https://*.example.com\" ]"), "is not an origin"},
        {APP("cors_origins = [ \"\" ]"), "is not an origin"},
        {APP("cors_origins = [ \"null\" ]"), "is not an origin"},
        {APP("cors_origins = [ \"https://a.example:443\" ]"), "is not an origin"},
        {APP("cors_origins = [ \"http://a.example:80\" ]"), "is not an origin"},
        {APP("cors_origins = [ \"https://a.example:\" ]"), "is not an origin"},
        {APP("cors_origins = [ \"https://a.example:08443\" ]"), "is not an origin"},
        {APP("cors_origins = [ \"https://a.example:65536\" ]"), "is not an origin"},
        {APP("cors_origins = [ \"https://[2001:db8:0:0:0:0:0:1]\" ]"), "is not an origin"},
        {APP("cors_origins = [ \"https://[::1]x\" ]"), "is not an origin"},
        {APP("cors_origins = [ \"https://[::1\" ]"), "is not an origin"},
        {APP("cors_origins = [ \"https://u@a.example\" ]"), "is not an origin"},
        {APP("access_token = 1"), "apps.demo.access_token: expected a group"},
        {APP("access_token = { key_file = \"key\"; issuer = \"x\" }"),
         "apps.demo.access_token.algorithm: is missing"},
        {APP("throttle = { }"), "apps.demo.throttle: unknown key"},
    };
    (void)state;
    check_mistakes(rows, COUNT(rows));
}

/* What a template cannot remove is told, and the rest of it counts. */
static void claims_that_stay(void **state)
{
    (void)state;
    scratch_write("stays.json", SPAN("{\"exp\":null}"));
    struct settings *settings = load(&(struct config_texts){.token = "claims = \"stays.json\""});
    expect(settings, "%s", told());
    expect_contains(told(), "apps.demo.token.claims: warning: ");
    expect_contains(told(), "exp cannot be removed and stays");
    settings_free(settings);
}

/* A file that is named twice is one key; two keys that are named alike are a mistake. */
static void key_ids(void **state)
{
    (void)state;
    scratch_write("other", SPAN("pX3vK9mQ2sT7wZ4yB6nC8dF1gH5jL0aR"));
    struct settings *settings =
        load(&(struct config_texts){.token = "key_id = \"k\"; previous_keys = [ \"key#k\", "
                                             "\"other#\" ]; next_keys = [ \"other#n\" ]"});
    expect(settings, "%s", told());
    const struct app *app = settings_find_app_id(settings, "demo");
    assert_int_equal(app->keys.count, 4);
    assert_string_equal(app->keys.keys[1]->id, "n");
    assert_string_equal(app->token.previous_keys.items[1], scratch_path("other"));
    settings_free(settings);
    assert_null(
        load(&(struct config_texts){.token = "key_id = \"k\"; previous_keys = [ \"other#k\" ]"}));
    expect_contains(told(), "apps.demo.token: two different keys have the key id \"k\"");
    scratch_write("long.jwk",
                  SPAN("{\"kty\":\"oct\",\"alg\":\"HS512\",\"kid\":\"k\",\"k\":\""
                       "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw"
                       "MTIz\"}"));
    assert_null(
        load(&(struct config_texts){.token = "key_id = \"k\"; previous_keys = [ \"long.jwk\" ]"}));
    expect_contains(told(), "apps.demo.token: two different keys have the key id \"k\"");
}

static void mistakes_in_tokens(void **state)
{
#define TOKEN(keys)                                                                                \
    {                                                                                              \
        .token = keys                                                                              \
    }
    static const struct mistake rows[] = {
        {TOKEN("algorithm = \"RS256\""), "key: it is neither PEM nor a JWK, and RS256 needs one"},
        {TOKEN("issuer = 5"), "apps.demo.token.issuer: "},
        {TOKEN("algorithm = \"none\""), "is \"none\"; it must be one of: HS256"},
        {TOKEN("claims = \"none.json\""), "none.json cannot be read: No such file"},
        {TOKEN("claims = \"members.csv\""),
         "members.csv: it must be JSON: a character that does not belong"},
        {TOKEN("next_keys = [ \"x\" ]"), "/x cannot be read: No such file"},
        {TOKEN("previous_keys = [ \"x#2026\" ]"), "/x cannot be read: No such file"},
        {TOKEN("next_keys = [ 1 ]"), "expected a string in quotes"},
        {TOKEN("ttl = \"500ms\""), "apps.demo.token.ttl: is \"500ms\""},
        {TOKEN("guest_ttl = \"31d\""), "apps.demo.token.guest_ttl: is \"31d\""},
        {TOKEN("key_id = \"\""), "apps.demo.token.key_id: has 0 bytes"},
        {TOKEN("kid = \"x\""), "apps.demo.token.kid: unknown key"},
        /* what goes into a token must be JSON */
        {TOKEN("key_id = \"\\xff\""), "apps.demo.token.key_id: must be UTF-8"},
        {TOKEN("next_keys = [ \"#2026\" ]"), "apps.demo.token.next_keys: \"#2026\" is not a path"},
        {TOKEN("issuer = \"caf\\xe9\""), "apps.demo.token.issuer: "},
        {TOKEN("audience = \"a\\x01\""), "apps.demo.token.audience: "},
    };
    (void)state;
    check_mistakes(rows, COUNT(rows));
}

/* The keys that every app of config_text() has, as they should not be. */
static void other_apps(void **state)
{
#define OTHER(key, url, rest)                                                                      \
    {                                                                                              \
        .apps = "other = { api_key = \"" key "\"; chat_server_url = \"" url "\"; " SECRET REST     \
                "; " rest " }"                                                                     \
    }
#define GOOD_TOKEN "token = { key_file = \"key\" }"
    static const struct mistake rows[] = {
        {OTHER("demo-key", "ws://x", GOOD_TOKEN),
         ":11: apps.other.api_key: is also that of the app \"demo\""},
        {OTHER("k", "ws://x", GOOD_TOKEN "; app_id = \"demo\""),
         "apps.other.app_id: is also that of the app \"demo\""},
        {OTHER("", "ws://x", GOOD_TOKEN), "apps.other.api_key: has 0 bytes"},
        {OTHER("a:b", "ws://x", GOOD_TOKEN), "apps.other.api_key: must be UTF-8 without a colon"},
        {OTHER("a\\x07", "ws://x", GOOD_TOKEN),
         "apps.other.api_key: must be UTF-8 without a colon"},
        {OTHER("k", "chat.example.com", GOOD_TOKEN),
         "apps.other.chat_server_url: \"chat.example.com\" must"},
        {OTHER("k", "wss://", GOOD_TOKEN), "apps.other.chat_server_url: \"wss://\" must"},
        {OTHER("k", "ftp://x", GOOD_TOKEN), "apps.other.chat_server_url: \"ftp://x\" must"},
        {OTHER("k", "ws://x", ""), "apps.other.token: is missing"},
        {OTHER("k", "ws://x", "token = \"key\""), "apps.other.token: expected a group"},
        {OTHER("k", "ws://x", "token = { }"), "apps.other.token.key_file: is missing"},
        {OTHER("k", "ws://x", "token = { key_file = \"nokey\" }"),
         "directory: \"memberchat keygen HS256 FILE\" makes one"},
        {OTHER("k", "ws://x", "token = { key_file = \"short/key\" }"),
         "short/key cannot be read: Not a directory"},
        {OTHER("k", "ws://x", "token = { key_file = \"short\" }"),
         "has 5 bytes; HS256 needs at least 32"},
        {OTHER("k", "ws://x", "token = { key_file = \"open\" }"), "can write to"},
        {{.apps = "other = \"x\""}, ":11: apps.other: expected a group in braces"},
    };
    (void)state;
    scratch_write("short", SPAN("short"));
    scratch_write_mode("open", SPAN("q7Zt2VbX9mLs4RfWc8Hn3DgPy6KeJ5Au"), 0606);
    check_mistakes(rows, COUNT(rows));
}

static void several_apps(void **state)
{
    struct settings *settings = load(&(struct config_texts){
        .apps =
            "second = { api_key = \"second-key\"; chat_server_url = \"ws://x\";"
            " api_secret = \"" SECOND "\"; store = \"members\"; token = { key_file = \"key\" } };"
            "third = { api_key = \"third-key\"; chat_server_url = \"http://x\"; app_id = \"3\";"
            " api_secret = \"" SECOND "\"; store = \"members\"; token = { key_file = \"key\" } }"});
    (void)state;
    expect(settings, "%s", told());
    assert_int_equal(settings->app_count, 3);
    assert_string_equal(settings_find_app(settings, SPAN("second-key"))->id, "second");
    assert_string_equal(settings_find_app(settings, SPAN("third-key"))->id, "3");
    assert_null(settings_find_app_id(settings, "third"));
    settings_free(settings);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, settings_start, settings_stop)
    const struct CMUnitTest tests[] = {
        TEST(defaults),           TEST(everything_of_an_app), TEST(mistakes_in_apps),
        TEST(mistakes_in_tokens), TEST(claims_that_stay),     TEST(key_ids),
        TEST(other_apps),         TEST(several_apps),
    };
    return cmocka_run_group_tests_name("settings_app", tests, NULL, NULL);
}
