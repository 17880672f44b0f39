/* SPDX-License-Identifier: MIT
 * The apps of a configuration: what each says, and every mistake in it. */
#include "settings/common_secrets.h"
#include "settings/settings.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define REST     "store = \"members\""
#define SECRET   "api_secret = \"demo-secret-demo\"; "
#define DIGEST   "c16ef9dc1eb3ff5c2318699e21104879388c3283d1dde2944dbe9daf3bf2b146"
#define DIGESTED "digest-of-a-long-one"
#define RANDOM   "q8Zr2Xv7Lk0Tn5Yb9Wd3Hs6Jf1Gm4Pc-Ae"
#define FIRST    "first-of-sixteen"
#define SECOND   "second of seventeen"

static struct config_report report;

static int start(void **state)
{
    report = (struct config_report){0};
    int rc = scratch_start(state);
    scratch_write_basics();
    return rc;
}

static int stop(void **state)
{
    config_report_free(&report);
    return scratch_stop(state);
}

static struct settings *load(const struct config_texts *texts)
{
    config_report_free(&report);
    report = (struct config_report){0};
    return settings_read(scratch_write("memberchat.conf", span_of(config_text(texts))), plugins,
                         NULL, &report);
}

static const char *told(void)
{
    return bytes_string(&report.text);
}

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

static void expect_secrets(const char *keys, const char *first, const char *second)
{
    char text[512];
    uint8_t digest[SHA256_LENGTH];
    snprintf(text, sizeof text, "%s; " REST, keys);
    struct settings *settings = load(&(struct config_texts){.app = text});
    expect(settings, "%s: %s", keys, told());
    const struct app *app = &settings->apps[0];
    expect(app->secret_count == (second ? 2 : 1), "%s: %zu secrets", keys, app->secret_count);
    crypto_sha256(span_of(first), digest);
    expect(memcmp(app->secrets[0], digest, sizeof digest) == 0, "%s: the first", keys);
    crypto_sha256(span_of(second), digest);
    expect(!second || memcmp(app->secrets[1], digest, sizeof digest) == 0, "%s: the second", keys);
    settings_free(settings);
}

static void one_or_two_secrets(void **state)
{
    (void)state;
    expect_secrets("api_secret = \"" FIRST "\"", FIRST, NULL);
    expect_secrets("api_secret = [ \"" FIRST "\" ]", FIRST, NULL);
    expect_secrets("api_secret = [ \"" FIRST "\", \"" SECOND "\" ]", FIRST, SECOND);
    expect_secrets("api_secret_sha256 = \"" DIGEST "\"", DIGESTED, NULL);
    expect_secrets("api_secret_sha256 = [ \"" DIGEST "\", \"" DIGEST "\" ]", DIGESTED, DIGESTED);
    scratch_write("s1", SPAN(FIRST));
    expect_secrets("api_secret_file = \"s1\"", FIRST, NULL);
    scratch_write("s2", SPAN(FIRST "\n" SECOND "\n"));
    expect_secrets("api_secret_file = \"s2\"", FIRST, SECOND);
    scratch_write("s3", SPAN(FIRST "\r\n" SECOND "\r\n"));
    expect_secrets("api_secret_file = \"s3\"", FIRST, SECOND);
}

struct mistake {
    struct config_texts texts;
    const char *told;
};

static void check_mistakes(const struct mistake *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_null(load(&rows[i].texts));
        expect(report.errors == 1, "row %zu: %u errors:\n%s", i, report.errors, told());
        expect_contains(told(), rows[i].told);
        expect_contains(told(), scratch_path("memberchat.conf:"));
        expect_lacks(told(), "demo-secret-demo");
        expect_lacks(told(), DIGEST);
    }
}

