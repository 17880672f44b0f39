/* SPDX-License-Identifier: MIT
 * Connections and their queues, and the parking lot where it is quick. */
#include "conn.h"

#include "clock.h"
#include "log.h"
#include "park.h"
#include "records.h"
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int peer; /* the web server's end */
static struct conn *conn;
static struct strbuf request;

static struct conn *connect_one(int *peer_r)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    *peer_r = ends[0];
    struct conn *made = conn_new(ends[1], 100);
    assert_non_null(made);
    return made;
}

static int start(void **state)
{
    int rc = scratch_start(state);
    log_configure("stderr", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    stderr_catch();
    conn = connect_one(&peer);
    record_add_request(&request, 1, true, NULL, SPAN("body"));
    return rc;
}

static int stop(void **state)
{
    if (conn)
        conn_free(conn);
    if (peer >= 0)
        close(peer);
    conn_thread_end();
    strbuf_free(&request);
    return scratch_stop(state);
}

static void tell(int fd, struct span bytes)
{
    assert_true(send(fd, bytes.data, bytes.length, MSG_NOSIGNAL) == (ssize_t)bytes.length);
}

static bool is_closed(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

static void requests_arrive(void **state)
{
    (void)state;
    assert_int_equal(conn_receive(conn), FRAME_MORE); /* does not wait */
    tell(peer, (struct span){request.data, 5});
    assert_int_equal(conn_receive(conn), FRAME_MORE);
    tell(peer, (struct span){request.data + 5, request.length - 5});
    assert_int_equal(conn_receive(conn), FRAME_COMPLETE);
    assert_true(span_equal(strbuf_span(&conn->frame.body), SPAN("body")));
    frame_next(&conn->frame);
    assert_int_equal(conn_receive(conn), FRAME_MORE);
}

static void pipelined_requests(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        tell(peer, strbuf_span(&request));
    tell(peer, (struct span){request.data, 9});
    for (int i = 0; i < 3; i++) {
        assert_int_equal(conn_receive(conn), FRAME_COMPLETE);
        assert_true(span_equal(strbuf_span(&conn->frame.body), SPAN("body")));
        frame_next(&conn->frame);
    }
    assert_int_equal(conn_receive(conn), FRAME_MORE);
    assert_true(frame_in_request(&conn->frame));
    tell(peer, (struct span){request.data + 9, request.length - 9});
    assert_int_equal(conn_receive(conn), FRAME_COMPLETE);
}

static void peers_that_go(void **state)
{
    (void)state;
    close(peer);
    peer = -1;
    assert_int_equal(conn_receive(conn), FRAME_BAD); /* between requests: nothing to tell */
    conn_free(conn);
    assert_string_equal(stderr_caught(), "");

    stderr_catch();
    conn = connect_one(&peer);
    tell(peer, (struct span){request.data, 9});
    assert_int_equal(conn_receive(conn), FRAME_MORE);
    close(peer);
    peer = -1;
    assert_int_equal(conn_receive(conn), FRAME_BAD);
    expect_contains(stderr_caught(), "closed a connection in the middle of a request");
}

/* A peer that sends a whole request and closes its end still gets it served. */
static void requests_before_the_end(void **state)
{
    (void)state;
    tell(peer, strbuf_span(&request));
    shutdown(peer, SHUT_WR);
    assert_int_equal(conn_receive(conn), FRAME_COMPLETE);
    frame_next(&conn->frame);
    assert_int_equal(conn_receive(conn), FRAME_BAD);
}

static void nonsense_is_logged(void **state)
{
    (void)state;
    tell(peer, SPAN("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_int_equal(conn_receive(conn), FRAME_BAD);
    expect_contains(stderr_caught(), "a connection from the web server was dropped: not FastCGI");
}

static void queries_are_answered_at_once(void **state)
{
    struct strbuf query = {0};
    char answer[256];
    (void)state;
    frame_add_query(&query);
    tell(peer, strbuf_span(&query));
    assert_int_equal(conn_receive(conn), FRAME_MORE);
    ssize_t got = recv(peer, answer, sizeof answer, MSG_DONTWAIT);
    assert_true(got > 0 && frame_is_our_answer((struct span){answer, (size_t)got}));
    strbuf_free(&query);
}

static void descriptors_are_closed(void **state)
{
    (void)state;
    conn_free(conn);
    conn = NULL;
    assert_true(is_closed(peer));
}

/* The memory of a connection serves the next one of the thread, which sees nothing
 * of it. */
static void memory_is_used_again(void **state)
{
    (void)state;
    tell(peer, strbuf_span(&request));
    tell(peer, (struct span){request.data, 20});
    assert_int_equal(conn_receive(conn), FRAME_COMPLETE);
    conn->deadline = conn->patience_end = 7;
    conn->polled = true;
    conn_free(conn);
    close(peer);
    conn = connect_one(&peer);
    assert_int_equal(conn->deadline, 0);
    assert_int_equal(conn->patience_end, 0);
    assert_false(conn->polled);
    assert_int_equal(conn_receive(conn), FRAME_MORE);
    assert_false(frame_in_request(&conn->frame));
    tell(peer, strbuf_span(&request));
    assert_int_equal(conn_receive(conn), FRAME_COMPLETE);
    assert_true(span_equal(strbuf_span(&conn->frame.body), SPAN("body")));
}

/* Web servers connect a moment before they write. */
static void first_bytes_are_waited_for(void **state)
{
    (void)state;
    int64_t begin = clock_monotonic_ms();
    assert_int_equal(conn_receive_first(conn), FRAME_MORE);
    assert_true(clock_monotonic_ms() - begin < 1000);
    tell(peer, strbuf_span(&request));
    assert_int_equal(conn_receive_first(conn), FRAME_COMPLETE);
    conn_limit_sending(conn);
    struct timeval limit;
    socklen_t length = sizeof limit;
    assert_int_equal(getsockopt(conn->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &length), 0);
    assert_true(limit.tv_sec > 0);
}

static void queues(void **state)
{
    struct conn_queue queue = {0};
    struct conn conns[4] = {0};
    (void)state;
    assert_null(conn_queue_pop(&queue));
    for (size_t i = 0; i < 4; i++)
        conn_queue_push(&queue, &conns[i]);
    conn_queue_remove(&queue, &conns[1]); /* the middle, the first, the last */
    assert_ptr_equal(conn_queue_pop(&queue), &conns[0]);
    conn_queue_remove(&queue, &conns[3]);
    assert_ptr_equal(queue.last, &conns[2]);
    conn_queue_push(&queue, &conns[0]);
    assert_ptr_equal(conn_queue_pop(&queue), &conns[2]);
    assert_ptr_equal(conn_queue_pop(&queue), &conns[0]);
    assert_null(conn_queue_pop(&queue));
    assert_null(queue.last);
}

/* ---- The parking lot ---- */

static struct park *park;

static int start_park(void **state)
{
    park = park_new();
    return park ? start(state) : -1;
}

static int stop_park(void **state)
{
    park_free(park);
    return stop(state);
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
    assert_true(span_equal(strbuf_span(&conn->frame.body), SPAN("body")));
    frame_next(&conn->frame); /* and again, for the next one */
    park_put(park, conn);
    conn = NULL;
    tell(peer, strbuf_span(&request));
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

/* What a stopping server does: one in the middle of a request is waited for, and
 * one that was just opened, for web servers write a moment later. */
static void idle_ones_are_closed_on_demand(void **state)
{
    int fresh, idle, unread;
    (void)state;
    tell(peer, (struct span){request.data, 9});
    assert_int_equal(conn_receive(conn), FRAME_MORE);
    park_put(park, conn);
    park_put(park, connect_one(&fresh));
    conn = connect_one(&idle);
    conn->served = true;
    park_put(park, conn);
    conn = connect_one(&unread);
    conn->served = true;
    park_put(park, conn);
    conn = NULL;
    tell(unread, strbuf_span(&request));
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
        tell(end, strbuf_span(&request));
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
#define TEST(function)      cmocka_unit_test_setup_teardown(function, start, stop)
#define PARK_TEST(function) cmocka_unit_test_setup_teardown(function, start_park, stop_park)
    const struct CMUnitTest tests[] = {
        TEST(requests_arrive),
        TEST(pipelined_requests),
        TEST(peers_that_go),
        TEST(requests_before_the_end),
        TEST(nonsense_is_logged),
        TEST(queries_are_answered_at_once),
        TEST(descriptors_are_closed),
        TEST(memory_is_used_again),
        TEST(first_bytes_are_waited_for),
        TEST(queues),
        PARK_TEST(parked_requests_become_ready),
        PARK_TEST(parked_peers_that_go_or_talk_nonsense),
        PARK_TEST(idle_ones_are_closed_on_demand),
        PARK_TEST(the_longest_parked_is_evicted),
        PARK_TEST(the_lot_has_an_end),
        PARK_TEST(waits_can_be_ended),
        PARK_TEST(many_threads_park),
    };
    return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
