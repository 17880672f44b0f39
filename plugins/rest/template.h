/* SPDX-License-Identifier: MIT
 *
 * rest_template.h: what is sent, with {id} and {appId} in it.  Whatever is put in
 * their places stays one piece of what is around it.  Pure functions.
 */
#ifndef MEMBERCHAT_REST_TEMPLATE_H
#define MEMBERCHAT_REST_TEMPLATE_H

#include "text.h"

struct rest_values {
    const char *id, *app_id; /* bytes, and what they are is of no matter */
    size_t id_length, app_id_length;
};

enum rest_escape {
    REST_PERCENT, /* RFC 3986: all but unreserved characters; for URLs and headers */
    REST_JSON     /* RFC 8259: for the inside of a string */
};

/* Adds `template` with the values in it. */
void rest_template_expand(struct rest_text *out, const char *template,
                          const struct rest_values *values, enum rest_escape escape);

bool rest_template_has_id(const char *template);
bool rest_template_has_app(const char *template);

/* Whether the URL has its placeholders where a value cannot lead elsewhere, which
 * is behind the host, and no other braces, blanks or fragment.  False: with a reason. */
bool rest_template_check_url(const char *url, struct rest_reason *reason);

/* Whether the id can be asked for at all: in a path, one that has "." or ".."
 * between slashes means another path to some server on the way, however it is
 * encoded (RFC 3986, section 6.2.2.3). */
bool rest_template_takes_id(const char *url, const char *id, size_t length);

#endif
