/* SPDX-License-Identifier: MIT
 * Turns: which workers wait for connections.  As many as keep the processors busy,
 * though some wait for the first bytes: more of them would only push each other out of
 * the processors' caches.  The others sleep.  Who is about to wait for somebody else, a
 * directory or a web server that reads slowly, gives its turn to one of them first.
 * A turn belongs to a thread.  There is one set of turns a process. */
#ifndef TURN_H
#define TURN_H

#include <stdbool.h>

/* How many a set has. */
unsigned turn_count(void);

/* Begins with a whole set. */
void turn_begin(void);

/* Waits until this thread has a turn (true; at once, if it has one already) or was
 * called (false). */
bool turn_wait(void);

/* Who has a turn says when it begins and ends to wait for a connection. */
void turn_idle_begin(void);
void turn_idle_end(void);

/* Gives the turn away: to the next that asks for it, or to a thread that sleeps, where
 * too few have one and none of them waits for connections.  Nothing happens without one. */
void turn_give(void);

/* Ends it: nobody gets it any more. */
void turn_end(void);

/* How many have not been ended. */
unsigned turn_alive(void);

/* Calls so many threads from their waiting, or from the next.  False: not so many sleep. */
bool turn_call(unsigned threads);

#endif
