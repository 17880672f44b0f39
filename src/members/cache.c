/* SPDX-License-Identifier: MIT */
#include "cache.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/random.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS 16

struct entry {
    struct map_node node; /* first: a node is its entry */
    struct member member;
    int64_t fresh_until;
    char id[];
};

struct flight {
    struct flight *next;
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
    struct map members, absent; /* known to be there; known not to be */
    struct flight *flights;     /* at most one for each thread */
};

struct cache {
    struct cache_settings settings;
    uint64_t seed[2];
    struct shard shards[SHARDS];
};

/* An id with its hash, of which the first bits say the shard. */
struct key {
    struct span id;
    uint64_t hash;
    struct shard *shard;
};

static struct key key_of(struct cache *cache, struct span id)
{
    uint64_t hash = hash_keyed(cache->seed, id.data, id.length);
    return (struct key){id, hash, &cache->shards[hash >> 60]};
}

struct cache *cache_new(const struct cache_settings *settings)
{
    struct cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return NULL;
    cache->settings = *settings;
    bool good = hash_seed(cache->seed);
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        pthread_mutex_init(&shard->lock, NULL);
        clock_cond_init(&shard->landed);
        good = good && map_init(&shard->members) && map_init(&shard->absent);
    }
    if (good)
        return cache;
    cache_free(cache);
    return NULL;
}

static void entry_free(struct entry *entry)
{
    member_free(&entry->member);
    free(entry);
}

static void entry_drop(struct map *map, struct map_node *node)
{
    map_remove(map, node);
    entry_free((struct entry *)node);
}

static void free_entries(struct map *map)
{
    while (map->oldest)
        entry_drop(map, map->oldest);
    map_free(map);
}

void cache_free(struct cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        free_entries(&shard->members);
        free_entries(&shard->absent);
        pthread_cond_destroy(&shard->landed);
        pthread_mutex_destroy(&shard->lock);
    }
    free(cache);
}

static struct entry *entry_find(const struct map *map, const struct key *key)
{
    return (struct entry *)map_find(map, key->hash, key->id);
}

/* Moves an entry to the young end. */
static void entry_touch(struct map *map, struct entry *entry)
{
    struct map_node old = entry->node;
    if (!old.newer)
        return;
    map_remove(map, &entry->node);
    map_add(map, &entry->node, old.hash, old.key);
}

/* The caller holds the shard's lock. */
static enum memberchat_outcome find_locked(const struct key *key, int64_t now,
                                           struct member *member_r)
{
    struct shard *shard = key->shard;
    struct entry *entry = entry_find(&shard->members, key);
    if (entry && now < entry->fresh_until && member_copy(member_r, &entry->member)) {
        entry_touch(&shard->members, entry);
        return MEMBERCHAT_FOUND;
    }
    entry = entry_find(&shard->absent, key);
    return entry && now < entry->fresh_until ? MEMBERCHAT_NOT_FOUND : 0;
}

enum memberchat_outcome cache_find(struct cache *cache, struct span id, int64_t now,
                                   struct member *member_r)
{
    struct key key = key_of(cache, id);
    pthread_mutex_lock(&key.shard->lock);
    enum memberchat_outcome outcome = find_locked(&key, now, member_r);
    pthread_mutex_unlock(&key.shard->lock);
    return outcome;
}

bool cache_find_stale(struct cache *cache, struct span id, int64_t now, struct member *member_r)
{
    struct key key = key_of(cache, id);
    pthread_mutex_lock(&key.shard->lock);
    struct entry *entry = entry_find(&key.shard->members, &key);
    bool found = entry && now < entry->fresh_until + cache->settings.stale_ms &&
                 member_copy(member_r, &entry->member);
    pthread_mutex_unlock(&key.shard->lock);
    return found;
}

/* Where the look-up for this id hangs in the list, or the list's end. */
static struct flight **flight_find(const struct key *key)
{
    struct flight **link = &key->shard->flights;
    while (*link && !span_equal((struct span){(*link)->id, (*link)->id_length}, key->id))
        link = &(*link)->next;
    return link;
}

