/* SPDX-License-Identifier: MIT
 * The body of a guest's request, checked. */
#ifndef GUEST_H
#define GUEST_H

#include "access_token.h"
#include "token/ksuid.h"

enum guest_verdict { GUEST_GOOD, GUEST_BAD_BODY, GUEST_BAD_ID, GUEST_BAD_ACCESS_TOKEN };

struct guest {
    struct span id, name, avatar; /* avatar: SPAN_NONE when there is none */
    struct json_object *body;     /* holds what was sent */
    struct access_token access;   /* its id is SPAN_NONE where none was sent */
    char made_id[KSUID_LENGTH];
    struct bytes made_name;
};

/* Reads the body of a request to an app; an empty one means {}.  *why_r says what is wrong with it,
 * for the caller.  guest_free() after every verdict. */
enum guest_verdict guest_read(struct guest *guest_r, const struct app *app, struct span body,
                              struct bytes *why_r);
void guest_free(struct guest *guest);

#endif
