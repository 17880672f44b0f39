/* SPDX-License-Identifier: MIT
 *
 * rest_answer.c: see rest_answer.h.
 */
#include "answer.h"

#include "base/json.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- The status ---- */

static bool is_listed(const struct memberchat_list *statuses, long status)
{
    for (size_t i = 0; i < statuses->count; i++)
        if (strtol(statuses->items[i], NULL, 10) == status)
            return true;
    return false;
}

enum memberchat_outcome rest_answer_status(const struct rest_settings *settings, long status,
                                           struct rest_reason *reason)
{
    static const struct {
        long first, last;
        enum memberchat_outcome outcome;
        const char *words;
    } rows[] = {
        {200, 299, MEMBERCHAT_FOUND, ""},
        {300, 399, MEMBERCHAT_MISCONFIGURED, "a redirect, where none is followed"},
        {401, 401, MEMBERCHAT_MISCONFIGURED, "it does not know us: check our credentials"},
        {403, 403, MEMBERCHAT_MISCONFIGURED, "it refuses us: check our credentials and rights"},
        {404, 404, MEMBERCHAT_NOT_FOUND, ""},
        {407, 407, MEMBERCHAT_MISCONFIGURED, "the proxy wants credentials"},
        {408, 408, MEMBERCHAT_UNAVAILABLE, "it was too busy to read the request"},
        {410, 410, MEMBERCHAT_NOT_FOUND, ""},
        {425, 425, MEMBERCHAT_UNAVAILABLE, "it is too early"},
        {429, 429, MEMBERCHAT_UNAVAILABLE, "we ask too often"},
        {500, 599, MEMBERCHAT_UNAVAILABLE, "it has failed"},
    };
    if (is_listed(&settings->not_found_statuses, status))
        return MEMBERCHAT_NOT_FOUND;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (status >= rows[i].first && status <= rows[i].last) {
            rest_reason_set(reason, "HTTP status %ld: %s", status, rows[i].words);
            return rows[i].outcome;
        }
    rest_reason_set(reason, "HTTP status %ld: it does not understand the request", status);
    return MEMBERCHAT_MISCONFIGURED;
}

/* ---- JSON ---- */

/* The document; NULL: with a reason. */
static struct json_object *parse(char *text, size_t length, struct rest_reason *reason)
{
    struct json_object *document;
    struct reason why;
    enum json_result result =
        json_read((struct span){text, length}, JSON_ANY | JSON_DEEP, &document, &why);
    if (result != JSON_GOOD)
        rest_reason_set(reason, "the answer is not JSON: %.200s",
                        length ? why.text : "it is empty");
    else if (!document)
        rest_reason_set(reason, "the answer is null");
    return document;
}

bool rest_answer_is_json(char *text, size_t length)
{
    struct rest_reason reason;
    struct json_object *document = parse(text, length, &reason);
    json_object_put(document);
    return document != NULL;
}

bool rest_answer_is_pointer(const char *pointer)
{
    if (*pointer && *pointer != '/')
        return false;
    for (const char *at = pointer; (at = strchr(at, '~')); at++)
        if (at[1] != '0' && at[1] != '1')
            return false;
    return true;
}

/* A value where a pointer leads. */
enum found { IS_ABSENT, IS_TEXT, IS_WRONG };

/* Its text; a number is taken as it is written.  Null and an empty text are absent. */
static enum found text_of(struct json_object *value, struct rest_id *text_r)
{
    switch (json_object_get_type(value)) {
    case json_type_null:
        return IS_ABSENT;
    case json_type_string:
        *text_r = (struct rest_id){json_object_get_string(value),
                                   (size_t)json_object_get_string_len(value)};
        break;
    case json_type_boolean:
    case json_type_int:
    case json_type_double:
        text_r->bytes =
            json_object_to_json_string_length(value, JSON_C_TO_STRING_PLAIN, &text_r->length);
        if (!text_r->bytes)
            return IS_WRONG;
        break;
    default:
        return IS_WRONG;
    }
    return text_r->length ? IS_TEXT : IS_ABSENT;
}

static enum found find(struct json_object *document, const char *pointer, struct rest_id *text_r)
{
    struct json_object *value = NULL;
    *text_r = (struct rest_id){0};
    if (!pointer || !*pointer || json_pointer_get(document, pointer, &value) != 0)
        return IS_ABSENT;
    return text_of(value, text_r);
}

/* ---- The member ---- */

struct reading {
    const struct rest_settings *settings;
    const struct memberchat_services *services;
    struct memberchat_result *result;
    struct json_object *document;
    struct rest_reason *reason;
};

static enum memberchat_outcome wrong_value(const struct reading *reading, const char *pointer)
{
    rest_reason_set(reading->reason,
                    "the answer's \"%s\" is neither text nor number: is the pointer right?",
                    pointer);
    return MEMBERCHAT_MISCONFIGURED;
}

