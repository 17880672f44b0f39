/* SPDX-License-Identifier: MIT
 * The tree that json-c holds. */
#include "json.h"

#include "json_new.h"
#include "text.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* ---- Making ---- */

struct json_object *json_new_object(void)
{
    return json_object_new_object();
}

struct json_object *json_new_array(void)
{
    return json_object_new_array();
}

struct json_object *json_new_string(struct span text)
{
    return json_object_new_string_len(text.data, (int)text.length);
}

struct json_object *json_new_number(const char *text)
{
    int64_t integer;
    return text_parse_integer(text, &integer) ? json_object_new_int64(integer)
                                              : json_object_new_double_s(strtod(text, NULL), text);
}

struct json_object *json_new_boolean(bool value)
{
    return json_object_new_boolean(value);
}

bool json_add_element(struct json_object *array, struct json_object *value)
{
    return json_object_array_add(array, value) == 0;
}

bool json_add_member(struct json_object *object, const char *name, struct json_object *value,
                     bool *repeated_r)
{
    int before = json_object_object_length(object);
    bool added = json_object_object_add(object, name, value) == 0;
    *repeated_r = added && json_object_object_length(object) == before;
    return added;
}

/* Texts may be keys and tokens. */
static void wipe(struct json_object *value)
{
    struct json_object_iterator at, end;
    switch (json_object_get_type(value)) {
    case json_type_string: /* this is where it stands, not a copy */
        explicit_bzero((char *)json_object_get_string(value),
                       (size_t)json_object_get_string_len(value));
        break;
    case json_type_array:
        for (size_t i = 0; i < json_object_array_length(value); i++)
            wipe(json_object_array_get_idx(value, i));
        break;
    case json_type_object:
        at = json_object_iter_begin(value);
        end = json_object_iter_end(value);
        for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
            wipe(json_object_iter_peek_value(&at));
        break;
    default:
        break;
    }
}

void json_release(struct json_object *value)
{
    wipe(value);
    json_object_put(value);
}

/* ---- Values ---- */

/* The text that json_object_new_double_s() keeps. */
static const char *number_text(struct json_object *number)
{
    return json_object_get_userdata(number);
}

enum json_kind json_kind_of(struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_null:
        return JSON_NULL;
    case json_type_boolean:
        return JSON_BOOLEAN;
    case json_type_int:
        return JSON_INTEGER;
    case json_type_double:
        return strpbrk(number_text(value), ".eE") ? JSON_FRACTION : JSON_INTEGER;
    case json_type_object:
        return JSON_OBJECT;
    case json_type_array:
        return JSON_ARRAY;
    case json_type_string:
        return JSON_STRING;
    }
    return JSON_ABSENT;
}

struct span json_text(struct json_object *string)
{
    return (struct span){json_object_get_string(string),
                         (size_t)json_object_get_string_len(string)};
}

void json_write_scalar(struct bytes *out, struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_int:
        bytes_add_number(out, json_object_get_int64(value));
        break;
    case json_type_double:
        bytes_add_string(out, number_text(value));
        break;
    case json_type_boolean:
        bytes_add_string(out, json_object_get_boolean(value) ? "true" : "false");
        break;
    default:
        bytes_add_string(out, "null");
    }
}

size_t json_length(struct json_object *array)
{
    return json_object_array_length(array);
}

struct json_object *json_element(struct json_object *array, size_t index)
{
    return json_object_array_get_idx(array, index);
}

bool json_each_member(struct json_object *object,
                      bool (*visit)(void *context, struct span name, struct json_object *value),
                      void *context)
{
    json_object_object_foreach(object, name, value)
    {
        if (!visit(context, span_of(name), value))
            return false;
    }
    return true;
}

enum json_kind json_find(struct json_object *object, const char *name, struct json_object **value_r)
{
    if (!json_object_object_get_ex(object, name, value_r))
        return JSON_ABSENT;
    return json_kind_of(*value_r);
}

enum json_kind json_member(struct json_object *object, const char *name, struct span *string_r)
{
    struct json_object *value;
    enum json_kind kind = json_find(object, name, &value);
    *string_r = kind == JSON_STRING ? json_text(value) : SPAN_NONE;
    return kind;
}

struct span json_string_member(struct json_object *object, const char *name)
{
    struct span string;
    json_member(object, name, &string);
    return string;
}

bool json_integer_member(struct json_object *object, const char *name, int64_t *value_r)
{
    struct json_object *value;
    if (json_find(object, name, &value) != JSON_INTEGER)
        return false;
    *value_r = json_object_get_int64(value);
    return true;
}

bool json_floor_member(struct json_object *object, const char *name, int64_t *value_r)
{
    struct json_object *value;
    enum json_kind kind = json_find(object, name, &value);
    if (kind != JSON_INTEGER && kind != JSON_FRACTION)
        return false;
    if (!json_object_is_type(value, json_type_double)) {
        *value_r = json_object_get_int64(value);
        return true;
    }
    double number = json_object_get_double(value);
    if (number >= 0x1p63 || number < -0x1p63) {
        *value_r = number > 0 ? INT64_MAX : INT64_MIN;
    } else {
        *value_r = (int64_t)number;
        *value_r -= (double)*value_r > number;
    }
    return true;
}
