/* SPDX-License-Identifier: MIT
 * A resident responder in this process, with the usual configuration and a body
 * limit of 2000 bytes, and what a web server says to it. */
#ifndef RESPONDER_H
#define RESPONDER_H

#include "server/listen.h"
#include "records.h"
#include "server/server.h"
#include "support.h"

enum { THREADS = 3 };

/* URIs that get a 200: member 1, who is Ann, and a guest. */
#define MEMBER "/chat/v2/apps/me/members/1/chat-tokens"
#define GUEST  "/v2/apps/me/members/guest-chat-tokens"

extern struct listener responder_listener;
extern struct snapshots *responder_snapshots;
extern struct server *responder_server;

/* For each case.  A thread polls, until it is told to stop or the case ends. */
int responder_start(void **state);
/* Stops the server, but not its polling; the socket stays open. */
void responder_end(void);
int responder_stop(void **state);
void responder_start_polling(void);
void responder_stop_polling(void);

int responder_connect(void);
void responder_tell(int fd, struct span bytes);
void responder_ask(int fd, const char *uri, bool keep, struct span body);

/* What one request is answered: the text of its STDOUT records; "" when the
 * connection ended before.  Valid until the thread's next call. */
const char *responder_answer(int fd);
bool responder_at_end(int fd);

/* Many threads ask for tokens, and each gets all of its own. */
void responder_crowd(void);

#endif