static enum memberchat_outcome read_id(const struct reading *reading, struct rest_id asked)
{
    const char *pointer = reading->settings->id_pointer;
    struct rest_id id = asked;
    if (*pointer) {
        enum found found = find(reading->document, pointer, &id);
        if (found == IS_WRONG)
            return wrong_value(reading, pointer);
        if (found == IS_ABSENT) {
            rest_reason_set(reading->reason,
                            "the answer has no id at \"%s\": correct \"id_pointer\"", pointer);
            return MEMBERCHAT_MISCONFIGURED;
        }
    }
    if (id.length != asked.length || memcmp(id.bytes, asked.bytes, id.length) != 0) {
        rest_reason_set(reading->reason,
                        "the answer is about another member than the one asked for (\"%s\")",
                        pointer);
        return MEMBERCHAT_MISCONFIGURED;
    }
    reading->services->set(reading->result, MEMBERCHAT_ID, id.bytes, id.length);
    return MEMBERCHAT_FOUND;
}

static bool is_active_value(const struct memberchat_list *values, struct rest_id state)
{
    for (size_t i = 0; i < values->count; i++)
        if (strlen(values->items[i]) == state.length &&
            strncasecmp(values->items[i], state.bytes, state.length) == 0)
            return true;
    return false;
}

/* Without "state_pointer", what has no state is active. */
static enum memberchat_outcome read_state(const struct reading *reading)
{
    const char *given = reading->settings->state_pointer;
    const char *pointer = given ? given : "/state";
    struct rest_id state;
    switch (find(reading->document, pointer, &state)) {
    case IS_TEXT:
        return is_active_value(&reading->settings->active_values, state) ? MEMBERCHAT_FOUND
                                                                         : MEMBERCHAT_NOT_FOUND;
    case IS_WRONG:
        return wrong_value(reading, pointer);
    case IS_ABSENT:
        break;
    }
    if (!given || !*given)
        return MEMBERCHAT_FOUND;
    rest_reason_set(reading->reason, "the answer has no state at \"%s\": correct \"state_pointer\"",
                    pointer);
    return MEMBERCHAT_MISCONFIGURED;
}

static enum memberchat_outcome read_fields(const struct reading *reading)
{
    const struct rest_settings *settings = reading->settings;
    const struct {
        enum memberchat_field field;
        const char *pointer;
    } rows[] = {
        {MEMBERCHAT_NAME, settings->name_pointer},
        {MEMBERCHAT_AVATAR, settings->avatar_pointer},
        {MEMBERCHAT_ROLE, settings->role_pointer},
    };
    struct rest_id value;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum found found = find(reading->document, rows[i].pointer, &value);
        if (found == IS_WRONG)
            return wrong_value(reading, rows[i].pointer);
        if (found == IS_TEXT &&
            !reading->services->set(reading->result, rows[i].field, value.bytes, value.length))
            return MEMBERCHAT_MISCONFIGURED;
    }
    return MEMBERCHAT_FOUND;
}

static enum memberchat_outcome read_attributes(const struct reading *reading)
{
    const struct memberchat_map *map = &reading->settings->attributes;
    struct rest_id value;
    for (size_t i = 0; i < map->count; i++) {
        enum found found = find(reading->document, map->values[i], &value);
        if (found == IS_WRONG)
            return wrong_value(reading, map->values[i]);
        if (found == IS_TEXT &&
            !reading->services->set_attribute(reading->result, map->names[i], strlen(map->names[i]),
                                              value.bytes, value.length))
            return MEMBERCHAT_MISCONFIGURED;
    }
    return MEMBERCHAT_FOUND;
}

enum memberchat_outcome rest_answer_read(const struct rest_settings *settings, char *body,
                                         size_t length, struct rest_id asked,
                                         const struct memberchat_services *services,
                                         struct memberchat_result *result,
                                         struct rest_reason *reason)
{
    struct reading reading = {settings, services, result, NULL, reason};
    enum memberchat_outcome outcome = MEMBERCHAT_MISCONFIGURED;
    reading.document = parse(body, length, reason);
    if (!reading.document)
        return outcome;
    outcome = read_id(&reading, asked);
    if (outcome == MEMBERCHAT_FOUND)
        outcome = read_state(&reading);
    if (outcome == MEMBERCHAT_FOUND)
        outcome = read_fields(&reading);
    if (outcome == MEMBERCHAT_FOUND)
        outcome = read_attributes(&reading);
    json_object_put(reading.document);
    return outcome;
}

void rest_answer_excerpt(const char *body, size_t length, char out[REST_EXCERPT_MAX + 1])
{
    size_t used = 0;
    for (size_t i = 0; i < length && used < REST_EXCERPT_MAX; i++) {
        bool blank = strchr(" \t\r\n", body[i]) && body[i];
        if (blank && (used == 0 || out[used - 1] == ' '))
            continue;
        out[used++] = blank ? ' ' : body[i] > 0x20 && body[i] < 0x7f ? body[i] : '?';
    }
    out[used] = '\0';
}
