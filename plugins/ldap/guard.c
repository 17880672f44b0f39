/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOLD_MS = 30000, /* a refused password is not tried again before this time */
    TRUST_MS = 10000 /* one that worked may be tried by any number of threads until then */
};

struct ldap_guard {
    pthread_mutex_t lock; /* guards all that follows */
    pthread_cond_t over;
    bool trying; /* one thread is about to find out */
    int64_t trusted_until, held_until;
    struct ldap_password refused;
    struct ldap_fault refusal;
};

struct ldap_guard *ldap_guard_new(void)
{
    struct ldap_guard *guard = calloc(1, sizeof *guard);
    if (!guard)
        return NULL;
    pthread_mutex_init(&guard->lock, NULL);
    clock_cond_init(&guard->over);
    return guard;
}

void ldap_guard_free(struct ldap_guard *guard)
{
    if (!guard)
        return;
    pthread_cond_destroy(&guard->over);
    pthread_mutex_destroy(&guard->lock);
    ldap_trust_wipe(&guard->refused);
    free(guard);
}

/* The caller holds the lock. */
static bool is_held(const struct ldap_guard *guard, const struct ldap_password *password,
                    struct ldap_fault *fault)
{
    bool held = clock_monotonic_ms() < guard->held_until &&
                guard->refused.length == password->length &&
                memcmp(guard->refused.bytes, password->bytes, password->length) == 0;
    if (held)
        *fault = guard->refusal;
    return held;
}

bool ldap_guard_allows(struct ldap_guard *guard, const struct ldap_password *password,
                       struct ldap_fault *fault)
{
    pthread_mutex_lock(&guard->lock);
    bool held = is_held(guard, password, fault);
    pthread_mutex_unlock(&guard->lock);
    return !held;
}

bool ldap_guard_enter(struct ldap_guard *guard, const struct ldap_password *password,
                      int64_t deadline, struct ldap_fault *fault)
{
    const struct timespec until = clock_deadline(deadline);
    int late = 0;
    pthread_mutex_lock(&guard->lock);
    while (guard->trying && late == 0 && clock_monotonic_ms() >= guard->trusted_until)
        late = pthread_cond_timedwait(&guard->over, &guard->lock, &until);
    bool allowed = late != ETIMEDOUT && !is_held(guard, password, fault);
    if (late == ETIMEDOUT)
        ldap_fault_set(fault, VERDICT_LATE, "bind: another one does not end");
    else if (allowed && clock_monotonic_ms() >= guard->trusted_until)
        guard->trying = true;
    pthread_mutex_unlock(&guard->lock);
    return allowed;
}

void ldap_guard_leave(struct ldap_guard *guard, const struct ldap_password *password,
                      const struct ldap_fault *fault)
{
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&guard->lock);
    guard->trying = false;
    if (fault->verdict == VERDICT_GOOD)
        guard->trusted_until = now + TRUST_MS;
    if (fault->verdict == VERDICT_REFUSED) {
        guard->trusted_until = 0;
        guard->held_until = now + HOLD_MS;
        guard->refused = *password;
        guard->refusal = *fault;
    }
    pthread_cond_broadcast(&guard->over);
    pthread_mutex_unlock(&guard->lock);
}

void ldap_guard_forgive(struct ldap_guard *guard)
{
    pthread_mutex_lock(&guard->lock);
    guard->held_until = 0;
    pthread_mutex_unlock(&guard->lock);
}
