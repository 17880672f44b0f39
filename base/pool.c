/* SPDX-License-Identifier: MIT
 * The lock is never held while a thing is made, tested or unmade. */
#include "pool.h"

#include "clock.h"

#include <stdlib.h>

struct pool {
    struct pool_kind kind;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t given;
    struct pool_loan *idle; /* a stack: the one used last comes first, and the rest grows old */
    size_t count;           /* things, idle or not, and those being made */
    unsigned made, generation;
};

struct pool *pool_new(const struct pool_kind *kind)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->kind = *kind;
    pthread_mutex_init(&pool->lock, NULL);
    clock_cond_init(&pool->given);
    return pool;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    pool_flush(pool);
    pthread_cond_destroy(&pool->given);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* One thing fewer: another may be made. */
static void leave(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->count--;
    pthread_cond_signal(&pool->given);
    pthread_mutex_unlock(&pool->lock);
}

static void drop(struct pool *pool, struct pool_loan *loan)
{
    pool->kind.unmake(pool->kind.context, loan->thing);
    free(loan);
    leave(pool);
}

static bool is_good(const struct pool *pool, struct pool_loan *loan)
{
    const struct pool_kind *kind = &pool->kind;
    int64_t now = clock_monotonic_ms();
    if ((kind->idle_ms && now - loan->used >= kind->idle_ms) ||
        (kind->life_ms && now - loan->born >= loan->life))
        return false;
    if (!kind->is_good || now - loan->tested < POOL_BELIEVED_MS)
        return true;
    loan->tested = now;
    return kind->is_good(kind->context, loan->thing);
}

static struct pool_loan *pop_idle(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    struct pool_loan *loan = pool->idle;
    if (loan)
        pool->idle = loan->next;
    pthread_mutex_unlock(&pool->lock);
    return loan;
}

struct pool_loan *pool_take_idle(struct pool *pool)
{
    struct pool_loan *loan;
    while ((loan = pop_idle(pool)) && !is_good(pool, loan))
        drop(pool, loan);
    return loan;
}

/* Waits until something idles (then *room_r is false), or one more may be made (then it
 * is counted).  False: not in time. */
static bool await_room(struct pool *pool, int64_t deadline, bool *room_r)
{
    const struct timespec until = clock_deadline(deadline);
    size_t most = pool->kind.most;
    int late = 0;
    pthread_mutex_lock(&pool->lock);
    while (most && pool->count >= most && !pool->idle && !late)
        late = pthread_cond_timedwait(&pool->given, &pool->lock, &until);
    bool idle = pool->idle != NULL;
    *room_r = !idle && (!most || pool->count < most);
    pool->count += *room_r;
    pthread_mutex_unlock(&pool->lock);
    return idle || *room_r;
}

/* Makes a thing for which there is room. */
static struct pool_loan *make(struct pool *pool, int64_t deadline, void *why)
{
    struct pool_loan *loan = calloc(1, sizeof *loan);
    pthread_mutex_lock(&pool->lock);
    unsigned number = pool->made++, generation = pool->generation;
    pthread_mutex_unlock(&pool->lock);
    if (loan)
        loan->thing = pool->kind.make(pool->kind.context, deadline, why);
    if (!loan || !loan->thing) {
        free(loan);
        leave(pool);
        return NULL;
    }
    int64_t tenth = pool->kind.life_ms / 10;
    loan->generation = generation;
    loan->born = loan->tested = clock_monotonic_ms();
    loan->life = pool->kind.life_ms - tenth + (tenth ? number * INT64_C(7919) % (2 * tenth) : 0);
    return loan;
}

enum pool_result pool_take(struct pool *pool, int64_t deadline, void *why,
                           struct pool_loan **loan_r)
{
    bool room = false;
    *loan_r = pool_take_idle(pool);
    while (!*loan_r && !room) {
        if (!await_room(pool, deadline, &room))
            return POOL_BUSY;
        *loan_r = room ? make(pool, deadline, why) : pool_take_idle(pool);
    }
    return *loan_r ? POOL_GOOD : POOL_FAILED;
}

void pool_give(struct pool *pool, struct pool_loan *loan, bool keep)
{
    loan->used = clock_monotonic_ms();
    loan->reused = true;
    pthread_mutex_lock(&pool->lock);
    keep = keep && loan->generation == pool->generation;
    if (keep) {
        loan->next = pool->idle;
        pool->idle = loan;
        pthread_cond_signal(&pool->given);
    }
    pthread_mutex_unlock(&pool->lock);
    if (!keep)
        drop(pool, loan);
}

/* Takes all that idle off the stack. */
static struct pool_loan *take_all(struct pool *pool, bool flush)
{
    pthread_mutex_lock(&pool->lock);
    struct pool_loan *all = pool->idle;
    pool->idle = NULL;
    pool->generation += flush;
    pthread_mutex_unlock(&pool->lock);
    return all;
}

static void drop_all(struct pool *pool, struct pool_loan *loans)
{
    for (struct pool_loan *next; loans; loans = next) {
        next = loans->next;
        drop(pool, loans);
    }
}

void pool_flush(struct pool *pool)
{
    drop_all(pool, take_all(pool, true));
}

void pool_flush_before(struct pool *pool, const struct pool_loan *loan)
{
    pthread_mutex_lock(&pool->lock);
    bool flushed = loan->generation != pool->generation;
    pthread_mutex_unlock(&pool->lock);
    if (!flushed)
        pool_flush(pool);
}

/* Puts loans back below those that were given meanwhile, in their order.  Those that a
 * flush could not see, because they were off the stack, go now. */
static void put_below(struct pool *pool, struct pool_loan *loans)
{
    pthread_mutex_lock(&pool->lock);
    bool flushed = loans && loans->generation != pool->generation;
    struct pool_loan **end = &pool->idle;
    while (*end)
        end = &(*end)->next;
    *end = flushed ? NULL : loans;
    pthread_cond_broadcast(&pool->given);
    pthread_mutex_unlock(&pool->lock);
    if (flushed)
        drop_all(pool, loans);
}

void pool_trim(struct pool *pool)
{
    struct pool_loan *good = NULL, **end = &good;
    for (struct pool_loan *loan = take_all(pool, false), *next; loan; loan = next) {
        next = loan->next;
        if (is_good(pool, loan)) {
            *end = loan;
            end = &loan->next;
        } else {
            drop(pool, loan);
        }
    }
    *end = NULL;
    put_below(pool, good);
}
