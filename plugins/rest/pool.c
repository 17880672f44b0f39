/* SPDX-License-Identifier: MIT
 *
 * rest_pool.c: see rest_pool.h.
 */
#include "pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct idle {
    struct rest_loan loan;
    int64_t since;
};

struct rest_pool {
    struct rest_pool_kind kind;
    size_t most;
    pthread_mutex_t lock; /* guards what follows; nothing is made or unmade beneath it */
    pthread_cond_t returned;
    size_t count, idle_count; /* of all things; of those in `idle` */
    unsigned generation;
    struct idle idle[]; /* a stack: what came back last is taken first, and the rest grows old */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct rest_pool *rest_pool_new(size_t most, const struct rest_pool_kind *kind)
{
    pthread_condattr_t monotonic;
    struct rest_pool *pool = calloc(1, sizeof *pool + most * sizeof pool->idle[0]);
    if (!pool)
        return NULL;
    pool->kind = *kind;
    pool->most = most;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->returned, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return pool;
}

void rest_pool_free(struct rest_pool *pool)
{
    if (!pool)
        return;
    rest_pool_renew(pool);
    pthread_cond_destroy(&pool->returned);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* One thing less; somebody may make another.  Called without the lock. */
static void drop(struct rest_pool *pool, void *thing)
{
    if (thing)
        pool->kind.unmake(thing);
    pthread_mutex_lock(&pool->lock);
    pool->count--;
    pthread_cond_signal(&pool->returned);
    pthread_mutex_unlock(&pool->lock);
}

/* Waits until there is one, or may be one more; the caller holds the lock. */
static bool wait_for_room(struct rest_pool *pool, int64_t patience_ms)
{
    int64_t end = now_ms() + patience_ms;
    struct timespec until = {.tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000};
    int rc = 0;
    while (!pool->idle_count && pool->count == pool->most && rc == 0)
        rc = pthread_cond_timedwait(&pool->returned, &pool->lock, &until);
    return pool->idle_count || pool->count < pool->most;
}

bool rest_pool_take(struct rest_pool *pool, int64_t patience_ms, struct rest_loan *loan_r)
{
    *loan_r = (struct rest_loan){0};
    pthread_mutex_lock(&pool->lock);
    bool room = pool->idle_count || pool->count < pool->most || wait_for_room(pool, patience_ms);
    if (room && pool->idle_count) {
        *loan_r = pool->idle[--pool->idle_count].loan;
    } else if (room) {
        pool->count++;
        loan_r->generation = pool->generation;
    }
    pthread_mutex_unlock(&pool->lock);
    if (!room || loan_r->thing)
        return room;
    loan_r->thing = pool->kind.make(pool->kind.maker);
    if (!loan_r->thing)
        drop(pool, NULL);
    return loan_r->thing != NULL;
}

void rest_pool_give(struct rest_pool *pool, const struct rest_loan *loan)
{
    int64_t now = now_ms();
    pthread_mutex_lock(&pool->lock);
    bool keep = loan->generation == pool->generation;
    if (keep) {
        pool->idle[pool->idle_count++] = (struct idle){*loan, now};
        pthread_cond_signal(&pool->returned);
    }
    pthread_mutex_unlock(&pool->lock);
    if (!keep)
        drop(pool, loan->thing);
}

/* Takes the thing that idles longest out, if it did so since `before`. */
static void *take_oldest(struct rest_pool *pool, int64_t before)
{
    void *thing = NULL;
    pthread_mutex_lock(&pool->lock);
    if (pool->idle_count && pool->idle[0].since <= before) {
        thing = pool->idle[0].loan.thing;
        pool->idle_count--;
        for (size_t i = 0; i < pool->idle_count; i++)
            pool->idle[i] = pool->idle[i + 1];
    }
    pthread_mutex_unlock(&pool->lock);
    return thing;
}

void rest_pool_trim(struct rest_pool *pool, int64_t idle_ms)
{
    int64_t before = now_ms() - idle_ms;
    for (void *thing; (thing = take_oldest(pool, before));)
        drop(pool, thing);
}

void rest_pool_renew(struct rest_pool *pool)
{
    void *thing;
    pthread_mutex_lock(&pool->lock);
    pool->generation++;
    pthread_mutex_unlock(&pool->lock);
    do {
        /* what comes back meanwhile is of the new generation, or gone */
        thing = take_oldest(pool, INT64_MAX);
        if (thing)
            drop(pool, thing);
    } while (thing);
}
