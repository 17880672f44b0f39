/* SPDX-License-Identifier: MIT */
#include "park.h"

#include "base/clock.h"
#include "host/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define PARKED_MAX    1024  /* beyond it, the longest parked are given up */
#define HEAD_PATIENCE 15000 /* ms for a request up to its body: web servers have all of it */
#define BODY_PATIENCE                                                                              \
    60000                   /* ms for all of it: a client may be slow, which is for the web        \
                             * server to judge */
#define IDLE_PATIENCE 30000 /* ms between two requests of a kept connection */
#define SEND_PATIENCE 5000  /* ms without a byte that the peer reads of an answer */
#define NEW_PATIENCE  1000  /* ms that a stopping server waits for a first request */
#define LOOK_INTERVAL 500
#define EVENTS        64

/* Parked connections are freed by the polling thread only: it may hold an event of
 * one that another thread would free. */
struct park {
    int epoll, wake;
    atomic_uint evict;        /* how many the polling thread shall give up */
    int64_t looked_at;        /* the polling thread: when it looked for late ones */
    pthread_mutex_t lock;     /* guards what follows */
    struct conn_queue parked; /* the longest parked first */
    size_t count;
};

static bool watch(struct park *park, struct conn *conn)
{
    uint32_t what = conn->out.length ? EPOLLOUT : EPOLLIN | EPOLLRDHUP;
    struct epoll_event event = {.events = what | EPOLLONESHOT, .data.ptr = conn};
    return epoll_ctl(park->epoll, conn->polled ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, conn->fd, &event) ==
           0;
}

struct park *park_new(void)
{
    struct park *park = calloc(1, sizeof *park);
    struct epoll_event event = {.events = EPOLLIN};
    if (!park)
        return NULL;
    pthread_mutex_init(&park->lock, NULL);
    park->epoll = epoll_create1(EPOLL_CLOEXEC);
    park->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (park->epoll < 0 || park->wake < 0 ||
        epoll_ctl(park->epoll, EPOLL_CTL_ADD, park->wake, &event) != 0) {
        park_free(park);
        return NULL;
    }
    return park;
}

/* The caller holds the lock. */
static void drop(struct park *park, struct conn *conn)
{
    conn_queue_remove(&park->parked, conn);
    park->count--;
    conn_free(conn);
}

void park_free(struct park *park)
{
    if (!park)
        return;
    while (park->parked.first)
        drop(park, park->parked.first);
    if (park->epoll >= 0)
        close(park->epoll);
    if (park->wake >= 0)
        close(park->wake);
    pthread_mutex_destroy(&park->lock);
    free(park);
}

/* An unfinished request has one patience in all, however often bytes come. */
static void set_patience(struct conn *conn, int64_t now)
{
    bool in_request = intake_in_request(&conn->intake);
    if (!in_request)
        conn->began_at = 0;
    else if (conn->began_at == 0)
        conn->began_at = now;
    if (conn->out.length)
        conn->patience_end = now + SEND_PATIENCE;
    else if (in_request)
        conn->patience_end =
            conn->began_at + (conn->intake.params_ended ? BODY_PATIENCE : HEAD_PATIENCE);
    else
        conn->patience_end = now + IDLE_PATIENCE;
}

void park_put(struct park *park, struct conn *conn)
{
    set_patience(conn, clock_monotonic_ms());
    pthread_mutex_lock(&park->lock);
    size_t count = ++park->count;
    conn_queue_push(&park->parked, conn);
    if (count > 2 * PARKED_MAX || !watch(park, conn))
        drop(park, conn);
    else
        conn->polled = true;
    pthread_mutex_unlock(&park->lock);
    if (count > PARKED_MAX)
        park_evict(park);
}

/* Sends the rest of an answer.  True: there is no rest, and another request may come. */
static bool send_rest(struct park *park, struct conn *conn)
{
    bool alive = conn_send(conn);
    if (alive && conn->out.length)
        park_put(park, conn);
    else if (!alive || conn->closing)
        conn_free(conn);
    else
        return true;
    return false;
}

/* A parked connection's peer has written, read, or gone. */
static void resume(struct park *park, struct conn *conn, struct conn_queue *ready)
{
    pthread_mutex_lock(&park->lock);
    conn_queue_remove(&park->parked, conn);
    park->count--;
    pthread_mutex_unlock(&park->lock);
    if (conn->out.length && !send_rest(park, conn))
        return;
    switch (conn_receive(conn)) {
    case INTAKE_HEAD:
    case INTAKE_COMPLETE:
        conn_queue_push(ready, conn);
        break;
    case INTAKE_MORE:
        park_put(park, conn);
        break;
    case INTAKE_BAD:
        conn_free(conn);
    }
}

static void give_up_late(struct park *park)
{
    int64_t now = clock_monotonic_ms();
    if (now < park->looked_at + LOOK_INTERVAL)
        return;
    park->looked_at = now;
    pthread_mutex_lock(&park->lock);
    for (struct conn *conn = park->parked.first, *next; conn; conn = next) {
        next = conn->next;
        if (now < conn->patience_end)
            continue;
        if (!conn->out.length && intake_in_request(&conn->intake))
            log_warning("a connection from the web server was dropped: its request did not "
                        "become complete in %d s",
                        (conn->intake.params_ended ? BODY_PATIENCE : HEAD_PATIENCE) / 1000);
        drop(park, conn);
    }
    pthread_mutex_unlock(&park->lock);
}

static void evict_oldest(struct park *park)
{
    pthread_mutex_lock(&park->lock);
    for (unsigned left = atomic_exchange(&park->evict, 0); left && park->parked.first; left--)
        drop(park, park->parked.first);
    pthread_mutex_unlock(&park->lock);
}

void park_poll(struct park *park, int timeout_ms, struct conn_queue *ready)
{
    struct epoll_event events[EVENTS];
    uint64_t ignored;
    int count = epoll_wait(park->epoll, events, EVENTS, timeout_ms);
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr)
            resume(park, events[i].data.ptr, ready);
        else if (read(park->wake, &ignored, sizeof ignored) < 0)
            continue; /* another thread has read it, which has the same effect */
    }
    give_up_late(park);
    evict_oldest(park);
}

void park_wake(struct park *park)
{
    uint64_t one = 1;
    while (write(park->wake, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

void park_evict(struct park *park)
{
    atomic_fetch_add(&park->evict, 1);
    park_wake(park);
}

/* Whether there are bytes to read. */
static bool has_unread(const struct conn *conn)
{
    char byte;
    return recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* A web server that connects is about to write. */
static bool is_expected(const struct conn *conn, int64_t now)
{
    int64_t parked_at = conn->patience_end - IDLE_PATIENCE;
    return conn->out.length || intake_in_request(&conn->intake) || has_unread(conn) ||
           (!conn->served && now < parked_at + NEW_PATIENCE);
}

size_t park_close_idle(struct park *park)
{
    int64_t now = clock_monotonic_ms();
    size_t expected = 0;
    pthread_mutex_lock(&park->lock);
    for (struct conn *conn = park->parked.first, *next; conn; conn = next) {
        next = conn->next;
        if (is_expected(conn, now))
            expected++;
        else
            drop(park, conn);
    }
    pthread_mutex_unlock(&park->lock);
    return expected;
}
