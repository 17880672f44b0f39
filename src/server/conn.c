/* SPDX-License-Identifier: MIT */
#include "conn.h"

#include "api/http.h"
#include "host/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define FIRST_BYTES_US 2000
#define KEPT_BODY_MAX  65536 /* a buffer that is larger is not kept */
#define KEPT_MAX       32    /* unused ones that any thread may take */
#define READS_MAX      64    /* in a row, so that one busy peer does not keep a thread */

/* Unused memory.  A thread that serves what another one accepted frees more than it takes. */
static _Thread_local struct conn *own;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static struct conn *shared;
static unsigned shared_count;

static struct conn *take_shared(void)
{
    pthread_mutex_lock(&lock);
    struct conn *conn = shared;
    if (conn) {
        shared = conn->next;
        shared_count--;
        conn->next = NULL;
    }
    pthread_mutex_unlock(&lock);
    return conn;
}

static bool give_shared(struct conn *conn)
{
    pthread_mutex_lock(&lock);
    bool room = shared_count < KEPT_MAX;
    if (room) {
        conn->next = shared;
        shared = conn;
        shared_count++;
    }
    pthread_mutex_unlock(&lock);
    return room;
}

struct conn *conn_new(int fd, size_t body_limit)
{
    struct conn *conn = own ? own : take_shared();
    own = NULL;
    if (!conn)
        conn = calloc(1, sizeof *conn);
    if (!conn) {
        close(fd);
        return NULL;
    }
    conn->fd = fd;
    conn->intake.body_limit = body_limit;
    conn->intake.wants = http_request_wants;
    return conn;
}

static void destroy(struct conn *conn)
{
    intake_free(&conn->intake);
    bytes_free(&conn->rest);
    bytes_free(&conn->out);
    free(conn);
}

void conn_free(struct conn *conn)
{
    close(conn->fd);
    if (conn->intake.body.capacity > KEPT_BODY_MAX || conn->out.capacity > KEPT_BODY_MAX) {
        destroy(conn);
        return;
    }
    intake_restart(&conn->intake);
    bytes_free(&conn->rest);
    bytes_reset(&conn->out);
    *conn = (struct conn){.intake = conn->intake, .out = conn->out};
    if (!own)
        own = conn;
    else if (!give_shared(conn))
        destroy(conn);
}

void conn_thread_end(void)
{
    for (; own; own = take_shared())
        destroy(own);
}

bool conn_send(struct conn *conn)
{
    while (conn->sent < conn->out.length) {
        ssize_t sent = send(conn->fd, conn->out.data + conn->sent, conn->out.length - conn->sent,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN;
        conn->sent += (size_t)sent;
    }
    bytes_reset(&conn->out);
    conn->sent = 0;
    return true;
}

/* ---- Receiving ---- */

static enum intake_state feed(struct conn *conn, const char *bytes, size_t length)
{
    enum intake_state state;
    size_t taken = intake_feed(&conn->intake, bytes, length, &state);
    if (conn->intake.replies.length) {
        bytes_add_span(&conn->out, bytes_span(&conn->intake.replies));
        bytes_reset(&conn->intake.replies);
        if (conn->out.failed || !conn_send(conn))
            return INTAKE_BAD;
    }
    if (state != INTAKE_BAD && taken < length)
        bytes_add(&conn->rest, bytes + taken, length - taken);
    if (conn->rest.failed) {
        conn->intake.fault = "out of memory";
        state = INTAKE_BAD;
    }
    if (state == INTAKE_BAD)
        log_warning("a connection from the web server was dropped: %s", conn->intake.fault);
    return state;
}

/* What came behind the last request. */
static enum intake_state feed_rest(struct conn *conn)
{
    struct bytes rest = conn->rest;
    conn->rest = (struct bytes){0};
    enum intake_state state = rest.length ? feed(conn, rest.data, rest.length) : INTAKE_MORE;
    bytes_free(&rest);
    return state;
}

enum received {
    NOTHING,     /* yet */
    ALL,         /* that was there; or the peer has gone */
    PERHAPS_MORE /* is there: read again */
};

/* Reads once; *state_r is how it stands then, if something came or the peer has gone. */
static enum received receive_once(struct conn *conn, int flags, enum intake_state *state_r)
{
    static _Thread_local char bytes[65536];
    ssize_t got = recv(conn->fd, bytes, sizeof bytes, flags);
    if (got > 0) {
        *state_r = feed(conn, bytes, (size_t)got);
        explicit_bzero(bytes, (size_t)got);
        return (size_t)got == sizeof bytes ? PERHAPS_MORE : ALL;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return errno == EINTR ? PERHAPS_MORE : NOTHING;
    if (intake_in_request(&conn->intake))
        log_info("the web server closed a connection in the middle of a request");
    *state_r = INTAKE_BAD;
    return ALL;
}

enum intake_state conn_receive(struct conn *conn)
{
    enum intake_state state = feed_rest(conn);
    int reads = 0;
    while (state == INTAKE_MORE && reads++ < READS_MAX &&
           receive_once(conn, MSG_DONTWAIT, &state) == PERHAPS_MORE)
        continue;
    conn->state = state;
    return state;
}

enum intake_state conn_receive_first(struct conn *conn)
{
    const struct timeval moment = {.tv_usec = FIRST_BYTES_US};
    enum intake_state state = INTAKE_MORE;
    enum received received = receive_once(conn, MSG_DONTWAIT, &state);
    if (received == NOTHING) { /* seldom, where requests come fast */
        setsockopt(conn->fd, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment);
        received = receive_once(conn, 0, &state);
    }
    conn->state = state;
    return received == PERHAPS_MORE && state == INTAKE_MORE ? conn_receive(conn) : state;
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
