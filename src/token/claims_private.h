/* SPDX-License-Identifier: MIT
 * What claims_parse() makes and claims_render() reads. */
#ifndef CLAIMS_PRIVATE_H
#define CLAIMS_PRIVATE_H

#include "base/template.h"
#include "claims.h"

enum claims_part_kind {
    PART_TEXT,   /* `text` as it is */
    PART_VALUE,  /* a placeholder that is a whole JSON value */
    PART_INSIDE, /* a placeholder inside a JSON string */
    PART_SKIP,   /* where the placeholder has no value: skips the next `skip` parts */
    PART_CLOSE   /* `text` ends an array or object: the comma before it, if any, goes */
};

struct claims_part {
    enum claims_part_kind kind;
    enum claims_variable variable;
    unsigned filters; /* enum template_filter */
    size_t skip;
    struct span text;     /* also the attribute's name */
    struct span fallback; /* instead of no value; SPAN_NONE: none */
    struct span written;  /* the placeholder, for messages */
};

#endif
