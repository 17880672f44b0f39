/* SPDX-License-Identifier: MIT
 * The resident responder in this process, with a socket that a test speaks to. */
#include "responder.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- A host that does not give many threads ---- */

static int threads_left = -1; /* -1: as many as are wanted */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *argument)
{
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    if (threads_left == 0)
        return EAGAIN;
    threads_left -= threads_left > 0;
    return real(thread, attributes, run, argument);
}

static void restart_with(int threads)
{
    responder_stop_polling();
    responder_end();
    threads_left = threads;
    responder_server = server_start(responder_listener.fd, THREADS, responder_snapshots);
    threads_left = -1;
}

/* One is enough: with the polling thread it does everything. */
static void few_threads(void **state)
{
    (void)state;
    for (int count = 1; count <= 6; count++) {
        stderr_catch();
        restart_with(count);
        assert_non_null(responder_server);
        responder_start_polling();
        char wanted[64];
        snprintf(wanted, sizeof wanted, "only %d of %u threads could be started", count,
                 server_workers(THREADS) - 1);
        expect_contains(stderr_caught(), wanted);
        responder_crowd();
    }
    stderr_catch();
    restart_with(0);
    assert_null(responder_server);
    expect_contains(stderr_caught(), "cannot start serving");
    responder_server = server_start(responder_listener.fd, THREADS, responder_snapshots);
}

