/* SPDX-License-Identifier: MIT */
#include "failover.h"

#include "clock.h"

#include <stdlib.h>

enum {
    PENALTY_MS = 1000,     /* how long a server that failed is left alone; then twice ... */
    PENALTY_MAX_MS = 30000 /* ... as long each time, up to this */
};

struct failover {
    int64_t connect_ms;
    pthread_mutex_t lock; /* guards what follows */
    struct server {
        bool listed;
        int64_t penalty, until; /* 0: it did not fail lately */
    } servers[FAILOVER_MAX];
};

struct failover *failover_new(size_t count, int64_t connect_ms)
{
    struct failover *failover = calloc(1, sizeof *failover);
    if (!failover)
        return NULL;
    for (size_t i = 0; i < count && i < FAILOVER_MAX; i++)
        failover->servers[i].listed = true;
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

void failover_list(struct failover *failover, size_t number, bool listed)
{
    pthread_mutex_lock(&failover->lock);
    if (failover->servers[number].listed != listed)
        failover->servers[number] = (struct server){.listed = listed};
    pthread_mutex_unlock(&failover->lock);
}

size_t failover_choose(struct failover *failover, size_t order[FAILOVER_MAX])
{
    int64_t now = clock_monotonic_ms();
    size_t count = 0;
    pthread_mutex_lock(&failover->lock);
    for (size_t i = 0; i < FAILOVER_MAX; i++) {
        struct server *server = &failover->servers[i];
        if (!server->listed || now < server->until)
            continue;
        order[count++] = i;
        if (!server->penalty)
            continue;
        /* one thread goes and sees; others need not wait with it */
        server->until = now + failover->connect_ms;
        server->penalty =
            2 * server->penalty < PENALTY_MAX_MS ? 2 * server->penalty : PENALTY_MAX_MS;
    }
    for (size_t i = 0, none = count; none == 0 && i < FAILOVER_MAX; i++)
        if (failover->servers[i].listed)
            order[count++] = i;
    pthread_mutex_unlock(&failover->lock);
    return count;
}

/* The caller holds the lock. */
static bool is_there(const struct failover *failover, size_t number)
{
    return number < FAILOVER_MAX && failover->servers[number].listed;
}

/* The caller holds the lock. */
static bool has_others(const struct failover *failover, size_t number)
{
    bool others = false;
    for (size_t i = 0; i < FAILOVER_MAX; i++)
        others |= i != number && failover->servers[i].listed;
    return others;
}

bool failover_note_failure(struct failover *failover, size_t number)
{
    int64_t now = clock_monotonic_ms();
    bool news = false;
    pthread_mutex_lock(&failover->lock);
    if (is_there(failover, number)) {
        struct server *server = &failover->servers[number];
        news = !server->penalty && has_others(failover, number);
        if (!server->penalty)
            server->penalty = PENALTY_MS;
        server->until = now + server->penalty;
    }
    pthread_mutex_unlock(&failover->lock);
    return news;
}

bool failover_note_success(struct failover *failover, size_t number)
{
    bool news = false;
    pthread_mutex_lock(&failover->lock);
    if (is_there(failover, number)) {
        struct server *server = &failover->servers[number];
        news = server->penalty && has_others(failover, number);
        server->penalty = server->until = 0;
    }
    pthread_mutex_unlock(&failover->lock);
    return news;
}

bool failover_has_better(struct failover *failover, size_t number)
{
    int64_t now = clock_monotonic_ms();
    bool better = false;
    pthread_mutex_lock(&failover->lock);
    bool left_alone = !is_there(failover, number) || now < failover->servers[number].until;
    for (size_t i = 0; left_alone && i < FAILOVER_MAX; i++)
        better |= i != number && failover->servers[i].listed && now >= failover->servers[i].until;
    pthread_mutex_unlock(&failover->lock);
    return better;
}

void failover_forgive(struct failover *failover)
{
    pthread_mutex_lock(&failover->lock);
    for (size_t i = 0; i < FAILOVER_MAX; i++)
        failover->servers[i].until = 0;
    pthread_mutex_unlock(&failover->lock);
}
