/* SPDX-License-Identifier: MIT
 * Reads the records of a FastCGI connection (FastCGI 1.0, section 3) up to one whole
 * request, with a limit for everything that the peer chooses.  Pure functions on bytes. */
#ifndef INTAKE_H
#define INTAKE_H

#include "base/bytes.h"

#define INTAKE_PARAMS_MAX (60u * 1024)        /* that are kept, with their lengths */
#define INTAKE_SIFT_MAX   (16u * 1024 * 1024) /* of parameters, read to find those */
#define INTAKE_DRAIN_MAX  (64u * 1024 * 1024) /* of a body, read and dropped beyond its limit */
#define INTAKE_SMALL_BODY 4096                /* kept before the credentials are checked */

enum intake_state {
    INTAKE_MORE,     /* more bytes are needed */
    INTAKE_HEAD,     /* the parameters are here, and a body that is not small: intake_judge() */
    INTAKE_COMPLETE, /* a whole request is here; intake_next() goes on */
    INTAKE_BAD       /* `fault` says what; close the connection */
};

enum intake_body { INTAKE_BODY_UNJUDGED, INTAKE_BODY_KEPT, INTAKE_BODY_DROPPED };

struct intake {
    size_t body_limit;               /* bytes of the body that are kept; set by the owner */
    bool (*wants)(struct span name); /* the parameters that are kept; NULL: all; likewise */
    struct bytes params;   /* name-value pairs, checked: none reaches beyond the end, no NUL */
    bool params_too_large; /* some that are wanted are not among them */
    struct bytes body;
    enum intake_body body_fate;
    uint64_t body_total;  /* bytes that came, also those that were not kept */
    bool keep;            /* another request may follow on the connection */
    uint16_t id;          /* of the request */
    struct bytes replies; /* to be sent at once: answers to management records */
    const char *fault;

    bool began, params_ended; /* how far the request is */
    size_t params_total;      /* bytes that came */
    size_t params_sifted;     /* bytes of `params` that are checked */
    uint64_t params_skip;     /* bytes that are dropped next: the rest of a pair */
    unsigned management_records;
    unsigned char header[8]; /* of the record that is being read */
    size_t header_length, content_left, padding_left;
    char small[64]; /* the first bytes of a begin or management record */
    size_t small_length;
};

/* Takes bytes, up to the end of a request or to INTAKE_HEAD; returns how many it took. */
size_t intake_feed(struct intake *intake, const char *bytes, size_t length,
                   enum intake_state *state_r);

/* After INTAKE_HEAD: whether the body is kept, up to its limit, or only measured. */
void intake_judge(struct intake *intake, bool keep_body);

/* Takes a pair off the front of `rest`, which begins as the parameters of a complete
 * request or of INTAKE_HEAD.  False: it was empty. */
bool intake_take_pair(struct span *rest, struct span *name_r, struct span *value_r);

/* Whether a request has begun and is not complete. */
bool intake_in_request(const struct intake *intake);

void intake_next(struct intake *intake);    /* ready for the next request; memory kept */
void intake_restart(struct intake *intake); /* ready for another connection; memory kept */
void intake_free(struct intake *intake);

#endif
