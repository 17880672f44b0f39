/* SPDX-License-Identifier: MIT
 * The body of a guest's request, checked. */
#ifndef GUEST_H
#define GUEST_H

#include "access_token.h"
#include "token/ksuid.h"

enum guest_verdict {
    GUEST_FAILED, /* no memory, no clock or no random numbers */
    GUEST_GOOD,
    GUEST_BAD_BODY,
    GUEST_BAD_ID,
    GUEST_BAD_ACCESS_TOKEN
};

struct guest {
    struct span id;             /* with the app's guest_id_prefix */
    struct span name, avatar;   /* avatar: SPAN_NONE when there is none */
    struct json_object *body;   /* holds what was sent */
    struct access_token access; /* its id is SPAN_NONE where none was sent */
    struct bytes made_id, made_name;
};

/* Reads the body of a request to an app; an empty one means {}.  *why says what is wrong with it,
 * for the caller, unless the verdict is GUEST_GOOD or GUEST_FAILED.  guest_free() after each
 * verdict. */
enum guest_verdict guest_read(struct guest *guest_r, const struct app *app, struct span body,
                              struct reason *why);
void guest_free(struct guest *guest);

#endif
