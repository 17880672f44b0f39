/* SPDX-License-Identifier: MIT
 * What claims_parse() makes and claims_render() reads. */
#ifndef CLAIMS_PRIVATE_H
#define CLAIMS_PRIVATE_H

#include "claims.h"

enum claims_part_kind {
    PART_TEXT,   /* `text` as it is */
    PART_VALUE,  /* a placeholder that is a whole JSON value */
    PART_INSIDE, /* a placeholder inside of a JSON string */
    PART_SKIP,   /* where the placeholder has no value: on to behind the next `skip` parts */
    PART_CLOSE   /* `text` ends an array or object: the comma before it, if any, goes */
};

enum claims_filter {
    FILTER_ID = 1u,    /* nothing but [A-Za-z0-9_-]{1,128} */
    FILTER_LOWER = 2u, /* A-Z to a-z */
    FILTER_URI = 4u,   /* percent-encoded but for unreserved characters (RFC 3986, section 2.3) */
    FILTER_JSON = 8u   /* as JSON inside of the string */
};

struct claims_part {
    enum claims_part_kind kind;
    enum claims_variable variable;
    unsigned filters; /* enum claims_filter, which are used in that order */
    size_t skip;
    struct span text;     /* also the attribute's name */
    struct span fallback; /* instead of no value; SPAN_NONE: none */
    const char *written;  /* the placeholder, for messages */
};

/* Adds a value to the inside of a JSON string.  False when the filters refuse it. */
bool claims_add_filtered(struct bytes *out, unsigned filters, struct span value);

#endif
