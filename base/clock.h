/* SPDX-License-Identifier: MIT
 * One clock for all deadlines: CLOCK_MONOTONIC, in milliseconds. */
#ifndef CLOCK_H
#define CLOCK_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

int64_t clock_monotonic_ms(void); /* for deadlines */
int64_t clock_unix_seconds(void); /* for claims and logs */

/* A deadline for pthread_cond_timedwait() on a condition of clock_cond_init(). */
struct timespec clock_deadline(int64_t monotonic_ms);
void clock_cond_init(pthread_cond_t *cond);

#endif
