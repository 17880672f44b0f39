/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <stdatomic.h>

/* A clock that fails is asked again: there may be no reading yet.  Then the last one counts. */
int64_t clock_monotonic_ms(void)
{
    static atomic_int_least64_t last; /* not of each thread: see random_seed() */
    struct timespec now;
    int64_t before = atomic_load_explicit(&last, memory_order_relaxed);
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0 && clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return before;
    int64_t ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (ms != before) /* so that it is not written by each call */
        atomic_store_explicit(&last, ms, memory_order_relaxed);
    return ms;
}

int64_t clock_monotonic_us(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool clock_unix_seconds(int64_t *seconds_r)
{
    struct timespec now = {0};
    bool good = clock_gettime(CLOCK_REALTIME, &now) == 0;
    *seconds_r = (int64_t)now.tv_sec;
    return good;
}

int64_t clock_left_ms(int64_t deadline)
{
    int64_t left = deadline - clock_monotonic_ms();
    return left > 0 ? left : 0;
}

int64_t clock_earlier(int64_t deadline, int64_t ms)
{
    int64_t end = clock_monotonic_ms() + ms;
    return end < deadline ? end : deadline;
}

bool clock_is_due(_Atomic int64_t *next, int64_t pause)
{
    int64_t now = clock_monotonic_ms(), due = atomic_load(next);
    return now >= due && atomic_compare_exchange_strong(next, &due, now + pause);
}

struct timespec clock_deadline(int64_t monotonic_ms)
{
    return (struct timespec){.tv_sec = monotonic_ms / 1000,
                             .tv_nsec = monotonic_ms % 1000 * 1000000};
}

void clock_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}
