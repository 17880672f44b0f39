/* SPDX-License-Identifier: MIT */
#include "conn.h"

#include "api/http.h"
#include "host/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define SEND_TIMEOUT_S 5
#define FIRST_BYTES_US 2000
#define SPARE_BODY_MAX 65536 /* more memory than that is not kept */
#define READS_MAX      64    /* in a row, so that one busy peer does not keep a thread */

static _Thread_local struct conn *spare;

struct conn *conn_new(int fd, size_t body_limit)
{
    struct conn *conn = spare ? spare : calloc(1, sizeof *conn);
    spare = NULL;
    if (!conn) {
        close(fd);
        return NULL;
    }
    conn->fd = fd;
    conn->frame.body_limit = body_limit;
    conn->frame.wants = http_request_wants;
    return conn;
}

static void destroy(struct conn *conn)
{
    frame_free(&conn->frame);
    bytes_free(&conn->rest);
    free(conn);
}

void conn_free(struct conn *conn)
{
    if (conn->fd >= 0)
        close(conn->fd);
    if (spare || conn->frame.body.capacity > SPARE_BODY_MAX) {
        destroy(conn);
        return;
    }
    frame_restart(&conn->frame);
    bytes_free(&conn->rest);
    *conn = (struct conn){.frame = conn->frame};
    spare = conn;
}

void conn_thread_end(void)
{
    if (spare)
        destroy(spare);
    spare = NULL;
}

void conn_limit_sending(struct conn *conn)
{
    const struct timeval patience = {.tv_sec = SEND_TIMEOUT_S};
    setsockopt(conn->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

static enum frame_state feed(struct conn *conn, const char *bytes, size_t length)
{
    enum frame_state state;
    size_t taken = frame_feed(&conn->frame, bytes, length, &state);
    if (conn->frame.out.length) {
        send(conn->fd, conn->frame.out.data, conn->frame.out.length, MSG_DONTWAIT | MSG_NOSIGNAL);
        bytes_reset(&conn->frame.out);
    }
    if (state == FRAME_BAD)
        log_warning("a connection from the web server was dropped: %s", conn->frame.fault);
    else if (taken < length)
        bytes_add(&conn->rest, bytes + taken, length - taken);
    return state;
}

/* What came behind the last request. */
static enum frame_state feed_rest(struct conn *conn)
{
    struct bytes rest = conn->rest;
    conn->rest = (struct bytes){0};
    enum frame_state state = rest.length ? feed(conn, rest.data, rest.length) : FRAME_MORE;
    bytes_free(&rest);
    return state;
}

/* Reads once; *state_r is how it stands then.  False: nothing more is there. */
static bool receive_once(struct conn *conn, int flags, enum frame_state *state_r)
{
    static _Thread_local char bytes[65536];
    ssize_t got = recv(conn->fd, bytes, sizeof bytes, flags);
    if (got > 0) {
        *state_r = feed(conn, bytes, (size_t)got);
        explicit_bzero(bytes, (size_t)got);
        return (size_t)got == sizeof bytes;
    }
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return errno == EINTR;
    if (frame_in_request(&conn->frame))
        log_info("the web server closed a connection in the middle of a request");
    *state_r = FRAME_BAD;
    return false;
}

enum frame_state conn_receive(struct conn *conn)
{
    enum frame_state state = feed_rest(conn);
    int reads = 0;
    while (state == FRAME_MORE && reads++ < READS_MAX && receive_once(conn, MSG_DONTWAIT, &state))
        continue;
    return state;
}

enum frame_state conn_receive_first(struct conn *conn)
{
    const struct timeval moment = {.tv_usec = FIRST_BYTES_US};
    enum frame_state state = FRAME_MORE;
    setsockopt(conn->fd, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment);
    bool more = receive_once(conn, 0, &state);
    return more && state == FRAME_MORE ? conn_receive(conn) : state;
}

void conn_queue_push(struct conn_queue *queue, struct conn *conn)
{
    conn->next = NULL;
    conn->previous = queue->last;
    if (queue->last)
        queue->last->next = conn;
    else
        queue->first = conn;
    queue->last = conn;
}

void conn_queue_remove(struct conn_queue *queue, struct conn *conn)
{
    if (conn->previous)
        conn->previous->next = conn->next;
    else
        queue->first = conn->next;
    if (conn->next)
        conn->next->previous = conn->previous;
    else
        queue->last = conn->previous;
    conn->next = conn->previous = NULL;
}

struct conn *conn_queue_pop(struct conn_queue *queue)
{
    struct conn *conn = queue->first;
    if (conn)
        conn_queue_remove(queue, conn);
    return conn;
}
