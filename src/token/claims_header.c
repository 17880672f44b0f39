/* SPDX-License-Identifier: MIT
 * What a template says of the header of tokens. */
#include "claims_parser.h"

struct header {
    struct claims_parser *parser;
    struct bytes more;
    struct claims *claims;
};

/* RFC 7515, section 4.1: what says how the token is signed is not the template's. */
static bool take_member(void *context, struct span name, struct json_object *value)
{
    static const char *const reserved[] = {"alg", "kid", "crit", "b64",      "jwk", "jku",
                                           "x5u", "x5c", "x5t",  "x5t#S256", "enc", "zip"};
    struct header *header = context;
    struct claims_parser *parser = header->parser;
    enum json_kind kind = json_kind_of(value);
    struct span text = kind == JSON_STRING ? json_text(value) : SPAN_NONE;
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (span_equal(name, span_of(reserved[i])))
            claims_fail(parser, name, " cannot be set by a template");
    for (size_t i = 0; i < text.length; i++)
        if (claims_begins_placeholder(text, i))
            claims_fail(parser, name, ": placeholders are not filled in in the header");
    if (kind == JSON_OBJECT || kind == JSON_ARRAY)
        claims_fail(parser, name, " must be a string, a number, true, false or null");
    if (span_equal(name, span_of("typ"))) {
        if (kind != JSON_STRING && kind != JSON_NULL)
            claims_fail(parser, name, " must be a string or null");
        header->claims->type = text.data ? arena_string(parser->arena, text) : NULL;
    } else if (kind != JSON_NULL) {
        bytes_add(&header->more, ",", 1);
        bytes_add_json(&header->more, name);
        bytes_add(&header->more, ":", 1);
        if (kind == JSON_STRING)
            bytes_add_json(&header->more, text);
        else
            json_write_scalar(&header->more, value);
    }
    return parser->why->length == 0;
}

void claims_parse_header(struct claims_parser *parser, struct claims *claims)
{
    struct header header = {.parser = parser, .claims = claims};
    struct json_object *value;
    enum json_kind kind = json_find(parser->template, "header", &value);
    bytes_add_string(&parser->where, "header");
    if (kind == JSON_OBJECT)
        json_each_member(value, take_member, &header);
    else if (kind != JSON_ABSENT)
        claims_fail(parser, SPAN_NONE, "must be an object");
    claims->more_header = claims_keep(parser, bytes_span(&header.more));
    bytes_free(&header.more);
    bytes_reset(&parser->where);
}
