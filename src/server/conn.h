/* SPDX-License-Identifier: MIT
 * One connection from the web server, and the request that is arriving on it. */
#ifndef CONN_H
#define CONN_H

#include "frame.h"

struct conn {
    int fd;
    struct frame frame;
    struct bytes rest;    /* bytes that came behind a complete request */
    int64_t deadline;     /* of the look-ups of a complete request; 0: none is here */
    int64_t patience_end; /* parked: when it is given up */
    bool polled;          /* the parking lot's poll set knows it */
    bool served;          /* it has carried a request already */
    struct conn *next, *previous;
};

/* Takes over the descriptor, which is closed when there is no memory (NULL). */
struct conn *conn_new(int fd, size_t body_limit);

/* And closes it.  Each thread keeps the memory of one for the next, until
 * conn_thread_end(). */
void conn_free(struct conn *conn);
void conn_thread_end(void);

/* Reads what is there, without waiting.  COMPLETE, MORE (park it), or BAD: the
 * peer has gone or talks nonsense, which was logged. */
enum frame_state conn_receive(struct conn *conn);

/* The same for a connection that was just accepted: web servers connect a moment
 * before they write, so the first bytes are waited for, a few milliseconds. */
enum frame_state conn_receive_first(struct conn *conn);

/* A peer that does not read may hold a thread for a few seconds, not longer.  To
 * be called where an answer might not fit into the socket's buffer. */
void conn_limit_sending(struct conn *conn);

/* First in, first out; not locked.  Zero-initialised is empty. */
struct conn_queue {
    struct conn *first, *last;
};

void conn_queue_push(struct conn_queue *queue, struct conn *conn);
struct conn *conn_queue_pop(struct conn_queue *queue); /* NULL: empty */
void conn_queue_remove(struct conn_queue *queue, struct conn *conn);

#endif
