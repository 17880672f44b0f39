/* SPDX-License-Identifier: MIT
 * Time for the programs of the benchmark, in microseconds. */
#ifndef CLOCKS_H
#define CLOCKS_H

#include <sys/resource.h>
#include <time.h>

static inline long now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* What this process has used so far, user and system. */
static inline long cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (long)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

#endif
