/* SPDX-License-Identifier: MIT */
#include "template.h"

#include "text.h"

#include "crypto.h"

#include <string.h>

#define ID_MAX 128
#define BLANKS " \t\r\n\v\f"

/* ---- Reading ---- */

static bool begins_name(char c)
{
    return text_is_letter(c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool read_filter(struct span name, unsigned *filters)
{
    static const struct {
        const char *name;
        enum template_filter filter;
    } rows[] = {{"id", TEMPLATE_ID},         {"trim", TEMPLATE_TRIM}, {"lower", TEMPLATE_LOWER},
                {"sha256", TEMPLATE_SHA256}, {"uri", TEMPLATE_URI},   {"json", TEMPLATE_JSON}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (span_equal(name, span_of(rows[i].name))) {
            *filters |= rows[i].filter;
            return true;
        }
    return false;
}

static enum template_step read_placeholder(struct span *rest, struct template_part *part,
                                           struct reason *why)
{
    const char *end = memchr(rest->data, '}', rest->length);
    if (!end) {
        reason_set(why, "%.*s has no closing brace", (int)rest->length, rest->data);
        return TEMPLATE_FAULT;
    }
    part->written = (struct span){rest->data, (size_t)(end - rest->data) + 1};
    const char *begin = rest->data + 1;
    const char *bar = memchr(begin, '|', (size_t)(end - begin));
    part->text = (struct span){begin, (size_t)((bar ? bar : end) - begin)};
    while (bar) {
        const char *filter = bar + 1;
        if (filter < end && *filter == '=') { /* its text may have bars in it */
            part->fallback = (struct span){filter + 1, (size_t)(end - filter - 1)};
            break;
        }
        bar = memchr(filter, '|', (size_t)(end - filter));
        struct span name = {filter, (size_t)((bar ? bar : end) - filter)};
        if (!read_filter(name, &part->filters)) {
            reason_set(why,
                       "%.*s: \"%.*s\" is not a filter (the filters are: trim, lower, sha256, id, "
                       "uri, json, =TEXT)",
                       (int)part->written.length, part->written.data, (int)name.length, name.data);
            return TEMPLATE_FAULT;
        }
    }
    rest->data += part->written.length;
    rest->length -= part->written.length;
    return TEMPLATE_PLACEHOLDER;
}

enum template_step template_next(struct span *rest, struct template_part *part_r,
                                 struct reason *why)
{
    *part_r = (struct template_part){0};
    if (rest->length == 0)
        return TEMPLATE_END;
    if (rest->length > 1 && rest->data[0] == '{' && begins_name(rest->data[1]))
        return read_placeholder(rest, part_r, why);
    size_t length = 0, behind = 0; /* the text, and where the next part begins */
    while (length < rest->length && behind == length) {
        char next = length + 1 < rest->length ? rest->data[length + 1] : '\0';
        if (rest->data[length] == '{' && begins_name(next))
            break;
        behind = length + (rest->data[length] == '{' && next == '{' ? 2 : 1);
        length++;
    }
    part_r->text = (struct span){rest->data, length};
    rest->data += behind;
    rest->length -= behind;
    return TEMPLATE_TEXT;
}

bool template_parse(struct span text, struct arena *arena, struct template *template_r,
                    struct reason *why)
{
    struct template_part part;
    struct span rest = text;
    enum template_step step;
    *template_r = (struct template){0};
    while ((step = template_next(&rest, &part, why)) != TEMPLATE_END) {
        if (step == TEMPLATE_FAULT)
            return false;
        template_r->count++;
    }
    template_r->parts = arena_alloc(arena, (template_r->count + 1) * sizeof part);
    if (!template_r->parts) {
        reason_set(why, "out of memory");
        return false;
    }
    rest = text;
    for (size_t i = 0; i < template_r->count; i++)
        template_next(&rest, &template_r->parts[i], why);
    return true;
}

/* ---- Filters ---- */

static bool is_word(char c)
{
    return text_is_letter(c) || text_is_digit(c) || c == '-' || c == '_';
}

static bool is_id(struct span value)
{
    for (size_t i = 0; i < value.length; i++)
        if (!is_word(value.data[i]))
            return false;
    return value.length > 0 && value.length <= ID_MAX;
}

static void lower_from(struct bytes *out, size_t start)
{
    for (size_t i = start; i < out->length; i++)
        out->data[i] = text_lower(out->data[i]);
}

/* What two further filters follow, or a digest: it needs a place of its own. */
static bool add_by_steps(struct bytes *out, unsigned filters, struct span value)
{
    struct bytes step = {0};
    bool good = true;
    if (filters & TEMPLATE_JSON) {
        bytes_add(&step, "\"", 1);
        good =
            template_add(&step, (filters & ~(unsigned)TEMPLATE_JSON) | TEMPLATE_IN_STRING, value);
        bytes_add(&step, "\"", 1);
        filters &= TEMPLATE_IN_STRING;
    } else {
        uint8_t digest[SHA256_LENGTH];
        template_add(&step, filters & (TEMPLATE_TRIM | TEMPLATE_LOWER), value);
        crypto_sha256(bytes_span(&step), digest);
        bytes_reset(&step);
        bytes_add_hex(&step, (struct span){(const char *)digest, sizeof digest});
        filters &= ~(unsigned)(TEMPLATE_TRIM | TEMPLATE_LOWER | TEMPLATE_SHA256);
    }
    if (step.failed)
        out->failed = true;
    else if (good)
        good = template_add(out, filters, bytes_span(&step));
    bytes_free(&step);
    return good;
}

bool template_add(struct bytes *out, unsigned filters, struct span value)
{
    if (!value.data && filters & TEMPLATE_JSON) {
        bytes_add(out, "null", 4);
        return true;
    }
    if (!value.data)
        filters &= ~(unsigned)TEMPLATE_SHA256; /* no value is an empty text, and not its digest */
    if (filters & (TEMPLATE_JSON | TEMPLATE_SHA256))
        return add_by_steps(out, filters, value);
    if (filters & TEMPLATE_TRIM)
        value = span_trim(value, BLANKS);
    if (filters & TEMPLATE_ID && !is_id(value))
        return false;
    size_t start = out->length;
    if (filters & TEMPLATE_URI && filters & TEMPLATE_LOWER)
        for (size_t i = 0; i < value.length; i++) {
            char c = text_lower(value.data[i]);
            bytes_add_percent(out, (struct span){&c, 1});
        }
    else if (filters & TEMPLATE_URI)
        bytes_add_percent(out, value);
    else if (filters & TEMPLATE_IN_STRING)
        bytes_add_json_part(out, value); /* its escapes are in lower case already */
    else
        bytes_add_span(out, value);
    if (filters & TEMPLATE_LOWER && !(filters & TEMPLATE_URI))
        lower_from(out, start);
    return true;
}

/* ---- Rendering ---- */

enum template_result template_render(const struct template *template,
                                     struct span (*find)(void *context,
                                                         const struct template_part *part),
                                     void *context, struct bytes *out,
                                     const struct template_part **part_r)
{
    for (size_t i = 0; i < template->count; i++) {
        const struct template_part *part = &template->parts[i];
        if (!part->written.data) {
            bytes_add_span(out, part->text);
            continue;
        }
        if (part_r)
            *part_r = part;
        struct span value = find(context, part);
        if (!value.data)
            value = part->fallback;
        if (!value.data && !(part->filters & TEMPLATE_JSON))
            return TEMPLATE_NO_VALUE;
        if (!template_add(out, part->filters, value))
            return TEMPLATE_REFUSED;
    }
    return TEMPLATE_FILLED;
}
