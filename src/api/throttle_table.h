/* SPDX-License-Identifier: MIT
 * Tables of counts in FIGURES_THROTTLE_SIZE bytes of shared memory, of fixed size and without
 * locks. A key has one of the four places in its set; a new key takes over the least important
 * one. Whatever the memory holds (zeros, something from before a reboot, garbage), the worst
 * effect is a wrong count.  Times are monotonic ms. */
#ifndef THROTTLE_TABLE_H
#define THROTTLE_TABLE_H

#include "base/bytes.h"

struct throttle_table;

/* The hash of a key of some kind; 0: there are no random numbers, so nothing is counted. */
uint64_t throttle_table_hash(struct throttle_table *table, char kind, struct span key);

struct throttle_limit {
    int64_t most; /* in the window */
    int64_t window_ms;
};

/* How much longer a key must wait; 0: not at all. */
int64_t throttle_table_delay(struct throttle_table *table, uint64_t hash, int64_t now);

/* Counts a failure.  From the one that makes `most` in a window on, each begins a delay twice as
 * long as the previous one. */
void throttle_table_fail(struct throttle_table *table, uint64_t hash,
                         const struct throttle_limit *limit, int64_t now);

struct throttle_left {
    int64_t count;    /* that the window has left */
    int64_t reset_ms; /* until it ends */
};

/* How many are left.  `take`: takes one.  False: there was none. */
bool throttle_table_take(struct throttle_table *table, uint64_t hash,
                         const struct throttle_limit *limit, int64_t now, bool take,
                         struct throttle_left *left_r);

#endif
