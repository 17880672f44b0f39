/* SPDX-License-Identifier: MIT
 * What arrives on a connection, and queues of them. */
#include "server/conn.h"
#include "server/record.h"

#include "base/clock.h"
#include "host/log.h"
#include "peer.h"
#include "records.h"
#include "short_memory.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

static int peer; /* the web server's end */
static struct conn *conn;
static struct bytes request;

static struct bytes fast; /* what a peer sends faster than anybody reads */
static size_t fast_read;

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
    size_t left = fast.length - fast_read, taken = size < left ? size : left;
    if (!left)
        return syscall(SYS_recvfrom, fd, bytes, size, flags, NULL, NULL);
    memcpy(bytes, fast.data + fast_read, taken);
    fast_read += taken;
    return (ssize_t)taken;
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
    bytes_free(&request);
    return scratch_stop(state);
}

static void requests_arrive(void **state)
{
    (void)state;
    assert_int_equal(conn_receive(conn), INTAKE_MORE); /* does not wait */
    tell(peer, (struct span){request.data, 5});
    assert_int_equal(conn_receive(conn), INTAKE_MORE);
    tell(peer, (struct span){request.data + 5, request.length - 5});
    assert_int_equal(conn_receive(conn), INTAKE_COMPLETE);
    assert_true(span_equal(bytes_span(&conn->intake.body), SPAN("body")));
    intake_next(&conn->intake);
    assert_int_equal(conn_receive(conn), INTAKE_MORE);
}

static void pipelined_requests(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        tell(peer, bytes_span(&request));
    tell(peer, (struct span){request.data, 9});
    for (int i = 0; i < 3; i++) {
        assert_int_equal(conn_receive(conn), INTAKE_COMPLETE);
        assert_true(span_equal(bytes_span(&conn->intake.body), SPAN("body")));
        intake_next(&conn->intake);
    }
    assert_int_equal(conn_receive(conn), INTAKE_MORE);
    assert_true(intake_in_request(&conn->intake));
    tell(peer, (struct span){request.data + 9, request.length - 9});
    assert_int_equal(conn_receive(conn), INTAKE_COMPLETE);
}

/* A thread reads from one for so long, and no longer. */
static void fast_peers_take_turns(void **state)
{
    struct bytes pair = {0};
    char *value = repeated('v', 5 << 20);
    (void)state;
    record_add_pair(&pair, SPAN("N"), span_of(value));
    record_add_begin(&fast, 1, 1, true);
    record_add_stream(&fast, RECORD_PARAMS, 1, bytes_span(&pair));
    assert_int_equal(conn_receive(conn), INTAKE_MORE);
    assert_int_equal(fast_read, 4 << 20);
    assert_int_equal(conn_receive(conn), INTAKE_MORE);
    assert_int_equal(fast_read, fast.length);
    bytes_free(&fast);
    fast_read = 0;
    bytes_free(&pair);
    free(value);
}

static void peers_that_go(void **state)
{
    (void)state;
    close(peer);
    peer = -1;
    assert_int_equal(conn_receive(conn), INTAKE_BAD); /* between requests: nothing to tell */
    conn_free(conn);
    assert_string_equal(stderr_caught(), "");

    stderr_catch();
    conn = connect_one(&peer);
    tell(peer, (struct span){request.data, 9});
    assert_int_equal(conn_receive(conn), INTAKE_MORE);
    close(peer);
    peer = -1;
    assert_int_equal(conn_receive(conn), INTAKE_BAD);
    expect_contains(stderr_caught(), "closed a connection in the middle of a request");
}

/* A peer that sends a whole request and closes its end still gets it served. */
static void requests_before_the_end(void **state)
{
    (void)state;
    tell(peer, bytes_span(&request));
    shutdown(peer, SHUT_WR);
    assert_int_equal(conn_receive(conn), INTAKE_COMPLETE);
    intake_next(&conn->intake);
    assert_int_equal(conn_receive(conn), INTAKE_BAD);
}

