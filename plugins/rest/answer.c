/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/* ---- The status ---- */

static bool is_listed(const struct memberchat_list *statuses, long status)
{
    for (size_t i = 0; i < statuses->count; i++)
        if (strtol(statuses->items[i], NULL, 10) == status)
            return true;
    return false;
}

enum memberchat_outcome rest_answer_status(const struct rest_settings *settings, long status,
                                           struct reason *why)
{
    static const struct {
        long first, last;
        enum memberchat_outcome outcome;
        const char *words;
    } rows[] = {
        {200, 299, MEMBERCHAT_FOUND, ""},
        {401, 401, MEMBERCHAT_MISCONFIGURED, "it refused our credentials: check them"},
        {403, 403, MEMBERCHAT_MISCONFIGURED, "it refused us: check our credentials and rights"},
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
            reason_set(why, "HTTP status %ld: %s", status, rows[i].words);
            return rows[i].outcome;
        }
    reason_set(why, "HTTP status %ld: it does not understand the request", status);
    return MEMBERCHAT_MISCONFIGURED;
}

/* ---- The member ---- */

struct reading {
    const struct rest_settings *settings;
    const struct memberchat_services *services; /* NULL: nothing is set */
    struct memberchat_result *result;
    struct json_object *document, *member;
    struct bytes scratch; /* of a number's text */
    struct reason *why;
};

enum found { IS_ABSENT, IS_TEXT, IS_WRONG, NO_MEMORY };

/* The text of a value; a number's is as it was written.  Null and an empty text are absent. */
static enum found text_of(struct reading *reading, struct json_object *value, struct span *text_r)
{
    switch (json_kind_of(value)) {
    case JSON_ABSENT:
    case JSON_NULL:
        return IS_ABSENT;
    case JSON_STRING:
        *text_r = json_text(value);
        return text_r->length ? IS_TEXT : IS_ABSENT;
    case JSON_INTEGER:
    case JSON_FRACTION:
    case JSON_BOOLEAN:
        bytes_reset(&reading->scratch);
        json_write_scalar(&reading->scratch, value);
        *text_r = bytes_span(&reading->scratch);
        return reading->scratch.failed ? NO_MEMORY : IS_TEXT;
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return IS_WRONG;
}

/* The text to which a pointer leads from the member, until the next is looked for. */
static enum found find(struct reading *reading, const char *pointer, struct span *text_r)
{
    struct json_object *value;
    *text_r = SPAN_NONE;
    if (!pointer || !*pointer || json_at(reading->member, pointer, &value) == JSON_ABSENT)
        return IS_ABSENT;
    return text_of(reading, value, text_r);
}

/* How the look-up ends where a value is neither absent nor a text. */
static enum memberchat_outcome refuse(const struct reading *reading, enum found found,
                                      const char *pointer)
{
    if (found == NO_MEMORY) {
        reason_set(reading->why, "out of memory");
        return MEMBERCHAT_UNAVAILABLE;
    }
    reason_set(reading->why,
               "the answer's \"%s\" is neither text nor number: is the pointer right?", pointer);
    return MEMBERCHAT_MISCONFIGURED;
}

static enum memberchat_outcome lacks(const struct reading *reading, const char *what,
                                     const char *key, const char *pointer)
{
    reason_set(reading->why, "the answer has no %s at \"%s\": correct \"%s\"", what, pointer, key);
    return MEMBERCHAT_MISCONFIGURED;
}

/* What the host does not take, it gives the reason for. */
static enum memberchat_outcome set(const struct reading *reading, enum memberchat_field field,
                                   struct span value)
{
    bool taken = !reading->services ||
                 reading->services->set(reading->result, field, value.data, value.length);
    return taken ? MEMBERCHAT_FOUND : MEMBERCHAT_UNAVAILABLE;
}

static enum memberchat_outcome read_id(struct reading *reading, struct span asked)
{
    const char *pointer = reading->settings->id_pointer;
    struct span id = asked;
    enum found found = *pointer ? find(reading, pointer, &id) : IS_TEXT;
    if (found == IS_ABSENT)
        return lacks(reading, "id", "id_pointer", pointer);
    if (found != IS_TEXT)
        return refuse(reading, found, pointer);
    return set(reading, MEMBERCHAT_ID, id);
}

static bool is_active(const struct memberchat_list *values, struct span state)
{
    for (size_t i = 0; i < values->count; i++)
        if (span_equal_nocase(state, values->items[i]))
            return true;
    return false;
}

/* Without "state_pointer", a member without a state is active. */
static enum memberchat_outcome read_state(struct reading *reading)
{
    const char *given = reading->settings->state_pointer;
    const char *pointer = given ? given : "/state";
    struct span state;
    enum found found = find(reading, pointer, &state);
    if (found == IS_ABSENT && (!given || !*given))
        return MEMBERCHAT_FOUND;
    if (found == IS_ABSENT)
        return lacks(reading, "state", "state_pointer", pointer);
    if (found != IS_TEXT)
        return refuse(reading, found, pointer);
    if (is_active(&reading->settings->active_values, state))
        return MEMBERCHAT_FOUND;
    reason_set(reading->why, "its state is \"%.*s\"", state.length < 64 ? (int)state.length : 64,
               state.data);
    return MEMBERCHAT_NOT_FOUND;
}

static enum memberchat_outcome read_fields(struct reading *reading)
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
    enum memberchat_outcome outcome = MEMBERCHAT_FOUND;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && outcome == MEMBERCHAT_FOUND; i++) {
        struct span value;
        enum found found = find(reading, rows[i].pointer, &value);
        if (found == IS_TEXT)
            outcome = set(reading, rows[i].field, value);
        else if (found != IS_ABSENT)
            outcome = refuse(reading, found, rows[i].pointer);
    }
    return outcome;
}

