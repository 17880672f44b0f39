/* SPDX-License-Identifier: MIT */
#include "json.h"

#include "json_gate.h"

#include <json-c/json.h>
#include <limits.h>
#include <string.h>

/* A number, true, false or null, of which json-c cannot tell whether more follows. */
static bool is_scalar(struct span text)
{
    size_t blanks = 0;
    while (blanks < text.length && memchr(" \t\r\n", text.data[blanks], 4))
        blanks++;
    return blanks < text.length && !memchr("{[\"", text.data[blanks], 3);
}

/* The grammar. */
static struct json_object *parse(struct span text, struct bytes *why_r)
{
    struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
    if (!tokener) {
        bytes_add_string(why_r, "out of memory");
        return NULL;
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *value = json_tokener_parse_ex(tokener, text.data, (int)text.length);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    size_t end = json_tokener_get_parse_end(tokener);
    json_tokener_free(tokener);

    if (error == json_tokener_continue && is_scalar(text))
        bytes_add_string(why_r, "it is not an object");
    else if (error == json_tokener_continue)
        bytes_addf(why_r, "unexpected end at byte %zu", text.length);
    else if (error == json_tokener_error_depth)
        bytes_addf(why_r, "nested deeper than %d at byte %zu", JSON_DEPTH_MAX, end);
    else if (error != json_tokener_success)
        bytes_addf(why_r, "%s at byte %zu", json_tokener_error_desc(error), end);
    else if (!json_object_is_type(value, json_type_object))
        bytes_add_string(why_r, "it is not an object");
    else
        return value;
    json_object_put(value);
    return NULL;
}

struct json_object *json_parse_object(struct span text, struct bytes *why_r)
{
    struct bytes copy = {0}; /* the gate writes in it */
    struct json_object *object = NULL;
    size_t offset = 0;
    bytes_add_span(&copy, text);
    const char *fault = copy.failed || text.length > INT_MAX
                            ? "too much text"
                            : json_gate_check(copy.data, copy.length, &offset);
    if (fault)
        bytes_addf(why_r, "%s at byte %zu", fault, offset);
    else
        object = parse(bytes_span(&copy), why_r);
    bytes_free(&copy);
    return object;
}

/* Members as the text has them: each has one colon outside of strings. */
static size_t count_colons(struct span text)
{
    size_t count = 0;
    bool inside = false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '"')
            inside = !inside;
        else if (inside && text.data[i] == '\\')
            i++;
        else if (!inside && text.data[i] == ':')
            count++;
    }
    return count;
}

/* Members as the tree has them. */
static size_t count_members(struct json_object *value)
{
    size_t count = 0;
    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            count += count_members(json_object_array_get_idx(value, i));
    } else if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, name, member)
        {
            (void)name;
            count += 1 + count_members(member);
        }
    }
    return count;
}

struct json_object *json_parse_unique(struct span text, struct bytes *why_r)
{
    struct json_object *object = json_parse_object(text, why_r);
    if (!object || count_colons(text) == count_members(object))
        return object;
    bytes_add_string(why_r, "an object has two members of one name");
    json_object_put(object);
    return NULL;
}

void json_release(struct json_object *object)
{
    json_object_put(object);
}

enum json_kind json_kind_of(struct json_object *value)
{
    static const enum json_kind kinds[] = {
        [json_type_null] = JSON_NULL,       [json_type_boolean] = JSON_BOOLEAN,
        [json_type_double] = JSON_FRACTION, [json_type_int] = JSON_INTEGER,
        [json_type_object] = JSON_OBJECT,   [json_type_array] = JSON_ARRAY,
        [json_type_string] = JSON_STRING,
    };
    return kinds[json_object_get_type(value)];
}

struct span json_text(struct json_object *string)
{
    return (struct span){json_object_get_string(string),
                         (size_t)json_object_get_string_len(string)};
}

void json_write_scalar(struct bytes *out, struct json_object *value)
{
    bytes_add_string(out, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
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
