/* SPDX-License-Identifier: MIT
 * Several servers with the same content: which to ask first, and which to leave alone
 * because they failed. */
#ifndef FAILOVER_H
#define FAILOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAILOVER_MAX = 16 };

/* There are servers with the numbers from 0 to count - 1.  NULL: no memory. */
struct failover *failover_new(size_t count, int64_t connect_ms);
void failover_free(struct failover *failover);

/* Where the servers change: whether there is one of this number.  A new one begins as good.
 * What is noted of one that is gone, or of the number FAILOVER_MAX, changes nothing. */
void failover_list(struct failover *failover, size_t number, bool listed);

/* The numbers of the servers to try, in their order; how many.  One that failed is tried by
 * one thread at a time, when its time is over; if all have failed, all are tried. */
size_t failover_choose(struct failover *failover, size_t order[FAILOVER_MAX]);

/* True: it had been good before, or bad, and there are others: the log should hear of it. */
bool failover_note_failure(struct failover *failover, size_t number);
bool failover_note_success(struct failover *failover, size_t number);

/* Whether `number` is left alone or gone, and another one is not. */
bool failover_has_better(struct failover *failover, size_t number);

/* Everything may be tried again at once. */
void failover_forgive(struct failover *failover);

#endif
