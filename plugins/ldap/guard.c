/* SPDX-License-Identifier: MIT
 *
 * ldap_guard.c: see ldap_guard.h.
 */
#include "guard.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    HOLD_MS = 30000, /* a refused password is not tried again for so long */
    TRUST_MS = 10000 /* one that worked is tried by any number of threads for so long */
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
    pthread_condattr_t monotonic;

    if (guard == NULL)
        return NULL;
    pthread_mutex_init(&guard->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&guard->over, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return guard;
}

void ldap_guard_free(struct ldap_guard *guard)
{
    if (guard == NULL)
        return;
    pthread_cond_destroy(&guard->over);
    pthread_mutex_destroy(&guard->lock);
    ldap_trust_wipe(&guard->refused);
    free(guard);
}

static int64_t now_of(const struct ldap_watch *watch)
{
    return watch->services->now(watch->services);
}

/* The caller holds the lock. */
static bool is_held(const struct ldap_guard *guard, const struct ldap_password *password,
                    const struct ldap_watch *watch, struct ldap_fault *fault)
{
    bool held = now_of(watch) < guard->held_until && guard->refused.length == password->length &&
                memcmp(guard->refused.bytes, password->bytes, password->length) == 0;

    if (held)
        *fault = guard->refusal;
    return held;
}

bool ldap_guard_allows(struct ldap_guard *guard, const struct ldap_password *password,
                       const struct ldap_watch *watch, struct ldap_fault *fault)
{
    bool held;

    pthread_mutex_lock(&guard->lock);
    held = is_held(guard, password, watch, fault);
    pthread_mutex_unlock(&guard->lock);
    return !held;
}

bool ldap_guard_enter(struct ldap_guard *guard, const struct ldap_password *password,
                      const struct ldap_watch *watch, struct ldap_fault *fault)
{
    const struct timespec until = ldap_watch_until(watch);
    int late = 0;
    bool allowed;

    pthread_mutex_lock(&guard->lock);
    while (guard->trying && late == 0 && now_of(watch) >= guard->trusted_until)
        late = pthread_cond_timedwait(&guard->over, &guard->lock, &until);
    allowed = late != ETIMEDOUT && !is_held(guard, password, watch, fault);
    if (late == ETIMEDOUT)
        ldap_fault_set(fault, VERDICT_LATE, "bind: another one does not end");
    else if (allowed && now_of(watch) >= guard->trusted_until)
        guard->trying = true;
    pthread_mutex_unlock(&guard->lock);
    return allowed;
}

void ldap_guard_leave(struct ldap_guard *guard, const struct ldap_password *password,
                      const struct ldap_watch *watch, const struct ldap_fault *fault)
{
    int64_t now = now_of(watch);

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
