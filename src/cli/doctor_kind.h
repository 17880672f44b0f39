/* SPDX-License-Identifier: MIT
 * memberchat doctor: what kind of answer came, and what helps. */
#ifndef DOCTOR_KIND_H
#define DOCTOR_KIND_H

#include "doctor_private.h"

/* As far as the remedy goes. */
enum doctor_kind {
    ISSUED,         /* is handled where it may come */
    PLAIN_ONLY,     /* credentials arrive in their own headers, and not in Authorization */
    NO_CREDENTIALS, /* the errorCodes of the API */
    BAD_CREDENTIALS,
    NO_GUESTS,
    DENIED,
    NO_MEMBER,
    WRONG_MOUNT,
    THROTTLED,
    OUR_FAULT,
    STORE_DOWN,
    OTHER_CODE,
    REDIRECT, /* answers of the web server */
    SOURCE_TEXT,
    OTHER_PAGE,
    OTHER_401,
    OTHER_403,
    OTHER_404,
    OTHER_405,
    OTHER_500,
    NO_UPSTREAM,
    UPSTREAM_SLOW,
    OTHER_STATUS,
    KINDS
};

/* What to say of each kind, behind the URL and the status. */
extern const char *const doctor_kind_words[KINDS];

enum doctor_kind doctor_kind_of(const struct doctor_answer *answer);

#endif
