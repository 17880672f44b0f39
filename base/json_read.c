/* SPDX-License-Identifier: MIT
 * The grammar, on a text that has passed the gate. */
#include "json.h"

#include "json_gate.h"
#include "json_new.h"
#include "text.h"

#include <limits.h>
#include <string.h>

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

/* Passes on whether there was memory for something, and keeps in mind that there was none. */
static bool has_memory(struct reader *reader, bool was_there)
{
    reader->no_memory |= !was_there;
    return was_there;
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
    return has_memory(reader, !reader->scratch.failed);
}

/* Keeps what 64 bits cannot hold as it is written. */
static bool read_number(struct reader *reader, struct json_object **value_r)
{
    const char *start = reader->text.data + reader->at;
    size_t length = 1;
    while (reader->at + length < reader->text.length &&
           memchr("0123456789+-.eE", start[length], strlen("0123456789+-.eE")))
        length++;
    bytes_reset(&reader->scratch);
    bytes_add(&reader->scratch, start, length);
    const char *number = bytes_string(&reader->scratch);
    if (!has_memory(reader, !reader->scratch.failed))
        return false;
    reader->at += length;
    *value_r = json_new_number(number);
    return has_memory(reader, *value_r);
}

static bool read_element(struct reader *reader, struct json_object *array)
{
    struct json_object *value = NULL;
    bool good = read_value(reader, &value) && has_memory(reader, json_add_element(array, value));
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
    bool repeated = false;
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
        good = has_memory(reader, !name.failed && json_add_member(object, key, value, &repeated));
    }
    if (!good)
        json_release(value);
    if (good && repeated && may_not_repeat(reader, &name)) {
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
    *value_r = object ? json_new_object() : json_new_array();
    if (!has_memory(reader, *value_r))
        return false;
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
        *value_r = json_new_string(string);
        return has_memory(reader, *value_r);
    case 't':
    case 'f':
        reader->at += c == 't' ? strlen("true") : strlen("false");
        *value_r = json_new_boolean(c == 't');
        return has_memory(reader, *value_r);
    case 'n':
        reader->at += strlen("null");
        *value_r = NULL;
        return true;
    default:
        if (c == '-' || text_is_digit(c))
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

/* With its place, as editors count: columns are characters. */
static void say_fault(const struct reader *reader, struct reason *why)
{
    size_t line = 1, column = 1;
    for (size_t i = 0; i < reader->at && i < reader->text.length; i++) {
        unsigned char byte = (unsigned char)reader->text.data[i];
        line += byte == '\n';
        column = byte == '\n' ? 1 : column + ((byte & 0xc0) != 0x80);
    }
    reason_set(why, "%s at line %zu, column %zu", reader->fault, line, column);
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
        if (reader->rules & JSON_ANY || json_kind_of(*value_r) == JSON_OBJECT)
            result = JSON_GOOD;
        else
            reason_set(why, "it is not an object");
    } else if (reader->no_memory) {
        reason_set(why, "out of memory");
        result = JSON_NO_MEMORY;
    } else {
        say_fault(reader, why);
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
