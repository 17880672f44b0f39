/* SPDX-License-Identifier: MIT
 * Strict JSON (RFC 8259) from outside: json-c behind the gate of json_gate.h. */
#ifndef JSON_H
#define JSON_H

#include "strbuf.h"

#define JSON_DEPTH_MAX 16

struct json_object; /* json-c's */

/* The one object that `text` is; json_release() frees it.  NULL: *why_r says
 * what is wrong and at which byte. */
struct json_object *json_parse_object(struct span text, struct strbuf *why_r);
void json_release(struct json_object *object);

enum json_kind { JSON_ABSENT, JSON_NULL, JSON_STRING, JSON_OTHER };

/* The kind of a member, and its bytes when it is a string: they may hold NUL,
 * and live as long as the object. */
enum json_kind json_member(struct json_object *object, const char *name, struct span *string_r);

/* The string that a member is, SPAN_NONE when it is not one. */
struct span json_string_member(struct json_object *object, const char *name);

#endif
