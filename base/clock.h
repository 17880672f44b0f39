/* SPDX-License-Identifier: MIT
 * One clock for all deadlines: CLOCK_MONOTONIC, in milliseconds. */
#ifndef CLOCK_H
#define CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

int64_t clock_monotonic_ms(void);            /* for deadlines */
int64_t clock_monotonic_us(void);            /* for measuring */
bool clock_unix_seconds(int64_t *seconds_r); /* for claims and logs; false: there is no clock */

int64_t clock_left_ms(int64_t deadline);             /* 0 when it has passed */
int64_t clock_earlier(int64_t deadline, int64_t ms); /* the deadline, or `ms` from now */

/* Whether what is done at most once in `pause` milliseconds is done now, by this thread. */
bool clock_is_due(_Atomic int64_t *next, int64_t pause);

/* A deadline for pthread_cond_timedwait() on a condition of clock_cond_init(). */
struct timespec clock_deadline(int64_t monotonic_ms);
void clock_cond_init(pthread_cond_t *cond);

#endif