static enum memberchat_outcome add_attribute(struct reading *reading, size_t index,
                                             struct json_object *value)
{
    const struct memberchat_map *map = &reading->settings->attributes;
    const char *name = map->names[index];
    struct span text;
    enum found found = text_of(reading, value, &text);
    if (found == IS_ABSENT)
        return MEMBERCHAT_FOUND;
    if (found != IS_TEXT)
        return refuse(reading, found, map->values[index]);
    return reading->services->set_attribute(reading->result, name, strlen(name), text.data,
                                            text.length)
               ? MEMBERCHAT_FOUND
               : MEMBERCHAT_UNAVAILABLE;
}

/* A list gives an attribute several values. */
static enum memberchat_outcome read_attributes(struct reading *reading)
{
    const struct memberchat_map *map = &reading->settings->attributes;
    enum memberchat_outcome outcome = MEMBERCHAT_FOUND;
    for (size_t i = 0; i < map->count && outcome == MEMBERCHAT_FOUND; i++) {
        struct json_object *value;
        enum json_kind kind = json_at(reading->member, map->values[i], &value);
        size_t count = kind == JSON_ARRAY ? json_length(value) : kind != JSON_ABSENT;
        for (size_t j = 0; j < count && outcome == MEMBERCHAT_FOUND; j++)
            outcome =
                add_attribute(reading, i, kind == JSON_ARRAY ? json_element(value, j) : value);
    }
    return outcome;
}

/* ---- Where the member is ---- */

/* NOT_FOUND: the answer says in words that there is no such member. */
static enum memberchat_outcome read_not_found(struct reading *reading)
{
    const struct memberchat_map *when = &reading->settings->not_found_when;
    const char *pointer = rest_map_value(when, "pointer");
    struct span text;
    reading->member = reading->document;
    enum found found = find(reading, pointer, &text);
    if (found == NO_MEMORY)
        return refuse(reading, found, pointer);
    bool said = found == IS_TEXT && span_equal(text, span_of(rest_map_value(when, "value")));
    return said ? MEMBERCHAT_NOT_FOUND : MEMBERCHAT_FOUND;
}

/* Takes a step to the first of a list.  One that holds more says nothing about whom we asked
 * for. */
static enum memberchat_outcome enter_list(const struct reading *reading, struct json_object *list,
                                          struct json_object **first_r)
{
    size_t count = json_length(list);
    if (count > 1) {
        reason_set(reading->why,
                   "the answer has a list of %zu where \"member_pointer\" expects one member: does "
                   "the service look for exactly this id?",
                   count);
        return MEMBERCHAT_MISCONFIGURED;
    }
    *first_r = count ? json_element(list, 0) : NULL;
    return *first_r ? MEMBERCHAT_FOUND : MEMBERCHAT_NOT_FOUND;
}

