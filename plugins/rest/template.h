/* SPDX-License-Identifier: MIT
 * URLs, headers and bodies with {id} and {appId} in them.  Whatever stands in their place
 * remains one piece of what is around it.  Pure functions. */
#ifndef REST_TEMPLATE_H
#define REST_TEMPLATE_H

#include "base/bytes.h"
#include "base/reason.h"

struct rest_values {
    struct span id, app_id; /* any bytes */
};

/* Adds a template with its values: percent-encoded, for URLs and headers, or with `json`
 * escaped for the inside of a JSON string. */
void rest_template_expand(struct bytes *out, const char *template, const struct rest_values *values,
                          bool json);

bool rest_template_has_id(const char *template);
bool rest_template_has_app(const char *template);

/* Whether the URL has its placeholders where a value cannot lead elsewhere, which is after
 * the host, and no other braces, blanks or fragment. */
bool rest_template_check_url(const char *url, struct reason *why);

/* Whether an id can be asked for at all: in a path, one that has "." or ".." between
 * slashes means another path to some server on the way, however it is encoded (RFC 3986,
 * section 6.2.2.3). */
bool rest_template_takes_id(const char *url, struct span id);

#endif
