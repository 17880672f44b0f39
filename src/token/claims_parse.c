/* SPDX-License-Identifier: MIT
 * From a template to parts. */
#include "claims_parser.h"

#include <stdlib.h>
#include <string.h>

#define CONSTANT(name_, member_)                                                                   \
    {                                                                                              \
        .name = (name_), .is_constant = true,                                                      \
        .constant = offsetof(struct claims_constants, member_)                                     \
    }

/* The claims of every token, in their order.  No template changes a fixed one, or removes one that
 * stays. */
static const struct default_claim {
    const char *name;
    bool is_constant, fixed, stays;
    size_t constant; /* offset in the constants, else: */
    enum claims_variable variable;
} defaults[] = {
    CONSTANT("iss", issuer),
    CONSTANT("aud", audience),
    {.name = "sub", .variable = CLAIM_USER_ID, .fixed = true, .stays = true},
    {.name = "iat", .variable = CLAIM_IAT, .fixed = true, .stays = true},
    {.name = "nbf", .variable = CLAIM_NBF, .fixed = true},
    {.name = "exp", .variable = CLAIM_EXP, .fixed = true, .stays = true},
    {.name = "jti", .variable = CLAIM_JTI},
    CONSTANT("appId", app_id),
    {.name = "role", .variable = CLAIM_ROLE},
    {.name = "name", .variable = CLAIM_USER_NAME},
    {.name = "picture", .variable = CLAIM_AVATAR},
};
#define DEFAULTS (sizeof defaults / sizeof *defaults)

/* ---- Parts ---- */

/* The next part; where there is no memory, one that counts for nothing. */
static struct claims_part *add_part(struct claims_parser *parser)
{
    static _Thread_local struct claims_part lost;
    if (parser->count == parser->capacity) {
        size_t capacity = parser->capacity ? 2 * parser->capacity : 64;
        struct claims_part *grown = realloc(parser->parts, capacity * sizeof *grown);
        if (!grown) {
            claims_fail_memory(parser);
            return &lost;
        }
        parser->parts = grown;
        parser->capacity = capacity;
    }
    parser->parts[parser->count] = (struct claims_part){0};
    return &parser->parts[parser->count++];
}

static void end_text(struct claims_parser *parser)
{
    if (parser->text.failed)
        claims_fail_memory(parser);
    if (!parser->text.length)
        return;
    struct claims_part *part = add_part(parser);
    part->kind = PART_TEXT;
    part->text = claims_keep(parser, bytes_span(&parser->text));
    bytes_reset(&parser->text);
}

static void add_placeholder(struct claims_parser *parser, const struct claims_part *placeholder,
                            enum claims_part_kind kind)
{
    end_text(parser);
    struct claims_part *part = add_part(parser);
    *part = *placeholder;
    part->kind = kind;
}

/* Ends what each member or element ended with a comma.  Where the last one is always there, that
 * is settled now. */
static void close_with(struct claims_parser *parser, const char *end)
{
    struct bytes *text = &parser->text;
    if (!text->length) {
        struct claims_part *part = add_part(parser);
        part->kind = PART_CLOSE;
        part->text = span_of(end);
        return;
    }
    if (text->data[text->length - 1] == ',')
        text->length--;
    bytes_add_string(text, end);
}

/* ---- Values ---- */

static void parse_value(struct claims_parser *parser, struct json_object *value);

static void add_constant(struct claims_parser *parser, const struct claims_part *part,
                         struct span value)
{
    template_add(&parser->text, part->filters | TEMPLATE_IN_STRING, value);
}

/* A string that is more than one placeholder, or none. */
static void parse_text(struct claims_parser *parser, struct span string)
{
    struct template_part piece;
    struct claims_part part;
    struct span constant, rest = string;
    struct reason why;
    enum template_step step;
    bytes_add(&parser->text, "\"", 1);
    while (!parser->failed && (step = template_next(&rest, &piece, &why)) != TEMPLATE_END) {
        if (step == TEMPLATE_FAULT)
            claims_fail(parser, SPAN_NONE, why.text);
        else if (step == TEMPLATE_TEXT)
            bytes_add_json_part(&parser->text, piece.text);
        else if (!claims_take_placeholder(parser, &piece, string, &part, &constant))
            return;
        else if (constant.data)
            add_constant(parser, &part, constant);
        else
            add_placeholder(parser, &part, PART_INSIDE);
    }
    bytes_add(&parser->text, "\"", 1);
}

