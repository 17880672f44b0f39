/* SPDX-License-Identifier: MIT
 * Turns how a request ended into status, headers and JSON. */
#ifndef REPLY_H
#define REPLY_H

#include "exchange.h"

/* Whom a token was issued for, and how: the body of the two API answers. */
struct reply_token {
    struct span id, name, avatar;
    int64_t expires, lifetime; /* seconds */
};

/* A 200 with the six members of the API, and two more if the app wants them.  Between begin and
 * end, the caller appends the token itself, which needs no escaping in JSON. */
void reply_begin_token(struct exchange *exchange);
void reply_end_token(struct exchange *exchange, const struct reply_token *answer);

/* Completes the response for an outcome other than ANSWERED and BUSY. */
void reply_with_error(struct exchange *exchange, enum outcome outcome);

/* The errorCode of an outcome as reply_with_error() tells it; "OK" of ANSWERED. */
const char *reply_code(const struct exchange *exchange, enum outcome outcome);

#endif
