/* SPDX-License-Identifier: MIT
 * What one directory said lately, and the look-ups under way: all requests for one
 * id share one look-up.  Times are monotonic ms. */
#ifndef CACHE_H
#define CACHE_H

#include "member.h"

#include <stdint.h>

struct cache_settings {
    int64_t size; /* members kept; 0: nothing is kept, crowds still share a look-up */
    int64_t ttl_ms, negative_ttl_ms;
    int64_t
        stale_ms; /* how long after its ttl a member may still be served by cache_find_stale() */
};

struct cache;

struct cache *cache_new(const struct cache_settings *settings); /* NULL: no memory */
void cache_free(struct cache *cache);

/* Whether a fresh answer is there: FOUND with *member_r filled, or NOT_FOUND.
 * 0 when there is none. */
enum memberchat_outcome cache_find(struct cache *cache, struct span id, int64_t now,
                                   struct member *member_r);

/* Whether there is a member that may be served while the directory is down. */
bool cache_find_stale(struct cache *cache, struct span id, int64_t now, struct member *member_r);

/* Joins the look-up for this id.  0: the caller leads, asks the directory and
 * must call cache_finish().  Otherwise another thread did, and this is the
 * outcome; UNAVAILABLE, too, when the deadline came first. */
enum memberchat_outcome cache_join(struct cache *cache, struct span id, int64_t deadline,
                                   struct member *member_r, int64_t *retry_after_ms_r);

/* The leader's outcome, for the threads that wait and for later. */
void cache_finish(struct cache *cache, struct span id, enum memberchat_outcome outcome,
                  const struct member *member, int64_t retry_after_ms);

/* How many answers it holds. */
size_t cache_count(struct cache *cache);

#endif
