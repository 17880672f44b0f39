/* SPDX-License-Identifier: MIT */
#include "server.h"

#include "clock.h"
#include "fastcgi.h"
#include "gate.h"
#include "handler.h"
#include "log.h"
#include "park.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SWEEP_MS    1000 /* how long a stopping server accepts what waits already */
#define TICK_MS     10
#define SURE_TO_FIT 32768 /* bytes that a fresh connection takes without waiting */

struct worker {
    struct server *server;
    unsigned number;
    pthread_t thread;
    int epoll;        /* of the listening socket and the bell */
    bool connections; /* the socket had some when it last looked */
    struct fastcgi *fastcgi;
    struct http_response response;
};

struct server {
    int listen_fd;
    int bell; /* rings once for each connection in `ready` */
    struct park *park;
    struct snapshots *snapshots;
    atomic_bool stopping;      /* accept no more */
    atomic_bool leaving;       /* end */
    atomic_uint awake;         /* workers that are not waiting for work */
    pthread_mutex_t lock;      /* guards the queues */
    struct conn_queue ready;   /* complete requests */
    struct conn_queue waiting; /* complete requests that wait for the gate */
    atomic_uint ready_count, waiting_count;
    unsigned worker_count;
    struct worker workers[];
};

/* ---- The queues ---- */

static void queue_put(struct server *server, struct conn_queue *queue, atomic_uint *count,
                      struct conn *conn)
{
    pthread_mutex_lock(&server->lock);
    conn_queue_push(queue, conn);
    atomic_fetch_add(count, 1);
    pthread_mutex_unlock(&server->lock);
}

static struct conn *queue_take(struct server *server, struct conn_queue *queue, atomic_uint *count)
{
    if (atomic_load_explicit(count, memory_order_relaxed) == 0)
        return NULL;
    pthread_mutex_lock(&server->lock);
    struct conn *conn = conn_queue_pop(queue);
    if (conn)
        atomic_fetch_sub(count, 1);
    pthread_mutex_unlock(&server->lock);
    return conn;
}

