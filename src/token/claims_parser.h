/* SPDX-License-Identifier: MIT
 * What the files of claims_parse() share. */
#ifndef CLAIMS_PARSER_H
#define CLAIMS_PARSER_H

#include "base/json.h"
#include "claims_private.h"

struct claims_parser {
    const struct claims_constants *constants;
    struct arena *arena;
    struct claims_part *parts;
    size_t count, capacity;
    struct bytes text;        /* becomes the next PART_TEXT */
    struct bytes where;       /* the path of the current value, for messages */
    bool in_grant;            /* inside a claim that grants something, such as "scope" */
    bool names_user;          /* {userId} was seen */
    bool failed;              /* something is wrong, and report->why says what */
    struct json_object *root; /* of the template, or NULL */
    struct claims_report *report;
};

/* A copy in the arena; fails the parser where there is no memory. */
struct span claims_keep(struct claims_parser *parser, struct span text);

/* Says what is wrong with the current value, unless something was wrong before.  False. */
bool claims_fail(struct claims_parser *parser, struct span detail, const char *reason);
bool claims_fail_memory(struct claims_parser *parser);

/* A placeholder that a template names: *part_r, and in *constant_r the value of one that is always
 * the same.  `string` is what it stands in.  False: something is wrong with it. */
bool claims_take_placeholder(struct claims_parser *parser, const struct template_part *placeholder,
                             struct span string, struct claims_part *part_r,
                             struct span *constant_r);

/* Whether it always has a value. */
bool claims_always_there(const struct claims_part *part, struct span constant);

/* Whether a string has a placeholder in it. */
bool claims_has_placeholder(struct span string);

/* Whether the claim "role" with this value could make a guest of a member. */
bool claims_can_be_guest(const struct claims_parser *parser, struct span string);

/* The template's "header": sets type and further members. */
bool claims_parse_header(struct claims_parser *parser, struct claims *claims);

#endif
