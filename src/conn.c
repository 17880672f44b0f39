/* SPDX-License-Identifier: MIT */
#include "conn.h"

#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define SEND_TIMEOUT_S 5
#define READS_MAX      64 /* in a row, so that one busy peer does not keep a thread */

struct conn *conn_new(int fd, size_t body_limit)
{
    const struct timeval patience = {.tv_sec = SEND_TIMEOUT_S};
    struct conn *conn = calloc(1, sizeof *conn);
    if (!conn) {
        close(fd);
        return NULL;
    }
    conn->fd = fd;
    conn->frame.body_limit = body_limit;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return conn;
}

void conn_free(struct conn *conn)
{
    if (conn->fd >= 0)
        close(conn->fd);
    frame_free(&conn->frame);
    strbuf_free(&conn->rest);
    free(conn);
}

static enum frame_state feed(struct conn *conn, const char *bytes, size_t length)
{
    enum frame_state state;
    size_t taken = frame_feed(&conn->frame, bytes, length, &state);
    if (conn->frame.out.length) {
        send(conn->fd, conn->frame.out.data, conn->frame.out.length, MSG_DONTWAIT | MSG_NOSIGNAL);
        strbuf_reset(&conn->frame.out);
    }
    if (state == FRAME_BAD)
        log_warning("a connection from the web server was dropped: %s", conn->frame.fault);
    else if (taken < length)
        strbuf_add(&conn->rest, bytes + taken, length - taken);
    return state;
}

/* What came behind the last request. */
static enum frame_state feed_rest(struct conn *conn)
{
    struct strbuf rest = conn->rest;
    conn->rest = (struct strbuf){0};
    enum frame_state state = rest.length ? feed(conn, rest.data, rest.length) : FRAME_MORE;
    strbuf_free(&rest);
    return state;
}

enum frame_state conn_receive(struct conn *conn)
{
    static _Thread_local char bytes[65536];
    enum frame_state state = feed_rest(conn);
    for (int reads = 0; state == FRAME_MORE && reads < READS_MAX; reads++) {
        ssize_t got = recv(conn->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got > 0) {
            state = feed(conn, bytes, (size_t)got);
            explicit_bzero(bytes, (size_t)got);
            if (state == FRAME_MORE && (size_t)got < sizeof bytes)
                break;
        } else if (got < 0 && errno == EINTR) {
            continue;
        } else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            break;
        } else {
            if (frame_in_request(&conn->frame))
                log_info("the web server closed a connection in the middle of a request");
            return FRAME_BAD;
        }
    }
    return state;
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
