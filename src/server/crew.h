/* SPDX-License-Identifier: MIT
 * A crew: threads that serve connections from one queue. */
#ifndef CREW_H
#define CREW_H

#include "conn.h"

#include <pthread.h>

struct crew {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t filled;
    struct conn_queue queue;
    unsigned members, sleeping, queued, lent;
    unsigned sold; /* of those lent */
    bool leaving;
};

void crew_init(struct crew *crew);
void crew_destroy(struct crew *crew);

/* One thread more, which is to call crew_take() again and again. */
void crew_join(struct crew *crew);

/* Hands a connection over.  False: no thread sleeps, so the connection waits for one. */
bool crew_put(struct crew *crew, struct conn *conn);

enum crew_order {
    CREW_SERVE,   /* *conn_r */
    CREW_REPLACE, /* somebody has joined for good in this thread's place: take over theirs */
    CREW_LEAVE    /* all are to leave, and the queue is empty */
};

/* Waits for something to do. */
enum crew_order crew_take(struct crew *crew, struct conn **conn_r);

/* Lends the place of a thread that sleeps: together they are never more than the members.
 * False: the queue needs all threads that sleep. */
bool crew_lend(struct crew *crew);
void crew_take_back(struct crew *crew);

/* Sells a place that is lent: the borrower is of the crew from now on, and one that sleeps goes. */
void crew_sell(struct crew *crew);

/* Moves the connections at the front whose deadline has passed to `late`.  Returns the
 * deadline of the first that still waits; INT64_MAX: none does. */
int64_t crew_take_late(struct crew *crew, int64_t now, struct conn_queue *late);

/* Whether all its threads sleep and the queue is empty. */
bool crew_is_idle(struct crew *crew);
void crew_leave(struct crew *crew);

#endif
