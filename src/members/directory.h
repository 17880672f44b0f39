/* SPDX-License-Identifier: MIT
 * Who has this id?  The policy around the stores: cache, breaker, deadline,
 * order.  "Not there" and "down" are never confused. */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include "breaker.h"
#include "cache.h"
#include "store.h"

/* A store with its policy, shared by configurations that have the same store.  Each
 * directory_hold() needs a directory_release(); the last one closes the store. */
struct directory;

/* Takes over `store`, which is closed even when this fails.  `cache` NULL: no
 * cache.  NULL: no memory. */
struct directory *directory_new(struct store *store, const struct cache_settings *cache,
                                const struct breaker_settings *breaker);
struct directory *directory_hold(struct directory *directory);
void directory_release(struct directory *directory);
struct store *directory_store(const struct directory *directory);

/* Beyond the outcomes of memberchat_store.h: the gate did not let the look-up in. */
#define DIRECTORY_BUSY 100

/* What the cache of a directory had to do with an answer. */
enum directory_cache {
    DIRECTORY_NOT_ASKED,
    DIRECTORY_CACHE_OFF,
    DIRECTORY_CACHE_MISS,
    DIRECTORY_CACHE_HIT,
    DIRECTORY_CACHE_STALE
};

struct directory_answer {
    int outcome; /* enum memberchat_outcome or DIRECTORY_BUSY */
    int64_t retry_after_ms;
    enum directory_cache cache;
    const char *store; /* the last one that was asked; NULL: none */
};

/* Asks the directories of a chain in order until one knows the id.  One that is
 * down or broken ends it.  Returns by the deadline. */
struct directory_answer directory_find(struct directory *const *chain, size_t count,
                                       const struct store_question *question,
                                       struct member *member_r);

/* Whether the directory answers; what it said in the last second counts.  While another thread
 * asks, the last answer counts if it was good; else this one waits for the answer, together with
 * fewer than `may_wait` others.  As all are told what the store says, it has `least_ms` for it,
 * also where this goes beyond the deadline. */
struct directory_answer directory_probe(struct directory *directory, int64_t deadline,
                                        int64_t least_ms, struct gate *gate, unsigned may_wait);

/* Tells the figures what they show of it; to be called now and then. */
void directory_show(struct directory *directory);

#endif
