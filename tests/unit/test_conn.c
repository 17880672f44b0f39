/* SPDX-License-Identifier: MIT
 * What arrives on a connection, and queues of them. */
#include "server/conn.h"

#include "base/clock.h"
#include "host/log.h"
#include "peer.h"
#include "records.h"
#include "support.h"

#include <sys/time.h>

static int peer; /* the web server's end */
static struct conn *conn;
static struct bytes request;

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
    assert_int_equal(conn_receive(conn), FRAME_MORE); /* does not wait */
    tell(peer, (struct span){request.data, 5});
    assert_int_equal(conn_receive(conn), FRAME_MORE);
    tell(peer, (struct span){request.data + 5, request.length - 5});
    assert_int_equal(conn_receive(conn), FRAME_COMPLETE);
    assert_true(span_equal(bytes_span(&conn->frame.body), SPAN("body")));
    frame_next(&conn->frame);
    assert_int_equal(conn_receive(conn), FRAME_MORE);
}

static void pipelined_requests(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        tell(peer, bytes_span(&request));
    tell(peer, (struct span){request.data, 9});
    for (int i = 0; i < 3; i++) {
        assert_int_equal(conn_receive(conn), FRAME_COMPLETE);
        assert_true(span_equal(bytes_span(&conn->frame.body), SPAN("body")));
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
    tell(peer, bytes_span(&request));
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
    struct bytes query = {0};
    char answer[256];
    (void)state;
    frame_add_query(&query);
    tell(peer, bytes_span(&query));
    assert_int_equal(conn_receive(conn), FRAME_MORE);
    ssize_t got = recv(peer, answer, sizeof answer, MSG_DONTWAIT);
    assert_true(got > 0 && frame_is_our_answer((struct span){answer, (size_t)got}));
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
    tell(peer, bytes_span(&request));
    assert_int_equal(conn_receive(conn), FRAME_COMPLETE);
    assert_true(span_equal(bytes_span(&conn->frame.body), SPAN("body")));
}

/* Web servers connect a moment before they write. */
static void first_bytes_are_waited_for(void **state)
{
    (void)state;
    int64_t begin = clock_monotonic_ms();
    assert_int_equal(conn_receive_first(conn), FRAME_MORE);
    assert_true(clock_monotonic_ms() - begin < 1000);
    tell(peer, bytes_span(&request));
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

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
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
    };
    return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
