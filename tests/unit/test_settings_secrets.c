/* SPDX-License-Identifier: MIT
 * The secrets and keys of apps: where they are read from, and who else could. */
#include "settings/common_secrets.h"
#include "settings/settings.h"

#include "settings_fixture.h"

#include "base/file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REST     "store = \"members\""
#define SECRET   "api_secret = \"demo-secret-demo\"; "
#define DIGEST   "c16ef9dc1eb3ff5c2318699e21104879388c3283d1dde2944dbe9daf3bf2b146"
#define DIGESTED "digest-of-a-long-one"
#define RANDOM   "q8Zr2Xv7Lk0Tn5Yb9Wd3Hs6Jf1Gm4Pc-Ae"
#define FIRST    "first-of-sixteen"
#define SECOND   "second of seventeen"

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
         "new-app"},
        {{.app = "api_secret = \"fifteen letters\"; " REST},
         "api_secret: the API secret has 15 bytes"},
        {{.app = "api_secret = [ \"" FIRST "\", \"a\" ]; " REST}, "the API secret has 1 byte;"},
        {{.app = "api_secret_file = \"three\"; " REST},
         "must hold the API secret in its first line"},
        {{.app = "api_secret_file = \"gap\"; " REST}, "the API secret has 0 bytes"},
        {{.app = "api_secret_file = \"open\"; " REST}, "can write to"},
        {{.app = "api_secret_file = \"long\"; " REST}, "the API secret has 1025 bytes"},
    };
    (void)state;
    scratch_write("s", SPAN("x"));
    scratch_write("empty", SPAN("\n"));
    scratch_write("three", SPAN(FIRST "\n" SECOND "\n" FIRST "\n"));
    scratch_write("gap", SPAN(FIRST "\n\n"));
    scratch_write("short", SPAN("fifteen letters\n"));
    scratch_write_mode("open", SPAN(FIRST "\n"), 0666);
    char *text = repeated('q', 1025);
    scratch_write("long", span_of(text));
    free(text);
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
    assert_int_equal(chmod(scratch_path("keys"), 0700), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(chmod(scratch_path("."), rows[i].mode), 0);
        settings_free(load(&texts));
        expect(report.errors == 0 && !report.warnings == !rows[i].warnings, "mode %o: %s",
               rows[i].mode, told());
    }
    expect_contains(told(), "memberchat.conf: warning: any user of this machine can replace files "
                            "in its folder (mode 0702): chmod o-w it");
    assert_int_equal(chmod(scratch_path("."), 0700), 0);
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

/* The folder of a plugin is checked elsewhere. */
static void plugins_that_anyone_may_change(void **state)
{
    struct bytes plugin = {0};
    char from[PATH_MAX];
    (void)state;
    snprintf(from, sizeof from, "%s/store_file.so", plugins);
    assert_true(file_read_path(from, 0, 64u << 20, &plugin));
    assert_int_equal(mkdir(scratch_path("plugins"), 0755), 0);
    scratch_write_mode("plugins/store_file.so", bytes_span(&plugin), 0666);
    bytes_free(&plugin);
    const char *path =
        scratch_write("memberchat.conf", span_of(config_text(&(struct config_texts){0})));
    struct settings *settings = settings_read(path, scratch_path("plugins"), NULL, &report);
    expect(settings, "%s", told());
    expect_contains(told(),
                    "stores.members.plugin: warning: any user of this machine can write to ");
    expect_contains(told(), "/store_file.so (mode 0666): chmod o-w it");
    settings_free(settings);
}

/* They are beside the configuration, however it is named. */
static void files_of_a_relative_configuration(void **state)
{
    static const char *const names[] = {"memberchat.conf", "../sub/memberchat.conf"};
    char before[PATH_MAX];
    (void)state;
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(mkdir(scratch_path("sub"), 0700), 0);
    scratch_write("sub/key", SPAN("q7Zt2VbX9mLs4RfWc8Hn3DgPy6KeJ5Au\n"));
    scratch_write("sub/members.csv", SPAN("appUserId\n1\n"));
    scratch_write("sub/memberchat.conf", span_of(config_text(&(struct config_texts){0})));
    assert_int_equal(chdir(scratch_path("sub")), 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        struct settings *settings = settings_read(names[i], plugins, NULL, &report);
        expect(settings, "%s", told());
        expect_contains(settings->apps[0].token.key_file, i ? "/sub/../sub/key" : "/sub/key");
        assert_int_equal(*settings->apps[0].token.key_file, '/');
        settings_free(settings);
    }
    assert_int_equal(chdir(before), 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, settings_start, settings_stop)
    const struct CMUnitTest tests[] = {
        TEST(one_or_two_secrets),
        TEST(mistakes_about_secrets),
        TEST(digests_of_common_secrets),
        TEST(folders_that_anyone_can_write),
        TEST(apps_that_share_a_secret_or_a_key),
        TEST(files_that_others_can_read),
        TEST(plugins_that_anyone_may_change),
        TEST(files_of_a_relative_configuration),
    };
    return cmocka_run_group_tests_name("settings_secrets", tests, NULL, NULL);
}
