/* SPDX-License-Identifier: MIT
 * What a template says of the header of tokens. */
#include "claims_parser.h"

/* RFC 7515, section 4.1: how the token is signed is not the template's to say. */
static bool is_reserved(struct span name)
{
    static const char *const reserved[] = {"alg", "kid", "crit",     "b64", "jwk", "jku", "x5u",
                                           "x5c", "x5t", "x5t#S256", "enc", "zip", NULL};
    return span_is_one_of(name, reserved);
}

static bool check_member(struct claims_parser *parser, struct span name, struct json_object *value)
{
    enum json_kind kind = json_kind_of(value);
    if (is_reserved(name))
        return claims_fail(parser, name, " cannot be set by a template");
    if (kind == JSON_STRING && claims_has_placeholder(json_text(value)))
        return claims_fail(parser, name, ": placeholders are not filled in in the header");
    if (kind == JSON_OBJECT || kind == JSON_ARRAY)
        return claims_fail(parser, name, " must be a string, a number, true, false or null");
    if (span_equal(name, span_of("typ")) && kind != JSON_STRING && kind != JSON_NULL)
        return claims_fail(parser, name, " must be a string or null");
    return true;
}

struct header {
    struct claims_parser *parser;
    struct claims *claims;
    struct bytes more;
};

static bool take_member(void *context, struct span name, struct json_object *value)
{
    struct header *header = context;
    enum json_kind kind = json_kind_of(value);
    if (!check_member(header->parser, name, value))
        return false;
    if (span_equal(name, span_of("typ"))) {
        header->claims->type =
            kind == JSON_STRING ? claims_keep(header->parser, json_text(value)).data : NULL;
    } else if (kind != JSON_NULL) {
        bytes_add(&header->more, ",", 1);
        bytes_add_json(&header->more, name);
        bytes_add(&header->more, ":", 1);
        if (kind == JSON_STRING)
            bytes_add_json(&header->more, json_text(value));
        else
            json_write_scalar(&header->more, value);
    }
    return true;
}

bool claims_parse_header(struct claims_parser *parser, struct claims *claims)
{
    struct header header = {.parser = parser, .claims = claims};
    struct json_object *value;
    enum json_kind kind = json_find(parser->root, "header", &value);
    bytes_add_string(&parser->where, "header");
    if (kind == JSON_OBJECT)
        json_each_member(value, take_member, &header);
    else if (kind != JSON_ABSENT)
        claims_fail(parser, SPAN_NONE, "must be an object");
    if (header.more.failed)
        claims_fail_memory(parser);
    claims->more_header = claims_keep(parser, bytes_span(&header.more));
    bytes_free(&header.more);
    bytes_reset(&parser->where);
    return !parser->failed;
}
