/* SPDX-License-Identifier: MIT */
#include "cache.h"

#include "base/clock.h"
#include "base/random.h"
#include "host/turn.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Seeded, so that nobody outside can choose ids that meet in one bucket. */
static unsigned hash_bytes(const void *data, size_t length);
#define HASH_FUNCTION(key, length, hash) ((hash) = hash_bytes((key), (length)))
#define uthash_fatal(message)            abort()
#include <uthash.h>

#define SHARDS 16

struct entry {
    UT_hash_handle hh; /* uthash keeps the order of insertion: the first is the oldest */
    struct member member;
    int64_t fresh_until;
    size_t id_length;
    char id[];
};

struct flight {
    UT_hash_handle hh;
    unsigned waiting;
    enum memberchat_outcome outcome; /* 0: still in the air */
    int64_t retry_after_ms;
    struct member member;
    size_t id_length;
    char id[];
};

struct shard {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t landed;
    struct entry *members, *absent; /* known to be there; known not to be */
    struct flight *flights;
};

struct cache {
    struct cache_settings settings;
    struct shard shards[SHARDS];
};

static uint64_t hash_seed;
static pthread_once_t hash_once = PTHREAD_ONCE_INIT;

static void hash_init(void)
{
    random_fill(&hash_seed, sizeof hash_seed);
}

static unsigned hash_bytes(const void *data, size_t length)
{
    const unsigned char *p = data;
    uint64_t hash = hash_seed ^ 14695981039346656037u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ p[i]) * 1099511628211u;
    /* ids that differ at their end only would all be in one shard */
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdu;
    return (unsigned)(hash ^ hash >> 32);
}

static struct shard *shard_of(struct cache *cache, struct span id)
{
    return &cache->shards[hash_bytes(id.data, id.length) >> 28];
}

struct cache *cache_new(const struct cache_settings *settings)
{
    pthread_condattr_t monotonic;
    struct cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return NULL;
    pthread_once(&hash_once, hash_init);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    cache->settings = *settings;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&cache->shards[i].lock, NULL);
        pthread_cond_init(&cache->shards[i].landed, &monotonic);
    }
    pthread_condattr_destroy(&monotonic);
    return cache;
}

static void entry_drop(struct entry **table, struct entry *entry)
{
    HASH_DEL(*table, entry);
    member_free(&entry->member);
    free(entry);
}

void cache_free(struct cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        while (shard->members)
            entry_drop(&shard->members, shard->members);
        while (shard->absent)
            entry_drop(&shard->absent, shard->absent);
        pthread_cond_destroy(&shard->landed);
        pthread_mutex_destroy(&shard->lock);
    }
    free(cache);
}

static struct entry *entry_find(struct entry *table, struct span id)
{
    struct entry *entry;
    HASH_FIND(hh, table, id.data, id.length, entry);
    return entry;
}

/* Moves an entry to the young end. */
static void entry_touch(struct entry **table, struct entry *entry)
{
    if (entry->hh.next) {
        HASH_DEL(*table, entry);
        HASH_ADD_KEYPTR(hh, *table, entry->id, entry->id_length, entry);
    }
}

static enum memberchat_outcome find_locked(struct shard *shard, struct span id, int64_t now,
                                           struct member *member_r)
{
    struct entry *entry = entry_find(shard->members, id);
    if (entry && now < entry->fresh_until && member_copy(member_r, &entry->member)) {
        entry_touch(&shard->members, entry);
        return MEMBERCHAT_FOUND;
    }
    entry = entry_find(shard->absent, id);
    if (entry && now < entry->fresh_until)
        return MEMBERCHAT_NOT_FOUND;
    return 0;
}

enum memberchat_outcome cache_find(struct cache *cache, struct span id, int64_t now,
                                   struct member *member_r)
{
    struct shard *shard = shard_of(cache, id);
    pthread_mutex_lock(&shard->lock);
    enum memberchat_outcome outcome = find_locked(shard, id, now, member_r);
    pthread_mutex_unlock(&shard->lock);
    return outcome;
}

bool cache_find_stale(struct cache *cache, struct span id, int64_t now, struct member *member_r)
{
    struct shard *shard = shard_of(cache, id);
    pthread_mutex_lock(&shard->lock);
    struct entry *entry = entry_find(shard->members, id);
    bool found = entry && now < entry->fresh_until + cache->settings.stale_ms &&
                 member_copy(member_r, &entry->member);
    pthread_mutex_unlock(&shard->lock);
    return found;
}

static struct flight *flight_start(struct shard *shard, struct span id)
{
    struct flight *flight = calloc(1, sizeof *flight + id.length);
    if (!flight)
        return NULL;
    memcpy(flight->id, id.data, id.length);
    flight->id_length = id.length;
    HASH_ADD_KEYPTR(hh, shard->flights, flight->id, flight->id_length, flight);
    return flight;
}

