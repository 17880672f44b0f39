/* SPDX-License-Identifier: MIT
 * A member as a directory describes it: bounded, checked text. */
#ifndef MEMBER_H
#define MEMBER_H

#include "memberchat_store.h"
#include "base/bytes.h"

struct member_range {
    size_t offset, length;
};

/* Owns its bytes; zero-initialised is empty.  One thread at a time. */
struct member {
    struct bytes bytes;
    struct member_range fields[MEMBERCHAT_ROLE + 1];
    struct member_range (*attributes)[2]; /* name and value; a name may be there again */
    size_t attribute_count, attribute_capacity, name_count;
};

/* SPAN_NONE for a field that was not set.  Valid until the member changes. */
struct span member_field(const struct member *member, enum memberchat_field field);

/* The first value of an attribute, SPAN_NONE when there is none. */
struct span member_attribute(const struct member *member, struct span name);

/* Each of its values in turn: *index_r begins as 0. */
struct span member_next_value(const struct member *member, struct span name, size_t *index_r);

bool member_has_several(const struct member *member, struct span name);
struct span member_attribute_name(const struct member *member, size_t index);
struct span member_attribute_value(const struct member *member, size_t index);

enum member_set {
    MEMBER_SET,
    MEMBER_UNUSABLE, /* left out, or for a name: cut */
    MEMBER_NONSENSE,
    MEMBER_NO_MEMORY
};

/* Set by copying, without line ends and tabs at the end.  An empty value unsets a field and
 * adds no attribute.  *what_r says what is wrong, in words: "the name is too long". */
enum member_set member_set(struct member *member, enum memberchat_field field, struct span value,
                           const char **what_r);
enum member_set member_add_attribute(struct member *member, struct span name, struct span value,
                                     const char **what_r);

bool member_copy(struct member *to, const struct member *from); /* false: no memory */
void member_reset(struct member *member);                       /* empty, memory kept */
void member_free(struct member *member);

#endif