/* Goes to where the member is.  NOT_FOUND: nothing is there. */
static enum memberchat_outcome read_member(struct reading *reading)
{
    const char *pointer = reading->settings->member_pointer;
    enum memberchat_outcome outcome = MEMBERCHAT_FOUND;
    struct json_object *value = reading->document;
    while (*pointer && outcome == MEMBERCHAT_FOUND) {
        size_t length = 1 + strcspn(pointer + 1, "/");
        char step[257];
        if (json_kind_of(value) == JSON_ARRAY && length == 2 && pointer[1] == '0') {
            outcome = enter_list(reading, value, &value);
        } else if (length < sizeof step) {
            memcpy(step, pointer, length);
            step[length] = '\0';
            if (json_at(value, step, &value) == JSON_ABSENT)
                outcome = MEMBERCHAT_NOT_FOUND;
        }
        pointer += length;
    }
    if (outcome == MEMBERCHAT_FOUND && json_kind_of(value) == JSON_ARRAY)
        outcome = enter_list(reading, value, &value);
    if (outcome != MEMBERCHAT_FOUND)
        return outcome;
    if (!value)
        return MEMBERCHAT_NOT_FOUND;
    reading->member = value;
    if (json_kind_of(value) == JSON_OBJECT)
        return MEMBERCHAT_FOUND;
    reason_set(reading->why, "the answer's \"%s\" is not an object: correct \"member_pointer\"",
               reading->settings->member_pointer);
    return MEMBERCHAT_MISCONFIGURED;
}

/* FOUND: the body is a document. */
static enum memberchat_outcome parse(struct reading *reading, struct span body)
{
    struct reason fault;
    switch (json_read(body, JSON_ANY | JSON_DEEP | JSON_HALVES, &reading->document, &fault)) {
    case JSON_GOOD:
        if (reading->settings->member_pointer || reading->document)
            return MEMBERCHAT_FOUND;
        reason_set(reading->why, "the answer is null: if that means that there is no such member, "
                                 "set \"member_pointer = \\\"\\\"\"");
        return MEMBERCHAT_MISCONFIGURED;
    case JSON_BROKEN:
        reason_set(reading->why, "the answer is not JSON: %s",
                   body.length ? fault.text : "it is empty");
        return MEMBERCHAT_MISCONFIGURED;
    case JSON_NO_MEMORY:
        break;
    }
    return refuse(reading, NO_MEMORY, "");
}

enum memberchat_outcome rest_answer_read(const struct rest_settings *settings, struct span body,
                                         struct span asked,
                                         const struct memberchat_services *services,
                                         struct memberchat_result *result, struct reason *why)
{
    struct reading reading = {
        .settings = settings, .services = services, .result = result, .why = why};
    enum memberchat_outcome outcome = parse(&reading, body);
    if (outcome == MEMBERCHAT_FOUND)
        outcome = read_not_found(&reading);
    if (outcome == MEMBERCHAT_FOUND && settings->member_pointer)
        outcome = read_member(&reading);
    if (outcome == MEMBERCHAT_FOUND)
        outcome = read_id(&reading, asked);
    if (outcome == MEMBERCHAT_FOUND)
        outcome = read_state(&reading);
    if (outcome == MEMBERCHAT_FOUND && services)
        outcome = read_fields(&reading);
    if (outcome == MEMBERCHAT_FOUND && services)
        outcome = read_attributes(&reading);
    json_release(reading.document);
    bytes_free(&reading.scratch);
    return outcome;
}

void rest_answer_excerpt(struct span body, char out[REST_EXCERPT_MAX + 1])
{
    size_t used = 0;
    for (size_t i = 0; i < body.length && used < REST_EXCERPT_MAX; i++) {
        char c = body.data[i];
        bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (blank && (used == 0 || out[used - 1] == ' '))
            continue;
        out[used++] = blank ? ' ' : c > 0x20 && c < 0x7f ? c : '?';
    }
    out[used] = '\0';
}
