/* SPDX-License-Identifier: MIT
 * The resident responder in this process, with a socket that a test speaks to. */
#include "server.h"

#include "clock.h"
#include "conn.h"
#include "fastcgi.h"
#include "handler.h"
#include "listen.h"
#include "records.h"
#include "support.h"
#include "upkeep.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { THREADS = 3 };

static struct listener listener;
static struct snapshots *snapshots;
static struct server *server;
static const char *config_path;
static pthread_t poller;
static atomic_bool over;

#define GOOD "Basic ZGVtby1rZXk6ZGVtby1zZWNyZXQ=" /* demo-key:demo-secret */

static void *poll_often(void *argument)
{
    (void)argument;
    while (!atomic_load(&over))
        server_poll(server, 50);
    conn_thread_end();
    return NULL;
}

static void write_config(const struct config_texts *texts)
{
    config_path = scratch_write("memberchat.conf", span_of(config_text(texts)));
}

static int start(void **state)
{
    struct strbuf why = {0}, address = {0};
    int rc = scratch_start(state);
    struct settings *settings = settings_from(&(struct config_texts){.top = "body_limit = 2000"});
    snapshots = snapshots_new(settings, THREADS + SERVER_SPARE + 2);
    strbuf_addf(&address, "unix:%s", scratch_path("sock"));
    expect(listen_open(strbuf_string(&address), &listener, &why), "%s", strbuf_string(&why));
    server = server_start(listener.fd, THREADS, snapshots);
    assert_non_null(server);
    atomic_store(&over, false);
    assert_int_equal(pthread_create(&poller, NULL, poll_often, NULL), 0);
    strbuf_free(&address);
    return rc;
}

static void stop_polling(void)
{
    atomic_store(&over, true);
    server_wake(server);
    pthread_join(poller, NULL);
}

static int stop(void **state)
{
    if (!atomic_load(&over))
        stop_polling();
    assert_true(server_stop(server, 5000));
    server_free(server);
    snapshots_free(snapshots);
    close(listener.fd);
    return scratch_stop(state);
}