static void mistakes_about_secrets(void **state)
{
#define ONE_OF "apps.demo: needs exactly one of api_secret_sha256, api_secret and api_secret_file"
    static const struct mistake rows[] = {
        {{.app = REST}, ONE_OF},
        {{.app = SECRET "api_secret_sha256 = \"" DIGEST "\"; " REST}, ONE_OF},
        {{.app = SECRET "api_secret_file = \"s\"; " REST}, ONE_OF},
        {{.app = "api_secret = \"\"; " REST},
         "apps.demo.api_secret: the API secret has 0 bytes; it must have 16 to 1024"},
        {{.app = "api_secret = [ \"" FIRST "\", \"" FIRST "\", \"" FIRST "\" ]; " REST},
         "apps.demo.api_secret: has 3 entries"},
        {{.app = "api_secret_sha256 = \"abc\"; " REST},
         "api_secret_sha256: must be 64 hexadecimal"},
        {{.app = "api_secret_sha256 = \"g" DIGEST "\"; " REST}, "api_secret_sha256: must be 64"},
        {{.app = "api_secret_file = \"nothing\"; " REST}, "nothing cannot be read"},
        {{.app = "api_secret_file = \"empty\"; " REST},
         "api_secret_file: the API secret has 0 bytes"},
        {{.app = "api_secret_file = \"short\"; " REST},
         "api_secret_file: the API secret has 15 bytes; it must have 16 to 1024: memberchat "
         "new-secret"},
        {{.app = "api_secret = \"fifteen letters\"; " REST},
         "api_secret: the API secret has 15 bytes"},
        {{.app = "api_secret = [ \"" FIRST "\", \"a\" ]; " REST}, "the API secret has 1 bytes"},
        {{.app = "api_secret_file = \"three\"; " REST},
         "must hold the API secret in its first line"},
        {{.app = "api_secret_file = \"gap\"; " REST}, "the API secret has 0 bytes"},
        {{.app = "api_secret_file = \"open\"; " REST}, "can write to"},
    };
    (void)state;
    scratch_write("s", SPAN("x"));
    scratch_write("empty", SPAN("\n"));
    scratch_write("three", SPAN(FIRST "\n" SECOND "\n" FIRST "\n"));
    scratch_write("gap", SPAN(FIRST "\n\n"));
    scratch_write("short", SPAN("fifteen letters\n"));
    scratch_write_mode("open", SPAN(FIRST "\n"), 0666);
    check_mistakes(rows, COUNT(rows));
}

/* Those of nothing, and of what anyone would try, with and without a line end. */
static void digests_of_common_secrets(void **state)
{
    (void)state;
    for (size_t i = 0; i < common_secret_count; i++)
        for (int with_line = 0; with_line < 2; with_line++) {
            struct bytes secret = {0}, app = {0};
            uint8_t digest[SHA256_LENGTH];
            bytes_addf(&secret, "%s%s", common_secrets[i].text, with_line ? "\n" : "");
            crypto_sha256(bytes_span(&secret), digest);
            expect(common_secret_find(digest) == common_secrets[i].text, "\"%s\"",
                   common_secrets[i].text);
            bytes_add_string(&app, "api_secret_sha256 = \"");
            bytes_add_hex(&app, (struct span){(const char *)digest, sizeof digest});
            bytes_add_string(&app, "\"; " REST);
            assert_null(load(&(struct config_texts){.app = bytes_string(&app)}));
            expect_contains(told(), "api_secret_sha256: is the digest of nothing, or of a secret");
            bytes_free(&secret);
            bytes_free(&app);
        }
}

static void folders_that_anyone_can_write(void **state)
{
    (void)state;
    mkdir(scratch_path("keys"), 0700);
    scratch_write("keys/key", SPAN(RANDOM "\n"));
    scratch_write("keys/secret", SPAN(FIRST "\n"));
    struct config_texts texts = {.app = "api_secret_file = \"keys/secret\"; " REST,
                                 .token = "previous_keys = \"keys/key\""};
    static const struct {
        unsigned mode, warnings;
    } rows[] = {{0700, 0}, {0755, 0}, {0770, 0}, {01777, 0}, {0777, 2}, {0702, 2}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(chmod(scratch_path("keys"), rows[i].mode), 0);
        settings_free(load(&texts));
        expect(report.errors == 0 && report.warnings == rows[i].warnings, "mode %o: %s",
               rows[i].mode, told());
    }
    expect_contains(told(), "apps.demo.api_secret_file: warning: any user of this machine can "
                            "replace files in the folder ");
    expect_contains(told(), "apps.demo.token.previous_keys: warning: any user");
    expect_contains(told(), "/keys (mode 0702): chmod o-w it");
}

/* Neither the key of a pair nor a secret of one's own draws one. */
static void apps_that_share_a_secret_or_a_key(void **state)
{
    static const struct {
        const char *secret, *key;
        unsigned warnings;
    } rows[] = {{SECOND, "other", 0}, {FIRST, "other", 1}, {SECOND, "key", 1}, {FIRST, "key", 2}};
    (void)state;
    scratch_write("other", SPAN(RANDOM "\n"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        char apps[512];
        snprintf(apps, sizeof apps,
                 "second = { api_key = \"second\"; chat_server_url = \"ws://x\"; api_secret = "
                 "\"%s\"; " REST "; token = { key_file = \"%s\" } }",
                 rows[i].secret, rows[i].key);
        settings_free(load(&(struct config_texts){
            .app = "api_secret = [ \"" FIRST "\", \"" DIGESTED "\" ]; " REST, .apps = apps}));
        expect(report.errors == 0 && report.warnings == rows[i].warnings, "row %zu: %s", i, told());
    }
    expect_contains(told(),
                    ":11: apps.second.api_secret: warning: is also that of the app \"demo\"");
    expect_contains(told(), ":11: apps.second.token.key_file: warning: is also that of the app");
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
        {{.app = "api_secret = \"demo-secret-demo\""}, ":6: apps.demo.store: is missing"},
        {{.app = SECRET "store = \"member\""}, ":8: apps.demo.store: there is no store \"member\""},
        {{.app = SECRET "store = [ \"members\", \"staff\" ]"}, "there is no store \"staff\""},
        {{.app = SECRET "store = [ ]"}, ":8: apps.demo.store: has 0 entries"},
        {{.app = SECRET "store = 1"}, ":8: apps.demo.store: expected a list such as"},
        {APP("guests = \"yes\""), "apps.demo.guests: expected true or false"},
        {APP("app_id = \"\""), "apps.demo.app_id: has 0 bytes"},
        {APP("app_id = \"a\\x01\""), "apps.demo.app_id: must not contain control characters"},
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
        {APP("throttle = { }"), "apps.demo.throttle: unknown key"},
    };
    (void)state;
    check_mistakes(rows, COUNT(rows));
}

