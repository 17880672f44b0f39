/* SPDX-License-Identifier: MIT */
#include "member.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_FAULT " is not UTF-8 without control characters"

static const struct {
    size_t max;
    const char *too_long, *not_text;
} limits[] = {
    [MEMBERCHAT_ID] = {MEMBERCHAT_ID_MAX, "the id is longer than 128 bytes", "the id" TEXT_FAULT},
    [MEMBERCHAT_NAME] = {MEMBERCHAT_NAME_MAX, "the name is longer than 256 bytes",
                         "the name" TEXT_FAULT},
    [MEMBERCHAT_AVATAR] = {MEMBERCHAT_AVATAR_MAX, "the avatar URL is longer than 2048 bytes",
                           "the avatar URL" TEXT_FAULT},
    [MEMBERCHAT_ROLE] = {MEMBERCHAT_ROLE_MAX, "the role is longer than 64 bytes",
                         "the role" TEXT_FAULT},
};

/* A member that memory did not suffice for has no values. */
static struct span range_span(const struct member *member, struct member_range range)
{
    return range.length && !member->bytes.failed
               ? (struct span){member->bytes.data + range.offset, range.length}
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

struct span member_next_value(const struct member *member, struct span name, size_t *index_r)
{
    while (*index_r < member->attribute_count) {
        size_t i = (*index_r)++;
        if (span_equal(member_attribute_name(member, i), name))
            return member_attribute_value(member, i);
    }
    return SPAN_NONE;
}

bool member_has_several(const struct member *member, struct span name)
{
    size_t index = 0;
    return member_next_value(member, name, &index).data &&
           member_next_value(member, name, &index).data;
}

struct span member_attribute(const struct member *member, struct span name)
{
    size_t index = 0;
    return member_next_value(member, name, &index);
}

/* Line ends and tabs at the end of a value are leftovers of an export or a form. */
static struct span without_line_end(struct span value)
{
    while (value.length && memchr("\r\n\t", value.data[value.length - 1], 3))
        value.length--;
    return value;
}

/* As many whole characters as fit. */
static struct span cut(struct span text, size_t most)
{
    size_t length = 0, next;
    while ((next = text_utf8_sequence((struct span){text.data + length, text.length - length})) &&
           length + next <= most)
        length += next;
    return (struct span){text.data, length};
}

enum member_set member_set(struct member *member, enum memberchat_field field, struct span value,
                           const char **what_r)
{
    enum member_set verdict = MEMBER_SET;
    if (field < MEMBERCHAT_ID || field > MEMBERCHAT_ROLE) {
        *what_r = "a field was set that does not exist";
        return MEMBER_NONSENSE;
    }
    if (field != MEMBERCHAT_ID)
        value = without_line_end(value);
    if (!text_is_plain(value)) {
        *what_r = limits[field].not_text;
        verdict = MEMBER_UNUSABLE;
        value = SPAN_NONE;
    } else if (value.length > limits[field].max) {
        *what_r = limits[field].too_long;
        verdict = MEMBER_UNUSABLE;
        value = field == MEMBERCHAT_NAME ? cut(value, limits[field].max) : SPAN_NONE;
    }
    member->fields[field] = add_bytes(member, value);
    return member->bytes.failed ? MEMBER_NO_MEMORY : verdict;
}

/* NULL: nothing is wrong with it. */
static const char *attribute_fault(struct span name, struct span value)
{
    if (name.length == 0 || name.length > MEMBERCHAT_ATTRIBUTE_NAME_MAX || !text_is_plain(name))
        return "the name of an attribute is empty, longer than 64 bytes, or not plain text";
    if (value.length > MEMBERCHAT_ATTRIBUTE_VALUE_MAX)
        return "a value of an attribute is longer than 4096 bytes";
    return text_is_plain(value) ? NULL : "a value of an attribute" TEXT_FAULT;
}

static bool grow(struct member *member)
{
    if (member->attribute_count < member->attribute_capacity)
        return true;
    size_t capacity = 2 * member->attribute_capacity + 8;
    void *grown = realloc(member->attributes, capacity * sizeof *member->attributes);
    if (!grown)
        return false;
    member->attributes = grown;
    member->attribute_capacity = capacity;
    return true;
}

/* Where the name of an attribute is already; most often it is the last one's. */
static const struct member_range *find_name(const struct member *member, struct span name)
{
    for (size_t i = member->attribute_count; i > 0; i--)
        if (span_equal(member_attribute_name(member, i - 1), name))
            return &member->attributes[i - 1][0];
    return NULL;
}

enum member_set member_add_attribute(struct member *member, struct span name, struct span value,
                                     const char **what_r)
{
    value = without_line_end(value);
    *what_r = attribute_fault(name, value);
    if (*what_r)
        return MEMBER_UNUSABLE;
    if (value.length == 0)
        return MEMBER_SET;
    const struct member_range *known = find_name(member, name);
    if (!known && member->name_count == MEMBERCHAT_ATTRIBUTES_MAX) {
        *what_r = "there are more than 32 attributes";
        return MEMBER_UNUSABLE;
    }
    if (member->attribute_count == MEMBERCHAT_VALUES_MAX) {
        *what_r = "the attributes have more than 1024 values";
        return MEMBER_UNUSABLE;
    }
    struct member_range own = known ? *known : add_bytes(member, name);
    if (!grow(member))
        return MEMBER_NO_MEMORY;
    member->name_count += !known;
    struct member_range *pair = member->attributes[member->attribute_count++];
    pair[0] = own;
    pair[1] = add_bytes(member, value);
    return member->bytes.failed ? MEMBER_NO_MEMORY : MEMBER_SET;
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
    to->name_count = from->name_count;
    return !to->bytes.failed;
}

void member_reset(struct member *member)
{
    bytes_reset(&member->bytes);
    memset(member->fields, 0, sizeof member->fields);
    member->attribute_count = member->name_count = 0;
}

void member_free(struct member *member)
{
    bytes_free(&member->bytes);
    free(member->attributes);
    *member = (struct member){0};
}
