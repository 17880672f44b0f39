/* SPDX-License-Identifier: MIT
 * From a path to settings in use. */
#include "settings/load.h"

#include "base/file.h"
#include "settings/writable.h"
#include "support.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct settings_choice nothing; /* but the top of the file */

static void where_things_are(void **state)
{
    (void)state;
    unsetenv("MEMBERCHAT_CONF");
    unsetenv("MEMBERCHAT_PLUGIN_DIR");
    expect_contains(load_config_path(NULL), "/memberchat/memberchat.conf");
    expect_contains(load_plugin_folder(NULL), "/memberchat");
    setenv("MEMBERCHAT_CONF", "/from/environment", 1);
    setenv("MEMBERCHAT_PLUGIN_DIR", "/plugins/environment", 1);
    assert_string_equal(load_config_path(NULL), "/from/environment");
    assert_string_equal(load_config_path("option"), "option");
    assert_string_equal(load_plugin_folder(NULL), "/plugins/environment");
    assert_string_equal(load_plugin_folder("option"), "option");
    setenv("MEMBERCHAT_CONF", "", 1); /* as good as unset */
    expect_contains(load_config_path(NULL), "/memberchat/memberchat.conf");
    unsetenv("MEMBERCHAT_CONF");
    unsetenv("MEMBERCHAT_PLUGIN_DIR");
}

