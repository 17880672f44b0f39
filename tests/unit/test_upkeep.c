/* SPDX-License-Identifier: MIT
 * New members and new configurations, while requests go on. */
#include "server/upkeep.h"

#include "base/clock.h"
#include "responder.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
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
    write_config(&(struct config_texts){.token = "issuer = \"x\"",
                                        .app = "api_secret = \"demo-secret\"; store = \"members\";"
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
    expect_contains(log, "memberchat.conf: taken over");
    expect_contains(log, "threads: is 0");
    expect_contains(log, "the configuration of before stays in force");
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
        TEST(reloads_lose_no_request),
    };
    return cmocka_run_group_tests_name("upkeep", tests, NULL, NULL);
}
