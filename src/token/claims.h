/* SPDX-License-Identifier: MIT
 * What is inside a token: the claims of every token and those of a template, worked out once when
 * the configuration is read, then filled in for each token without a parser and without memory of
 * their own. */
#ifndef CLAIMS_H
#define CLAIMS_H

#include "base/arena.h"
#include "base/reason.h"
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

#define CLAIMS_ROLE_GUEST "guest" /* the role of guests, and of guests only */

/* What is the same in all tokens of an app. */
struct claims_constants {
    const char *issuer, *audience, *app_id;
};

struct claims {
    const struct claims_part *parts;
    size_t count;
    const char *type;        /* the header `typ`; NULL: none */
    struct span more_header; /* further members of the header, each after a comma */
    bool names_user;         /* the template uses {userId}, for more than the claim sub */
};

struct claims_report {
    struct reason why;     /* where in the template something is wrong, and what */
    struct reason warning; /* what the template says in vain; may stay empty */
};

/* Makes the claims of an app, with those of a template (a JSON object) or, with SPAN_NONE, without
 * one.  Everything lives in `arena`.  NULL: report->why says why. */
const struct claims *claims_parse(struct span template, const struct claims_constants *constants,
                                  struct arena *arena, struct claims_report *report);

/* What differs from token to token. */
struct claims_values {
    struct span texts[CLAIMS_TEXTS]; /* SPAN_NONE where there is none */
    int64_t numbers[CLAIMS_NUMBERS]; /* from CLAIM_IAT on */
    const struct member *member;     /* whose attributes count, or NULL */
};

/* Appends the claims, a JSON object.  False: the filter "id" refuses the value of the placeholder
 * *refused_r; the buffer then holds the beginning. */
bool claims_render(const struct claims *claims, const struct claims_values *values,
                   struct bytes *out, struct span *refused_r);

/* The attributes that a template names, in turn, some more than once: *index_r begins as 0. */
struct span claims_next_attribute(const struct claims *claims, size_t *index_r);

#endif
