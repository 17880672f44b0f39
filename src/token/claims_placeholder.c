/* SPDX-License-Identifier: MIT
 * Placeholders of a template: which there are, and where they may stand. */
#include "claims_parser.h"

#include <string.h>

#define ATTRIBUTE_PREFIX "attr."

static const struct {
    const char *name;
    enum claims_variable variable;
    bool of_a_person; /* may be anything that somebody chose */
    bool always;      /* there is always a value */
} variables[] = {
    {"userId", CLAIM_USER_ID, true, true},
    {"userName", CLAIM_USER_NAME, true, false},
    {"avatarProfileUrl", CLAIM_AVATAR, true, false},
    {"role", CLAIM_ROLE, true, true},
    {"iat", CLAIM_IAT, false, true},
    {"exp", CLAIM_EXP, false, true},
    {"jti", CLAIM_JTI, false, true},
};

struct span claims_keep(struct claims_parser *parser, struct span text)
{
    return (struct span){arena_string(parser->arena, text), text.length};
}

void claims_fail(struct claims_parser *parser, struct span detail, const char *reason)
{
    if (!parser->why->length)
        bytes_addf(parser->why, "%s: %.*s%s",
                   parser->where.length ? bytes_string(&parser->where) : "the template",
                   (int)detail.length, detail.data ? detail.data : "", reason);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool claims_begins_placeholder(struct span text, size_t at)
{
    return text.data[at] == '{' && at + 1 < text.length && is_letter(text.data[at + 1]);
}

bool claims_is_doubled_brace(struct span text, size_t at)
{
    return text.data[at] == '{' && at + 1 < text.length && text.data[at + 1] == '{';
}

static bool take_filter(struct claims_parser *parser, struct span name, struct claims_part *part)
{
    static const struct {
        const char *name;
        unsigned filter;
    } filters[] = {
        {"id", FILTER_ID}, {"lower", FILTER_LOWER}, {"uri", FILTER_URI}, {"json", FILTER_JSON}};
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
        if (span_equal(name, span_of(filters[i].name))) {
            part->filters |= filters[i].filter;
            return true;
        }
    claims_fail(parser, name, " is no filter (there are: id, uri, lower, json, =TEXT)");
    return false;
}

/* Sets the variable; *constant_r is the value of one that is always the same. */
static bool take_variable(struct claims_parser *parser, struct span name, struct claims_part *part,
                          bool *of_a_person_r, struct span *constant_r)
{
    size_t prefix = sizeof ATTRIBUTE_PREFIX - 1;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (span_equal(name, span_of(variables[i].name))) {
            part->variable = variables[i].variable;
            *of_a_person_r = variables[i].of_a_person;
            return true;
        }
    if (span_equal(name, span_of("appId"))) {
        *constant_r = span_of(parser->constants->app_id);
        return true;
    }
    if (name.length > prefix && name.length <= prefix + MEMBERCHAT_ATTRIBUTE_NAME_MAX &&
        memcmp(name.data, ATTRIBUTE_PREFIX, prefix) == 0) {
        part->variable = CLAIM_ATTRIBUTE;
        part->text = claims_keep(parser, (struct span){name.data + prefix, name.length - prefix});
        *of_a_person_r = true;
        return true;
    }
    claims_fail(
        parser, name,
        " is no placeholder (there are: userId, userName, avatarProfileUrl, appId, role, iat, exp, "
        "jti, attr.NAME)");
    return false;
}

/* Whether the person's value could reach further than the template means. */
static bool is_dangerous(const struct claims_parser *parser, struct span string)
{
    return parser->in_scope || memchr(string.data, '*', string.length) ||
           memchr(string.data, '#', string.length);
}

bool claims_read_placeholder(struct claims_parser *parser, struct span string, size_t *at,
                             struct claims_part *part_r, struct span *constant_r)
{
    const char *begin = string.data + *at + 1;
    const char *end = memchr(begin, '}', string.length - *at - 1);
    bool of_a_person = false;
    struct bytes tried = {0};
    *part_r = (struct claims_part){0};
    *constant_r = SPAN_NONE;
    if (!end) {
        claims_fail(parser, (struct span){begin - 1, string.length - *at}, " has no closing brace");
        return false;
    }
    const char *bar = memchr(begin, '|', (size_t)(end - begin));
    const char *name_end = bar ? bar : end;
    if (!take_variable(parser, (struct span){begin, (size_t)(name_end - begin)}, part_r,
                       &of_a_person, constant_r))
        return false;
    while (bar) {
        const char *filter = bar + 1, *next = NULL;
        if (filter < end && *filter == '=') { /* its text may have bars in it */
            part_r->fallback =
                claims_keep(parser, (struct span){filter + 1, (size_t)(end - filter - 1)});
            break;
        }
        next = memchr(filter, '|', (size_t)(end - filter));
        if (!take_filter(parser, (struct span){filter, (size_t)((next ? next : end) - filter)},
                         part_r))
            return false;
        bar = next;
    }
    struct span written = {begin - 1, (size_t)(end - begin) + 2};
    part_r->written = arena_string(parser->arena, written);
    *at += written.length;
    if (of_a_person && !(part_r->filters & FILTER_ID) && is_dangerous(parser, string))
        claims_fail(
            parser, written,
            " needs the filter \"id\" here, in a scope or beside * or #: without it a well-chosen "
            "id could widen what the token grants");
    struct span fixed = constant_r->data ? *constant_r : part_r->fallback;
    if (fixed.data && !claims_add_filtered(&tried, part_r->filters, fixed))
        claims_fail(parser, written,
                    ": its filter \"id\" refuses what it would always be, or be by default");
    bytes_free(&tried);
    return parser->why->length == 0;
}

bool claims_always_there(const struct claims_part *part, struct span constant)
{
    if (constant.data || part->fallback.data)
        return true;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (variables[i].variable == part->variable)
            return variables[i].always;
    return false;
}
