/* SPDX-License-Identifier: MIT
 * Lines of the log: their shape, what is filtered, what is dropped. */
#include "host/log.h"

#include "base/json.h"
#include "fake_network.h"
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *path;

static int start(void **state)
{
    int rc = scratch_start(state);
    path = scratch_path("log");
    return rc || !log_configure(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT) ? -1 : 0;
}

static int stop(void **state)
{
    log_configure("stderr", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    return scratch_stop(state);
}

/* What was logged since the last call. */
static const char *logged(void)
{
    const char *text = scratch_read(path);
    assert_int_equal(truncate(path, 0), 0);
    return text;
}

static void lines_of_text(void **state)
{
    char rest[128];
    int year, month, day, hour, minute, second, pid;
    (void)state;
    log_warning("about %s and %d", "this", 7);
    const char *line = logged();
    assert_int_equal(sscanf(line, "%d-%d-%dT%d:%d:%dZ memberchat[%d] %127[^\n]", &year, &month,
                            &day, &hour, &minute, &second, &pid, rest),
                     8);
    assert_int_equal(pid, getpid());
    assert_true(year >= 2024);
    assert_string_equal(rest, "warning: about this and 7");
    assert_int_equal(line[strlen(line) - 1], '\n');
    log_set_request("r-1");
    log_error("x");
    expect_contains(logged(), " error: [r-1] x\n");
    log_set_request(NULL);
    log_info("x");
    expect_contains(logged(), " info: x\n");
}

static void levels(void **state)
{
    (void)state;
    log_debug("not wanted");
    assert_string_equal(logged(), "");
    assert_false(log_enabled(LOG_LEVEL_DEBUG));
    assert_true(log_configure(path, LOG_LEVEL_ERROR, LOG_FORMAT_TEXT));
    log_warning("not wanted");
    log_info("not wanted");
    log_error("wanted");
    expect_lacks(logged(), "not wanted");
    assert_true(log_configure(path, LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT));
    log_debug("wanted");
    expect_contains(logged(), "debug: wanted");
}

/* Nothing from outside forges a line, or moves the cursor of a terminal. */
static void bytes_are_filtered(void **state)
{
    static const struct {
        const char *text, *line;
    } rows[] = {
        {"plain \\ \"text\"", "plain \\ \"text\"\n"},
        {"J\xc3\xbcrgen \xf0\x9f\x98\x80", "J\xc3\xbcrgen \xf0\x9f\x98\x80\n"},
        {"a\nb\r\tc", "a\\x0ab\\x0d\\x09c\n"},
        {"\x1b[2J\x7f", "\\x1b[2J\\x7f\n"},
        {"\xff\xc3(\xc2\x85", "\\xff\\xc3(\\xc2\\x85\n"},
        {"cut \xe2\x82", "cut \\xe2\\x82\n"},
        {"a\u202eb\u2066c", "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa6c\n"},
        {"\u061c\u200f\u2028", "\\xd8\\x9c\\xe2\\x80\\x8f\\xe2\\x80\\xa8\n"},
        {"\u061b\u200d\u2030\u206a\u05d0", "\u061b\u200d\u2030\u206a\u05d0\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        log_info("%s", rows[i].text);
        const char *line = logged();
        expect_contains(line, rows[i].line);
        assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    }
}

static void lines_of_json(void **state)
{
    (void)state;
    assert_true(log_configure(path, LOG_LEVEL_INFO, LOG_FORMAT_JSON));
    log_set_request("r-1");
    log_error("a \"quoted\" \\ and\n\xff broken \xc3\xbc");
    log_set_request(NULL);
    const char *line = logged();
    struct json_object *object = json_of(span_of(line));
    expect_span(json_string_member(object, "level"), "error");
    expect_span(json_string_member(object, "request"), "r-1");
    expect_span(json_string_member(object, "message"),
                "a \"quoted\" \\ and\\x0a\\xff broken \xc3\xbc");
    assert_int_equal(json_string_member(object, "time").length, 20);
    json_release(object);
    log_info("x");
    expect_lacks(logged(), "request");
}

static void long_messages_are_cut(void **state)
{
    char *text = repeated('x', 100000);
    (void)state;
    log_info("%s", text);
    const char *line = logged();
    assert_true(strlen(line) > 1000 && strlen(line) < 4096);
    assert_int_equal(line[strlen(line) - 1], '\n');
    free(text);
}

static void repeated_errors_are_dropped(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        log_error_limited("store %s: down", "a");
    log_error_limited("store %s: down", "b");
    const char *text = logged();
    const char *first = strstr(text, "store a: down\n");
    assert_non_null(first);
    assert_null(strstr(first + 1, "store a"));
    expect_contains(text, "store b: down\n");
    atomic_store(&forward_ms, 61000);
    log_error_limited("store %s: down", "a");
    log_error_limited("store %s: down", "b");
    atomic_store(&forward_ms, 0);
    text = logged();
    expect_contains(text, "store a: down (and 9 more since it was last logged)\n");
    expect_contains(text, "store b: down\n");
}

static void files_are_opened_anew(void **state)
{
    (void)state;
    log_info("one");
    assert_int_equal(rename(path, scratch_path("log.1")), 0);
    log_info("two");
    log_reopen();
    log_info("three");
    expect_contains(scratch_read(scratch_path("log.1")), "info: two\n");
    const char *text = logged();
    expect_contains(text, "info: three\n");
    expect_lacks(text, "two");
}

static void targets(void **state)
{
    (void)state;
    assert_false(log_configure(scratch_path("no/such/folder"), LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    assert_int_equal(errno, ENOENT);
    log_info("still there");
    expect_contains(logged(), "still there");

    stderr_catch();
    assert_true(log_configure("stderr", LOG_LEVEL_INFO, LOG_FORMAT_COMMAND));
    log_reopen();
    log_warning("w");
    log_error("e");
    assert_string_equal(stderr_caught(), "memberchat: warning: w\nmemberchat: e\n");
    assert_string_equal(logged(), "");
}

static void errno_is_kept(void **state)
{
    (void)state;
    errno = EXDEV;
    log_info("x");
    assert_int_equal(errno, EXDEV);
    errno = EXDEV;
    log_debug("x");
    assert_int_equal(errno, EXDEV);
}

enum { THREADS = 4, LINES = 300 };

static void *write_lines(void *argument)
{
    log_set_request(argument);
    for (int i = 0; i < LINES; i++) {
        if (i % 50 == 0)
            log_reopen();
        log_info("from %s", (const char *)argument);
    }
    log_set_request(NULL);
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    static char names[THREADS][2] = {"A", "B", "C", "D"};
    pthread_t threads[THREADS];
    int count = 0;
    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, names[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (const char *line = scratch_read(path); *line; line = strchr(line, '\n') + 1, count++) {
        char request, from;
        assert_int_equal(sscanf(line, "%*s memberchat[%*d] info: [%c] from %c\n", &request, &from),
                         2);
        assert_int_equal(request, from);
    }
    assert_int_equal(count, THREADS * LINES);
}

/* Whether a daemon listens or not. */
static void to_syslog(void **state)
{
    struct bytes text = {0};
    (void)state;
    assert_true(log_configure("syslog", LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    bytes_add_string(&text, "a line of the access log of a test");
    log_access(&text);
    log_reopen();
    assert_true(log_configure(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT));
    bytes_free(&text);
}

static void text_of_others_is_printed_filtered(void **state)
{
    char out[64] = "";
    FILE *file = fmemopen(out, sizeof out, "w");
    (void)state;
    log_print_filtered(file, SPAN("a\xff\xc3\xa9\x1b[m\u202e\xc3"));
    fclose(file);
    assert_string_equal(out, "a\\xff\xc3\xa9\\x1b[m\\xe2\\x80\\xae\\xc3");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(lines_of_text),
        TEST(levels),
        TEST(text_of_others_is_printed_filtered),
        TEST(bytes_are_filtered),
        TEST(lines_of_json),
        TEST(long_messages_are_cut),
        TEST(repeated_errors_are_dropped),
        TEST(files_are_opened_anew),
        TEST(targets),
        TEST(errno_is_kept),
        TEST(lines_of_threads_do_not_mix),
        TEST(to_syslog),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
