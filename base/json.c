/* SPDX-License-Identifier: MIT */
#include "json.h"

#include "json_gate.h"
#include "text.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- Reading: the grammar, on a text that has passed the gate ---- */

struct reader {
    struct span text;
    size_t at;
    unsigned rules, depth;
    const char *const *once; /* NULL, or names that may stand once, at the top */
    struct bytes scratch;    /* of the text or number that is being read */
    const char *fault;       /* at `at` */
    bool no_memory;
};

static bool read_value(struct reader *reader, struct json_object **value_r);

static bool fail(struct reader *reader, const char *fault)
{
    reader->fault = fault;
    return false;
}

static bool out_of_memory(struct reader *reader)
{
    reader->no_memory = true;
    return false;
}

/* The next byte that is not a blank; NUL at the end, since the gate lets none through. */
static char peek(struct reader *reader)
{
    while (reader->at < reader->text.length) {
        char c = reader->text.data[reader->at];
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            return c;
        reader->at++;
    }
    return '\0';
}

static bool expect(struct reader *reader, char wanted)
{
    char c = peek(reader);
    if (c != wanted)
        return fail(reader, c ? "a character that does not belong there" : "unexpected end");
    reader->at++;
    return true;
}

/* Whether another element or member follows the first, or `end`, which is skipped. */
static bool continues(struct reader *reader, char end, bool first, bool *more_r)
{
    *more_r = peek(reader) != end;
    if (!*more_r)
        return expect(reader, end);
    return first || expect(reader, ',');
}

/* The text of a string, or of a member's name: where it stands, or in the scratch. */
static bool read_string(struct reader *reader, bool name, struct span *string_r)
{
    const char *start = reader->text.data + ++reader->at, *end = start;
    bool escaped = false;
    for (; *end != '"'; end += 1 + (*end == '\\'))
        escaped |= *end == '\\';
    *string_r = (struct span){start, (size_t)(end - start)};
    reader->at += string_r->length + 1;
    if (!escaped && !name)
        return true;
    bytes_reset(&reader->scratch);
    json_unescape(&reader->scratch, *string_r, name);
    *string_r = bytes_span(&reader->scratch);
    return !reader->scratch.failed || out_of_memory(reader);
}

/* Keeps what 64 bits cannot hold as it is written. */
static bool read_number(struct reader *reader, struct json_object **value_r)
{
    const char *start = reader->text.data + reader->at;
    size_t length = 1;
    int64_t integer;
    while (reader->at + length < reader->text.length && strchr("0123456789+-.eE", start[length]) &&
           start[length])
        length++;
    bytes_reset(&reader->scratch);
    bytes_add(&reader->scratch, start, length);
    const char *number = bytes_string(&reader->scratch);
    if (reader->scratch.failed)
        return out_of_memory(reader);
    reader->at += length;
    *value_r = text_parse_integer(number, &integer)
                   ? json_object_new_int64(integer)
                   : json_object_new_double_s(strtod(number, NULL), number);
    return *value_r || out_of_memory(reader);
}

static bool read_element(struct reader *reader, struct json_object *array)
{
    struct json_object *value = NULL;
    bool good = read_value(reader, &value);
    if (good && json_object_array_add(array, value) != 0)
        good = out_of_memory(reader);
    if (!good)
        json_release(value);
    return good;
}

/* Whether a second member of this name is a fault, and not the one that counts. */
static bool may_not_repeat(const struct reader *reader, const struct bytes *name)
{
    if (reader->rules & JSON_UNIQUE)
        return true;
    if (reader->once && reader->depth == 1)
        for (size_t i = 0; reader->once[i]; i++)
            if (span_equal(bytes_span(name), span_of(reader->once[i])))
                return true;
    return false;
}

