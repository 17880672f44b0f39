/* SPDX-License-Identifier: MIT */
#include "member.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    size_t max;
    const char *too_long, *not_text;
} limits[] = {
    [MEMBERCHAT_ID] = {MEMBERCHAT_ID_MAX, "the id is longer than 128 bytes",
                       "the id is not UTF-8 without control characters"},
    [MEMBERCHAT_NAME] = {MEMBERCHAT_NAME_MAX, "the name is longer than 256 bytes",
                         "the name is not UTF-8 without control characters"},
    [MEMBERCHAT_AVATAR] = {MEMBERCHAT_AVATAR_MAX, "the avatar URL is longer than 2048 bytes",
                           "the avatar URL is not UTF-8 without control characters"},
    [MEMBERCHAT_ROLE] = {MEMBERCHAT_ROLE_MAX, "the role is longer than 64 bytes",
                         "the role is not UTF-8 without control characters"},
};

static struct span range_span(const struct member *member, struct member_range range)
{
    return range.length ? (struct span){member->bytes.data + range.offset, range.length}
                        : SPAN_NONE;
}

static struct member_range add_bytes(struct member *member, struct span value)
{
    struct member_range range = {member->bytes.length, value.length};
    bytes_add_span(&member->bytes, value);
    return range;
}

struct span member_field(const struct member *member, enum memberchat_field field)
{
    return range_span(member, member->fields[field]);
}

struct span member_attribute_name(const struct member *member, size_t index)
{
    return range_span(member, member->attributes[index][0]);
}

struct span member_attribute_value(const struct member *member, size_t index)
{
    return range_span(member, member->attributes[index][1]);
}

struct span member_attribute(const struct member *member, struct span name)
{
    for (size_t i = 0; i < member->attribute_count; i++)
        if (span_equal(member_attribute_name(member, i), name))
            return member_attribute_value(member, i);
    return SPAN_NONE;
}

const char *member_set(struct member *member, enum memberchat_field field, struct span value)
{
    if (field < MEMBERCHAT_ID || field > MEMBERCHAT_ROLE)
        return "a field was set that does not exist";
    if (value.length > limits[field].max)
        return limits[field].too_long;
    if (!text_is_plain(value))
        return limits[field].not_text;
    member->fields[field] = add_bytes(member, value);
    return member->bytes.failed ? "out of memory" : NULL;
}

const char *member_add_attribute(struct member *member, struct span name, struct span value)
{
    if (name.length == 0 || name.length > MEMBERCHAT_ATTRIBUTE_NAME_MAX || !text_is_plain(name))
        return "an attribute's name is empty, longer than 64 bytes or not plain text";
    if (value.length > MEMBERCHAT_ATTRIBUTE_VALUE_MAX || !text_is_plain(value))
        return "an attribute's value is longer than 4096 bytes or not plain text";
    if (value.length == 0)
        return NULL;
    if (member->attribute_count == MEMBERCHAT_ATTRIBUTES_MAX)
        return "there are more than 32 attributes";
    if (member->attribute_count == member->attribute_capacity) {
        size_t capacity = member->attribute_capacity + 8;
        void *grown = realloc(member->attributes, capacity * sizeof *member->attributes);
        if (!grown)
            return "out of memory";
        member->attributes = grown;
        member->attribute_capacity = capacity;
    }
    struct member_range *pair = member->attributes[member->attribute_count++];
    pair[0] = add_bytes(member, name);
    pair[1] = add_bytes(member, value);
    return member->bytes.failed ? "out of memory" : NULL;
}

bool member_copy(struct member *to, const struct member *from)
{
    member_reset(to);
    bytes_copy(&to->bytes, bytes_span(&from->bytes));
    if (from->attribute_count > to->attribute_capacity) {
        void *grown = realloc(to->attributes, from->attribute_count * sizeof *to->attributes);
        if (!grown)
            return false;
        to->attributes = grown;
        to->attribute_capacity = from->attribute_count;
    }
    memcpy(to->fields, from->fields, sizeof to->fields);
    if (from->attribute_count)
        memcpy(to->attributes, from->attributes, from->attribute_count * sizeof *to->attributes);
    to->attribute_count = from->attribute_count;
    return !to->bytes.failed;
}

void member_reset(struct member *member)
{
    bytes_reset(&member->bytes);
    memset(member->fields, 0, sizeof member->fields);
    member->attribute_count = 0;
}

void member_free(struct member *member)
{
    bytes_free(&member->bytes);
    free(member->attributes);
    *member = (struct member){0};
}