static void mistakes_in_tokens(void **state)
{
#define TOKEN(keys)                                                                                \
    {                                                                                              \
        .token = keys                                                                              \
    }
    static const struct mistake rows[] = {
        {TOKEN("algorithm = \"RS256\""), "key: it is neither PEM nor a JWK, and RS256 needs one"},
        {TOKEN("algorithm = \"none\""), "is \"none\"; it must be one of: HS256"},
        {TOKEN("claims = \"none.json\""), "none.json cannot be read: No such file"},
        {TOKEN("claims = \"members.csv\""), "members.csv: a character that does not belong"},
        {TOKEN("next_keys = [ \"x\" ]"), "/x cannot be read: No such file"},
        {TOKEN("previous_keys = [ \"x#2026\" ]"), "/x cannot be read: No such file"},
        {TOKEN("next_keys = [ 1 ]"), "expected a string in quotes"},
        {TOKEN("ttl = \"500ms\""), "apps.demo.token.ttl: is \"500ms\""},
        {TOKEN("guest_ttl = \"31d\""), "apps.demo.token.guest_ttl: is \"31d\""},
        {TOKEN("key_id = \"\""), "apps.demo.token.key_id: has 0 bytes"},
        {TOKEN("kid = \"x\""), "apps.demo.token.kid: unknown key"},
        /* what goes into a token must be JSON */
        {TOKEN("key_id = \"\\xff\""), "apps.demo.token.key_"},
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
        {OTHER("a:b", "ws://x", GOOD_TOKEN), "apps.other.api_key: must not contain a colon"},
        {OTHER("a\\x07", "ws://x", GOOD_TOKEN), "apps.other.api_key: must not contain a colon"},
        {OTHER("k", "chat.example.com", GOOD_TOKEN),
         "apps.other.chat_server_url: \"chat.example.com\" must"},
        {OTHER("k", "wss://", GOOD_TOKEN), "apps.other.chat_server_url: \"wss://\" must"},
        {OTHER("k", "ftp://x", GOOD_TOKEN), "apps.other.chat_server_url: \"ftp://x\" must"},
        {OTHER("k", "ws://x", ""), "apps.other.token: is missing"},
        {OTHER("k", "ws://x", "token = \"key\""), "apps.other.token: expected a group"},
        {OTHER("k", "ws://x", "token = { }"), "apps.other.token.key_file: is missing"},
        {OTHER("k", "ws://x", "token = { key_file = \"nokey\" }"), "nokey cannot be read"},
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

static void files_that_others_can_read(void **state)
{
    (void)state;
    scratch_write_mode("key", SPAN("q7Zt2VbX9mLs4RfWc8Hn3DgPy6KeJ5Au"), 0644);
    scratch_write_mode("s", SPAN(FIRST), 0644);
    struct settings *settings =
        load(&(struct config_texts){.app = "api_secret_file = \"s\"; " REST});
    expect(settings, "%s", told());
    assert_int_equal(report.warnings, 2);
    expect_contains(told(),
                    "apps.demo.api_secret_file: warning: any user of this machine can read");
    expect_contains(told(), "apps.demo.token.key_file: warning: any user of this machine can read");
    settings_free(settings);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(defaults),
        TEST(everything_of_an_app),
        TEST(one_or_two_secrets),
        TEST(mistakes_about_secrets),
        TEST(digests_of_common_secrets),
        TEST(folders_that_anyone_can_write),
        TEST(apps_that_share_a_secret_or_a_key),
        TEST(mistakes_in_apps),
        TEST(mistakes_in_tokens),
        TEST(other_apps),
        TEST(several_apps),
        TEST(files_that_others_can_read),
    };
    return cmocka_run_group_tests_name("settings_app", tests, NULL, NULL);
}
