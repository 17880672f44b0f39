/* SPDX-License-Identifier: MIT
 * What is inside a token: the claims of every token and those of a template,
 * worked out once when the configuration is read, then filled in for each token
 * without a parser and without memory of their own. */
#ifndef CLAIMS_H
#define CLAIMS_H

#include "base/arena.h"
#include "members/member.h"

enum claims_variable {
    CLAIM_USER_ID,
    CLAIM_USER_NAME,
    CLAIM_AVATAR,
    CLAIM_ROLE,
    CLAIM_JTI, /* the texts end here */
    CLAIM_IAT,
    CLAIM_NBF,
    CLAIM_EXP, /* the numbers end here */
    CLAIM_ATTRIBUTE
};
#define CLAIMS_TEXTS   (CLAIM_JTI + 1)
#define CLAIMS_NUMBERS (CLAIM_EXP - CLAIM_JTI)

/* What is the same in all tokens of an app. */
struct claims_constants {
    const char *issuer, *audience, *app_id;
};

struct claims {
    const struct claims_part *parts;
    size_t count;
    const char *type;        /* the header `typ`; NULL: none */
    struct span more_header; /* further members of the header, each after a comma */
};

/* Makes the claims of an app, with those of a template (a JSON object) or, with
 * SPAN_NONE, without one.  Everything lives in `arena`.  NULL: *why_r says where in
 * the template something is wrong and what; *warning_r may have something to say. */
const struct claims *claims_parse(struct span template, const struct claims_constants *constants,
                                  struct arena *arena, struct bytes *warning_r,
                                  struct bytes *why_r);

/* What differs from token to token. */
struct claims_values {
    struct span texts[CLAIMS_TEXTS]; /* SPAN_NONE where there is none */
    int64_t numbers[CLAIMS_NUMBERS]; /* from CLAIM_IAT on */
    const struct member *member;     /* whose attributes count, or NULL */
};

/* Appends the claims, a JSON object.  NULL, or the placeholder whose value the
 * filter "id" refuses: what was added until then is good for nothing. */
const char *claims_render(const struct claims *claims, const struct claims_values *values,
                          struct bytes *out);

#endif
