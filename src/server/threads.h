/* SPDX-License-Identifier: MIT
 * Threads, on hosts that do not give many. */
#ifndef THREADS_H
#define THREADS_H

#include "base/reason.h"

#include <pthread.h>
#include <stdbool.h>

/* Processors that this process may use. */
unsigned threads_processors(void);

/* With a small stack.  False: see threads_shortage(). */
bool threads_start(pthread_t *thread_r, void *(*run)(void *argument), void *argument);

/* Holds memory back while many threads are started, so that their stacks do not take all of
 * it where it is limited. */
void *threads_hold_back(void);
void threads_give_back(void *memory);

/* Which limit keeps threads from being started. */
void threads_shortage(struct reason *reason_r);

#endif
