/* SPDX-License-Identifier: MIT
 * The resident responder.  Acceptors accept connections and serve what needs no network,
 * askers serve what has to wait for a directory, readers serve kept connections; the thread
 * that started them polls what is parked, and stops them. */
#ifndef SERVER_H
#define SERVER_H

#include "snapshot.h"

struct server;

/* How many readers of `snapshots` there are where `threads` look-ups may wait at once. */
unsigned server_workers(unsigned threads);

/* Starts as many threads as the system lets us have, on a listening socket that blocks,
 * which server_stop() closes.  They are the first server_workers() readers of `snapshots`.  One
 * server a process.  NULL: logged, and nothing was accepted. */
struct server *server_start(int listen_fd, unsigned threads, struct snapshots *snapshots);

/* Polls for up to `timeout_ms`; another thread or a signal handler may end the
 * wait with server_wake(). */
void server_poll(struct server *server, int timeout_ms);
void server_wake(struct server *server);

/* Takes no new request beyond those that wait in the socket already, finishes
 * what is in hand, closes the socket at a moment when nothing waits in it, and
 * ends the workers.  False: some were not finished in `grace_ms`; then call
 * _Exit() without cleaning up. */
bool server_stop(struct server *server, int grace_ms);
void server_free(struct server *server); /* after server_stop() was true */

#endif
