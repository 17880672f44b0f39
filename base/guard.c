/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include "clock.h"
#include "hash.h"
#include "random.h"

#include <errno.h>
#include <stdlib.h>

enum {
    HOLD_MS = 30000, /* a refused password is not tried again before this time */
    TRUST_MS = 10000 /* one that worked may be tried by any number of threads until then */
};

struct guard {
    uint64_t key[2];      /* of the hash */
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t over;
    bool trying; /* one thread is about to find out */
    int64_t trusted_until, held_until;
    uint64_t refused; /* hash of the password */
    struct reason refusal;
};

struct guard *guard_new(void)
{
    struct guard *guard = calloc(1, sizeof *guard);
    if (!guard)
        return NULL;
    random_seed(guard->key, sizeof guard->key);
    pthread_mutex_init(&guard->lock, NULL);
    clock_cond_init(&guard->over);
    return guard;
}

void guard_free(struct guard *guard)
{
    if (!guard)
        return;
    pthread_cond_destroy(&guard->over);
    pthread_mutex_destroy(&guard->lock);
    free(guard);
}

static uint64_t hash_of(const struct guard *guard, struct span password)
{
    return hash_keyed(guard->key, password.data, password.length);
}

/* The caller holds the lock. */
static bool is_held(const struct guard *guard, struct span password, struct reason *why)
{
    bool held =
        clock_monotonic_ms() < guard->held_until && guard->refused == hash_of(guard, password);
    if (held)
        *why = guard->refusal;
    return held;
}

bool guard_allows(struct guard *guard, struct span password, struct reason *why)
{
    pthread_mutex_lock(&guard->lock);
    bool held = is_held(guard, password, why);
    pthread_mutex_unlock(&guard->lock);
    return !held;
}

enum guard_entry guard_enter(struct guard *guard, struct span password, int64_t deadline,
                             struct reason *why)
{
    const struct timespec until = clock_deadline(deadline);
    enum guard_entry entry = GUARD_OPEN;
    int late = 0;
    pthread_mutex_lock(&guard->lock);
    while (guard->trying && late == 0 && clock_monotonic_ms() >= guard->trusted_until)
        late = pthread_cond_timedwait(&guard->over, &guard->lock, &until);
    if (late == ETIMEDOUT) {
        entry = GUARD_LATE;
        reason_set(why, "another attempt to sign in does not end");
    } else if (is_held(guard, password, why)) {
        entry = GUARD_HELD;
    } else if (clock_monotonic_ms() >= guard->trusted_until) {
        guard->trying = true;
    }
    pthread_mutex_unlock(&guard->lock);
    return entry;
}

void guard_leave(struct guard *guard, struct span password, enum guard_end end,
                 const struct reason *why)
{
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&guard->lock);
    guard->trying = false;
    if (end == GUARD_WORKED)
        guard->trusted_until = now + TRUST_MS;
    if (end == GUARD_REFUSED) {
        guard->trusted_until = 0;
        guard->held_until = now + HOLD_MS;
        guard->refused = hash_of(guard, password);
        guard->refusal = *why;
    }
    pthread_cond_broadcast(&guard->over);
    pthread_mutex_unlock(&guard->lock);
}

void guard_forgive(struct guard *guard)
{
    pthread_mutex_lock(&guard->lock);
    guard->held_until = 0;
    pthread_mutex_unlock(&guard->lock);
}
