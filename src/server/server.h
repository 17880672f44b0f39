/* SPDX-License-Identifier: MIT
 * The resident responder: workers that accept for themselves, and the thread
 * that started them, which polls what they parked and stops them. */
#ifndef SERVER_H
#define SERVER_H

#include "snapshot.h"

struct server;

/* How many workers there are for so many look-ups at once: more of them, so that
 * there is always one for the others. */
unsigned server_workers(unsigned threads);

/* Starts the workers on a listening socket that blocks, and stays the caller's.  They
 * are the first server_workers() readers of `snapshots`.  One server a process.
 * NULL: logged. */
struct server *server_start(int listen_fd, unsigned threads, struct snapshots *snapshots);

/* Polls for up to `timeout_ms`; another thread or a signal handler may end the
 * wait with server_wake(). */
void server_poll(struct server *server, int timeout_ms);
void server_wake(struct server *server);

/* Takes no new request beyond those that wait in the socket already, finishes
 * what is in hand, and ends the workers.  False: some were not finished in
 * `grace_ms`; then the process should end without looking back. */
bool server_stop(struct server *server, int grace_ms);
void server_free(struct server *server); /* after server_stop() was true */

#endif
