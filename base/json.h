/* SPDX-License-Identifier: MIT
 * Strict JSON (RFC 8259) from outside: json-c behind the gate of json_gate.h. */
#ifndef JSON_H
#define JSON_H

#include "bytes.h"

#define JSON_DEPTH_MAX 16

struct json_object; /* json-c's */

/* The one object that `text` is; json_release() frees it.  NULL: *why_r says
 * what is wrong and at which byte.  Of two members of one name the last counts;
 * json_parse_unique() refuses them, at any depth. */
struct json_object *json_parse_object(struct span text, struct bytes *why_r);
struct json_object *json_parse_unique(struct span text, struct bytes *why_r);
void json_release(struct json_object *object);

enum json_kind {
    JSON_ABSENT,
    JSON_NULL,
    JSON_STRING,
    JSON_INTEGER,
    JSON_FRACTION, /* or an exponent */
    JSON_BOOLEAN,
    JSON_ARRAY,
    JSON_OBJECT
};

/* Values live as long as the object that they are of. */
enum json_kind json_kind_of(struct json_object *value);               /* NULL is the value null */
struct span json_text(struct json_object *string);                    /* may hold NUL */
void json_write_scalar(struct bytes *out, struct json_object *value); /* no string */
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

/* False when the member is no number without fraction and exponent. */
bool json_integer_member(struct json_object *object, const char *name, int64_t *value_r);

#endif
