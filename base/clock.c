/* SPDX-License-Identifier: MIT */
#include "clock.h"

/* When the clock fails, a thread goes on with its last reading. */
int64_t clock_monotonic_ms(void)
{
    static _Thread_local int64_t last;
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) == 0)
        last = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    return last;
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
