/* SPDX-License-Identifier: MIT
 * New members and new configurations, while requests go on. */
#include "server/upkeep.h"

#include "base/clock.h"
#include "responder.h"
#include "server/watch.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *config_path;

static void write_config(const struct config_texts *texts)
{
    config_path = scratch_write("memberchat.conf", span_of(config_text(texts)));
}

static struct upkeep *start_upkeep(void)
{
    struct upkeep *upkeep =
        upkeep_new(responder_snapshots, server_workers(THREADS), config_path, plugins);
    assert_non_null(upkeep);
    upkeep_start(upkeep);
    return upkeep;
}

static bool becomes(const char *uri, const char *part)
{
    int64_t end = clock_monotonic_ms() + 10000;
    bool right = false;
    while (!right && clock_monotonic_ms() < end) {
        int fd = responder_connect();
        responder_ask(fd, uri, false, SPAN_NONE);
        right = strstr(responder_answer(fd), part) != NULL;
        close(fd);
        usleep(20000);
    }
    return right;
}

static void configurations_are_taken_over(void **state)
{
    (void)state;
    stderr_catch();
    write_config(
        &(struct config_texts){.token = "issuer = \"x\"",
                               .app = "api_secret = \"demo-secret-demo\"; store = \"members\";"
                                      " guests = false"});
    struct upkeep *upkeep = start_upkeep();
    upkeep_reload(upkeep);
    assert_true(becomes(GUEST, "GUESTS_NOT_ALLOWED"));
    write_config(&(struct config_texts){.top = "threads = 0"});
    upkeep_reload(upkeep); /* not good: the old one stays */
    for (int i = 0; i < 3; i++)
        assert_true(becomes(GUEST, "GUESTS_NOT_ALLOWED"));
    write_config(&(struct config_texts){.store = "max_bad = 1"}); /* a store of its own */
    upkeep_reload(upkeep);
    assert_true(becomes(GUEST, "Status: 200 OK"));
    upkeep_stop(upkeep);
    const char *log = stderr_caught();
    expect_contains(log, "memberchat.conf: loaded");
    expect_contains(log, "threads: is 0");
    expect_contains(log, "the previous configuration stays in force");
}

static void members_files_are_read_anew(void **state)
{
    (void)state;
    write_config(&(struct config_texts){0});
    struct upkeep *upkeep = start_upkeep();
    scratch_write("new.csv", SPAN("appUserId,appUserName\n1,Anna\n2,Bob\n4,Dora\n"));
    assert_int_equal(rename(scratch_path("new.csv"), scratch_path("members.csv")), 0);
    assert_true(becomes(MEMBER, "\"userName\":\"Anna\""));
    upkeep_stop(upkeep);
}

/* As in a kit for shared hosts. */
static void changed_config_needs_no_signal(void **state)
{
    (void)state;
    stderr_catch();
    setenv("MEMBERCHAT_HOME", scratch_path(""), 1);
    write_config(&(struct config_texts){0});
    struct upkeep *upkeep = start_upkeep();
    unsetenv("MEMBERCHAT_HOME");
    write_config(
        &(struct config_texts){.app = "api_secret = \"demo-secret-demo\"; store = \"members\";"
                                      " guests = false"});
    assert_true(becomes(GUEST, "GUESTS_NOT_ALLOWED"));
    upkeep_stop(upkeep);
    stderr_caught();
}

static volatile sig_atomic_t ended;

static void on_end(int number)
{
    (void)number;
    ended = 1;
}

static void replaced_program_ends(void **state)
{
    (void)state;
    stderr_catch();
    signal(SIGTERM, on_end);
    assert_int_equal(mkdir(scratch_path("lib"), 0755), 0);
    scratch_write("lib/memberchat.fcgi", SPAN("old"));
    setenv("MEMBERCHAT_HOME", scratch_path(""), 1);
    write_config(&(struct config_texts){0});
    struct upkeep *upkeep = start_upkeep();
    unsetenv("MEMBERCHAT_HOME");
    usleep(1500000);
    assert_false(ended);
    scratch_write("lib/memberchat.fcgi", SPAN("new"));
    for (int i = 0; i < 300 && !ended; i++)
        usleep(10000);
    assert_true(ended);
    upkeep_stop(upkeep);
    signal(SIGTERM, SIG_DFL);
    expect_contains(stderr_caught(), "the program has been replaced: stopping");
}

/* As on a host that gives no thread for it. */
static void without_a_thread(void **state)
{
    static const struct config_texts closed = {
        .app = "api_secret = \"demo-secret-demo\"; store = \"members\"; guests = false"};
    (void)state;
    stderr_catch();
    write_config(&(struct config_texts){0});
    setenv("MEMBERCHAT_HOME", "", 1); /* no kit, either */
    struct upkeep *upkeep =
        upkeep_new(responder_snapshots, server_workers(THREADS), config_path, plugins);
    unsetenv("MEMBERCHAT_HOME");
    assert_non_null(upkeep);
    for (int i = 0; i < 3; i++)
        upkeep_poll(upkeep);
    write_config(&closed);
    upkeep_poll(upkeep);
    assert_true(becomes(GUEST, "Status: 200 OK"));
    upkeep_reload(upkeep);
    upkeep_poll(upkeep);
    assert_true(becomes(GUEST, "GUESTS_NOT_ALLOWED"));
    upkeep_stop(upkeep);
    upkeep_stop(NULL);
    stderr_caught();
}

static void a_config_that_is_gone_or_being_written(void **state)
{
    struct watch watch = {0};
    (void)state;
    write_config(&(struct config_texts){0});
    setenv("MEMBERCHAT_HOME", scratch_path(""), 1);
    watch_begin(&watch, config_path);
    unsetenv("MEMBERCHAT_HOME");
    assert_int_equal(watch_look(&watch), WATCH_NOTHING);
    assert_int_equal(unlink(config_path), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(watch_look(&watch), WATCH_NOTHING);
    write_config(&(struct config_texts){0});
    assert_int_equal(watch_look(&watch), WATCH_NOTHING);
    assert_int_equal(watch_look(&watch), WATCH_CONFIG);
    assert_int_equal(watch_look(&watch), WATCH_NOTHING);
}

static void *reload_often(void *argument)
{
    for (int i = 0; i < 30; i++) {
        write_config(&(struct config_texts){.store = i % 2 ? "max_bad = 1" : "max_bad = 2"});
        upkeep_reload(argument);
        usleep(10000);
    }
    return NULL;
}

static void reloads_lose_no_request(void **state)
{
    pthread_t reloader;
    (void)state;
    stderr_catch();
    write_config(&(struct config_texts){0});
    struct upkeep *upkeep = start_upkeep();
    assert_int_equal(pthread_create(&reloader, NULL, reload_often, upkeep), 0);
    responder_crowd();
    pthread_join(reloader, NULL);
    upkeep_stop(upkeep);
    stderr_caught();
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
#define TEST(function) cmocka_unit_test_setup_teardown(function, responder_start, responder_stop)
    const struct CMUnitTest tests[] = {
        TEST(configurations_are_taken_over),
        TEST(members_files_are_read_anew),
        TEST(changed_config_needs_no_signal),
        TEST(replaced_program_ends),
        TEST(reloads_lose_no_request),
        TEST(without_a_thread),
        TEST(a_config_that_is_gone_or_being_written),
    };
    return cmocka_run_group_tests_name("upkeep", tests, NULL, NULL);
}
