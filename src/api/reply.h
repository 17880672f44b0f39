/* SPDX-License-Identifier: MIT
 * From how a request ended to status, headers and JSON. */
#ifndef REPLY_H
#define REPLY_H

#include "exchange.h"

/* Whom a token was issued for, and how: the body of the two API answers. */
struct reply_token {
    struct span id, name, avatar;
    int64_t expires, lifetime; /* seconds */
};

/* A 200 with the six members of the API, two more where the app wants them.  The
 * token itself, which JSON does not need to escape, is put into the body between
 * the two. */
void reply_begin_token(struct exchange *exchange);
void reply_end_token(struct exchange *exchange, const struct reply_token *answer);

/* Completes the response for an outcome other than ANSWERED and BUSY. */
void reply_with_error(struct exchange *exchange, enum outcome outcome);

/* The errorCode of an outcome as reply_with_error() tells it; "OK" of ANSWERED. */
const char *reply_code(const struct exchange *exchange, enum outcome outcome);

#endif
