/* SPDX-License-Identifier: MIT
 * Delays clients that send wrong credentials, and counts tokens against a limit.  The counts
 * live in the figures, so all processes share them; without figures nobody is delayed. */
#ifndef THROTTLE_H
#define THROTTLE_H

#include "exchange.h"

/* Counts wrong credentials, against the client's address and against the app whose key came, or
 * for wrong passwords of the status pages against that password.
 * True: either has a delay to wait for, which is in exchange->retry_after_ms, so this attempt is
 * not even told to be wrong.  Right credentials are never asked for here: they always pass. */
bool throttle_wrong_credentials(struct exchange *exchange);

/* Whether the limit allows one more token; the second function takes it.  False: see
 * retry_after_ms. */
bool throttle_has_token(struct exchange *exchange);
bool throttle_take_token(struct exchange *exchange);

/* Adds RateLimit and RateLimit-Policy where a limit is set
 * (draft-ietf-httpapi-ratelimit-headers). */
void throttle_add_headers(const struct exchange *exchange);

#endif
