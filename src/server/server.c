/* SPDX-License-Identifier: MIT */
#include "server.h"

#include "base/clock.h"
#include "figures/figures.h"
#include "host/log.h"
#include "threads.h"
#include "worker_private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READERS  2       /* threads for the requests of kept connections */
#define KICK     SIGUSR2 /* ends an acceptor's waiting for a connection */
#define SWEEP_MS 1000    /* how long a stopping server accepts what waits already */
#define LATE_MS  2000    /* and how long what has come while it finished */
#define TICK_MS  10

/* ---- Getting work ---- */

/* Frees a descriptor for the next connection: closes the one that has been parked longest. */
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
    worker_serve(worker, conn);
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
    while (!worker->relieved && may_accept(server)) {
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

/* Serves a queue until it is to accept, or to leave. */
static enum crew_order serve_crew(struct worker *worker)
{
    enum crew_order order;
    for (struct conn *conn; (order = crew_take(worker->crew, &conn)) == CREW_SERVE;)
        worker_serve(worker, conn);
    return order;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct server *server = worker->server;
    allow_kick();
    while (!worker->crew || serve_crew(worker) == CREW_REPLACE) {
        worker->crew = NULL;
        worker->borrowers = &server->accepting;
        accept_connections(worker);
        if (!worker->relieved)
            break;
        worker->relieved = false;
        worker->crew = &server->askers;
        worker->borrowers = NULL;
    }
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
    struct crew *crew = kind == ASKER ? &server->askers : kind == READER ? &server->readers : NULL;
    worker->crew = crew;
    if (kind != READER)
        worker->borrowers = crew ? NULL : &server->accepting;
    if (!threads_start(&worker->thread, work, worker)) {
        worker->crew = NULL; /* it may be the polling thread's */
        worker->borrowers = &server->reading;
        return false;
    }
    if (crew)
        crew_join(crew);
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
    figures_note_threads(server->count + 1); /* and the polling thread */
    server->accepting.most = have[ACCEPTOR];
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

/* Whether a connection would get a descriptor.  Call this before threads accept: each thread that
 * waits for a connection holds one. */
static bool has_descriptor(int listen_fd)
{
    int fd = fcntl(listen_fd, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
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
        worker_init(&server->workers[i], server, i);
    crew_init(&server->readers);
    crew_init(&server->askers);
    server->park = park_new();
    if (server->park && has_descriptor(listen_fd) && sigaction(KICK, &kick, NULL) == 0 &&
        start_workers(server, threads))
        return server;
    log_error("cannot start serving: %s%s", strerror(errno),
              errno == EMFILE ? ": raise the limit (ulimit -n)" : "");
    server_free(server);
    return NULL;
}

/* ---- The polling thread ---- */

/* Interrupts the threads that wait for a connection.  A thread that is about to wait may miss
 * it, so repeat the call. */
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
            worker_serve(&server->workers[server->count], conn);
}

/* Relieves the acceptors that have waited for a directory too long: it may hang, and somebody has
 * to accept.  An asker does so for good, and the acceptor becomes an asker. */
static void relieve(struct server *server, int64_t now)
{
    for (unsigned i = 0; i < server->count; i++) {
        long long since = atomic_load(&server->workers[i].asking_since);
        if (since <= 0 || now - since < RELIEF_MS)
            continue;
        atomic_fetch_add(&server->relieved, 1);
        if (atomic_compare_exchange_strong(&server->workers[i].asking_since, &since, RELIEVED)) {
            atomic_fetch_add(&server->acceptors, 1); /* until both are one */
            crew_sell(&server->askers);
        } else {
            atomic_fetch_sub(&server->relieved, 1); /* the answer has come */
        }
    }
}

void server_poll(struct server *server, int timeout_ms)
{
    struct conn_queue ready = {0};
    int64_t now = clock_monotonic_ms(), end = now + timeout_ms;
    atomic_store(&server->poll_end, end); /* before the looks: see who wakes this thread */
    if (atomic_exchange(&server->borrowed, false) && end > now + RELIEF_MS)
        atomic_store(&server->poll_end, end = now + RELIEF_MS);
    relieve(server, now);
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

/* accept4() for a thread that must not wait, on a socket that blocks: another process may
 * share it, and be faster. */
static int accept_at_once(int listen_fd)
{
    const struct timeval moment = {.tv_usec = 1}, unlimited = {0};
    setsockopt(listen_fd, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment);
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    setsockopt(listen_fd, SOL_SOCKET, SO_RCVTIMEO, &unlimited, sizeof unlimited);
    return fd;
}

/* Serves a connection that has come after the acceptors left: the web server may not know that
 * this process stops, and a connection that waits when the socket is closed is reset.  False:
 * there is none, or it is too late. */
static bool serve_late(struct server *server, int64_t deadline)
{
    if (clock_monotonic_ms() >= deadline || !poll_socket(server, 0))
        return false;
    int fd = accept_at_once(server->listen_fd);
    if (fd >= 0)
        welcome(&server->workers[server->count], fd);
    return fd >= 0;
}

/* In this order: the thread that finds all idle must look at the socket last. */
static bool is_done(struct server *server, int64_t late_deadline)
{
    bool idle = is_idle(server);
    return !serve_late(server, late_deadline) && idle;
}

bool server_stop(struct server *server, int grace_ms)
{
    int64_t now = clock_monotonic_ms(), end = now + grace_ms;
    server->sweep_end = now + SWEEP_MS;
    atomic_store(&server->stopping, true);
    kick(server);
    server_poll(server, 0); /* nor is what has come on kept connections lost */
    while (!is_done(server, now + LATE_MS)) {
        if (clock_monotonic_ms() >= end)
            return false;
        server_poll(server, TICK_MS);
        kick(server);
    }
    close(server->listen_fd);
    crew_leave(&server->readers);
    crew_leave(&server->askers);
    for (unsigned i = 0; i < server->count; i++)
        pthread_join(server->workers[i].thread, NULL);
    return true;
}

void server_free(struct server *server)
{
    for (unsigned i = 0; i <= server->count; i++) /* and the polling thread's */
        worker_free(&server->workers[i]);
    crew_destroy(&server->readers);
    crew_destroy(&server->askers);
    park_free(server->park);
    conn_thread_end(); /* the polling thread's */
    free(server);
}