static void flight_free(struct flight *flight)
{
    member_free(&flight->member);
    free(flight);
}

/* Waits until the flight has landed.  The last one to leave frees it. */
static enum memberchat_outcome flight_wait(struct shard *shard, struct flight *flight,
                                           int64_t deadline, struct member *member_r,
                                           int64_t *retry_after_ms_r)
{
    struct timespec until = {.tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000};
    int rc = 0;
    turn_give();
    flight->waiting++;
    while (!flight->outcome && rc == 0)
        rc = pthread_cond_timedwait(&shard->landed, &shard->lock, &until);
    flight->waiting--;

    enum memberchat_outcome outcome = flight->outcome;
    *retry_after_ms_r = flight->retry_after_ms;
    if (outcome == MEMBERCHAT_FOUND && !member_copy(member_r, &flight->member))
        outcome = MEMBERCHAT_UNAVAILABLE;
    if (flight->outcome && flight->waiting == 0)
        flight_free(flight);
    return outcome ? outcome : MEMBERCHAT_UNAVAILABLE;
}

enum memberchat_outcome cache_join(struct cache *cache, struct span id, int64_t deadline,
                                   struct member *member_r, int64_t *retry_after_ms_r)
{
    struct shard *shard = shard_of(cache, id);
    struct flight *flight;
    pthread_mutex_lock(&shard->lock);
    enum memberchat_outcome outcome = find_locked(shard, id, clock_monotonic_ms(), member_r);
    if (!outcome) {
        HASH_FIND(hh, shard->flights, id.data, id.length, flight);
        if (flight)
            outcome = flight_wait(shard, flight, deadline, member_r, retry_after_ms_r);
        else
            flight_start(shard, id);
    }
    pthread_mutex_unlock(&shard->lock);
    return outcome;
}

static void entry_drop_id(struct entry **table, struct span id)
{
    struct entry *entry = entry_find(*table, id);
    if (entry)
        entry_drop(table, entry);
}

/* Puts an entry in the place of an older one; the oldest makes room. */
static void entry_put(struct entry **table, struct span id, const struct member *member,
                      int64_t fresh_until, size_t capacity)
{
    entry_drop_id(table, id);
    struct entry *entry = calloc(1, sizeof *entry + id.length);
    if (!entry)
        return;
    if (member && !member_copy(&entry->member, member)) {
        member_free(&entry->member);
        free(entry);
        return;
    }
    while (HASH_COUNT(*table) >= capacity)
        entry_drop(table, *table);
    memcpy(entry->id, id.data, id.length);
    entry->id_length = id.length;
    entry->fresh_until = fresh_until;
    HASH_ADD_KEYPTR(hh, *table, entry->id, entry->id_length, entry);
}

/* Up to a tenth less, so that what came together does not expire together. */
static int64_t jitter(int64_t ms)
{
    uint32_t dice;
    random_fill(&dice, sizeof dice);
    return ms - ms * (dice % 1000) / 10000;
}

static void remember(const struct cache_settings *settings, struct shard *shard, struct span id,
                     enum memberchat_outcome outcome, const struct member *member)
{
    int64_t now = clock_monotonic_ms();
    size_t capacity = ((size_t)settings->size + SHARDS - 1) / SHARDS;
    size_t absent_capacity = (capacity + 3) / 4; /* a spray of wrong ids displaces no member */
    if (outcome == MEMBERCHAT_FOUND) {
        entry_drop_id(&shard->absent, id);
        entry_put(&shard->members, id, member, now + jitter(settings->ttl_ms), capacity);
    } else if (outcome == MEMBERCHAT_NOT_FOUND) {
        entry_drop_id(&shard->members, id);
        entry_put(&shard->absent, id, NULL, now + jitter(settings->negative_ttl_ms),
                  absent_capacity);
    }
}

void cache_finish(struct cache *cache, struct span id, enum memberchat_outcome outcome,
                  const struct member *member, int64_t retry_after_ms)
{
    struct shard *shard = shard_of(cache, id);
    struct flight *flight;
    pthread_mutex_lock(&shard->lock);
    if (cache->settings.size > 0)
        remember(&cache->settings, shard, id, outcome, member);
    HASH_FIND(hh, shard->flights, id.data, id.length, flight);
    if (flight) {
        HASH_DEL(shard->flights, flight);
        flight->outcome = outcome;
        flight->retry_after_ms = retry_after_ms;
        if (outcome == MEMBERCHAT_FOUND && flight->waiting > 0 &&
            !member_copy(&flight->member, member))
            flight->outcome = MEMBERCHAT_UNAVAILABLE;
        if (flight->waiting == 0)
            flight_free(flight);
        else
            pthread_cond_broadcast(&shard->landed);
    }
    pthread_mutex_unlock(&shard->lock);
}
