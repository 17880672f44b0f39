/* SPDX-License-Identifier: MIT
 * What the reader makes a document of.  NULL or false: out of memory. */
#ifndef JSON_NEW_H
#define JSON_NEW_H

#include "json.h"

struct json_object *json_new_object(void);
struct json_object *json_new_array(void);
struct json_object *json_new_string(struct span text);
struct json_object *json_new_number(const char *text); /* keeps what 64 bits cannot hold as it is */
struct json_object *json_new_boolean(bool value);

/* These take `value` over when they succeed.  A second member of one name replaces the first. */
bool json_add_element(struct json_object *array, struct json_object *value);
bool json_add_member(struct json_object *object, const char *name, struct json_object *value,
                     bool *repeated_r);

#endif