static void nonsense_is_logged(void **state)
{
    (void)state;
    tell(peer, SPAN("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_int_equal(conn_receive(conn), INTAKE_BAD);
    expect_contains(stderr_caught(), "a connection from the web server was dropped: not FastCGI");
}

static void queries_are_answered_at_once(void **state)
{
    struct bytes query = {0};
    char answer[256];
    (void)state;
    record_append_query(&query);
    tell(peer, bytes_span(&query));
    assert_int_equal(conn_receive(conn), INTAKE_MORE);
    ssize_t got = recv(peer, answer, sizeof answer, MSG_DONTWAIT);
    assert_true(got > 0 && record_is_our_answer((struct span){answer, (size_t)got}));
    tell(peer, bytes_span(&query));
    close(peer);
    peer = -1;
    assert_int_equal(conn_receive(conn), INTAKE_BAD); /* which cannot be answered */
    bytes_free(&query);
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
    tell(peer, bytes_span(&request));
    tell(peer, (struct span){request.data, 20});
    assert_int_equal(conn_receive(conn), INTAKE_COMPLETE);
    conn->deadline = conn->patience_end = 7;
    conn->polled = true;
    conn_free(conn);
    close(peer);
    conn = connect_one(&peer);
    assert_int_equal(conn->deadline, 0);
    assert_int_equal(conn->patience_end, 0);
    assert_false(conn->polled);
    assert_int_equal(conn_receive(conn), INTAKE_MORE);
    assert_false(intake_in_request(&conn->intake));
    tell(peer, bytes_span(&request));
    assert_int_equal(conn_receive(conn), INTAKE_COMPLETE);
    assert_true(span_equal(bytes_span(&conn->intake.body), SPAN("body")));
    char *large = repeated('b', 100000);
    bytes_add(&conn->intake.body, large, 100000); /* too much to be kept */
    free(large);
    conn_free(conn);
    close(peer);
    conn = connect_one(&peer);
    assert_int_equal(conn->intake.body.capacity, 0);
}

/* Web servers connect a moment before they write. */
static void first_bytes_are_waited_for(void **state)
{
    (void)state;
    int64_t begin = clock_monotonic_ms();
    assert_int_equal(conn_receive_first(conn), INTAKE_MORE);
    assert_true(clock_monotonic_ms() - begin < limit_ms(1000));
    tell(peer, bytes_span(&request));
    assert_int_equal(conn_receive_first(conn), INTAKE_COMPLETE);
}

/* Nothing waits for a peer that does not read. */
static void answers_that_do_not_fit(void **state)
{
    enum { SIZE = 1000000 };
    char *answer = repeated('a', SIZE), some[65536];
    size_t got = 0;
    (void)state;
    bytes_add(&conn->out, answer, SIZE);
    assert_true(conn_send(conn));
    assert_true(conn->sent > 0 && conn->sent < SIZE && conn->out.length == SIZE);
    while (got < SIZE) {
        ssize_t more = recv(peer, some, sizeof some, MSG_DONTWAIT);
        assert_true(more > 0);
        assert_memory_equal(some, answer, (size_t)more);
        got += (size_t)more;
        assert_true(conn_send(conn));
    }
    assert_int_equal(conn->out.length + conn->sent, 0);
    bytes_add(&conn->out, answer, SIZE);
    assert_true(conn_send(conn));
    close(peer);
    peer = -1;
    assert_false(conn_send(conn));
    free(answer);
}

/* For the request, for what is behind it, or for an answer; once, or from then on. */
static void memory_runs_out(void **state)
{
    static const char *const pairs[] = {"REQUEST_METHOD", "GET", NULL};
    struct bytes stream = {0};
    bool failed = true;
    int end;
    (void)state;
    record_append_query(&stream);
    record_add_request(&stream, 1, true, pairs, SPAN("body"));
    bytes_add_span(&stream, bytes_span(&request));
    for (size_t i = 0; failed; i++) {
        conn_thread_end(); /* nothing is used again */
        struct conn *fresh = connect_one(&end);
        tell(end, bytes_span(&stream));
        short_memory_start(i / 2, i % 2 == 0);
        enum intake_state state_then = conn_receive(fresh);
        failed = short_memory_stop();
        expect(state_then == (failed ? INTAKE_BAD : INTAKE_COMPLETE), "%zu: %d", i,
               (int)state_then);
        conn_free(fresh);
        close(end);
    }
    bytes_free(&stream);
}

static void no_memory_for_a_connection(void **state)
{
    int ends[2];
    (void)state;
    conn_thread_end();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    short_memory_start(0, true);
    struct conn *none = conn_new(ends[1], 100);
    if (short_memory_stop())
        assert_null(none);
    else
        conn_free(none);
    assert_true(is_closed(ends[0]));
    close(ends[0]);
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

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(requests_arrive),
        TEST(pipelined_requests),
        TEST(fast_peers_take_turns),
        TEST(peers_that_go),
        TEST(requests_before_the_end),
        TEST(nonsense_is_logged),
        TEST(queries_are_answered_at_once),
        TEST(descriptors_are_closed),
        TEST(memory_is_used_again),
        TEST(first_bytes_are_waited_for),
        TEST(answers_that_do_not_fit),
        TEST(memory_runs_out),
        TEST(no_memory_for_a_connection),
        TEST(queues),
    };
    return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
