/* SPDX-License-Identifier: MIT
 * Placeholders of a template: which there are, and where they may stand. */
#include "claims_parser.h"

#include <string.h>
#include <strings.h>

#define ATTRIBUTE_PREFIX "attr."

static const struct {
    const char *name;
    enum claims_variable variable;
    bool of_a_person; /* may be anything that a user chose */
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
    const char *copy = arena_string(parser->arena, text);
    if (copy)
        return (struct span){copy, text.length};
    claims_fail_memory(parser);
    return span_of("");
}

bool claims_fail(struct claims_parser *parser, struct span detail, const char *reason)
{
    if (!parser->failed)
        reason_set(&parser->report->why, "%s: %.*s%s",
                   parser->where.length ? bytes_string(&parser->where) : "the template",
                   (int)detail.length, detail.data ? detail.data : "", reason);
    parser->failed = true;
    return false;
}

bool claims_fail_memory(struct claims_parser *parser)
{
    if (!parser->failed)
        reason_set(&parser->report->why, "out of memory");
    parser->failed = true;
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
            parser->names_user = parser->names_user || part->variable == CLAIM_USER_ID;
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
        return !parser->failed;
    }
    return claims_fail(parser, name,
                       " is not a placeholder (the placeholders are: userId, userName, "
                       "avatarProfileUrl, appId, role, iat, exp, jti, attr.NAME)");
}

/* Whether a value that a person chose could widen here what the token grants: beside the wildcards
 * of AMQP, MQTT and NATS, or in a claim that lists rights. */
static bool is_dangerous(const struct claims_parser *parser, struct span string)
{
    static const char wildcards[] = "*#+>";
    for (size_t i = 0; i < string.length; i++)
        if (memchr(wildcards, string.data[i], sizeof wildcards - 1))
            return true;
    return parser->in_grant;
}

static bool check_fixed(struct claims_parser *parser, const struct template_part *placeholder,
                        struct span fixed)
{
    struct bytes tried = {0};
    bool taken = !fixed.data || template_add(&tried, placeholder->filters, fixed);
    bool failed = tried.failed;
    bytes_free(&tried);
    if (failed)
        return claims_fail_memory(parser);
    if (!taken)
        return claims_fail(parser, placeholder->written,
                           ": its filter \"id\" refuses its value, or its default");
    return true;
}

bool claims_take_placeholder(struct claims_parser *parser, const struct template_part *placeholder,
                             struct span string, struct claims_part *part_r,
                             struct span *constant_r)
{
    bool of_a_person = false, safe = placeholder->filters & (TEMPLATE_ID | TEMPLATE_SHA256);
    *part_r = (struct claims_part){.filters = placeholder->filters};
    *constant_r = SPAN_NONE;
    if (!take_variable(parser, placeholder->text, part_r, &of_a_person, constant_r))
        return false;
    part_r->written = claims_keep(parser, placeholder->written);
    if (placeholder->fallback.data)
        part_r->fallback = claims_keep(parser, placeholder->fallback);
    if (of_a_person && !safe && is_dangerous(parser, string))
        return claims_fail(parser, placeholder->written,
                           " needs the filter \"id\" here, in a claim that grants rights or beside "
                           "*, #, + or >: without it a well-chosen id could widen what the token "
                           "grants");
    return check_fixed(parser, placeholder, constant_r->data ? *constant_r : part_r->fallback) &&
           !parser->failed;
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

bool claims_has_placeholder(struct span string)
{
    struct template_part part;
    struct reason ignored;
    enum template_step step;
    while ((step = template_next(&string, &part, &ignored)) == TEMPLATE_TEXT)
        ;
    return step != TEMPLATE_END;
}

/* Where `text` is in a string, without regard to case; NULL: it is not there. */
static const char *find_text(const char *string, struct span text)
{
    for (const char *at = string; strlen(at) >= text.length; at++)
        if (strncasecmp(at, text.data, text.length) == 0)
            return at;
    return NULL;
}

/* It can if its texts are in "guest", in their order, and a person's values may be between them.
 * {role} alone cannot: a member never has the role of guests. */
bool claims_can_be_guest(const struct claims_parser *parser, struct span string)
{
    const char *rest = CLAIMS_ROLE_GUEST;
    struct template_part part;
    struct reason ignored;
    enum template_step step;
    size_t length = 0, values = 0, roles = 0;
    while ((step = template_next(&string, &part, &ignored)) != TEMPLATE_END) {
        struct span text = part.text;
        if (step == TEMPLATE_FAULT)
            return false; /* it is refused anyway */
        if (step == TEMPLATE_PLACEHOLDER && span_equal(text, span_of("appId"))) {
            text = span_of(parser->constants->app_id);
        } else if (step == TEMPLATE_PLACEHOLDER) {
            values++;
            roles += span_equal(text, span_of("role"));
            continue;
        }
        const char *found = find_text(rest, text);
        if (!found)
            return false;
        rest = found + text.length;
        length += text.length;
    }
    if (values == 0)
        return length == sizeof CLAIMS_ROLE_GUEST - 1;
    return values > 1 || roles == 0 || length > 0;
}
