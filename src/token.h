/* SPDX-License-Identifier: MIT
 * The claims of a chat token (RFC 7519). */
#ifndef TOKEN_H
#define TOKEN_H

#include "settings.h"

#include <stdint.h>

/* Whom a token is for. */
struct token_subject {
    struct span id, name, avatar, role; /* name, avatar: SPAN_NONE where there is none */
    int64_t ttl_ms;
};

/* Appends the token; *expires_r is its `exp`. */
void token_issue(const struct app *app, const struct token_subject *subject, struct strbuf *out,
                 int64_t *expires_r);

#endif
