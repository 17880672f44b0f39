/* SPDX-License-Identifier: MIT
 *
 * ldap_pool.c: see ldap_pool.h.
 *
 * Nobody connects, closes or waits for a server while he holds the lock.
 */
#include "pool.h"

#include "socket.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define LIFE_MS 900000 /* so that connections move back to a server that is up again; +-10 % */

struct ldap_pool {
    const struct ldap_settings *settings;
    const struct memberchat_services *services;
    struct ldap_servers *servers;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t given;
    struct ldap_lease *idle; /* the one used last comes first */
    int64_t open;            /* connections, idle or not, and tries to connect */
    unsigned made;           /* connections so far */
};

struct ldap_pool *ldap_pool_new(const struct ldap_settings *settings,
                                const struct memberchat_services *services,
                                struct ldap_servers *servers)
{
    struct ldap_pool *pool = calloc(1, sizeof *pool);
    pthread_condattr_t monotonic;

    if (pool == NULL)
        return NULL;
    pool->settings = settings;
    pool->services = services;
    pool->servers = servers;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->given, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return pool;
}

static void close_lease(struct ldap_lease *lease)
{
    ldap_handle_free(lease->connection.handle);
    free(lease);
}

static void close_all(struct ldap_lease *list)
{
    struct ldap_lease *next;

    for (; list != NULL; list = next) {
        next = list->next;
        close_lease(list);
    }
}

void ldap_pool_free(struct ldap_pool *pool)
{
    close_all(pool->idle);
    pthread_cond_destroy(&pool->given);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* Whether an idle connection can be used again. */
static bool is_good(const struct ldap_pool *pool, const struct ldap_lease *lease)
{
    int64_t now = pool->services->now(pool->services);

    return now - lease->used < pool->settings->idle_timeout && now - lease->born < lease->life &&
           ldap_socket_is_quiet(lease->connection.fd) &&
           !ldap_servers_has_better(pool->servers, lease->connection.server);
}

/* Room for one more; the caller holds the lock. */
static void leave(struct ldap_pool *pool)
{
    pool->open--;
    pthread_cond_signal(&pool->given);
}

/* Waits until there is room for another connection, which is then taken, or an
 * idle one.  False: not in time. */
static bool await_room(struct ldap_pool *pool, const struct ldap_watch *watch, bool *room_r)
{
    const struct timespec until = ldap_watch_until(watch);
    int64_t most = pool->settings->connections;
    int late = 0;

    pthread_mutex_lock(&pool->lock);
    while (most > 0 && pool->open >= most && pool->idle == NULL && late == 0)
        late = pthread_cond_timedwait(&pool->given, &pool->lock, &until);
    *room_r = pool->idle == NULL && late == 0;
    pool->open += *room_r;
    pthread_mutex_unlock(&pool->lock);
    return late == 0;
}

/* An idle connection, good or not; NULL: there is none. */
static struct ldap_lease *take_idle(struct ldap_pool *pool)
{
    struct ldap_lease *lease;

    pthread_mutex_lock(&pool->lock);
    lease = pool->idle;
    if (lease != NULL)
        pool->idle = lease->next;
    pthread_mutex_unlock(&pool->lock);
    return lease;
}

static struct ldap_lease *take_good(struct ldap_pool *pool)
{
    struct ldap_lease *lease;

    while ((lease = take_idle(pool)) != NULL && !is_good(pool, lease))
        ldap_pool_give(pool, lease, false);
    return lease;
}

/* A new connection, for which there is room. */
static struct ldap_lease *make(struct ldap_pool *pool, const struct ldap_watch *watch,
                               struct ldap_fault *fault)
{
    struct ldap_lease *lease = calloc(1, sizeof *lease);
    bool good = false;

    if (lease == NULL)
        ldap_fault_set(fault, VERDICT_BUSY, "out of memory");
    else
        good = ldap_servers_connect(pool->servers, watch, &lease->connection, fault);
    pthread_mutex_lock(&pool->lock);
    if (good) {
        lease->born = pool->services->now(pool->services);
        lease->life = LIFE_MS - LIFE_MS / 10 + pool->made++ * 7919 % (LIFE_MS / 5);
    } else {
        leave(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    if (good)
        return lease;
    free(lease);
    return NULL;
}

struct ldap_lease *ldap_pool_take(struct ldap_pool *pool, const struct ldap_watch *watch,
                                  struct ldap_fault *fault)
{
    struct ldap_lease *lease = take_good(pool);
    bool room = false;

    while (lease == NULL && !room) {
        if (!await_room(pool, watch, &room)) {
            ldap_fault_set(fault, VERDICT_BUSY, "all %lld connections are in use (\"connections\")",
                           (long long)pool->settings->connections);
            return NULL;
        }
        if (!room)
            lease = take_good(pool);
    }
    if (room)
        lease = make(pool, watch, fault);
    /* a server that takes no more connections may yet answer on those that it has */
    if (lease == NULL && ldap_fault_outcome(fault) == MEMBERCHAT_UNAVAILABLE)
        lease = take_good(pool);
    return lease;
}

void ldap_pool_give(struct ldap_pool *pool, struct ldap_lease *lease, bool keep)
{
    pthread_mutex_lock(&pool->lock);
    if (keep) {
        lease->used = pool->services->now(pool->services);
        lease->reused = true;
        lease->next = pool->idle;
        pool->idle = lease;
        pthread_cond_signal(&pool->given);
    } else {
        leave(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    if (!keep)
        close_lease(lease);
}

void ldap_pool_flush(struct ldap_pool *pool)
{
    struct ldap_lease *lease;

    while ((lease = take_idle(pool)) != NULL)
        ldap_pool_give(pool, lease, false);
}

void ldap_pool_tidy(struct ldap_pool *pool)
{
    struct ldap_lease *bad = NULL, **at, *lease;

    pthread_mutex_lock(&pool->lock);
    for (at = &pool->idle; (lease = *at) != NULL;) {
        if (is_good(pool, lease)) {
            at = &lease->next;
        } else {
            *at = lease->next;
            lease->next = bad;
            bad = lease;
            leave(pool);
        }
    }
    pthread_mutex_unlock(&pool->lock);
    close_all(bad);
}
