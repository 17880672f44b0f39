/* SPDX-License-Identifier: MIT
 * One connection from the web server: the request that is arriving on it, and what is
 * still to be sent.  Nothing here waits for the peer, but for the first bytes. */
#ifndef CONN_H
#define CONN_H

#include "intake.h"

struct conn {
    int fd;
    struct intake intake;
    enum intake_state state; /* of what conn_receive() found last */
    struct bytes rest;       /* bytes that came behind a complete request */
    struct bytes out;        /* to be sent, from `sent` on */
    size_t sent;
    bool closing;         /* when `out` is sent, it ends */
    int64_t deadline;     /* of the look-ups of a complete request; 0: none is here */
    int64_t began_us;     /* when a complete request was first seen; with `deadline` */
    int64_t began_at;     /* when an unfinished request was first parked; 0: it was not */
    int64_t patience_end; /* parked: when it is given up */
    bool polled;          /* the parking lot's poll set knows it */
    bool served;          /* it has carried a request already */
    struct conn *next, *previous;
};

/* Takes over the descriptor, which is closed when there is no memory (NULL). */
struct conn *conn_new(int fd, size_t body_limit);

/* And closes it.  Each thread keeps the memory of one for the next, until
 * conn_thread_end(); what it has too much of goes to others. */
void conn_free(struct conn *conn);
void conn_thread_end(void);

/* Reads what is there, without waiting; sets and returns `state`: BAD when the peer has
 * gone or does not speak FastCGI, which was logged. */
enum intake_state conn_receive(struct conn *conn);

/* The same for a connection that was just accepted: web servers connect a moment
 * before they write, so the first bytes are waited for, a few milliseconds. */
enum intake_state conn_receive_first(struct conn *conn);

/* Sends of `out` what the peer takes, without waiting; the rest is still in it.  False:
 * the peer has gone. */
bool conn_send(struct conn *conn);

/* First in, first out; not locked.  Zero-initialised is empty. */
struct conn_queue {
    struct conn *first, *last;
};

void conn_queue_push(struct conn_queue *queue, struct conn *conn);
struct conn *conn_queue_pop(struct conn_queue *queue); /* NULL: empty */
void conn_queue_remove(struct conn_queue *queue, struct conn *conn);

#endif