static int connect_server(void)
{
    const struct timeval patience = {.tv_sec = 20};
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strcpy(to.sun_path, scratch_path("sock"));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void tell(int fd, struct span bytes)
{
    while (bytes.length) {
        ssize_t sent = send(fd, bytes.data, bytes.length, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* it has closed; what it said before counts */
        bytes.data += sent;
        bytes.length -= (size_t)sent;
    }
}

static void ask(int fd, const char *uri, bool keep, struct span body)
{
    char length[32];
    snprintf(length, sizeof length, "%zu", body.length);
    const char *const pairs[] = {"REQUEST_METHOD", "POST", "REQUEST_URI", uri,
                                 "HTTP_AUTHORIZATION", GOOD, "CONTENT_TYPE", "application/json",
                                 "CONTENT_LENGTH", length, "UNKNOWN", "thing", NULL};
    struct strbuf bytes = {0};
    record_add_request(&bytes, 1, keep, pairs, body);
    tell(fd, strbuf_span(&bytes));
    strbuf_free(&bytes);
}

/* What one request is answered: the text of its STDOUT records; "" when the
 * connection ended before. */
static const char *answer(int fd)
{
    static _Thread_local char text[8192];
    struct strbuf bytes = {0};
    size_t length = 0;
    bool ended = false;
    char some[4096];
    ssize_t got;
    while (!ended && (got = recv(fd, some, sizeof some, 0)) > 0) {
        struct record record;
        strbuf_add(&bytes, some, (size_t)got);
        struct span rest = strbuf_span(&bytes);
        length = 0;
        while (!ended && record_take(&rest, &record)) {
            ended = record.type == RECORD_END;
            if (record.type != RECORD_STDOUT || length + record.content.length >= sizeof text)
                continue;
            memcpy(text + length, record.content.data, record.content.length);
            length += record.content.length;
        }
    }
    text[ended ? length : 0] = '\0';
    strbuf_free(&bytes);
    return text;
}

static bool at_end(int fd)
{
    char byte;
    return recv(fd, &byte, 1, 0) == 0;
}

#define MEMBER "/chat/v2/apps/me/members/1/chat-tokens"
#define GUEST  "/v2/apps/me/members/guest-chat-tokens"

static void requests_are_answered(void **state)
{
    (void)state;
    int fd = connect_server();
    ask(fd, MEMBER, false, SPAN_NONE);
    const char *text = answer(fd);
    expect_contains(text, "Status: 200 OK\r\n");
    expect_contains(text, "\"userName\":\"Ann\"");
    assert_true(at_end(fd));
    close(fd);
}

static void connections_are_kept(void **state)
{
    (void)state;
    int fd = connect_server();
    for (int i = 0; i < 20; i++) {
        ask(fd, i % 2 ? MEMBER : GUEST, true, i % 2 ? SPAN_NONE : SPAN("{\"appUserId\":\"u7\"}"));
        if (i % 5 == 4)
            usleep(30000); /* so that it is parked */
        expect_contains(answer(fd), i % 2 ? "\"userId\":\"1\"" : "\"userId\":\"u7\"");
    }
    close(fd);
}

/* A body that looks like records, sent with credentials that are refused, is no
 * second request. */
static void bodies_are_no_requests(void **state)
{
    const char *const inner[] = {"REQUEST_METHOD", "GET", "REQUEST_URI", "/healthz", NULL};
    struct strbuf smuggled = {0};
    (void)state;
    record_add_request(&smuggled, 1, true, inner, SPAN_NONE);
    while (smuggled.length < 100000)
        record_add_request(&smuggled, 1, true, inner, SPAN_NONE);
    int fd = connect_server();
    for (int i = 0; i < 5; i++) {
        ask(fd, GUEST, true, strbuf_span(&smuggled));
        expect_contains(answer(fd), "Status: 413 ");
        ask(fd, MEMBER, true, SPAN_NONE);
        expect_contains(answer(fd), "\"userName\":\"Ann\"");
    }
    close(fd);
    strbuf_free(&smuggled);
}

static void peers_that_do_not_finish(void **state)
{
    int peers[3 * THREADS];
    (void)state;
    struct strbuf bytes = {0};
    record_add_begin(&bytes, 1, 1, true);
    for (size_t i = 0; i < COUNT(peers); i++) {
        peers[i] = connect_server();
        if (i % 3)
            tell(peers[i], (struct span){bytes.data, i % 3 == 1 ? 5 : bytes.length});
    }
    int fd = connect_server(); /* more of them than threads: it still answers */
    ask(fd, MEMBER, false, SPAN_NONE);
    expect_contains(answer(fd), "Status: 200 OK\r\n");
    close(fd);
    for (size_t i = 0; i < COUNT(peers); i++)
        close(peers[i]);
    strbuf_free(&bytes);
}

static void nonsense_is_dropped(void **state)
{
    (void)state;
    stderr_catch();
    int fd = connect_server();
    tell(fd, SPAN("GET /healthz HTTP/1.1\r\n\r\n"));
    assert_true(at_end(fd));
    close(fd);
    fd = connect_server();
    ask(fd, MEMBER, false, SPAN_NONE);
    expect_contains(answer(fd), "Status: 200 OK\r\n");
    close(fd);
    expect_contains(stderr_caught(), "a connection from the web server was dropped: not FastCGI");
}

static void *many_requests(void *argument)
{
    (void)argument;
    int fd = -1;
    for (int i = 0; i < 60; i++) {
        if (fd < 0)
            fd = connect_server();
        bool keep = i % 4 != 3;
        ask(fd, i % 2 ? MEMBER : GUEST, keep, SPAN_NONE);
        expect_contains(answer(fd), "Status: 200 OK\r\n");
        if (!keep) {
            close(fd);
            fd = -1;
        }
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

static void crowd(void)
{
    pthread_t threads[5];
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, many_requests, NULL), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
}

static void many_peers_at_once(void **state)
{
    (void)state;
    crowd();
}

/* ---- Upkeep: new members and new configurations, while requests go on ---- */

static struct upkeep *start_upkeep(void)
{
    struct upkeep *upkeep =
        upkeep_start(snapshots, THREADS + SERVER_SPARE + 1, config_path, plugins);
    assert_non_null(upkeep);
    return upkeep;
}

static bool becomes(const char *uri, const char *part)
{
    int64_t end = clock_monotonic_ms() + 10000;
    bool right = false;
    while (!right && clock_monotonic_ms() < end) {
        int fd = connect_server();
        ask(fd, uri, false, SPAN_NONE);
        right = strstr(answer(fd), part) != NULL;
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
    crowd();
    pthread_join(reloader, NULL);
    upkeep_stop(upkeep);
    stderr_caught();
}

/* ---- The end ---- */

static void stopping_finishes_what_is_in_hand(void **state)
{
    struct strbuf bytes = {0};
    const char *const pairs[] = {"REQUEST_METHOD", "GET", "REQUEST_URI", "/healthz", NULL};
    (void)state;
    record_add_request(&bytes, 1, true, pairs, SPAN_NONE);
    int idle = connect_server(), half = connect_server(), late = connect_server();
    ask(idle, MEMBER, true, SPAN_NONE);
    expect_contains(answer(idle), "Status: 200 OK\r\n");
    tell(half, (struct span){bytes.data, 20});
    usleep(100000);
    stop_polling();
    tell(late, strbuf_span(&bytes));
    tell(half, (struct span){bytes.data + 20, bytes.length - 20});
    assert_true(server_stop(server, 5000));
    expect_contains(answer(half), "Status: 200 OK\r\n");
    expect_contains(answer(late), "Status: 200 OK\r\n");
    assert_true(at_end(idle));
    close(idle);
    close(half);
    close(late);
    server_free(server);
    server = server_start(listener.fd, THREADS, snapshots); /* for stop() */
    strbuf_free(&bytes);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    assert_true(fastcgi_library_init());
    signal(SIGPIPE, SIG_IGN);
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(requests_are_answered),
        TEST(connections_are_kept),
        TEST(bodies_are_no_requests),
        TEST(peers_that_do_not_finish),
        TEST(nonsense_is_dropped),
        TEST(many_peers_at_once),
        TEST(configurations_are_taken_over),
        TEST(members_files_are_read_anew),
        TEST(reloads_lose_no_request),
        TEST(stopping_finishes_what_is_in_hand),
    };
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
