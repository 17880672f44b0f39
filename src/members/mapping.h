/* SPDX-License-Identifier: MIT
 * From what a directory says to what a member is called here: the group `member` of a store.
 * The same for every store.  Made once, in an arena; then it never changes. */
#ifndef MAPPING_H
#define MAPPING_H

#include "base/template.h"
#include "member.h"

struct mapping {
    struct mapping_step *steps; /* what happens to an id before it is asked for */
    size_t step_count;
    struct template *names; /* the first counts whose placeholders all have a value */
    size_t name_count;
    struct template *avatar, *role; /* or NULL */
    struct mapping_test *tests;     /* the first that fits gives the role */
    size_t test_count;
};

/* One of the things to be done to an id: "trim", "lower", "before X", "after X", "append X".
 * False: with a reason. */
bool mapping_add_step(struct mapping *mapping, const char *text, struct arena *arena,
                      struct reason *why);

/* The texts of templates and tests are borrowed. */
bool mapping_add_name(struct mapping *mapping, const char *text, struct arena *arena,
                      struct reason *why);
bool mapping_set_avatar(struct mapping *mapping, const char *text, struct arena *arena,
                        struct reason *why);
bool mapping_set_role(struct mapping *mapping, const char *text, struct arena *arena,
                      struct reason *why);

/* A member whose `field` has a value that is, or contains, a text has `role`.  One of `is` and
 * `contains` is NULL.  A text with "=" in it is a DN, whose case does not count. */
struct mapping_rule {
    const char *field, *is, *contains, *role;
};
bool mapping_add_rule(struct mapping *mapping, const struct mapping_rule *rule, struct arena *arena,
                      struct reason *why);

/* Calls `visit` for each attribute that a template or test names; some more than once. */
void mapping_each_attribute(const struct mapping *mapping,
                            void (*visit)(void *context, struct span name), void *context);

/* The id to ask for, in `room` or the one that was given.  SPAN_NONE: no member can have it. */
struct span mapping_ask(const struct mapping *mapping, struct span id,
                        char room[MEMBERCHAT_ID_MAX]);

/* Sets name, avatar and role as the mapping says, where it says anything; `told` learns what
 * could not be used.  False: no memory. */
bool mapping_apply(const struct mapping *mapping, struct member *member,
                   void (*told)(void *context, const char *what), void *context);

#endif
