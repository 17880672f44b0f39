/* SPDX-License-Identifier: MIT */
#include "server.h"

#include "api/handler.h"
#include "base/clock.h"
#include "crew.h"
#include "host/log.h"
#include "park.h"
#include "record.h"
#include "threads.h"

#include <errno.h>
#include <fastcgi.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READERS  2       /* threads for the requests of kept connections */
#define KICK     SIGUSR2 /* ends an acceptor's waiting for a connection */
#define SWEEP_MS 1000    /* how long a stopping server accepts what waits already */
#define TICK_MS  10

/* Acceptors or readers, of which some may wait for a directory that is near. */
struct borrowers {
    unsigned most;
    atomic_uint waiting;
};

struct worker {
    struct server *server;
    struct crew *crew;           /* NULL: it accepts */
    struct borrowers *borrowers; /* that it is one of; NULL: it is an asker */
    struct gate gate;
    unsigned number;
    pthread_t thread;
    atomic_bool accepting; /* it waits for a connection */
    struct http_response response;
    struct bytes text; /* of the response */
};

struct server {
    int listen_fd;
    struct park *park;
    struct snapshots *snapshots;
    atomic_bool stopping;    /* accept only what has come already, */
    int64_t sweep_end;       /* until then; set before `stopping` is */
    atomic_uint acceptors;   /* that have not ended */
    atomic_bool all_may_ask; /* there are no askers, or not yet */
    struct borrowers accepting, reading;
    struct crew readers;   /* serve kept connections; wait for nobody */
    struct crew askers;    /* serve what has to wait for a directory */
    atomic_llong poll_end; /* when the polling thread looks at the askers' queue again */
    unsigned count;        /* workers that run; the one behind them is the polling thread */
    struct worker workers[];
};

/* ---- Who may wait for a network ---- */

static struct worker *worker_of(struct gate *gate)
{
    return (struct worker *)((char *)gate - offsetof(struct worker, gate));
}

/* Where the answer comes sooner than an asker would wake up, the thread waits for it in an
 * asker's place, unless too few would be left to accept or to read. */
static bool enter_gate(struct gate *gate, bool near)
{
    struct worker *worker = worker_of(gate);
    struct borrowers *borrowers = worker->borrowers;
    if (!near)
        return false;
    if (atomic_fetch_add(&borrowers->waiting, 1) < borrowers->most &&
        crew_lend(&worker->server->askers))
        return true;
    atomic_fetch_sub(&borrowers->waiting, 1);
    return false;
}

static void leave_gate(struct gate *gate)
{
    struct worker *worker = worker_of(gate);
    crew_take_back(&worker->server->askers);
    atomic_fetch_sub(&worker->borrowers->waiting, 1);
}

/* ---- One request ---- */

static void fill_request(struct worker *worker, const struct conn *conn,
                         struct http_request *request_r)
{
    const struct intake *intake = &conn->intake;
    struct span rest = bytes_span(&intake->params), name, value;
    *request_r = (struct http_request){.body = bytes_span(&intake->body)};
    while (intake_take_pair(&rest, &name, &value))
        http_request_take(request_r, name, value);
    http_judge_body(request_r, intake->body_total, intake->body_limit);
    if (intake->body_fate == INTAKE_BODY_DROPPED && request_r->body_state == HTTP_BODY_COMPLETE)
        request_r->body_state = HTTP_BODY_DROPPED;
    request_r->deadline = conn->deadline;
    if (worker->borrowers &&
        !atomic_load_explicit(&worker->server->all_may_ask, memory_order_relaxed))
        request_r->gate = &worker->gate;
}

/* Puts the answer into the connection's `out`.  False: memory ran out, even for saying so. */
static bool write_answer(struct worker *worker, struct conn *conn,
                         const struct http_request *request)
{
    bool clean = conn->out.length == 0;
    http_write(request, &worker->response, &worker->text);
    record_append_answer(&conn->out, conn->intake.id, bytes_span(&worker->text));
    if (worker->text.failed || (conn->out.failed && clean)) {
        bytes_free(&worker->text);
        bytes_reset(&conn->out);
        record_append_answer(&conn->out, conn->intake.id, http_last_words());
    }
    bytes_reset(&worker->text);
    return !conn->out.failed;
}

/* Hands a request over to the askers.  The polling thread has an eye on its deadline. */
static void hand_over(struct server *server, struct conn *conn)
{
    int64_t deadline = conn->deadline;
    if (!crew_put(&server->askers, conn) && deadline < atomic_load(&server->poll_end))
        park_wake(server->park);
}

/* Serves a complete request: its answer is in `out`.  False: the connection is gone, or
 * with the askers. */
