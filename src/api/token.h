/* SPDX-License-Identifier: MIT
 * The claims of a chat token (RFC 7519). */
#ifndef TOKEN_H
#define TOKEN_H

#include "settings/settings.h"

#include <stdint.h>

#define TOKEN_ROLE_GUEST "guest" /* of guests and of nobody else */

/* Whom a token is for. */
struct token_subject {
    struct span id, name, avatar, role; /* name, avatar: SPAN_NONE where there is none */
    const struct member *member;        /* with the attributes; NULL for a guest */
    int64_t ttl_ms;
};

/* Appends the token; *expires_r is its `exp`.  NULL, or the placeholder of the app's
 * template that cannot be filled in for this subject. */
const char *token_issue(const struct app *app, const struct token_subject *subject,
                        struct bytes *out, int64_t *expires_r);

#endif
