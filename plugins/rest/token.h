/* SPDX-License-Identifier: MIT
 * What a token endpoint answers (RFC 6749, sections 5.1 and 5.2). */
#ifndef REST_TOKEN_H
#define REST_TOKEN_H

#include "base/reason.h"
#include "client.h"

struct rest_token {
    struct bytes text;
    int64_t life_ms; /* from when it was asked for */
};

/* FOUND: a token.  Otherwise UNAVAILABLE or MISCONFIGURED, with a reason that holds nothing of
 * the answer but its error code. */
enum memberchat_outcome rest_token_read(const struct rest_reply *reply, struct rest_token *token_r,
                                        struct reason *why);

#endif
