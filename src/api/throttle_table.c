/* SPDX-License-Identifier: MIT */
#include "throttle_table.h"

#include "base/hash.h"
#include "base/random.h"
#include "figures/figures.h"

#include <stdatomic.h>
#include <string.h>

#define SETS        1024
#define WAYS        4
#define FIRST_MS    1000
#define LONGEST_MS  (15 * 60 * 1000)
#define LEVELS      11 /* FIRST_MS << 10 is longer than the longest */
#define COUNT_MAX   0xfffu
#define TAKEN_MAX   0xffffffu
#define TIME_MAX    ((UINT64_C(1) << 40) - 1)
#define TIME_OF(x)  ((int64_t)((x) >> 24))
#define PACK(at, x) (((uint64_t)(at)&TIME_MAX) << 24 | (x))

/* The upper 40 bits are a time: in `window` when it began, in `delay` when it ends. */
struct failures {
    _Atomic uint64_t who;
    _Atomic uint64_t window; /* 12 bits: the count of the previous window; 12: of this one */
    _Atomic uint64_t delay;  /* 24 bits: how many there have been in a row */
    _Atomic uint64_t spare;
};

struct takings {
    _Atomic uint64_t who;
    _Atomic uint64_t window; /* 24 bits: the count */
};

struct throttle_table {
    _Atomic uint64_t seed;
    char spare[56];
    struct failures failures[SETS][WAYS];
    struct takings takings[SETS][WAYS];
};

_Static_assert(sizeof(struct throttle_table) <= FIGURES_THROTTLE_SIZE, "too large");

uint64_t throttle_table_hash(struct throttle_table *table, char kind, struct span key)
{
    char memory[256];
    struct bytes text = bytes_within(memory, sizeof memory);
    uint64_t seed = atomic_load(&table->seed), fresh;
    if (!seed) {
        if (!random_fill(&fresh, sizeof fresh))
            return 0;
        fresh |= 1;
        seed = atomic_compare_exchange_strong(&table->seed, &seed, fresh) ? fresh : seed;
    }
    const uint64_t seeds[2] = {seed, ~seed};
    bytes_add(&text, &kind, 1);
    bytes_add(&text, key.data, key.length < sizeof memory - 1 ? key.length : sizeof memory - 1);
    uint64_t hash = hash_keyed(seeds, text.data, text.length);
    return hash ? hash : 1;
}

/* ---- Delays of those who fail ---- */

/* How much of a delay is left.  One that ends too late is not a delay of ours. */
static int64_t left_of(uint64_t delay, int64_t now)
{
    int64_t left = TIME_OF(delay) - now;
    return left > 0 && left <= LONGEST_MS ? left : 0;
}

static struct failures *find(struct throttle_table *table, uint64_t hash)
{
    struct failures *set = table->failures[hash % SETS];
    for (size_t i = 0; i < WAYS; i++)
        if (atomic_load_explicit(&set[i].who, memory_order_relaxed) == hash)
            return &set[i];
    return NULL;
}

/* Keys with a delay keep their places longest, then those that failed last. */
static uint64_t importance(struct failures *place, int64_t now)
{
    uint64_t window = atomic_load(&place->window), delay = atomic_load(&place->delay);
    if (!atomic_load(&place->who) || TIME_OF(window) > now)
        return 0;
    return (left_of(delay, now) ? UINT64_C(1) << 62 : 0) | (uint64_t)TIME_OF(window);
}

/* The place of a key; it may have been another key's until now. */
static struct failures *claim(struct throttle_table *table, uint64_t hash, int64_t now)
{
    struct failures *found = find(table, hash), *set = table->failures[hash % SETS];
    if (found)
        return found;
    found = &set[0];
    for (size_t i = 1; i < WAYS; i++)
        if (importance(&set[i], now) < importance(found, now))
            found = &set[i];
    uint64_t other = atomic_load(&found->who);
    if (other != hash && atomic_compare_exchange_strong(&found->who, &other, hash)) {
        atomic_store(&found->window, 0);
        atomic_store(&found->delay, 0);
    }
    return found;
}

