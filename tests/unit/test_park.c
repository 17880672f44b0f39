/* SPDX-License-Identifier: MIT
 * The parking lot, where it is quick: the patiences are too long to be waited for. */
#include "server/park.h"

#include "base/clock.h"
#include "host/log.h"
#include "peer.h"
#include "records.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static struct park *park;
static struct conn *conn; /* until the lot has it */
static int peer;          /* its other end */
static struct bytes request;

static int start(void **state)
{
    int rc = scratch_start(state);
    log_configure("stderr", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    stderr_catch();
    park = park_new();
    conn = connect_one(&peer);
    record_add_request(&request, 1, true, NULL, SPAN("body"));
    return park ? rc : -1;
}

static int stop(void **state)
{
    park_free(park);
    if (conn)
        conn_free(conn);
    if (peer >= 0)
        close(peer);
    conn_thread_end();
    bytes_free(&request);
    return scratch_stop(state);
}

static void parked_requests_become_ready(void **state)
{
    struct conn_queue ready = {0};
    (void)state;
    struct conn *parked = conn;
    conn = NULL; /* the lot has it now */
    park_put(park, parked);
    park_poll(park, 0, &ready);
    assert_null(ready.first);
    tell(peer, (struct span){request.data, 9});
    park_poll(park, 1000, &ready);
    assert_null(ready.first);
    tell(peer, (struct span){request.data + 9, request.length - 9});
    park_poll(park, 1000, &ready);
    assert_ptr_equal(ready.first, parked);
    conn = conn_queue_pop(&ready);
    assert_true(span_equal(bytes_span(&conn->intake.body), SPAN("body")));
    intake_next(&conn->intake); /* and again, for the next one */
    park_put(park, conn);
    conn = NULL;
    tell(peer, bytes_span(&request));
    park_poll(park, 1000, &ready);
    assert_ptr_equal(ready.first, parked);
    conn = conn_queue_pop(&ready);
}

static void parked_peers_that_go_or_talk_nonsense(void **state)
{
    struct conn_queue ready = {0};
    int other;
    (void)state;
    park_put(park, conn);
    conn = NULL;
    park_put(park, connect_one(&other));
    close(peer);
    peer = -1;
    tell(other, SPAN("nonsense"));
    for (int i = 0; i < 5 && !is_closed(other); i++)
        park_poll(park, 50, &ready);
    assert_true(is_closed(other));
    assert_null(ready.first);
    assert_int_equal(park_close_idle(park), 0);
    close(other);
}

static size_t read_all(int fd)
{
    char some[65536];
    size_t all = 0;
    for (ssize_t got; (got = recv(fd, some, sizeof some, MSG_DONTWAIT)) > 0;)
        all += (size_t)got;
    return all;
}

/* The rest of an answer is sent as the peer reads; then the connection ends, or goes on. */
static void answers_wait_for_their_readers(void **state)
{
    enum { SIZE = 1000000 };
    char *answer = repeated('a', SIZE);
    (void)state;
    for (int keep = 0; keep < 2; keep++) {
        struct conn_queue ready = {0};
        size_t got = 0;
        struct conn *parked = conn;
        conn = NULL;
        parked->closing = !keep;
        bytes_add(&parked->out, answer, SIZE);
        assert_true(conn_send(parked));
        park_put(park, parked);
        assert_int_equal(park_close_idle(park), 1); /* a stopping server waits for it */
        while (got < SIZE) {
            got += read_all(peer);
            park_poll(park, 1000, &ready);
        }
        assert_int_equal(got, SIZE);
        assert_int_equal(is_closed(peer), !keep);
        if (keep) {
            tell(peer, bytes_span(&request));
            park_poll(park, 1000, &ready);
            assert_ptr_equal(ready.first, parked);
        }
        if (!keep)
            close(peer);
        conn = keep ? conn_queue_pop(&ready) : connect_one(&peer);
    }
    free(answer);
}

/* What a stopping server does: one in the middle of a request is waited for, and
 * one that was just opened, for web servers write a moment later. */
static void idle_ones_are_closed_on_demand(void **state)
{
    int fresh, idle, unread;
    (void)state;
    tell(peer, (struct span){request.data, 9});
    assert_int_equal(conn_receive(conn), INTAKE_MORE);
    park_put(park, conn);
    park_put(park, connect_one(&fresh));
    conn = connect_one(&idle);
    conn->served = true;
    park_put(park, conn);
    conn = connect_one(&unread);
    conn->served = true;
    park_put(park, conn);
    conn = NULL;
    tell(unread, bytes_span(&request));
    assert_int_equal(park_close_idle(park), 3);
    assert_true(is_closed(idle));
    assert_false(is_closed(peer) || is_closed(fresh) || is_closed(unread));
    usleep(1100000);
    assert_int_equal(park_close_idle(park), 2);
    assert_true(is_closed(fresh));
    close(fresh);
    close(idle);
    close(unread);
}

static void the_longest_parked_is_evicted(void **state)
{
    struct conn_queue ready = {0};
    int other;
    (void)state;
    park_put(park, conn);
    conn = NULL;
    park_put(park, connect_one(&other));
    park_evict(park);
    park_poll(park, 1000, &ready);
    assert_true(is_closed(peer));
    assert_false(is_closed(other));
    close(other);
}

static void the_lot_has_an_end(void **state)
{
    enum { MANY = 300 };
    struct conn_queue ready = {0};
    int peers[MANY], open_count = 0;
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        park_put(park, connect_one(&peers[i]));
    park_poll(park, 0, &ready);
    for (size_t i = 0; i < MANY; i++)
        open_count += !is_closed(peers[i]);
    assert_int_equal(open_count, MANY);
    for (size_t i = 0; i < MANY; i++)
        park_evict(park);
    park_poll(park, 1000, &ready);
    for (size_t i = 0; i < MANY; i++) {
        assert_true(is_closed(peers[i]));
        close(peers[i]);
    }
}

/* As when no thread polls: the lot does not take more than twice what it keeps. */
static void more_than_the_lot_holds(void **state)
{
    enum { KEPT = 1024, MANY = 2 * KEPT + 10 };
    struct conn_queue ready = {0};
    struct rlimit limit;
    int end;
    (void)state;
    getrlimit(RLIMIT_NOFILE, &limit);
    const struct rlimit before = limit;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < MANY + 100)
        skip();
    struct conn *first = connect_one(&end);
    for (int i = 0; i < MANY; i++)
        park_put(park, conn_new(dup(first->fd), 100));
    assert_int_equal(park_close_idle(park), 2 * KEPT); /* all are expected to write */
    park_poll(park, 0, &ready);
    assert_in_range(park_close_idle(park), KEPT - MANY + 2 * KEPT, KEPT);
    park_free(park);
    park = park_new();
    conn_free(first);
    close(end);
    setrlimit(RLIMIT_NOFILE, &before);
}

