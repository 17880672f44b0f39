/* SPDX-License-Identifier: MIT
 * What the files of claims_parse() share. */
#ifndef CLAIMS_PARSER_H
#define CLAIMS_PARSER_H

#include "claims_private.h"
#include "base/json.h"

struct claims_parser {
    const struct claims_constants *constants;
    struct arena *arena;
    struct claims_part *parts;
    size_t count, capacity;
    struct bytes text;  /* what will be the next PART_TEXT */
    struct bytes where; /* the way to the value in hand, for messages */
    bool in_scope;      /* inside of a claim called "scope" */
    struct json_object *template;
    struct bytes *why; /* not empty: something is wrong */
    struct bytes *warning;
};

/* A copy in the arena. */
struct span claims_keep(struct claims_parser *parser, struct span text);

/* Says what is wrong with the value in hand, unless something was wrong before. */
void claims_fail(struct claims_parser *parser, struct span detail, const char *reason);

/* Whether a placeholder begins at a byte: a brace before a letter.  Other braces are
 * text, so that JSON inside of a string needs no escapes; two of them stand for one
 * that begins no placeholder. */
bool claims_begins_placeholder(struct span string, size_t at);
bool claims_is_doubled_brace(struct span string, size_t at);

/* Reads the placeholder at *at, and goes behind it; *constant_r is the value of one
 * that is always the same.  False: something is wrong, which was said. */
bool claims_read_placeholder(struct claims_parser *parser, struct span string, size_t *at,
                             struct claims_part *part_r, struct span *constant_r);

/* Whether it cannot be without a value. */
bool claims_always_there(const struct claims_part *part, struct span constant);

/* The template's "header": sets type and further members. */
void claims_parse_header(struct claims_parser *parser, struct claims *claims);

#endif
