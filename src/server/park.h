/* SPDX-License-Identifier: MIT
 * The parking lot: connections that wait for their peer, to write the rest of a request
 * or the next one, or to read the rest of an answer.  One thread polls; any may park. */
#ifndef PARK_H
#define PARK_H

#include "conn.h"

struct park;

struct park *park_new(void); /* NULL: see errno */
void park_free(struct park *park);

/* Takes over a connection whose `state` is INTAKE_MORE, or whose answer is not sent. */
void park_put(struct park *park, struct conn *conn);

/* Gives up the connection that has waited longest, for its descriptor. */
void park_evict(struct park *park);

/* Ends a wait of the polling thread. */
void park_wake(struct park *park);

/* The rest is for the polling thread. */

/* Waits up to `timeout_ms`, reads and sends what can be, closes those that have gone or
 * waited too long.  Connections that a thread should look at go to `ready`. */
void park_poll(struct park *park, int timeout_ms, struct conn_queue *ready);

/* For a server that stops: closes the connections that are between requests, and
 * those that were opened but said nothing for a second; returns how many are left,
 * in the middle of a request or an answer, or about to begin their first request. */
size_t park_close_idle(struct park *park);

#endif
