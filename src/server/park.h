/* SPDX-License-Identifier: MIT
 * The parking lot: connections that wait for bytes, be it for the rest of a
 * request or for the next one, so that no worker waits with them.  One thread
 * polls; any thread may park. */
#ifndef PARK_H
#define PARK_H

#include "conn.h"

struct park;

struct park *park_new(void); /* NULL: see errno */
void park_free(struct park *park);

/* Takes over a connection that conn_receive() had no complete request from. */
void park_put(struct park *park, struct conn *conn);

/* Gives up the connection that has waited longest, for its descriptor. */
void park_evict(struct park *park);

/* Ends a wait of the polling thread. */
void park_wake(struct park *park);

/* The rest is for the polling thread. */

/* Waits up to `timeout_ms`, reads what has come, closes who has gone or waited
 * too long.  Connections with a complete request go to `ready`. */
void park_poll(struct park *park, int timeout_ms, struct conn_queue *ready);

/* For a server that stops: closes the connections that are between requests, and
 * those that were opened but said nothing for a second; returns how many are
 * left, in the middle of a request or about to begin their first. */
size_t park_close_idle(struct park *park);

#endif
