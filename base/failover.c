/* SPDX-License-Identifier: MIT */
#include "failover.h"

#include "clock.h"

#include <stdlib.h>

enum {
    PENALTY_MS = 1000,     /* how long a server that failed is left alone; then twice ... */
    PENALTY_MAX_MS = 30000 /* ... as long each time, up to this */
};

struct failover {
    size_t count;
    int64_t connect_ms;
    pthread_mutex_t lock; /* guards what follows */
    struct {
        int64_t penalty, until; /* 0: it did not fail lately */
    } servers[FAILOVER_MAX];
};

struct failover *failover_new(size_t count, int64_t connect_ms)
{
    struct failover *failover = calloc(1, sizeof *failover);
    if (!failover)
        return NULL;
    failover->count = count < FAILOVER_MAX ? count : FAILOVER_MAX;
    failover->connect_ms = connect_ms;
    pthread_mutex_init(&failover->lock, NULL);
    return failover;
}

void failover_free(struct failover *failover)
{
    if (!failover)
        return;
    pthread_mutex_destroy(&failover->lock);
    free(failover);
}

size_t failover_choose(struct failover *failover, size_t order[FAILOVER_MAX])
{
    int64_t now = clock_monotonic_ms();
    size_t count = 0;
    pthread_mutex_lock(&failover->lock);
    for (size_t i = 0; i < failover->count; i++) {
        if (now < failover->servers[i].until)
            continue;
        order[count++] = i;
        int64_t penalty = failover->servers[i].penalty;
        if (!penalty)
            continue;
        /* one thread goes and sees; others need not wait with it */
        failover->servers[i].until = now + failover->connect_ms;
        failover->servers[i].penalty = 2 * penalty < PENALTY_MAX_MS ? 2 * penalty : PENALTY_MAX_MS;
    }
    pthread_mutex_unlock(&failover->lock);
    for (size_t i = 0; count == 0 && i < failover->count; i++)
        order[i] = i;
    return count ? count : failover->count;
}

bool failover_note_failure(struct failover *failover, size_t number)
{
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&failover->lock);
    bool first = !failover->servers[number].penalty;
    if (first)
        failover->servers[number].penalty = PENALTY_MS;
    failover->servers[number].until = now + failover->servers[number].penalty;
    pthread_mutex_unlock(&failover->lock);
    return first;
}

bool failover_note_success(struct failover *failover, size_t number)
{
    pthread_mutex_lock(&failover->lock);
    bool back = failover->servers[number].penalty;
    failover->servers[number].penalty = failover->servers[number].until = 0;
    pthread_mutex_unlock(&failover->lock);
    return back;
}

bool failover_has_better(struct failover *failover, size_t number)
{
    int64_t now = clock_monotonic_ms();
    bool better = false;
    pthread_mutex_lock(&failover->lock);
    for (size_t i = 0; now < failover->servers[number].until && i < failover->count; i++)
        better |= i != number && now >= failover->servers[i].until;
    pthread_mutex_unlock(&failover->lock);
    return better;
}

void failover_forgive(struct failover *failover)
{
    pthread_mutex_lock(&failover->lock);
    for (size_t i = 0; i < failover->count; i++)
        failover->servers[i].until = 0;
    pthread_mutex_unlock(&failover->lock);
}