static void add_name(struct claims_parser *parser, struct span name)
{
    if (!name.data)
        return;
    bytes_add_json(&parser->text, name);
    bytes_add(&parser->text, ":", 1);
}

/* A string that is one placeholder; `name` (or SPAN_NONE) is the member's, which drops out with
 * its value. */
static void parse_single(struct claims_parser *parser, struct span name,
                         const struct claims_part *part, struct span constant)
{
    size_t skip = 0;
    bool optional = !claims_always_there(part, constant);
    if (optional) {
        add_placeholder(parser, part, PART_SKIP);
        skip = parser->count;
    }
    add_name(parser, name);
    if (constant.data) {
        bytes_add(&parser->text, "\"", 1);
        add_constant(parser, part, constant);
        bytes_add(&parser->text, "\"", 1);
    } else {
        add_placeholder(parser, part, PART_VALUE);
    }
    bytes_add(&parser->text, ",", 1);
    if (optional) {
        end_text(parser);
        if (!parser->failed)
            parser->parts[skip - 1].skip = parser->count - skip;
    }
}

/* The placeholder that a value is, and nothing besides. */
static bool is_single(struct json_object *value, struct template_part *piece_r)
{
    struct reason ignored;
    if (json_kind_of(value) != JSON_STRING)
        return false;
    struct span rest = json_text(value);
    return template_next(&rest, piece_r, &ignored) == TEMPLATE_PLACEHOLDER && rest.length == 0;
}

/* A member (or, with SPAN_NONE, an element) and the comma behind it. */
static void parse_entry(struct claims_parser *parser, struct span name, struct json_object *value)
{
    struct template_part piece;
    struct claims_part part;
    struct span constant;
    if (is_single(value, &piece)) {
        if (claims_take_placeholder(parser, &piece, json_text(value), &part, &constant))
            parse_single(parser, name, &part, constant);
        return;
    }
    add_name(parser, name);
    parse_value(parser, value);
    bytes_add(&parser->text, ",", 1);
}

/* Claims in which a text is a right, or a list of rights. */
static bool grants(struct span name)
{
    static const char *const names[] = {"scope", "scp", "permissions", NULL};
    return span_is_one_of(name, names);
}

/* A step further on the path for messages; back to its length before is the caller's. */
static void step_in(struct claims_parser *parser, struct span name)
{
    bytes_addf(&parser->where, "%s%.*s", parser->where.length ? "." : "", (int)name.length,
               name.data);
}

/* False: something is wrong. */
static bool parse_member(void *context, struct span name, struct json_object *value)
{
    struct claims_parser *parser = context;
    size_t length = parser->where.length;
    bool in_grant = parser->in_grant;
    step_in(parser, name);
    parser->in_grant = in_grant || grants(name);
    if (claims_has_placeholder(name))
        claims_fail(parser, SPAN_NONE, "placeholders are not filled in in names");
    else
        parse_entry(parser, name, value);
    parser->in_grant = in_grant;
    parser->where.length = length;
    return !parser->failed;
}

static void parse_array(struct claims_parser *parser, struct json_object *array)
{
    size_t length = parser->where.length;
    for (size_t i = 0; i < json_length(array) && !parser->failed; i++) {
        bytes_addf(&parser->where, "[%zu]", i);
        parse_entry(parser, SPAN_NONE, json_element(array, i));
        parser->where.length = length;
    }
}

static void parse_value(struct claims_parser *parser, struct json_object *value)
{
    switch (json_kind_of(value)) {
    case JSON_OBJECT:
        bytes_add(&parser->text, "{", 1);
        json_each_member(value, parse_member, parser);
        close_with(parser, "}");
        break;
    case JSON_ARRAY:
        bytes_add(&parser->text, "[", 1);
        parse_array(parser, value);
        close_with(parser, "]");
        break;
    case JSON_STRING:
        parse_text(parser, json_text(value));
        break;
    default:
        json_write_scalar(&parser->text, value);
    }
}

/* ---- The top ---- */