static bool read_member(struct reader *reader, struct json_object *object)
{
    struct json_object *value = NULL;
    struct span text;
    int before = json_object_object_length(object);
    if (peek(reader) != '"')
        return expect(reader, '"');
    size_t start = reader->at;
    if (!read_string(reader, true, &text))
        return false;
    struct bytes name = reader->scratch; /* the value needs its own */
    reader->scratch = (struct bytes){0};
    bool good = expect(reader, ':') && read_value(reader, &value);
    if (good) {
        const char *key = bytes_string(&name);
        good = !name.failed && json_object_object_add(object, key, value) == 0;
        if (!good)
            out_of_memory(reader);
    }
    if (!good)
        json_release(value);
    if (good && json_object_object_length(object) == before && may_not_repeat(reader, &name)) {
        reader->at = start;
        good = fail(reader, "an object has two members of one name");
    }
    bytes_free(&name);
    return good;
}

/* An array or object, with what is in it. */
static bool read_nested(struct reader *reader, bool object, struct json_object **value_r)
{
    bool deep = reader->rules & JSON_DEEP, good = true, more = true;
    if (reader->depth == (deep ? JSON_DEPTH_MAX_DEEP : JSON_DEPTH_MAX))
        return fail(reader, deep ? "nested deeper than 32" : "nested deeper than 16");
    *value_r = object ? json_object_new_object() : json_object_new_array();
    if (!*value_r)
        return out_of_memory(reader);
    reader->depth++;
    reader->at++;
    for (bool first = true; good && more; first = false) {
        good = continues(reader, object ? '}' : ']', first, &more);
        if (good && more)
            good = object ? read_member(reader, *value_r) : read_element(reader, *value_r);
    }
    reader->depth--;
    return good;
}

static bool read_value(struct reader *reader, struct json_object **value_r)
{
    struct span string;
    char c = peek(reader);
    switch (c) {
    case '{':
    case '[':
        return read_nested(reader, c == '{', value_r);
    case '"':
        if (!read_string(reader, false, &string))
            return false;
        *value_r = json_object_new_string_len(string.data, (int)string.length);
        return *value_r || out_of_memory(reader);
    case 't':
    case 'f':
        reader->at += c == 't' ? strlen("true") : strlen("false");
        *value_r = json_object_new_boolean(c == 't');
        return *value_r || out_of_memory(reader);
    case 'n':
        reader->at += strlen("null");
        *value_r = NULL;
        return true;
    default:
        if (c == '-' || (c >= '0' && c <= '9'))
            return read_number(reader, value_r);
        return fail(reader, c ? "a character that does not belong there" : "unexpected end");
    }
}

static bool read_document(struct reader *reader, struct json_object **value_r)
{
    if (reader->text.length > INT_MAX)
        return fail(reader, "too much text");
    const char *fault = json_gate_check(reader->text, reader->rules & JSON_HALVES, &reader->at);
    if (fault)
        return fail(reader, fault);
    reader->at = 0;
    if (!read_value(reader, value_r))
        return false;
    if (peek(reader))
        return fail(reader, "more than one value");
    return true;
}

/* By the rules in `reader`. */
static enum json_result read_text(struct reader *reader, struct span text,
                                  struct json_object **value_r, struct reason *why)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t skipped = text.length >= 3 && memcmp(text.data, mark, 3) == 0 ? 3 : 0;
    enum json_result result = JSON_BROKEN;
    reader->text = (struct span){text.data + skipped, text.length - skipped};
    *value_r = NULL;
    if (read_document(reader, value_r)) {
        if (reader->rules & JSON_ANY || json_object_is_type(*value_r, json_type_object))
            result = JSON_GOOD;
        else
            reason_set(why, "it is not an object");
    } else if (reader->no_memory) {
        reason_set(why, "out of memory");
        result = JSON_NO_MEMORY;
    } else {
        reason_set(why, "%s at byte %zu", reader->fault, reader->at + skipped);
    }
    bytes_free(&reader->scratch);
    if (result != JSON_GOOD) {
        json_release(*value_r);
        *value_r = NULL;
    }
    return result;
}

enum json_result json_read(struct span text, unsigned rules, struct json_object **value_r,
                           struct reason *why)
{
    struct reader reader = {.rules = rules};
    return read_text(&reader, text, value_r, why);
}

enum json_result json_read_once(struct span text, const char *const *once,
                                struct json_object **value_r, struct reason *why)
{
    struct reader reader = {.once = once};
    return read_text(&reader, text, value_r, why);
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