int64_t throttle_table_delay(struct throttle_table *table, uint64_t hash, int64_t now)
{
    struct failures *place = hash ? find(table, hash) : NULL;
    return place ? left_of(atomic_load(&place->delay), now) : 0;
}

/* Counts one more.  Returns how many fall into the last `window_ms`; the previous window counts
 * in proportion to the part of it that these cover. */
static int64_t count_one(struct failures *place, int64_t window_ms, int64_t now)
{
    uint64_t old = atomic_load(&place->window), next;
    int64_t start, before, count;
    do {
        start = TIME_OF(old);
        before = (int64_t)(old >> 12 & COUNT_MAX);
        count = (int64_t)(old & COUNT_MAX);
        if (start > now || now - start >= 2 * window_ms) {
            start = now;
            before = count = 0;
        } else if (now - start >= window_ms) {
            start += window_ms;
            before = count;
            count = 0;
        }
        count += count < (int64_t)COUNT_MAX;
        next = PACK(start, (uint64_t)before << 12 | (uint64_t)count);
    } while (!atomic_compare_exchange_weak(&place->window, &old, next));
    return count + before * (window_ms - (now - start)) / window_ms;
}

void throttle_table_fail(struct throttle_table *table, uint64_t hash,
                         const struct throttle_limit *limit, int64_t now)
{
    if (!hash)
        return;
    struct failures *place = claim(table, hash, now);
    uint64_t old = atomic_load(&place->delay);
    if (count_one(place, limit->window_ms, now) < limit->most || left_of(old, now))
        return;
    int64_t since = now - TIME_OF(old); /* the last delay, unless it was long ago */
    uint64_t level = since < 0 || since > limit->window_ms + LONGEST_MS ? 0 : old & TAKEN_MAX;
    level = level < LEVELS ? level : LEVELS - 1;
    int64_t length = FIRST_MS << level < LONGEST_MS ? FIRST_MS << level : LONGEST_MS;
    /* if another thread was first, its delay counts */
    atomic_compare_exchange_strong(&place->delay, &old, PACK(now + length, level + 1));
}

/* ---- What is taken of a limit ---- */

/* When its window began; one from before a reboot, whose clock is ahead, counts as the oldest. */
static int64_t began(struct takings *place, int64_t now)
{
    int64_t start = TIME_OF(atomic_load(&place->window));
    return start > now ? 0 : start;
}

static struct takings *claim_taking(struct throttle_table *table, uint64_t hash, int64_t now)
{
    struct takings *set = table->takings[hash % SETS], *oldest = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (atomic_load_explicit(&set[i].who, memory_order_relaxed) == hash)
            return &set[i];
        if (began(&set[i], now) < began(oldest, now))
            oldest = &set[i];
    }
    uint64_t other = atomic_load(&oldest->who);
    if (other != hash && atomic_compare_exchange_strong(&oldest->who, &other, hash))
        atomic_store(&oldest->window, 0);
    return oldest;
}

bool throttle_table_take(struct throttle_table *table, uint64_t hash,
                         const struct throttle_limit *limit, int64_t now, bool take,
                         struct throttle_left *left_r)
{
    *left_r = (struct throttle_left){limit->most, limit->window_ms};
    if (!hash)
        return true;
    struct takings *place = claim_taking(table, hash, now);
    uint64_t old = atomic_load(&place->window), next;
    int64_t start, count;
    bool some;
    do {
        start = TIME_OF(old);
        count = (int64_t)(old & TAKEN_MAX);
        if (start > now || now - start >= limit->window_ms) {
            start = now;
            count = 0;
        }
        some = count < limit->most;
        count += take && some;
        next = PACK(start, (uint64_t)count);
    } while (take && some && !atomic_compare_exchange_weak(&place->window, &old, next));
    left_r->count = count < limit->most ? limit->most - count : 0;
    left_r->reset_ms = start + limit->window_ms - now;
    return some;
}