static void add_default(struct claims_parser *parser, const struct default_claim *claim)
{
    struct claims_part part = {.variable = claim->variable};
    struct span constant = SPAN_NONE;
    if (claim->is_constant)
        constant = span_of(*(const char *const *)(const void *)((const char *)parser->constants +
                                                                claim->constant));
    parse_single(parser, span_of(claim->name), &part, constant);
}

static void warn_of_staying(struct claims_parser *parser, const struct default_claim *claim)
{
    struct reason *warning = &parser->report->warning, before = *warning;
    reason_set(warning, "%s%s%s cannot be removed and stays", before.text,
               before.text[0] ? "; " : "", claim->name);
}

/* One of the claims of every token, as the template has it. */
static void parse_default(struct claims_parser *parser, const struct default_claim *claim)
{
    struct json_object *value = NULL;
    struct span name = span_of(claim->name);
    enum json_kind kind = parser->root ? json_find(parser->root, claim->name, &value) : JSON_ABSENT;
    if (kind == JSON_ABSENT || (kind == JSON_NULL && claim->stays)) {
        if (kind == JSON_NULL)
            warn_of_staying(parser, claim);
        add_default(parser, claim);
    } else if (kind == JSON_NULL) {
        return;
    } else if (claim->fixed) {
        step_in(parser, name);
        claims_fail(parser, SPAN_NONE, "this claim cannot be changed");
    } else if (claim->variable == CLAIM_ROLE && kind == JSON_STRING &&
               claims_can_be_guest(parser, json_text(value))) {
        step_in(parser, name);
        claims_fail(parser, SPAN_NONE,
                    "this could be \"guest\" for a member, who could then renew the token as a "
                    "guest does: use {role}, or another claim");
    } else {
        parse_member(parser, name, value);
    }
}

static bool parse_further(void *context, struct span name, struct json_object *value)
{
    bool known = span_equal(name, span_of("header")) || json_kind_of(value) == JSON_NULL;
    for (size_t i = 0; i < DEFAULTS; i++)
        known = known || span_equal(name, span_of(defaults[i].name));
    return known || parse_member(context, name, value);
}

/* Copies what was parsed into the arena. */
static void keep_parts(struct claims_parser *parser, struct claims *claims)
{
    struct claims_part *parts = arena_alloc(parser->arena, (parser->count + 1) * sizeof *parts);
    if (!parts) {
        claims_fail_memory(parser);
        return;
    }
    memcpy(parts, parser->parts, parser->count * sizeof *parts);
    claims->parts = parts;
    claims->count = parser->count;
    claims->names_user = parser->names_user;
}

static void parse(struct claims_parser *parser, struct claims *claims)
{
    if (parser->root && !claims_parse_header(parser, claims))
        return;
    bytes_add(&parser->text, "{", 1);
    for (size_t i = 0; i < DEFAULTS && !parser->failed; i++)
        parse_default(parser, &defaults[i]);
    if (parser->root && !parser->failed)
        json_each_member(parser->root, parse_further, parser);
    close_with(parser, "}");
    end_text(parser);
    if (parser->where.failed)
        claims_fail_memory(parser);
    if (!parser->failed)
        keep_parts(parser, claims);
}

static bool read_template(struct span template, struct claims_parser *parser)
{
    struct reason fault;
    enum json_result result = json_read(template, JSON_UNIQUE, &parser->root, &fault);
    if (result != JSON_GOOD)
        reason_set(&parser->report->why, "%s%s", result == JSON_BROKEN ? "it must be JSON: " : "",
                   fault.text);
    return result == JSON_GOOD;
}

const struct claims *claims_parse(struct span template, const struct claims_constants *constants,
                                  struct arena *arena, struct claims_report *report)
{
    struct claims *claims = arena_alloc(arena, sizeof *claims);
    struct claims_parser parser = {.constants = constants, .arena = arena, .report = report};
    if (!claims) {
        claims_fail_memory(&parser);
        return NULL;
    }
    claims->type = "JWT";
    claims->more_header = span_of("");
    parser.failed = template.data && !read_template(template, &parser);
    if (!parser.failed)
        parse(&parser, claims);
    json_release(parser.root);
    free(parser.parts);
    bytes_free(&parser.text);
    bytes_free(&parser.where);
    return parser.failed ? NULL : claims;
}
