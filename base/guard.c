/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include "clock.h"
#include "hash.h"
#include "random.h"

#include <errno.h>
#include <stdlib.h>

enum {
    HOLD_MS = 1000,      /* a refused password is not tried again before this time, */
    HOLD_GROWTH = 4,     /* before this many times as long when it is refused again, */
    HOLD_MAX_MS = 30000, /* but no longer */
    TRUST_MS = 10000     /* one that worked may be tried by any number of threads until then */
};

struct guard {
    uint64_t key[2];      /* of the hash */
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t over;
    bool trying; /* one thread is about to find out */
    int64_t trusted_until, held_until;
    int64_t hold_ms;  /* how long it was held last; 0: not since one worked */
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
    while (guard->trying && late == 0)
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

/* The caller holds the lock.  Attempts that were under way together count once. */
static void hold(struct guard *guard, struct span password, struct reason *why)
{
    const struct reason told = *why;
    int64_t now = clock_monotonic_ms();
    uint64_t hash = hash_of(guard, password);
    if (hash != guard->refused)
        guard->hold_ms = 0;
    if (!guard->hold_ms || now >= guard->held_until) {
        int64_t longer = guard->hold_ms ? guard->hold_ms * HOLD_GROWTH : HOLD_MS;
        guard->hold_ms = longer < HOLD_MAX_MS ? longer : HOLD_MAX_MS;
        guard->held_until = now + guard->hold_ms;
    }
    guard->trusted_until = 0;
    guard->refused = hash;
    reason_set(why, "%s; not tried again for %d s", told.text, (int)(guard->hold_ms / 1000));
    guard->refusal = *why;
}

void guard_leave(struct guard *guard, struct span password, enum guard_end end, struct reason *why)
{
    pthread_mutex_lock(&guard->lock);
    guard->trying = false;
    if (end == GUARD_WORKED) {
        guard->trusted_until = clock_monotonic_ms() + TRUST_MS;
        guard->hold_ms = 0;
    } else if (end == GUARD_REFUSED) {
        hold(guard, password, why);
    }
    pthread_cond_broadcast(&guard->over);
    pthread_mutex_unlock(&guard->lock);
}

void guard_forgive(struct guard *guard)
{
    pthread_mutex_lock(&guard->lock);
    guard->held_until = guard->hold_ms = 0;
    pthread_mutex_unlock(&guard->lock);
}
