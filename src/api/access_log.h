/* SPDX-License-Identifier: MIT
 * What is logged of a request: a line in the access log, and why a token was refused. */
#ifndef ACCESS_LOG_H
#define ACCESS_LOG_H

#include "exchange.h"

/* Call once the response is complete. */
void access_log_tell(const struct exchange *exchange, enum outcome outcome, const char *request_id,
                     const struct trace *trace);

/* How an id is written in the log of an app where `ids` is "hashed": 16 hexadecimal digits,
 * which depend on the app's secret. */
#define ACCESS_LOG_HASH_LENGTH 16
void access_log_hash(const uint8_t secret[SHA256_LENGTH], struct span id,
                     char text_r[ACCESS_LOG_HASH_LENGTH + 1]);

/* Adds a field of a line of text: in quotes where it has blanks, quotes or backslashes; "-" for
 * SPAN_NONE and an empty one. */
void access_log_add_text(struct bytes *out, struct span value);

#endif
