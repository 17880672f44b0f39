/* SPDX-License-Identifier: MIT */
#include "responder.h"

#include "server/conn.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

struct listener responder_listener;
struct snapshots *responder_snapshots;
struct server *responder_server;
static pthread_t poller;
static atomic_bool over;

#define GOOD "Basic ZGVtby1rZXk6ZGVtby1zZWNyZXQtZGVtbw==" /* demo-key:demo-secret-demo */

static void *poll_often(void *argument)
{
    (void)argument;
    while (!atomic_load(&over))
        server_poll(responder_server, 50);
    conn_thread_end();
    return NULL;
}

int responder_start(void **state)
{
    struct bytes address = {0};
    struct reason why = {0};
    int rc = scratch_start(state);
    struct settings *settings = settings_from(&(struct config_texts){.top = "body_limit = 2000"});
    responder_snapshots = snapshots_new(settings, server_workers(THREADS) + 1);
    bytes_addf(&address, "unix:%s", scratch_path("sock"));
    expect(listen_open(bytes_string(&address), &responder_listener, &why) &&
               listen_take_place(&responder_listener, &why),
           "%s", why.text);
    responder_server = server_start(responder_listener.fd, THREADS, responder_snapshots);
    assert_non_null(responder_server);
    responder_start_polling();
    bytes_free(&address);
    return rc;
}

void responder_start_polling(void)
{
    atomic_store(&over, false);
    assert_int_equal(pthread_create(&poller, NULL, poll_often, NULL), 0);
}

void responder_stop_polling(void)
{
    atomic_store(&over, true);
    server_wake(responder_server);
    pthread_join(poller, NULL);
}

void responder_end(void)
{
    int fd = dup(responder_listener.fd);
    assert_true(server_stop(responder_server, 5000));
    server_free(responder_server);
    responder_listener.fd = fd;
}

int responder_stop(void **state)
{
    if (!atomic_load(&over))
        responder_stop_polling();
    responder_end();
    close(responder_listener.fd);
    snapshots_free(responder_snapshots);
    return scratch_stop(state);
}

int responder_connect(void)
{
    const struct timeval patience = {.tv_sec = 20};
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strcpy(to.sun_path, scratch_path("sock"));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

void responder_tell(int fd, struct span bytes)
{
    while (bytes.length) {
        ssize_t sent = send(fd, bytes.data, bytes.length, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* it has closed; what it said before counts */
        bytes.data += sent;
        bytes.length -= (size_t)sent;
    }
}

void responder_ask(int fd, const char *uri, bool keep, struct span body)
{
    char length[32];
    snprintf(length, sizeof length, "%zu", body.length);
    const char *const pairs[] = {"REQUEST_METHOD",
                                 "POST",
                                 "REQUEST_URI",
                                 uri,
                                 "HTTP_AUTHORIZATION",
                                 GOOD,
                                 "CONTENT_TYPE",
                                 "application/json",
                                 "CONTENT_LENGTH",
                                 length,
                                 "UNKNOWN",
                                 "thing",
                                 NULL};
    struct bytes bytes = {0};
    record_add_request(&bytes, 1, keep, pairs, body);
    responder_tell(fd, bytes_span(&bytes));
    bytes_free(&bytes);
}

const char *responder_answer(int fd)
{
    static _Thread_local char text[8192];
    struct bytes bytes = {0};
    size_t length = 0;
    bool ended = false;
    char some[4096];
    ssize_t got;
    while (!ended && (got = recv(fd, some, sizeof some, 0)) > 0) {
        struct record record;
        bytes_add(&bytes, some, (size_t)got);
        struct span rest = bytes_span(&bytes);
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
    bytes_free(&bytes);
    return text;
}

bool responder_at_end(int fd)
{
    char byte;
    return recv(fd, &byte, 1, 0) == 0;
}

static void *many_requests(void *argument)
{
    (void)argument;
    int fd = -1;
    for (int i = 0; i < 60; i++) {
        if (fd < 0)
            fd = responder_connect();
        bool keep = i % 4 != 3;
        responder_ask(fd, i % 2 ? MEMBER : GUEST, keep, SPAN_NONE);
        expect_contains(responder_answer(fd), "Status: 200 OK\r\n");
        if (!keep) {
            close(fd);
            fd = -1;
        }
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

void responder_crowd(void)
{
    pthread_t threads[5];
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, many_requests, NULL), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
}
