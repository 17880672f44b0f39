/* SPDX-License-Identifier: MIT
 * Strict JSON (RFC 8259) from outside.  We read it ourselves, since json-c's own parser
 * is lenient, and loses members or crashes when memory runs out; json-c has the tree. */
#ifndef JSON_H
#define JSON_H

#include "bytes.h"
#include "reason.h"

struct json_object; /* json-c's */

enum json_result { JSON_GOOD, JSON_BROKEN, JSON_NO_MEMORY };

enum {
    JSON_UNIQUE = 1u, /* two members of one name are refused; otherwise the last counts */
    JSON_ANY = 2u,    /* the document may be any value, not only an object */
    JSON_DEEP = 4u,   /* nested up to 32 levels, not 16 */
    JSON_HALVES = 8u  /* half a surrogate pair is taken: as NUL in values, U+FFFD in names */
};

#define JSON_DEPTH_MAX      16
#define JSON_DEPTH_MAX_DEEP 32

/* Reads the one document that `text` is; a byte order mark before it is skipped.
 * json_release() wipes and frees *value_r, which is NULL for the value null and when the result is
 * not GOOD: then `why` says what is wrong and where.  A NUL in a member's name is
 * read as U+FFFD. */
enum json_result json_read(struct span text, unsigned rules, struct json_object **value_r,
                           struct reason *why);
void json_release(struct json_object *value);

/* The same for an object in which, at the top, no member that `once` names (NULL ends it) may be
 * there twice. */
enum json_result json_read_once(struct span text, const char *const *once,
                                struct json_object **value_r, struct reason *why);

enum json_kind {
    JSON_ABSENT,
    JSON_NULL,
    JSON_STRING,
    JSON_INTEGER,
    JSON_FRACTION, /* or with an exponent */
    JSON_BOOLEAN,
    JSON_ARRAY,
    JSON_OBJECT
};

/* Values live as long as the document that they are of. */
enum json_kind json_kind_of(struct json_object *value);               /* NULL is the value null */
struct span json_text(struct json_object *string);                    /* may hold NUL */
void json_write_scalar(struct bytes *out, struct json_object *value); /* not a string; as read */
size_t json_length(struct json_object *array);
struct json_object *json_element(struct json_object *array, size_t index);

/* Calls `visit` for each member, in their order, until it returns false. */
bool json_each_member(struct json_object *object,
                      bool (*visit)(void *context, struct span name, struct json_object *value),
                      void *context);

/* The kind of a member, and the member itself; the second gives its bytes when it
 * is a string. */
enum json_kind json_find(struct json_object *object, const char *name,
                         struct json_object **value_r);
enum json_kind json_member(struct json_object *object, const char *name, struct span *string_r);

/* The string that a member is, SPAN_NONE when it is not one. */
struct span json_string_member(struct json_object *object, const char *name);

/* False when the member is not a number without fraction and exponent.  One beyond 64 bits
 * becomes the nearest. */
bool json_integer_member(struct json_object *object, const char *name, int64_t *value_r);

/* Any number, rounded down and to the nearest of 64 bits.  False when the member is not one. */
bool json_floor_member(struct json_object *object, const char *name, int64_t *value_r);

/* JSON Pointers (RFC 6901): whether a text is one; what it leads to in `document`, ABSENT
 * when it leads nowhere.  Looking takes no memory, so it cannot fail. */
bool json_is_pointer(const char *text);
enum json_kind json_at(struct json_object *document, const char *pointer,
                       struct json_object **value_r);

#endif