/* Without memory there is no flight: then each thread asks for itself. */
static void flight_start(const struct key *key)
{
    struct flight *flight = calloc(1, sizeof *flight + key->id.length);
    if (!flight)
        return;
    memcpy(flight->id, key->id.data, key->id.length);
    flight->id_length = key->id.length;
    flight->next = key->shard->flights;
    key->shard->flights = flight;
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
    const struct timespec until = clock_deadline(deadline);
    int rc = 0;
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
    struct key key = key_of(cache, id);
    pthread_mutex_lock(&key.shard->lock);
    enum memberchat_outcome outcome = find_locked(&key, clock_monotonic_ms(), member_r);
    if (!outcome) {
        struct flight *flight = *flight_find(&key);
        if (flight)
            outcome = flight_wait(key.shard, flight, deadline, member_r, retry_after_ms_r);
        else
            flight_start(&key);
    }
    pthread_mutex_unlock(&key.shard->lock);
    return outcome;
}

static void drop_id(struct map *map, const struct key *key)
{
    struct map_node *node = map_find(map, key->hash, key->id);
    if (node)
        entry_drop(map, node);
}

/* Puts an entry in the place of an older one; the oldest makes room.  `member` NULL: none. */
static void put(struct map *map, const struct key *key, const struct member *member,
                int64_t fresh_until, size_t capacity)
{
    drop_id(map, key);
    struct entry *entry = calloc(1, sizeof *entry + key->id.length);
    if (!entry)
        return;
    if (member && !member_copy(&entry->member, member)) {
        entry_free(entry);
        return;
    }
    while (map->count >= capacity)
        entry_drop(map, map->oldest);
    memcpy(entry->id, key->id.data, key->id.length);
    entry->fresh_until = fresh_until;
    map_add(map, &entry->node, key->hash, (struct span){entry->id, key->id.length});
}

/* Up to a tenth less, so that what came together does not expire together. */
static int64_t jitter(int64_t ms)
{
    uint32_t dice;
    if (!random_fill(&dice, sizeof dice))
        dice = 0;
    return ms - ms * (dice % 1000) / 10000;
}

/* The caller holds the shard's lock. */
static void remember(const struct cache_settings *settings, const struct key *key,
                     enum memberchat_outcome outcome, const struct member *member)
{
    struct shard *shard = key->shard;
    int64_t now = clock_monotonic_ms();
    size_t capacity = ((size_t)settings->size + SHARDS - 1) / SHARDS;
    size_t absent_capacity = (capacity + 3) / 4; /* a spray of wrong ids displaces no member */
    if (outcome == MEMBERCHAT_FOUND) {
        drop_id(&shard->absent, key);
        put(&shard->members, key, member, now + jitter(settings->ttl_ms), capacity);
    } else if (outcome == MEMBERCHAT_NOT_FOUND) {
        drop_id(&shard->members, key);
        put(&shard->absent, key, NULL, now + jitter(settings->negative_ttl_ms), absent_capacity);
    }
}

static void land(struct shard *shard, struct flight *flight, enum memberchat_outcome outcome,
                 const struct member *member, int64_t retry_after_ms)
{
    flight->outcome = outcome;
    flight->retry_after_ms = retry_after_ms;
    if (outcome == MEMBERCHAT_FOUND && flight->waiting > 0 && !member_copy(&flight->member, member))
        flight->outcome = MEMBERCHAT_UNAVAILABLE;
    if (flight->waiting == 0)
        flight_free(flight);
    else
        pthread_cond_broadcast(&shard->landed);
}

void cache_finish(struct cache *cache, struct span id, enum memberchat_outcome outcome,
                  const struct member *member, int64_t retry_after_ms)
{
    struct key key = key_of(cache, id);
    pthread_mutex_lock(&key.shard->lock);
    if (cache->settings.size > 0)
        remember(&cache->settings, &key, outcome, member);
    struct flight **link = flight_find(&key), *flight = *link;
    if (flight) {
        *link = flight->next;
        land(key.shard, flight, outcome, member, retry_after_ms);
    }
    pthread_mutex_unlock(&key.shard->lock);
}

size_t cache_count(struct cache *cache)
{
    size_t count = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        pthread_mutex_lock(&shard->lock);
        count += shard->members.count + shard->absent.count;
        pthread_mutex_unlock(&shard->lock);
    }
    return count;
}
