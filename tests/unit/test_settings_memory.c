/* SPDX-License-Identifier: MIT
 * Memory that runs out while a configuration is read: each allocation fails in turn. */
#include "settings/settings.h"

#include "short_memory.h"
#include "support.h"

#include <string.h>

enum { MANY = 100000 }; /* more allocations than there are */

static const char template[] = "{\"scope\": [\"chat.{userId|id}\"], \"header\": {\"x\": \"y\"}}";

/* What settings of good_texts say that must not get lost. */
static void expect_good(const struct settings *settings, size_t granted)
{
    const struct app *app = settings_find_app(settings, SPAN("demo-key"));
    assert_non_null(app);
    assert_ptr_equal(app, settings_find_app_id(settings, "demo"));
    expect(app->profile.key && app->profile.claims && app->profile.header.length > 20, "after %zu",
           granted);
    expect(app->token.claims && app->token.audience && strcmp(app->token.audience, "aud") == 0 &&
               app->token.ttl_ms == 60000 && strcmp(app->token.issuer, "iss") == 0,
           "after %zu", granted);
    assert_int_equal(app->secret_count, 1);
    assert_int_equal(app->settings.cors_origins.count, 2);
    assert_string_equal(app->settings.cors_origins.items[1], "https://b.example");
    assert_int_equal(app->keys.count, 2);
    assert_int_equal(app->access_keys.count, 1);
    assert_string_equal(app->access.issuer, "other");
    assert_int_equal(app->store_count, 1);
    assert_int_equal(settings->trusted_proxy_count, 1);
    expect_contains(settings->log.target, "/memberchat.log");
    expect(settings->jwks.text.length > 0 && settings->jwks.etag.length > 0, "after %zu", granted);
}

static const struct config_texts good_texts = {
    .store = "member = { asked = [ \"trim\" ]; name = [ \"{first} {last}\", \"{name}\" ];"
             " avatar = \"https://x/{id}\"; role = \"{dept|lower}\";"
             " roles = ( { field = \"dept\"; is = \"IT\"; role = \"host\" } ) }",
    .top = "trusted_proxies = [ \"10.0.0.0/8\" ]; log = { target = \"memberchat.log\" }",
    .app = "api_secret = \"demo-secret-of-16\"; store = \"members\";\n"
           "cors_origins = [ \"https://a.example\", \"https://b.example\" ];\n"
           "access_token = { algorithm = \"HS256\"; key_file = \"other\"; issuer = \"other\" }",
    .token = "claims = \"claims.json\"; audience = \"aud\"; ttl = \"1m\"; issuer = \"iss\";"
             " previous_keys = \"old#old\"",
};

static const char *write_good(void)
{
    scratch_write_basics();
    scratch_write("members.csv", SPAN("appUserId,appUserName,first,last,dept\n1,A,Ann,Lee,IT\n"));
    scratch_write("other", SPAN("oooooooooooooooooooooooooooooooooooooo\n"));
    scratch_write("old", SPAN("pppppppppppppppppppppppppppppppppppppp\n"));
    scratch_write("claims.json", span_of(template));
    return scratch_write("memberchat.conf", span_of(config_text(&good_texts)));
}

/* Good settings are whole, or not there, with an error. */
static void good_settings_are_whole_or_refused(void **state)
{
    (void)state;
    const char *path = write_good();
    for (int lasting = 0; lasting < 2; lasting++)
        for (size_t granted = 0; granted < MANY; granted++) {
            struct config_report report = {0};
            short_memory_start(granted, lasting);
            struct settings *settings = settings_read(path, plugins, NULL, &report);
            bool opened = settings && settings_open(settings, NULL, false, &report);
            bool failed = short_memory_stop();
            expect((settings && opened) == (report.errors == 0), "after %zu: %u errors, %s",
                   granted, report.errors, bytes_string(&report.text));
            if (opened)
                expect_good(settings, granted);
            else
                expect(failed, "%s", bytes_string(&report.text));
            settings_free(settings);
            config_report_free(&report);
            if (!failed)
                break;
            assert_true(granted < MANY - 1);
        }
}

static void bad_settings_are_never_good(void **state)
{
    static const struct config_texts rows[] = {
        {.top = "thread = 1"},
        {.top = "trusted_proxies = [ \"10.0.0.0/33\" ]"},
        {.app = "api_secret = \"demo-secret-of-16\"; store = \"nothing\""},
        {.app = "api_secret = \"demo-secret-of-16\"; store = \"members\"; cors_origins = \"x\""},
        {.token = "claims = \"bad.json\""},
        {.token = "claims = \"nothing.json\""},
        {.token = "previous_keys = \"short\""},
        {.token = "ttl = \"x\""},
        {.store = "max_bads = 1"},
        {.store = "id_column = \"x\"; name_column = \"x\""},
    };
    (void)state;
    write_good();
    scratch_write("bad.json", SPAN("{\"scope\": \"{userId}\"}"));
    scratch_write("short", SPAN("short\n"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *path = scratch_write("memberchat.conf", span_of(config_text(&rows[i])));
        for (size_t granted = 0; granted < MANY; granted++) {
            struct config_report report = {0};
            short_memory_start(granted, granted % 2);
            struct settings *settings = settings_read(path, plugins, NULL, &report);
            bool failed = short_memory_stop();
            expect(!settings && report.errors, "row %zu after %zu: taken", i, granted);
            config_report_free(&report);
            if (!failed)
                break;
        }
    }
}

/* What is left of a configuration with a mistake is whole, or not there. */
static void names_are_whole_or_refused(void **state)
{
    static const struct config_texts texts = {.top = "status = { file = \"figures\"; x = 1 }",
                                              .app = "app_id = \"App\"; store = \"nothing\"; "
                                                     "denied_file = \"denied.txt\""};
    struct config_report mistakes = {0};
    (void)state;
    scratch_write_basics();
    const char *path =
        scratch_write_mode("memberchat.conf", span_of(config_text(&texts)), 0644); /* a warning */
    assert_null(settings_read(path, plugins, NULL, &mistakes));
    for (size_t granted = 0; granted < MANY; granted++) {
        short_memory_start(granted, granted % 2);
        struct settings *settings = settings_read_names(path, &mistakes);
        bool failed = short_memory_stop();
        assert_true(settings || failed);
        if (settings) {
            assert_int_equal(settings->store_count, 1);
            assert_string_equal(settings->stores[0].name, "members");
            assert_int_equal(settings->app_count, 1);
            assert_string_equal(settings->apps[0].id, "App");
            expect_contains(settings->status.file, "/figures");
            const struct app *app = settings_find_app_id(settings, "App");
            assert_ptr_equal(app, &settings->apps[0]);
            expect_contains(app->settings.denied_file, "/denied.txt");
            expect_contains(settings->mistake, "memberchat.conf:");
        }
        settings_free(settings);
        if (!failed)
            break;
    }
    config_report_free(&mistakes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(good_settings_are_whole_or_refused),
        SCRATCH_TEST(bad_settings_are_never_good),
        SCRATCH_TEST(names_are_whole_or_refused),
    };
    return cmocka_run_group_tests_name("settings_memory", tests, NULL, NULL);
}