/* How many there may be; before that it does not start, and says what to do. */
static void few_descriptors(void **state)
{
    struct rlimit before;
    (void)state;
    responder_stop_polling();
    responder_end();
    responder_server = NULL;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    stderr_catch();
    int used = dup(responder_listener.fd);
    close(used);
    for (int more = 0; !responder_server; more++) {
        struct rlimit few = {(rlim_t)(used + more), before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        responder_server = server_start(responder_listener.fd, THREADS, responder_snapshots);
        setrlimit(RLIMIT_NOFILE, &before);
        assert_true(more > 0 || !responder_server);
    }
    expect_contains(stderr_caught(), "cannot start serving: Too many open files: raise the limit");
    responder_start_polling();
    usleep(200000); /* whoever found no descriptor at first makes room, at the cost of another */
    responder_crowd();
}

static void requests_are_answered(void **state)
{
    (void)state;
    int fd = responder_connect();
    responder_ask(fd, MEMBER, false, SPAN_NONE);
    const char *text = responder_answer(fd);
    expect_contains(text, "Status: 200 OK\r\n");
    expect_contains(text, "\"userName\":\"Ann\"");
    assert_true(responder_at_end(fd));
    close(fd);
}

static void connections_are_kept(void **state)
{
    (void)state;
    int fd = responder_connect();
    for (int i = 0; i < 20; i++) {
        responder_ask(fd, i % 2 ? MEMBER : GUEST, true,
                      i % 2 ? SPAN_NONE : SPAN("{\"appUserId\":\"u7\"}"));
        if (i % 5 == 4)
            usleep(30000); /* so that it is parked */
        expect_contains(responder_answer(fd), i % 2 ? "\"userId\":\"1\"" : "\"userId\":\"u7\"");
    }
    close(fd);
}

/* A body that looks like records, sent with credentials that are refused, is no
 * second request. */
static void bodies_are_no_requests(void **state)
{
    const char *const inner[] = {"REQUEST_METHOD", "GET", "REQUEST_URI", "/healthz", NULL};
    struct bytes smuggled = {0};
    (void)state;
    record_add_request(&smuggled, 1, true, inner, SPAN_NONE);
    while (smuggled.length < 100000)
        record_add_request(&smuggled, 1, true, inner, SPAN_NONE);
    int fd = responder_connect();
    for (int i = 0; i < 5; i++) {
        responder_ask(fd, GUEST, true, bytes_span(&smuggled));
        expect_contains(responder_answer(fd), "Status: 413 ");
        responder_ask(fd, MEMBER, true, SPAN_NONE);
        expect_contains(responder_answer(fd), "\"userName\":\"Ann\"");
    }
    close(fd);
    bytes_free(&smuggled);
}

static void peers_that_do_not_finish(void **state)
{
    int peers[3 * THREADS];
    (void)state;
    struct bytes bytes = {0};
    record_add_begin(&bytes, 1, 1, true);
    for (size_t i = 0; i < COUNT(peers); i++) {
        peers[i] = responder_connect();
        if (i % 3)
            responder_tell(peers[i], (struct span){bytes.data, i % 3 == 1 ? 5 : bytes.length});
    }
    int fd = responder_connect(); /* more of them than threads: it still answers */
    responder_ask(fd, MEMBER, false, SPAN_NONE);
    expect_contains(responder_answer(fd), "Status: 200 OK\r\n");
    close(fd);
    for (size_t i = 0; i < COUNT(peers); i++)
        close(peers[i]);
    bytes_free(&bytes);
}

static void nonsense_is_dropped(void **state)
{
    (void)state;
    stderr_catch();
    int fd = responder_connect();
    responder_tell(fd, SPAN("GET /healthz HTTP/1.1\r\n\r\n"));
    assert_true(responder_at_end(fd));
    close(fd);
    fd = responder_connect();
    responder_ask(fd, MEMBER, false, SPAN_NONE);
    expect_contains(responder_answer(fd), "Status: 200 OK\r\n");
    close(fd);
    expect_contains(stderr_caught(), "a connection from the web server was dropped: not FastCGI");
}

/* As another process that shares the socket may do. */
static void the_socket_stops_blocking(void **state)
{
    (void)state;
    int flags = fcntl(responder_listener.fd, F_GETFL);
    assert_int_equal(fcntl(responder_listener.fd, F_SETFL, flags | O_NONBLOCK), 0);
    responder_crowd();
    responder_stop_polling();
    responder_end(); /* none waits for good */
    responder_server = server_start(responder_listener.fd, THREADS, responder_snapshots);
    assert_int_equal(fcntl(responder_listener.fd, F_SETFL, flags), 0);
}

static void many_peers_at_once(void **state)
{
    (void)state;
    responder_crowd();
}

static void stopping_finishes_what_is_in_hand(void **state)
{
    struct bytes bytes = {0};
    const char *const pairs[] = {"REQUEST_METHOD", "GET", "REQUEST_URI", "/healthz", NULL};
    (void)state;
    record_add_request(&bytes, 1, true, pairs, SPAN_NONE);
    int idle = responder_connect(), half = responder_connect(), late = responder_connect();
    responder_ask(idle, MEMBER, true, SPAN_NONE);
    expect_contains(responder_answer(idle), "Status: 200 OK\r\n");
    responder_tell(half, (struct span){bytes.data, 20});
    usleep(100000);
    responder_stop_polling();
    responder_tell(late, bytes_span(&bytes));
    responder_tell(half, (struct span){bytes.data + 20, bytes.length - 20});
    responder_end();
    expect_contains(responder_answer(half), "Status: 200 OK\r\n");
    expect_contains(responder_answer(late), "Status: 200 OK\r\n");
    assert_true(responder_at_end(idle));
    close(idle);
    close(half);
    close(late);
    responder_server =
        server_start(responder_listener.fd, THREADS, responder_snapshots); /* for stop() */
    bytes_free(&bytes);
}

static void *end_responder(void *unused)
{
    responder_end();
    return unused;
}

/* Under mod_fcgid nobody tells the web server that a process is about to end. */
static void stopping_serves_who_does_not_know(void **state)
{
    struct bytes bytes = {0};
    const char *const pairs[] = {"REQUEST_METHOD", "GET", "REQUEST_URI", "/healthz", NULL};
    pthread_t stopper;
    (void)state;
    record_add_request(&bytes, 1, true, pairs, SPAN_NONE);
    int half = responder_connect();
    responder_tell(half, (struct span){bytes.data, 20});
    usleep(100000);
    responder_stop_polling();
    assert_int_equal(pthread_create(&stopper, NULL, end_responder, NULL), 0);
    for (int i = 0; i < 5; i++) {
        usleep(20000);
        int late = responder_connect();
        responder_tell(late, bytes_span(&bytes));
        expect_contains(responder_answer(late), "Status: 200 OK\r\n");
        close(late);
    }
    responder_tell(half, (struct span){bytes.data + 20, bytes.length - 20});
    expect_contains(responder_answer(half), "Status: 200 OK\r\n");
    pthread_join(stopper, NULL);
    close(half);
    responder_server =
        server_start(responder_listener.fd, THREADS, responder_snapshots); /* for stop() */
    bytes_free(&bytes);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
#define TEST(function) cmocka_unit_test_setup_teardown(function, responder_start, responder_stop)
    const struct CMUnitTest tests[] = {
        TEST(requests_are_answered),
        TEST(connections_are_kept),
        TEST(bodies_are_no_requests),
        TEST(peers_that_do_not_finish),
        TEST(nonsense_is_dropped),
        TEST(many_peers_at_once),
        TEST(the_socket_stops_blocking),
        TEST(few_threads),
        TEST(few_descriptors),
        TEST(stopping_finishes_what_is_in_hand),
        TEST(stopping_serves_who_does_not_know),
    };
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
