/* SPDX-License-Identifier: MIT
 * Tables of counts in FIGURES_THROTTLE_SIZE bytes of shared memory: of fixed size, without locks.
 * A key has one place of four in its set; a new one takes the place of the least important there.
 * Memory that was zeroed, is from before a reboot, or holds anything at all does no harm: the
 * worst is a count that is wrong.  Times are monotonic ms. */
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

/* How long a key must wait yet; 0: it need not. */
int64_t throttle_table_delay(struct throttle_table *table, uint64_t hash, int64_t now);

/* Counts a failure; the one that makes it `most` of them in a window, and each after that, begins
 * a delay, twice as long as the one before. */
void throttle_table_fail(struct throttle_table *table, uint64_t hash,
                         const struct throttle_limit *limit, int64_t now);

struct throttle_left {
    int64_t count;    /* that the window has left */
    int64_t reset_ms; /* until it ends */
};

/* What is left; `take`: one less, if there is one.  False: there was none. */
bool throttle_table_take(struct throttle_table *table, uint64_t hash,
                         const struct throttle_limit *limit, int64_t now, bool take,
                         struct throttle_left *left_r);

#endif
