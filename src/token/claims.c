/* SPDX-License-Identifier: MIT */
#include "claims_private.h"

static struct span text_of(const struct claims_part *part, const struct claims_values *values)
{
    struct span text = SPAN_NONE;
    if (part->variable < CLAIMS_TEXTS)
        text = values->texts[part->variable];
    else if (values->member)
        text = member_attribute(values->member, part->text);
    return text.data ? text : part->fallback;
}

static bool is_number(const struct claims_part *part)
{
    return part->variable >= CLAIM_IAT && part->variable <= CLAIM_EXP;
}

/* Inside a string.  False when a filter refuses the value. */
static bool add_inside(const struct claims_part *part, const struct claims_values *values,
                       struct bytes *out)
{
    if (is_number(part)) {
        bytes_add_number(out, values->numbers[part->variable - CLAIM_IAT]);
        return true;
    }
    return template_add(out, part->filters | TEMPLATE_IN_STRING, text_of(part, values));
}

static bool add_string(unsigned filters, struct span text, struct bytes *out)
{
    bytes_add(out, "\"", 1);
    bool good = template_add(out, filters | TEMPLATE_IN_STRING, text);
    bytes_add(out, "\"", 1);
    return good;
}

static bool add_array(const struct claims_part *part, const struct member *member,
                      struct bytes *out)
{
    char before = '[';
    bool good = true;
    size_t index = 0;
    struct span value;
    while (good && (value = member_next_value(member, part->text, &index)).data) {
        bytes_add(out, &before, 1);
        good = add_string(part->filters, value, out);
        before = ',';
    }
    bytes_add(out, "]", 1);
    return good;
}

static bool add_value(const struct claims_part *part, const struct claims_values *values,
                      struct bytes *out)
{
    if (part->variable == CLAIM_ATTRIBUTE && values->member &&
        member_has_several(values->member, part->text))
        return add_array(part, values->member, out);
    if (is_number(part) && !part->filters)
        return add_inside(part, values, out);
    if (is_number(part)) {
        bytes_add(out, "\"", 1);
        add_inside(part, values, out);
        bytes_add(out, "\"", 1);
        return true;
    }
    return add_string(part->filters, text_of(part, values), out);
}

static void close_with(struct span end, struct bytes *out)
{
    if (!out->failed && out->data[out->length - 1] == ',')
        out->length--;
    bytes_add_span(out, end);
}

bool claims_render(const struct claims *claims, const struct claims_values *values,
                   struct bytes *out, struct span *refused_r)
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
        if (!good) {
            *refused_r = part->written;
            return false;
        }
    }
    return true;
}

struct span claims_next_attribute(const struct claims *claims, size_t *index_r)
{
    while (*index_r < claims->count) {
        const struct claims_part *part = &claims->parts[(*index_r)++];
        if (part->kind != PART_TEXT && part->kind != PART_CLOSE &&
            part->variable == CLAIM_ATTRIBUTE)
            return part->text;
    }
    return SPAN_NONE;
}
