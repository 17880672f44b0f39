/* SPDX-License-Identifier: MIT
 * The body of a guest's request, checked. */
#ifndef GUEST_H
#define GUEST_H

#include "json.h"
#include "ksuid.h"
#include "member.h"

enum guest_verdict { GUEST_GOOD, GUEST_BAD_BODY, GUEST_BAD_ID, GUEST_BAD_ACCESS_TOKEN };

struct guest {
    struct span id, name, avatar; /* avatar: SPAN_NONE when there is none */
    struct json_object *body;     /* holds what was sent */
    char made_id[KSUID_LENGTH];
    struct strbuf made_name;
};

/* Reads a body; an empty one means {}.  *why_r says what is wrong with it, for
 * the caller.  guest_free() after every verdict. */
enum guest_verdict guest_read(struct guest *guest_r, struct span body, struct strbuf *why_r);
void guest_free(struct guest *guest);

#endif
