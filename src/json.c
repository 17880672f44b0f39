/* SPDX-License-Identifier: MIT */
#include "json.h"

#include "json_gate.h"

#include <json-c/json.h>
#include <limits.h>

/* The grammar. */
static struct json_object *parse(struct span text, struct strbuf *why_r)
{
    struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
    if (!tokener) {
        strbuf_add_string(why_r, "out of memory");
        return NULL;
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *value = json_tokener_parse_ex(tokener, text.data, (int)text.length);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    size_t end = json_tokener_get_parse_end(tokener);
    json_tokener_free(tokener);

    if (error == json_tokener_continue)
        strbuf_addf(why_r, "unexpected end at byte %zu", text.length);
    else if (error == json_tokener_error_depth)
        strbuf_addf(why_r, "nested deeper than %d at byte %zu", JSON_DEPTH_MAX, end);
    else if (error != json_tokener_success)
        strbuf_addf(why_r, "%s at byte %zu", json_tokener_error_desc(error), end);
    else if (!json_object_is_type(value, json_type_object))
        strbuf_add_string(why_r, "it is not an object");
    else
        return value;
    json_object_put(value);
    return NULL;
}

struct json_object *json_parse_object(struct span text, struct strbuf *why_r)
{
    struct strbuf copy = {0}; /* the gate writes in it */
    struct json_object *object = NULL;
    size_t offset = 0;
    strbuf_add_span(&copy, text);
    const char *fault = copy.failed || text.length > INT_MAX
                            ? "too much text"
                            : json_gate_check(copy.data, copy.length, &offset);
    if (fault)
        strbuf_addf(why_r, "%s at byte %zu", fault, offset);
    else
        object = parse(strbuf_span(&copy), why_r);
    strbuf_free(&copy);
    return object;
}

void json_release(struct json_object *object)
{
    json_object_put(object);
}

enum json_kind json_member(struct json_object *object, const char *name, struct span *string_r)
{
    struct json_object *value;
    *string_r = SPAN_NONE;
    if (!json_object_object_get_ex(object, name, &value))
        return JSON_ABSENT;
    if (!value)
        return JSON_NULL;
    if (!json_object_is_type(value, json_type_string))
        return JSON_OTHER;
    *string_r =
        (struct span){json_object_get_string(value), (size_t)json_object_get_string_len(value)};
    return JSON_STRING;
}

struct span json_string_member(struct json_object *object, const char *name)
{
    struct span string;
    json_member(object, name, &string);
    return string;
}