static void good_settings(void **state)
{
    (void)state;
    scratch_write_basics();
    const char *path = scratch_write("memberchat.conf",
                                     span_of(config_text(&(struct config_texts){
                                         .top = "log = { target = \"log\"; level = \"debug\" }"})));
    struct settings *first = load_resident(path, plugins, NULL);
    assert_non_null(first);
    assert_true(log_enabled(LOG_LEVEL_DEBUG));
    struct settings *second = load_resident(path, plugins, first);
    assert_non_null(second);
    assert_ptr_equal(second->stores[0].directory, first->stores[0].directory);
    log_configure("stderr", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    settings_free(first);
    settings_free(second);
    assert_non_null(scratch_read(scratch_path("log")));
}

static void mistakes_are_logged(void **state)
{
    (void)state;
    scratch_write_basics();
    const char *path = scratch_write_mode(
        "memberchat.conf",
        span_of(config_text(&(struct config_texts){.top = "threads = 0; x = 1"})), 0644);
    for (int once = 0; once < 2; once++) {
        stderr_catch();
        assert_null(once ? load_once(path, plugins, &nothing) : load_resident(path, plugins, NULL));
        const char *log = stderr_caught();
        expect_contains(log, " error: ");
        expect_contains(log, "memberchat.conf:1: threads: is 0");
        expect_contains(log, "memberchat.conf:1: x: unknown key");
        expect_contains(log, " warning: ");
    }
}

static void warnings_are_not_repeated_by_each_cgi_process(void **state)
{
    (void)state;
    scratch_write_basics();
    const char *path = scratch_write_mode("memberchat.conf",
                                          span_of(config_text(&(struct config_texts){0})), 0644);
    stderr_catch();
    settings_free(load_once(path, plugins, &nothing));
    assert_string_equal(stderr_caught(), "");
    stderr_catch();
    settings_free(load_resident(path, plugins, NULL));
    expect_contains(stderr_caught(), "warning: ");
}

static void logs_that_cannot_be_written(void **state)
{
    (void)state;
    scratch_write_basics();
    const char *path = scratch_write(
        "memberchat.conf",
        span_of(config_text(&(struct config_texts){.top = "log = { target = \"no/folder/x\" }"})));
    stderr_catch();
    assert_null(load_resident(path, plugins, NULL));
    expect_contains(stderr_caught(), "no/folder/x cannot be written: No such file");
}

/* What start would meet, without a change to anything. */
static void folders_of_paths(void **state)
{
    static const char *const cases[][2] = {{"/a/b", "/a"},   {"/a", "/"}, {"a", "."},
                                           {"a/b/c", "a/b"}, {"", "."},   {"/", "/"}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        expect_span(file_folder(cases[i][0]), cases[i][1]);
}

/* Tries a setting of the log, with these quotation marks; `told` NULL: it is good. */
static void try_log(const char *key, const char *quote, const char *value, const char *told)
{
    struct config_report report = {0};
    struct bytes top = {0};
    bytes_addf(&top, "log = { %s = %s%s%s }", key, quote, value, quote);
    const char *path = scratch_write(
        "memberchat.conf", span_of(config_text(&(struct config_texts){.top = bytes_string(&top)})));
    struct settings *settings = load_tried(path, plugins, &report);
    expect((settings != NULL) == !told, "%s %s: %s", key, value, bytes_string(&report.text));
    if (told)
        expect_contains(bytes_string(&report.text), told);
    settings_free(settings);
    config_report_free(&report);
    bytes_free(&top);
}

static void trying_finds_what_start_finds(void **state)
{
    static const struct {
        const char *target, *told;
    } rows[] = {
        {"log", NULL},
        {"stderr", NULL},
        {"syslog", NULL},
        {"no/folder/x", "memberchat.conf:1: log.target: the log file "},
        {"folder", "folder cannot be written: Is a directory"},
        {"members.csv/x", "members.csv/x cannot be written: Not a directory"},
        {"/dev/null", NULL},
        {"link-ahead", NULL},
        {"link-nowhere", "/nowhere/log: No such file or directory: make its folder"},
        {"link-round", "it is a symbolic link that is not followed"},
        {"link-far", "link-far cannot be written: File name too long"},
    };
    (void)state;
    scratch_write_basics();
    mkdir(scratch_path("folder"), 0700);
    assert_int_equal(symlink("folder/new", scratch_path("link-ahead")), 0);
    assert_int_equal(symlink("nowhere/log", scratch_path("link-nowhere")), 0);
    assert_int_equal(symlink("link-round", scratch_path("link-round")), 0);
    char far[PATH_MAX - 1]; /* with the folder it would be longer than a path may be */
    for (size_t i = 0; i < sizeof far; i++)
        far[i] = i % 2 ? '/' : 'a';
    far[sizeof far - 1] = '\0';
    assert_int_equal(symlink(far, scratch_path("link-far")), 0);
    for (size_t i = 0; i < COUNT(rows); i++)
        try_log("target", "\"", rows[i].target, rows[i].told);
    assert_int_equal(access(scratch_path("log"), F_OK), -1);

    struct config_report report = {0};
    const char *path = scratch_write(
        "memberchat.conf", span_of(config_text(&(struct config_texts){.store = "max_bad = 1"})));
    scratch_write("members.csv", SPAN("appUserId,appUserName\n\"x\n,,,\n,,,\n,,,\n,,,\n"));
    stderr_catch();
    assert_null(load_tried(path, plugins, &report));
    stderr_caught();
    expect_contains(bytes_string(&report.text), "memberchat.conf:3: stores.members: ");
    config_report_free(&report);
}

/* A terminal of a process that has none. */
static int look_at_a_terminal(void)
{
    struct reason why;
    if (setsid() < 0)
        return 1;
    return writable_log("/dev/tty", &why) || writable_is_terminal("/dev/tty");
}

static void devices_that_cannot_be_opened(void **state)
{
    (void)state;
    assert_int_equal(in_child(look_at_a_terminal), 0);
}

static void access_logs_are_tried(void **state)
{
    static const struct {
        const char *access, *told; /* NULL: good */
    } rows[] = {
        {"true", NULL},
        {"false", NULL},
        {"\"access.log\"", NULL},
        {"\"no/folder/x\"", "memberchat.conf:1: log.access: the access log "},
    };
    (void)state;
    scratch_write_basics();
    for (size_t i = 0; i < COUNT(rows); i++)
        try_log("access", "", rows[i].access, rows[i].told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_things_are),
        SCRATCH_TEST(good_settings),
        SCRATCH_TEST(mistakes_are_logged),
        SCRATCH_TEST(warnings_are_not_repeated_by_each_cgi_process),
        SCRATCH_TEST(logs_that_cannot_be_written),
        cmocka_unit_test(folders_of_paths),
        SCRATCH_TEST(trying_finds_what_start_finds),
        cmocka_unit_test(devices_that_cannot_be_opened),
        SCRATCH_TEST(access_logs_are_tried),
    };
    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
