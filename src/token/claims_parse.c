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

/* The claims of every token, in their order.  No template changes what is fixed,
 * nor removes what stays. */
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

static struct claims_part *add_part(struct claims_parser *parser)
{
    if (parser->count == parser->capacity) {
        parser->capacity = parser->capacity ? 2 * parser->capacity : 64;
        struct claims_part *grown =
            realloc(parser->parts, parser->capacity * sizeof *parser->parts);
        if (!grown)
            abort(); /* as all memory that runs out while a configuration is read */
        parser->parts = grown;
    }
    parser->parts[parser->count] = (struct claims_part){0};
    return &parser->parts[parser->count++];
}

static void end_text(struct claims_parser *parser)
{
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

/* Ends what each member or element ended with a comma.  Where the last one is
 * always there, that is settled now. */
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
    claims_add_filtered(&parser->text, part->filters, value);
}

/* A string that is more than one placeholder, or none. */
static void parse_text(struct claims_parser *parser, struct span string)
{
    size_t at = 0;
    bytes_add(&parser->text, "\"", 1);
    while (at < string.length) {
        struct claims_part part;
        struct span constant;
        if (!claims_begins_placeholder(string, at)) {
            bytes_add_json_part(&parser->text, (struct span){string.data + at, 1});
            at += claims_is_doubled_brace(string, at) ? 2 : 1;
            continue;
        }
        if (!claims_read_placeholder(parser, string, &at, &part, &constant))
            return;
        if (constant.data)
            add_constant(parser, &part, constant);
        else
            add_placeholder(parser, &part, PART_INSIDE);
    }
    bytes_add(&parser->text, "\"", 1);
}

/* A string that is one placeholder; `name` (or SPAN_NONE) is the member's, which
 * drops out with its value. */
static void parse_single(struct claims_parser *parser, struct span name,
                         const struct claims_part *part, struct span constant)
{
    size_t skip = 0;
    bool optional = !claims_always_there(part, constant);
    if (optional) {
        add_placeholder(parser, part, PART_SKIP);
        skip = parser->count;
    }
    if (name.data) {
        bytes_add_json(&parser->text, name);
        bytes_add(&parser->text, ":", 1);
    }
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
        parser->parts[skip - 1].skip = parser->count - skip;
    }
}

/* A member (or, with SPAN_NONE, an element) and the comma behind it. */
static void parse_entry(struct claims_parser *parser, struct span name, struct json_object *value)
{
    if (json_kind_of(value) == JSON_STRING) {
        struct span string = json_text(value), constant;
        struct claims_part part;
        size_t at = 0;
        if (string.length && claims_begins_placeholder(string, 0)) {
            if (!claims_read_placeholder(parser, string, &at, &part, &constant))
                return;
            if (at == string.length) {
                parse_single(parser, name, &part, constant);
                return;
            }
        }
    }
    if (name.data) {
        bytes_add_json(&parser->text, name);
        bytes_add(&parser->text, ":", 1);
    }
    parse_value(parser, value);
    bytes_add(&parser->text, ",", 1);
}

/* A step further on the way for messages; back to `length` is the caller's. */
static void step_in(struct claims_parser *parser, struct span name)
{
    bytes_addf(&parser->where, "%s%.*s", parser->where.length ? "." : "", (int)name.length,
               name.data);
}

static bool parse_member(void *context, struct span name, struct json_object *value)
{
    struct claims_parser *parser = context;
    size_t length = parser->where.length;
    bool in_scope = parser->in_scope;
    step_in(parser, name);
    parser->in_scope = in_scope || span_equal(name, span_of("scope"));
    for (size_t i = 0; i < name.length; i++)
        if (claims_begins_placeholder(name, i))
            claims_fail(parser, SPAN_NONE, "placeholders are not filled in in names");
    if (!parser->why->length)
        parse_entry(parser, name, value);
    parser->in_scope = in_scope;
    parser->where.length = length;
    return parser->why->length == 0;
}

static void parse_array(struct claims_parser *parser, struct json_object *array)
{
    size_t length = parser->where.length;
    for (size_t i = 0; i < json_length(array) && !parser->why->length; i++) {
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
    case JSON_NULL:
        bytes_add(&parser->text, "null", 4);
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

/* One of the claims of every token, as the template wants it. */
static void parse_default(struct claims_parser *parser, const struct default_claim *claim)
{
    struct json_object *value = NULL;
    enum json_kind kind =
        parser->template ? json_find(parser->template, claim->name, &value) : JSON_ABSENT;
    if (kind == JSON_ABSENT) {
        add_default(parser, claim);
    } else if (kind == JSON_NULL && claim->stays) {
        bytes_addf(parser->warning, "%s%s cannot be removed and stays",
                   parser->warning->length ? "; " : "", claim->name);
        add_default(parser, claim);
    } else if (kind == JSON_NULL) {
        return;
    } else if (claim->fixed) {
        step_in(parser, span_of(claim->name));
        claims_fail(parser, SPAN_NONE, "this claim cannot be changed");
    } else {
        parse_member(parser, span_of(claim->name), value);
    }
}

static bool parse_further(void *context, struct span name, struct json_object *value)
{
    bool known = span_equal(name, span_of("header")) || json_kind_of(value) == JSON_NULL;
    for (size_t i = 0; i < DEFAULTS; i++)
        known = known || span_equal(name, span_of(defaults[i].name));
    return known || parse_member(context, name, value);
}

const struct claims *claims_parse(struct span template, const struct claims_constants *constants,
                                  struct arena *arena, struct bytes *warning_r, struct bytes *why_r)
{
    struct claims *claims = arena_alloc(arena, sizeof *claims);
    struct claims_parser parser = {
        .constants = constants, .arena = arena, .why = why_r, .warning = warning_r};
    claims->type = "JWT";
    claims->more_header = span_of("");
    if (template.data && !(parser.template = json_parse_unique(template, why_r)))
        return NULL;
    if (parser.template)
        claims_parse_header(&parser, claims);
    bytes_add(&parser.text, "{", 1);
    for (size_t i = 0; i < DEFAULTS && !why_r->length; i++)
        parse_default(&parser, &defaults[i]);
    if (parser.template && !why_r->length)
        json_each_member(parser.template, parse_further, &parser);
    close_with(&parser, "}");
    end_text(&parser);
    struct claims_part *parts = arena_alloc(arena, (parser.count + 1) * sizeof *parts);
    memcpy(parts, parser.parts, parser.count * sizeof *parts);
    claims->parts = parts;
    claims->count = parser.count;
    json_release(parser.template);
    free(parser.parts);
    bytes_free(&parser.text);
    bytes_free(&parser.where);
    return why_r->length ? NULL : claims;
}