static void what_cannot_be_watched_is_closed(void **state)
{
    (void)state;
    park_put(park, conn_new(open("/dev/null", O_RDWR | O_CLOEXEC), 100));
    assert_int_equal(park_close_idle(park), 0);
}

/* Each for a reason of its own; the log tells of requests only. */
static void patience_ends(void **state)
{
    static const struct {
        size_t come; /* bytes of the request */
        bool answer; /* it does not fit into the socket */
        const char *log;
    } rows[] = {
        {0, false, ""},
        {0, true, ""},
        {9, false, "request did not become complete in 15 s"},
        {9, true, ""},
        {SIZE_MAX, false, "request did not become complete in 60 s"},
    };
    enum { SIZE = 1000000 };
    char *answer = repeated('a', SIZE);
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct conn_queue ready = {0};
        size_t most = request.length - 1, come = rows[i].come < most ? rows[i].come : most;
        int end;
        struct park *lot = park_new();
        struct conn *late = connect_one(&end);
        tell(end, (struct span){request.data, come});
        assert_int_equal(conn_receive(late), INTAKE_MORE);
        if (rows[i].answer)
            bytes_add(&late->out, answer, SIZE);
        assert_true(conn_send(late));
        park_put(lot, late);
        late->patience_end = 0;
        park_poll(lot, 0, &ready);
        const char *log = stderr_caught();
        expect(strstr(log, rows[i].log) && (*rows[i].log || !*log), "row %zu: %s", i, log);
        stderr_catch();
        read_all(end);
        assert_true(is_closed(end));
        close(end);
        park_free(lot);
    }
    free(answer);
}

static void *wake_later(void *argument)
{
    usleep(50000);
    park_wake(argument);
    return NULL;
}

static void waits_can_be_ended(void **state)
{
    struct conn_queue ready = {0};
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, wake_later, park), 0);
    int64_t begin = clock_monotonic_ms();
    park_poll(park, 10000, &ready);
    assert_true(clock_monotonic_ms() - begin < 5000);
    pthread_join(thread, NULL);
}

enum { PARKERS = 3, ROUNDS = 200 };

static void *park_many(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        int end;
        struct conn *made = connect_one(&end);
        park_put(argument, made);
        tell(end, bytes_span(&request));
        close(end);
    }
    return NULL;
}

static void many_threads_park(void **state)
{
    pthread_t threads[PARKERS];
    int count = 0;
    int64_t end = clock_monotonic_ms() + 30000;
    (void)state;
    for (size_t i = 0; i < PARKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, park_many, park), 0);
    while (count < PARKERS * ROUNDS && clock_monotonic_ms() < end) {
        struct conn_queue ready = {0};
        park_poll(park, 100, &ready);
        for (struct conn *one; (one = conn_queue_pop(&ready)); count++)
            conn_free(one);
    }
    for (size_t i = 0; i < PARKERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(count, PARKERS * ROUNDS);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(parked_requests_become_ready),
        TEST(parked_peers_that_go_or_talk_nonsense),
        TEST(answers_wait_for_their_readers),
        TEST(idle_ones_are_closed_on_demand),
        TEST(the_longest_parked_is_evicted),
        TEST(the_lot_has_an_end),
        TEST(more_than_the_lot_holds),
        TEST(what_cannot_be_watched_is_closed),
        TEST(patience_ends),
        TEST(waits_can_be_ended),
        TEST(many_threads_park),
    };
    return cmocka_run_group_tests_name("park", tests, NULL, NULL);
}
