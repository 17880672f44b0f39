/* SPDX-License-Identifier: MIT
 * Templates, of claims and of members' fields alike: text with placeholders.  {name} stands for
 * a value, {name|lower|=none} for what filters make of it, or a text where there is no value.
 * Two opening braces stand for one; a brace that neither a letter nor _ follows is text.
 * Pure functions on bytes. */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include "arena.h"
#include "reason.h"

/* Applied in this order, however they are written. */
enum template_filter {
    TEMPLATE_TRIM = 1u,       /* no white space at either end */
    TEMPLATE_LOWER = 2u,      /* A-Z to a-z */
    TEMPLATE_SHA256 = 4u,     /* 64 lower-case hexadecimal digits */
    TEMPLATE_ID = 8u,         /* refused unless [A-Za-z0-9_-]{1,128} */
    TEMPLATE_URI = 16u,       /* percent-encoded but for unreserved bytes (RFC 3986, section 2.3) */
    TEMPLATE_JSON = 32u,      /* as a JSON string; no value is null */
    TEMPLATE_IN_STRING = 64u, /* escaped for the inside of a JSON string; no template can say it */
};

/* Some text, or a placeholder.  The spans point into the template. */
struct template_part {
    struct span text;     /* as it is; of a placeholder, its name */
    struct span written;  /* the whole placeholder, for messages; SPAN_NONE: text */
    struct span fallback; /* instead of no value; SPAN_NONE: none */
    unsigned filters;     /* enum template_filter */
    unsigned value;       /* free for use: which value is meant */
};

enum template_step { TEMPLATE_END, TEMPLATE_TEXT, TEMPLATE_PLACEHOLDER, TEMPLATE_FAULT };

/* Takes the next part off the front of *rest.  Empty texts are never given. */
enum template_step template_next(struct span *rest, struct template_part *part_r,
                                 struct reason *why);

/* Appends a value as the filters make it.  False: TEMPLATE_ID refuses it. */
bool template_add(struct bytes *out, unsigned filters, struct span value);

/* A template in parts. */
struct template
{
    struct template_part *parts;
    size_t count;
};

/* The template's text must live as long as the parts, which are in `arena`. */
bool template_parse(struct span text, struct arena *arena, struct template *template_r,
                    struct reason *why);

enum template_result { TEMPLATE_FILLED, TEMPLATE_NO_VALUE, TEMPLATE_REFUSED };

/* Appends the template with its values, which `find` knows (SPAN_NONE: there is none).  Stops
 * at a placeholder that has no value, or whose filters refuse it: what was appended until then
 * is the caller's to drop, and *part_r, unless NULL, is that placeholder. */
enum template_result template_render(const struct template *template,
                                     struct span (*find)(void *context,
                                                         const struct template_part *part),
                                     void *context, struct bytes *out,
                                     const struct template_part **part_r);

#endif