static bool serve_request(struct worker *worker, struct conn *conn)
{
    struct server *server = worker->server;
    struct http_request request;
    const struct settings *settings = snapshots_acquire(server->snapshots, worker->number);
    if (conn->deadline == 0)
        conn->deadline = clock_monotonic_ms() + settings->top.request_timeout_ms;
    fill_request(worker, conn, &request);
    bool answered = handler_serve(settings, &request, &worker->response);
    snapshots_release(server->snapshots, worker->number);
    if (!answered) {
        hand_over(server, conn);
        return false;
    }
    bool written = write_answer(worker, conn, &request);
    http_response_reset(&worker->response);
    conn->closing = !conn->intake.keep || atomic_load(&server->stopping);
    conn->served = true;
    conn->deadline = conn->began_at = 0;
    intake_next(&conn->intake);
    if (!written)
        conn_free(conn);
    return written;
}

/* Decides on a body that is not small: none is kept for those that may not ask for anything. */
static void judge_body(struct worker *worker, struct conn *conn)
{
    struct server *server = worker->server;
    struct http_request request;
    const struct settings *settings = snapshots_acquire(server->snapshots, worker->number);
    fill_request(worker, conn, &request);
    intake_judge(&conn->intake, handler_wants_body(settings, &request));
    snapshots_release(server->snapshots, worker->number);
}

