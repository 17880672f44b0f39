/* SPDX-License-Identifier: MIT
 * The resident responder: workers that accept for themselves, and the thread
 * that started them, which polls what they parked and stops them. */
#ifndef SERVER_H
#define SERVER_H

#include "snapshot.h"

struct server;

/* Workers beyond `threads`: look-ups that may wait for a network never take
 * these. */
#define SERVER_SPARE 2

/* Starts the workers on a listening socket, which stays the caller's.  They are the
 * readers 0 to threads + SERVER_SPARE - 1 of `snapshots`, the polling thread is
 * the next one.  NULL: logged. */
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
