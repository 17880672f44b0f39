/* SPDX-License-Identifier: MIT
 * A chat token (RFC 7519): whom it is for, and what all tokens of an app have in common. */
#ifndef TOKEN_H
#define TOKEN_H

#include "claims.h"
#include "keys.h"

/* How an app's tokens are made; good for use once token_profile_finish() was true. */
struct token_profile {
    const struct key *key;
    const struct claims *claims;
    int64_t clock_skew; /* seconds that iat and nbf lie before now */
    struct span header; /* of every token: the encoded header and its dot */
};

/* Makes the header, in `arena`.  False: no memory. */
bool token_profile_finish(struct token_profile *profile, struct arena *arena);

/* Whom a token is for. */
struct token_subject {
    struct span id, name, avatar, role; /* name, avatar: SPAN_NONE where there is none */
    const struct member *member;        /* with the attributes; NULL for a guest */
    int64_t ttl_ms;
};

enum token_verdict {
    TOKEN_FAILED, /* no memory, no random numbers, no clock, or the key does not sign */
    TOKEN_ISSUED,
    TOKEN_REFUSED /* a filter of the template refuses a value of this subject */
};

/* Appends a token; *expires_r is its `exp`.  TOKEN_REFUSED: *refused_r is the placeholder.  Other
 * than with TOKEN_ISSUED, what was appended is of no use. */
enum token_verdict token_issue(const struct token_profile *profile,
                               const struct token_subject *subject, struct bytes *out,
                               int64_t *expires_r, struct span *refused_r);

#endif