static void ring(struct server *server)
{
    uint64_t one = 1;
    while (write(server->bell, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

/* ---- One request ---- */

/* Serves the complete request of a connection.  True: the connection may carry
 * another; else it is gone, or waits for the gate. */
static bool serve_request(struct worker *worker, struct conn *conn)
{
    struct server *server = worker->server;
    struct http_request request;
    if (!fastcgi_begin(worker->fastcgi, &conn->frame, &request)) {
        log_error("libfcgi did not take a request: the connection was dropped");
        conn_free(conn);
        return false;
    }
    const struct settings *settings = snapshots_acquire(server->snapshots, worker->number);
    if (conn->deadline == 0)
        conn->deadline = clock_monotonic_ms() + settings->top.request_timeout_ms;
    request.deadline = conn->deadline;
    bool answered = handler_serve(settings, &request, &worker->response);
    snapshots_release(server->snapshots, worker->number);
    if (!answered) {
        fastcgi_abandon(worker->fastcgi);
        queue_put(server, &server->waiting, &server->waiting_count, conn);
        return false;
    }
    http_request_wipe(&request);
    if (conn->frame.keep || worker->response.body.length > SURE_TO_FIT)
        conn_limit_sending(conn);
    if (!fastcgi_answer(worker->fastcgi, conn->fd, &request, &worker->response))
        conn->fd = -1;
    http_response_reset(&worker->response);
    bool keep = conn->fd >= 0 && conn->frame.keep && !atomic_load(&server->stopping);
    if (!keep)
        conn_free(conn);
    return keep;
}

static void serve(struct worker *worker, struct conn *conn)
{
    while (serve_request(worker, conn)) {
        conn->deadline = 0;
        conn->served = true;
        frame_next(&conn->frame);
        enum frame_state state = conn_receive(conn);
        if (state == FRAME_COMPLETE)
            continue;
        if (state == FRAME_MORE)
            park_put(worker->server->park, conn);
        else
            conn_free(conn);
        return;
    }
}

/* ---- Getting work ---- */

/* Without descriptors nothing can be accepted: the longest parked goes. */
static void make_room(struct server *server)
{
    const struct timespec moment = {.tv_nsec = 20000000};
    log_error_limited("cannot accept connections: %s", strerror(errno));
    park_evict(server->park);
    nanosleep(&moment, NULL);
}

/* A connection that was accepted, if there is a complete request on it. */
static struct conn *receive_first(struct server *server, int fd, size_t body_limit)
{
    struct conn *conn = conn_new(fd, body_limit);
    enum frame_state state = conn ? conn_receive_first(conn) : FRAME_BAD;
    if (state == FRAME_COMPLETE)
        return conn;
    if (state == FRAME_MORE)
        park_put(server->park, conn);
    else if (conn)
        conn_free(conn);
    return NULL;
}

/* Accepts until a complete request is there or nothing more waits (NULL). */
static struct conn *accept_request(struct server *server, unsigned reader)
{
    for (;;) {
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            const struct settings *settings = snapshots_acquire(server->snapshots, reader);
            size_t body_limit = (size_t)settings->top.body_limit;
            snapshots_release(server->snapshots, reader);
            struct conn *conn = receive_first(server, fd, body_limit);
            if (conn)
                return conn;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return NULL;
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            make_room(server);
            return NULL;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            log_error_limited("cannot accept connections: %s", strerror(errno));
            return NULL;
        }
    }
}

static struct conn *find_work(struct worker *worker)
{
    struct server *server = worker->server;
    struct conn *conn = NULL;
    if (gate_has_room())
        conn = queue_take(server, &server->waiting, &server->waiting_count);
    if (!conn)
        conn = queue_take(server, &server->ready, &server->ready_count);
    if (!conn && worker->connections && !atomic_load(&server->stopping))
        conn = accept_request(server, worker->number);
    worker->connections = false;
    return conn;
}

static void wait_for_work(struct worker *worker)
{
    struct server *server = worker->server;
    struct epoll_event event;
    uint64_t ignored;
    atomic_fetch_sub(&server->awake, 1);
    int count = epoll_wait(worker->epoll, &event, 1, -1);
    atomic_fetch_add(&server->awake, 1);
    worker->connections = count > 0 && event.data.fd == server->listen_fd;
    if (count > 0 && !worker->connections && read(server->bell, &ignored, sizeof ignored) < 0)
        return; /* somebody else was faster */
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    while (!atomic_load(&worker->server->leaving)) {
        struct conn *conn = find_work(worker);
        if (conn)
            serve(worker, conn);
        else
            wait_for_work(worker);
    }
    conn_thread_end();
    ring(worker->server); /* for the next one to leave */
    return NULL;
}

/* ---- Starting ---- */

static bool watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = fd};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool start_worker(struct server *server, unsigned number)
{
    struct worker *worker = &server->workers[number];
    worker->server = server;
    worker->number = number;
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    worker->fastcgi = fastcgi_new();
    return worker->epoll >= 0 && worker->fastcgi && watch(worker->epoll, server->listen_fd) &&
           watch(worker->epoll, server->bell) &&
           pthread_create(&worker->thread, NULL, work, worker) == 0;
}

struct server *server_start(int listen_fd, unsigned threads, struct snapshots *snapshots)
{
    unsigned count = threads + SERVER_SPARE;
    struct server *server = calloc(1, sizeof *server + count * sizeof *server->workers);
    if (!server)
        goto fail;
    server->listen_fd = listen_fd;
    server->snapshots = snapshots;
    server->worker_count = count;
    server->awake = count;
    pthread_mutex_init(&server->lock, NULL);
    server->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
    server->park = park_new();
    if (server->bell < 0 || !server->park)
        goto fail;
    gate_set_limit((int)threads);
    for (unsigned i = 0; i < count; i++)
        if (!start_worker(server, i))
            goto fail; /* the process ends: those that run need not be stopped */
    return server;
fail:
    log_error("cannot start the workers: %s", strerror(errno));
    return NULL;
}

/* ---- The polling thread ---- */

static void hand_over(struct server *server, struct conn_queue *complete)
{
    for (struct conn *conn; (conn = conn_queue_pop(complete));) {
        queue_put(server, &server->ready, &server->ready_count, conn);
        ring(server);
    }
}

/* Requests that waited for the gate until their deadline: they get an answer. */
static void take_late(struct server *server, struct conn_queue *late)
{
    int64_t now = clock_monotonic_ms();
    if (atomic_load(&server->waiting_count) == 0)
        return;
    pthread_mutex_lock(&server->lock);
    while (server->waiting.first && server->waiting.first->deadline <= now) {
        conn_queue_push(late, conn_queue_pop(&server->waiting));
        atomic_fetch_sub(&server->waiting_count, 1);
    }
    pthread_mutex_unlock(&server->lock);
}

void server_poll(struct server *server, int timeout_ms)
{
    struct conn_queue complete = {0};
    park_poll(server->park, timeout_ms, &complete);
    take_late(server, &complete);
    hand_over(server, &complete);
}

void server_wake(struct server *server)
{
    park_wake(server->park);
}

/* What waited in the socket when the stop came is still served. */
static void sweep(struct server *server)
{
    int64_t end = clock_monotonic_ms() + SWEEP_MS;
    struct conn_queue complete = {0};
    struct conn *conn;
    while (clock_monotonic_ms() < end &&
           (conn = accept_request(server, server->worker_count)) != NULL)
        conn_queue_push(&complete, conn);
    hand_over(server, &complete);
}

static bool is_idle(struct server *server)
{
    return atomic_load(&server->ready_count) == 0 && atomic_load(&server->waiting_count) == 0 &&
           atomic_load(&server->awake) == 0 && park_close_idle(server->park) == 0;
}

bool server_stop(struct server *server, int grace_ms)
{
    int64_t end = clock_monotonic_ms() + grace_ms;
    atomic_store(&server->stopping, true);
    for (unsigned i = 0; i < server->worker_count; i++)
        epoll_ctl(server->workers[i].epoll, EPOLL_CTL_DEL, server->listen_fd, NULL);
    sweep(server);
    server_poll(server, 0); /* nor is what has come on kept connections lost */
    while (!is_idle(server)) {
        if (clock_monotonic_ms() >= end)
            return false;
        server_poll(server, TICK_MS);
    }
    atomic_store(&server->leaving, true);
    ring(server);
    for (unsigned i = 0; i < server->worker_count; i++)
        pthread_join(server->workers[i].thread, NULL);
    return true;
}

void server_free(struct server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++) {
        struct worker *worker = &server->workers[i];
        close(worker->epoll);
        fastcgi_free(worker->fastcgi);
        http_response_free(&worker->response);
    }
    park_free(server->park);
    conn_thread_end(); /* the polling thread's */
    close(server->bell);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
