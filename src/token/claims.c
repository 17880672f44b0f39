/* SPDX-License-Identifier: MIT */
#include "claims_private.h"

#include <string.h>

#define ID_MAX 128

/* ---- Filters ---- */

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static bool is_id(struct span value)
{
    for (size_t i = 0; i < value.length; i++)
        if (!is_unreserved(value.data[i]))
            return false;
    return value.length > 0 && value.length <= ID_MAX;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static void add_uri(struct bytes *out, struct span value, bool lowered)
{
    static const char hex[] = "0123456789ABCDEF";
    char *room = bytes_reserve(out, 3 * value.length);
    if (!room)
        return;
    char *at = room;
    for (size_t i = 0; i < value.length; i++) {
        char c = lowered ? lower(value.data[i]) : value.data[i];
        if (is_unreserved(c) || c == '.' || c == '~') {
            *at++ = c;
        } else {
            *at++ = '%';
            *at++ = hex[(unsigned char)c >> 4];
            *at++ = hex[(unsigned char)c & 15];
        }
    }
    out->length += (size_t)(at - room);
}

static bool add_as_json(struct bytes *out, unsigned filters, struct span value)
{
    struct bytes json = {0};
    bytes_add(&json, "\"", 1);
    bool good = claims_add_filtered(&json, filters & ~(unsigned)FILTER_JSON, value);
    bytes_add(&json, "\"", 1);
    bytes_add_json_part(out, bytes_span(&json));
    out->failed = out->failed || json.failed;
    bytes_free(&json);
    return good;
}

bool claims_add_filtered(struct bytes *out, unsigned filters, struct span value)
{
    size_t start = out->length;
    if (filters & FILTER_JSON)
        return add_as_json(out, filters, value);
    if (filters & FILTER_ID && !is_id(value))
        return false;
    if (filters & FILTER_URI) {
        add_uri(out, value, filters & FILTER_LOWER);
        return true;
    }
    bytes_add_json_part(out, value);
    if (filters & FILTER_LOWER && !out->failed)
        for (size_t i = start; i < out->length; i++) /* escapes are in small letters already */
            out->data[i] = lower(out->data[i]);
    return true;
}

/* ---- Rendering ---- */

static struct span text_of(const struct claims_part *part, const struct claims_values *values)
{
    struct span text = SPAN_NONE;
    if (part->variable < CLAIMS_TEXTS)
        text = values->texts[part->variable];
    else if (part->variable == CLAIM_ATTRIBUTE && values->member)
        text = member_attribute(values->member, part->text);
    return text.data ? text : part->fallback;
}

static bool is_number(const struct claims_part *part)
{
    return part->variable >= CLAIM_IAT && part->variable <= CLAIM_EXP;
}

/* Inside of a string.  False when a filter refuses the value. */
static bool add_inside(const struct claims_part *part, const struct claims_values *values,
                       struct bytes *out)
{
    if (is_number(part)) {
        bytes_add_number(out, values->numbers[part->variable - CLAIM_IAT]);
        return true;
    }
    struct span text = text_of(part, values);
    if (!text.data && part->filters & FILTER_JSON) {
        bytes_add(out, "null", 4);
        return true;
    }
    if (!part->filters) {
        bytes_add_json_part(out, text);
        return true;
    }
    return claims_add_filtered(out, part->filters, text);
}

static bool add_value(const struct claims_part *part, const struct claims_values *values,
                      struct bytes *out)
{
    if (is_number(part) && !part->filters)
        return add_inside(part, values, out);
    bytes_add(out, "\"", 1);
    bool good = add_inside(part, values, out);
    bytes_add(out, "\"", 1);
    return good;
}

static void close_with(struct span end, struct bytes *out)
{
    if (!out->failed && out->length && out->data[out->length - 1] == ',')
        out->length--;
    bytes_add_span(out, end);
}

const char *claims_render(const struct claims *claims, const struct claims_values *values,
                          struct bytes *out)
{
    for (size_t i = 0; i < claims->count; i++) {
        const struct claims_part *part = &claims->parts[i];
        bool good = true;
        switch (part->kind) {
        case PART_TEXT:
            bytes_add_span(out, part->text);
            break;
        case PART_VALUE:
            good = add_value(part, values, out);
            break;
        case PART_INSIDE:
            good = add_inside(part, values, out);
            break;
        case PART_SKIP:
            if (!is_number(part) && !text_of(part, values).data)
                i += part->skip;
            break;
        case PART_CLOSE:
            close_with(part->text, out);
            break;
        }
        if (!good)
            return part->written;
    }
    return NULL;
}