/* Serves a connection as long as it has something to do. */
static void serve(struct worker *worker, struct conn *conn)
{
    while (conn->state != INTAKE_MORE && conn->state != INTAKE_BAD) {
        if (conn->state == INTAKE_HEAD)
            judge_body(worker, conn);
        else if (!serve_request(worker, conn))
            return;
        if (!conn_send(conn) || (conn->closing && !conn->out.length))
            conn->state = INTAKE_BAD;
        else if (conn->out.length)
            conn->state = INTAKE_MORE; /* it reads first what it asked for */
        else
            conn_receive(conn);
    }
    if (conn->state == INTAKE_MORE)
        park_put(worker->server->park, conn);
    else
        conn_free(conn);
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

/* Waits for a connection.  -1 with errno; EINTR when the server stops. */
static int accept_one(struct worker *worker)
{
    int fd = -1, error = EINTR;
    atomic_store(&worker->accepting, true); /* from here on a kick is not missed */
    if (may_accept(worker->server)) {
        fd = accept4(worker->server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        error = errno;
        if (fd < 0 && error == EAGAIN) /* a process that shares the socket unblocked it */
            error = poll_socket(worker->server, -1) ? ECONNABORTED : EINTR;
    }
    atomic_store(&worker->accepting, false);
    errno = error;
    return fd;
}

/* Serves a connection that was accepted. */
static void welcome(struct worker *worker, int fd)
{
    struct server *server = worker->server;
    const struct settings *settings = snapshots_acquire(server->snapshots, worker->number);
    size_t body_limit = (size_t)settings->top.body_limit;
    snapshots_release(server->snapshots, worker->number);
    struct conn *conn = conn_new(fd, body_limit);
    if (!conn)
        return;
    conn_receive_first(conn);
    serve(worker, conn);
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

static void accept_connections(struct worker *worker)
{
    struct server *server = worker->server;
    allow_kick();
    while (may_accept(server)) {
        int fd = accept_one(worker);
        if (fd >= 0)
            welcome(worker, fd);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            make_room(server);
        else if (errno != EINTR && errno != ECONNABORTED)
            log_error_limited("cannot accept connections: %s", strerror(errno));
    }
    atomic_fetch_sub(&server->acceptors, 1);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    if (!worker->crew)
        accept_connections(worker);
    for (struct conn *conn; worker->crew && (conn = crew_take(worker->crew));)
        serve(worker, conn);
    conn_thread_end();
    return NULL;
}

/* ---- Starting ---- */

enum kind { ACCEPTOR, ASKER, READER, KINDS };

static void count_wanted(unsigned threads, unsigned wanted_r[KINDS])
{
    wanted_r[ACCEPTOR] = 2 * threads_processors() + 1; /* some wait for first bytes */
    wanted_r[ASKER] = threads;
    wanted_r[READER] = READERS;
}

unsigned server_workers(unsigned threads)
{
    unsigned wanted[KINDS];
    count_wanted(threads, wanted);
    return wanted[ACCEPTOR] + wanted[ASKER] + wanted[READER] + 1; /* the polling thread */
}

/* One of each kind, then in proportion, in case we do not get all of them. */
static enum kind next_kind(const unsigned have[KINDS], const unsigned wanted[KINDS])
{
    enum kind next = ACCEPTOR;
    for (enum kind kind = ASKER; kind < KINDS; kind++)
        if (have[kind] * wanted[next] < have[next] * wanted[kind])
            next = kind;
    return next;
}

static bool start_worker(struct server *server, enum kind kind)
{
    struct worker *worker = &server->workers[server->count];
    if (kind == ASKER) {
        worker->crew = &server->askers;
        worker->borrowers = NULL;
    } else if (kind == READER) {
        worker->crew = &server->readers;
    } else {
        worker->borrowers = &server->accepting;
    }
    if (!threads_start(&worker->thread, work, worker)) {
        worker->crew = NULL; /* it may be the polling thread's */
        worker->borrowers = &server->reading;
        return false;
    }
    if (worker->crew)
        crew_join(worker->crew);
    server->count++;
    return true;
}

/* As many as the system lets us have.  False: none that accepts. */
static bool start_workers(struct server *server, unsigned threads)
{
    unsigned have[KINDS] = {0}, wanted[KINDS], all = server_workers(threads) - 1;
    void *held_back = threads_hold_back();
    count_wanted(threads, wanted);
    atomic_store(&server->acceptors, wanted[ACCEPTOR]);
    while (server->count < all) {
        enum kind kind = next_kind(have, wanted);
        if (!start_worker(server, kind))
            break;
        have[kind]++;
    }
    atomic_fetch_sub(&server->acceptors, wanted[ACCEPTOR] - have[ACCEPTOR]);
    unsigned processors = threads_processors();
    server->accepting.most = have[ACCEPTOR] > processors ? have[ACCEPTOR] - processors : 0;
    server->reading.most = have[READER] > 1 ? have[READER] - 1 : 0;
    atomic_store(&server->all_may_ask, have[ASKER] == 0);
    if (server->count < all) {
        struct reason short_of;
        threads_shortage(&short_of);
        log_warning("only %u of %u threads could be started, %u of them for look-ups (threads = "
                    "%u): %s",
                    server->count, all, have[ASKER], threads, short_of.text);
    }
    threads_give_back(held_back);
    return have[ACCEPTOR] > 0;
}

struct server *server_start(int listen_fd, unsigned threads, struct snapshots *snapshots)
{
    const struct sigaction kick = {.sa_handler = on_kick}; /* no SA_RESTART: accept4() ends */
    unsigned count = server_workers(threads);
    struct server *server = calloc(1, sizeof *server + count * sizeof *server->workers);
    if (!server) {
        log_error("cannot start serving: out of memory");
        return NULL;
    }
    server->listen_fd = listen_fd;
    server->snapshots = snapshots;
    server->all_may_ask = true;
    for (unsigned i = 0; i < count; i++)
        server->workers[i] = (struct worker){.server = server,
                                             .number = i,
                                             .borrowers = &server->reading,
                                             .gate = {enter_gate, leave_gate}};
    crew_init(&server->readers);
    crew_init(&server->askers);
    server->park = park_new();
    if (server->park && sigaction(KICK, &kick, NULL) == 0 && start_workers(server, threads))
        return server;
    log_error("cannot start serving: %s", strerror(errno));
    server_free(server);
    return NULL;
}

/* ---- The polling thread ---- */

/* Ends the waiting of those that accept.  One that was about to wait misses it: to be
 * repeated. */
static void kick(struct server *server)
{
    for (unsigned i = 0; i < server->count; i++)
        if (atomic_load(&server->workers[i].accepting))
            pthread_kill(server->workers[i].thread, KICK);
}

/* The readers' work, or this thread's, where there are no readers. */
static void read_all(struct server *server, struct conn_queue *ready)
{
    for (struct conn *conn; (conn = conn_queue_pop(ready));)
        if (server->readers.members)
            crew_put(&server->readers, conn);
        else
            serve(&server->workers[server->count], conn);
}

void server_poll(struct server *server, int timeout_ms)
{
    struct conn_queue ready = {0};
    int64_t now = clock_monotonic_ms(), end = now + timeout_ms;
    atomic_store(&server->poll_end, end); /* before the look at the queue: see hand_over() */
    int64_t first = crew_take_late(&server->askers, now, &ready);
    read_all(server, &ready); /* their deadline has passed: they are answered without asking */
    park_poll(server->park, (int)((first < end ? first : end) - now), &ready);
    read_all(server, &ready);
}

void server_wake(struct server *server)
{
    park_wake(server->park);
}

/* In this order: acceptors and readers hand over to askers, and only this thread to readers. */
static bool is_idle(struct server *server)
{
    return atomic_load(&server->acceptors) == 0 && crew_is_idle(&server->readers) &&
           crew_is_idle(&server->askers) && park_close_idle(server->park) == 0;
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
    crew_leave(&server->readers);
    crew_leave(&server->askers);
    for (unsigned i = 0; i < server->count; i++)
        pthread_join(server->workers[i].thread, NULL);
    return true;
}

void server_free(struct server *server)
{
    for (unsigned i = 0; i <= server->count; i++) { /* and the polling thread's */
        http_response_free(&server->workers[i].response);
        bytes_free(&server->workers[i].text);
    }
    crew_destroy(&server->readers);
    crew_destroy(&server->askers);
    park_free(server->park);
    conn_thread_end(); /* the polling thread's */
    free(server);
}
