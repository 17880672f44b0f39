/* SPDX-License-Identifier: MIT
 * The records of a FastCGI connection (FastCGI 1.0, section 3), up to one whole
 * request.  libfcgi reads from a connection that it trusts: it waits for ever,
 * hands out half a parameter list, and aborts on some lengths.  So the bytes are
 * screened and collected here first, and libfcgi is given requests that are
 * complete and well formed.  Pure functions on bytes. */
#ifndef FRAME_H
#define FRAME_H

#include "base/bytes.h"

#include <stdint.h>

#define FRAME_PARAMS_MAX (60u * 1024)       /* with their lengths; fits into a pipe */
#define FRAME_DRAIN_MAX  (8u * 1024 * 1024) /* of a body, read and dropped beyond its limit */

enum frame_state {
    FRAME_MORE,     /* more bytes are needed */
    FRAME_COMPLETE, /* a whole request is here; frame_next() goes on */
    FRAME_BAD       /* `fault` says what; close the connection */
};

struct frame {
    size_t body_limit;               /* of the body, so many bytes are kept; set by the owner */
    bool (*wants)(struct span name); /* the parameters that are kept; NULL: all; likewise */
    struct bytes params; /* name-value pairs, checked: none reaches beyond the end, no NUL */
    struct bytes body;
    uint64_t body_total; /* bytes that came, also those that were not kept */
    bool keep;           /* the web server wants to keep the connection */
    struct bytes out;    /* to be sent at once: answers to management records */
    const char *fault;

    bool began, params_ended; /* how far the request is */
    uint16_t id;
    unsigned management_records;
    unsigned char header[8]; /* of the record that is being read */
    size_t header_length, content_left, padding_left;
    char small[64]; /* the first bytes of a begin or management record */
    size_t small_length;
};

/* Takes bytes, up to the end of a request; returns how many it took. */
size_t frame_feed(struct frame *frame, const char *bytes, size_t length, enum frame_state *state_r);

/* Whether a request has begun and is not complete. */
bool frame_in_request(const struct frame *frame);

void frame_next(struct frame *frame);    /* ready for the next request; memory kept */
void frame_restart(struct frame *frame); /* ready for another connection; memory kept */
void frame_free(struct frame *frame);

/* A query whether the peer is a memberchat, and whether the answer says so. */
void frame_add_query(struct bytes *out);
bool frame_is_our_answer(struct span bytes);

/* Appends the request of `frame` as libfcgi shall see it: its beginning and its
 * parameters, no body. */
void frame_add_request(const struct frame *frame, struct bytes *out);

#endif
