/* SPDX-License-Identifier: MIT */
#include "server.h"

#include "base/clock.h"
#include "fastcgi.h"
#include "members/gate.h"
#include "api/handler.h"
#include "host/log.h"
#include "park.h"
#include "host/turn.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SPARE       2       /* workers beyond those that look something up or accept */
#define KICK        SIGUSR2 /* ends a worker's waiting for a connection */
#define SWEEP_MS    1000    /* how long a stopping server accepts what waits already */
#define TICK_MS     10
#define SURE_TO_FIT 32768 /* bytes that a fresh connection takes without waiting */

struct worker {
    struct server *server;
    unsigned number;
    pthread_t thread;
    atomic_bool accepting; /* it waits for a connection */
    struct fastcgi *fastcgi;
    struct http_response response;
};

struct server {
    int listen_fd;
    struct park *park;
    struct snapshots *snapshots;
    atomic_bool stopping;      /* accept only what has come already, */
    int64_t sweep_end;         /* until then; set before `stopping` is */
    atomic_bool leaving;       /* end */
    atomic_uint awake;         /* workers that are not waiting for work */
    pthread_mutex_t lock;      /* guards the queues */
    struct conn_queue ready;   /* complete requests */
    struct conn_queue waiting; /* complete requests that wait for the gate */
    atomic_uint ready_count, waiting_count;
    bool unheard; /* the polling thread: a call for what is ready woke nobody */
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
    if (conn->frame.keep || worker->response.body.length > SURE_TO_FIT) {
        conn_limit_sending(conn);
        turn_give();
    }
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

static bool poll_socket(struct server *server, int timeout_ms)
{
    struct pollfd socket = {.fd = server->listen_fd, .events = POLLIN};
    return poll(&socket, 1, timeout_ms) == 1;
}

/* Whether a connection may be waited for: a stopping server takes only those that
 * wait already. */
static bool may_accept(struct server *server)
{
    return !atomic_load(&server->stopping) ||
           (clock_monotonic_ms() < server->sweep_end && poll_socket(server, 0));
}

/* Waits for a connection.  -1 with errno; EINTR, and the turn is over, when the server
 * stops. */
static int accept_one(struct worker *worker)
{
    int fd = -1, error = EINTR;
    atomic_store(&worker->accepting, true); /* from here on a kick is not missed */
    if (may_accept(worker->server)) {
        turn_idle_begin();
        fd = accept4(worker->server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        error = errno;
        if (fd < 0 && error == EAGAIN) /* who shares the socket has made it non-blocking */
            error = poll_socket(worker->server, -1) ? ECONNABORTED : EINTR;
        turn_idle_end();
    } else {
        turn_end();
    }
    atomic_store(&worker->accepting, false);
    errno = error;
    return fd;
}

/* A connection that was accepted, if there is a complete request on it. */
static struct conn *receive_first(struct worker *worker, int fd)
{
    struct server *server = worker->server;
    const struct settings *settings = snapshots_acquire(server->snapshots, worker->number);
    size_t body_limit = (size_t)settings->top.body_limit;
    snapshots_release(server->snapshots, worker->number);
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

/* Waits for a turn, and then for a connection.  NULL: nothing complete came on it, or
 * something is in the queues. */
static struct conn *wait_for_request(struct worker *worker)
{
    struct server *server = worker->server;
    atomic_fetch_sub(&server->awake, 1);
    errno = EINTR;
    int fd = turn_wait() ? accept_one(worker) : -1;
    atomic_fetch_add(&server->awake, 1);
    if (fd >= 0)
        return receive_first(worker, fd);
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        make_room(server);
    else if (errno != EINTR && errno != ECONNABORTED)
        log_error_limited("cannot accept connections: %s", strerror(errno));
    return NULL;
}

/* A complete request out of the queues, if there is one for this worker. */
static struct conn *find_work(struct server *server)
{
    struct conn *conn = NULL;
    if (gate_has_room())
        conn = queue_take(server, &server->waiting, &server->waiting_count);
    return conn ? conn : queue_take(server, &server->ready, &server->ready_count);
}

static void on_kick(int number)
{
    (void)number;
}

static void allow_kick(void)
{
    sigset_t kick;
    sigemptyset(&kick);
    sigaddset(&kick, KICK);
    pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct server *server = worker->server;
    allow_kick();
    while (!atomic_load(&server->leaving)) {
        struct conn *conn = find_work(server);
        if (!conn)
            conn = wait_for_request(worker);
        if (conn)
            serve(worker, conn);
    }
    conn_thread_end();
    return NULL;
}

/* ---- Starting ---- */

unsigned server_workers(unsigned threads)
{
    return threads + turn_count() + SPARE;
}

static bool start_worker(struct server *server, unsigned number)
{
    struct worker *worker = &server->workers[number];
    worker->server = server;
    worker->number = number;
    worker->fastcgi = fastcgi_new();
    return worker->fastcgi && pthread_create(&worker->thread, NULL, work, worker) == 0;
}

struct server *server_start(int listen_fd, unsigned threads, struct snapshots *snapshots)
{
    const struct sigaction kick = {.sa_handler = on_kick}; /* no SA_RESTART: accept4() ends */
    unsigned count = server_workers(threads);
    struct server *server = calloc(1, sizeof *server + count * sizeof *server->workers);
    if (!server)
        goto fail;
    server->listen_fd = listen_fd;
    server->snapshots = snapshots;
    server->worker_count = count;
    server->awake = count;
    pthread_mutex_init(&server->lock, NULL);
    server->park = park_new();
    if (!server->park || sigaction(KICK, &kick, NULL) != 0)
        goto fail;
    gate_set_limit((int)threads);
    turn_begin();
    for (unsigned i = 0; i < count; i++)
        if (!start_worker(server, i))
            goto fail; /* the process ends: those that run need not be stopped */
    return server;
fail:
    log_error("cannot start the workers: %s", strerror(errno));
    return NULL;
}

/* ---- The polling thread ---- */

/* Ends the waiting of those that accept.  One that was about to wait misses it: to be
 * repeated. */
static void kick(struct server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++)
        if (atomic_load(&server->workers[i].accepting))
            pthread_kill(server->workers[i].thread, KICK);
}

static void hand_over(struct server *server, struct conn_queue *complete)
{
    for (struct conn *conn; (conn = conn_queue_pop(complete));) {
        queue_put(server, &server->ready, &server->ready_count, conn);
        server->unheard = !turn_call(1) || server->unheard;
    }
}

/* Where nobody sleeps who could take what is ready, those that accept are to do it. */
static void call_again(struct server *server)
{
    server->unheard = server->unheard && atomic_load(&server->ready_count) > 0;
    if (server->unheard)
        kick(server);
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
    bool soon = server->unheard && timeout_ms > TICK_MS;
    park_poll(server->park, soon ? TICK_MS : timeout_ms, &complete);
    take_late(server, &complete);
    hand_over(server, &complete);
    call_again(server);
}

void server_wake(struct server *server)
{
    park_wake(server->park);
}

/* Who has just accepted has a turn that has not ended; what was in the queues is with a
 * worker that is awake now, or was before. */
static bool is_idle(struct server *server)
{
    return turn_alive() == 0 && atomic_load(&server->awake) == 0 &&
           atomic_load(&server->ready_count) == 0 && atomic_load(&server->waiting_count) == 0 &&
           atomic_load(&server->awake) == 0 && park_close_idle(server->park) == 0;
}

bool server_stop(struct server *server, int grace_ms)
{
    int64_t now = clock_monotonic_ms(), end = now + grace_ms;
    server->sweep_end = now + SWEEP_MS;
    atomic_store(&server->stopping, true);
    kick(server);
    server_poll(server, 0); /* nor is what has come on kept connections lost */
    while (!is_idle(server)) {
        if (clock_monotonic_ms() >= end)
            return false;
        server_poll(server, TICK_MS);
        kick(server);
    }
    atomic_store(&server->leaving, true);
    turn_call(server->worker_count);
    for (unsigned i = 0; i < server->worker_count; i++)
        pthread_join(server->workers[i].thread, NULL);
    return true;
}

void server_free(struct server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++) {
        fastcgi_free(server->workers[i].fastcgi);
        http_response_free(&server->workers[i].response);
    }
    park_free(server->park);
    conn_thread_end(); /* the polling thread's */
    pthread_mutex_destroy(&server->lock);
    free(server);
}
