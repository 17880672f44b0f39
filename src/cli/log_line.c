/* SPDX-License-Identifier: MIT */
#include "log_line.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

/* Copies what fits. */
static void put(char *out, size_t size, struct span text)
{
    size_t length = text.length < size ? text.length : size - 1;
    if (length)
        memcpy(out, text.data, length);
    out[length] = '\0';
}

#define PUT(field, text) put((field), sizeof(field), (text))

static bool take_text(struct span *rest, const char *wanted)
{
    size_t length = strlen(wanted);
    if (rest->length < length || memcmp(rest->data, wanted, length) != 0)
        return false;
    *rest = (struct span){rest->data + length, rest->length - length};
    return true;
}

/* Takes what stands before a mark, and the mark.  False: it is not there. */
static bool take_until(struct span *rest, const char *mark, struct span *taken_r)
{
    const char *at = memmem(rest->data, rest->length, mark, strlen(mark));
    if (!at)
        return false;
    *taken_r = (struct span){rest->data, (size_t)(at - rest->data)};
    size_t used = taken_r->length + strlen(mark);
    *rest = (struct span){rest->data + used, rest->length - used};
    return true;
}

/* Whether an unquoted field ends here: before a blank, and where `colon` before ": ". */
static bool ends_field(const struct span *rest, size_t at, bool colon)
{
    char c = rest->data[at];
    return c == ' ' || (colon && c == ':' && at + 1 < rest->length && rest->data[at + 1] == ' ');
}

/* Takes a field as access_log_add_text() writes it, and a blank behind it. */
static bool take_field(struct span *rest, bool colon, char *out, size_t size)
{
    struct bytes text = bytes_within(out, size - 1);
    size_t at = 0;
    bool quoted = rest->length && *rest->data == '"';
    for (at += quoted; at < rest->length; at++) {
        char c = rest->data[at];
        if (quoted ? c == '"' : ends_field(rest, at, colon))
            break;
        if (quoted && c == '\\' && at + 1 < rest->length)
            c = rest->data[++at];
        bytes_add(&text, &c, 1);
    }
    if (quoted && at == rest->length)
        return false;
    at += quoted;
    out[text.length] = '\0';
    if (!quoted && strcmp(out, "-") == 0)
        out[0] = '\0';
    *rest = (struct span){rest->data + at, rest->length - at};
    take_text(rest, " ");
    return !text.failed;
}

#define TAKE(rest, field)              take_field((rest), false, (field), sizeof(field))
#define TAKE_BEFORE_COLON(rest, field) take_field((rest), true, (field), sizeof(field))

/* ---- The access log ---- */

static bool is_number(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

static bool read_access_text(struct span rest, struct log_line *line)
{
    char level[16], method[160], route[16], bytes[24];
    bool good = TAKE(&rest, line->time) && TAKE(&rest, level) && TAKE(&rest, line->request) &&
                TAKE(&rest, line->client) && TAKE(&rest, method) && TAKE(&rest, route) &&
                TAKE(&rest, line->app) && TAKE(&rest, line->id) && TAKE(&rest, line->status) &&
                TAKE(&rest, line->outcome) && TAKE(&rest, line->store) &&
                TAKE(&rest, line->cache) && TAKE(&rest, line->microseconds) && TAKE(&rest, bytes);
    line->is_member = good && strcmp(route, "member") == 0;
    line->is_access = line->is_answer =
        good && is_number(line->status) && is_number(bytes) && is_number(line->microseconds);
    return line->is_access;
}

static bool read_access_json(struct json_object *object, struct log_line *line)
{
    int64_t status, us;
    PUT(line->time, json_string_member(object, "time"));
    PUT(line->request, json_string_member(object, "requestId"));
    PUT(line->client, json_string_member(object, "client"));
    PUT(line->app, json_string_member(object, "app"));
    PUT(line->id, json_string_member(object, "memberId"));
    PUT(line->outcome, json_string_member(object, "outcome"));
    PUT(line->store, json_string_member(object, "store"));
    PUT(line->cache, json_string_member(object, "cache"));
    line->is_member = span_equal(json_string_member(object, "route"), span_of("member"));
    line->is_access = line->is_answer =
        json_integer_member(object, "status", &status) && json_integer_member(object, "us", &us);
    if (!line->is_access)
        return false;
    snprintf(line->status, sizeof line->status, "%d", (int)(status & 0xffff));
    snprintf(line->microseconds, sizeof line->microseconds, "%lld", (long long)us);
    return true;
}

/* ---- The log ---- */

/* "member ID: CODE (store NAME)", "guest ID: CODE", "a guest: CODE"; without a code, it was wrong
 * credentials. */
static bool read_refusal(struct span rest, struct log_line *line)
{
    bool nobody = take_text(&rest, "a ");
    line->is_member = take_text(&rest, "member");
    if (!line->is_member && !take_text(&rest, "guest"))
        return false;
    if (!nobody && (!take_text(&rest, " ") || !TAKE_BEFORE_COLON(&rest, line->id)))
        return false;
    if (!take_text(&rest, ": ")) {
        PUT(line->outcome, span_of("INVALID_APP_CREDENTIALS"));
        return rest.length == 0;
    }
    if (!TAKE(&rest, line->outcome))
        return false;
    struct span store;
    if (take_text(&rest, "(store ") && take_until(&rest, ")", &store))
        PUT(line->store, store);
    return true;
}

static void read_message(struct span message, struct log_line *line)
{
    struct span rest = message, part;
    if (take_text(&rest, "client ") && take_until(&rest, ": ", &part)) {
        PUT(line->client, part);
        if (take_text(&rest, "wrong API key or secret: the key is that of app ") &&
            take_until(&rest, "; ", &part))
            PUT(line->app, part);
        else
            take_text(&rest, "wrong API key or secret; ");
    } else if (take_text(&rest, "app ") && take_until(&rest, ": ", &part)) {
        PUT(line->app, part);
    }
    line->is_answer = take_text(&rest, "no token for ") && read_refusal(rest, line);
}

static bool read_log_text(struct span rest, struct log_line *line)
{
    struct span time, part, level = SPAN_NONE, request = SPAN_NONE;
    if (!take_until(&rest, " memberchat[", &time) || !take_until(&rest, "]", &part))
        return false;
    if (!take_text(&rest, ": ") &&
        (!take_text(&rest, " ") || !take_until(&rest, ": ", &level))) /* syslog has no level */
        return false;
    bool has_request = take_text(&rest, "[") && take_until(&rest, "] ", &request);
    if (!has_request && read_access_text(rest, line)) /* it went to syslog */
        return true;
    memset(line, 0, sizeof *line);
    PUT(line->time, time);
    PUT(line->request, request);
    snprintf(line->message, sizeof line->message, "%.*s%s%.*s", (int)level.length,
             level.data ? level.data : "", level.length ? ": " : "", (int)rest.length, rest.data);
    read_message(rest, line);
    return true;
}

static bool read_log_json(struct json_object *object, struct log_line *line)
{
    struct span message = json_string_member(object, "message"),
                level = json_string_member(object, "level");
    if (!message.data)
        return false;
    PUT(line->time, json_string_member(object, "time"));
    PUT(line->request, json_string_member(object, "request"));
    snprintf(line->message, sizeof line->message, "%.*s: %.*s", (int)level.length,
             level.data ? level.data : "", (int)message.length, message.data);
    read_message(message, line);
    return true;
}

bool log_line_read(struct span text, struct log_line *line_r)
{
    struct json_object *object = NULL;
    struct reason why;
    memset(line_r, 0, sizeof *line_r);
    const char *brace = memchr(text.data, '{', text.length < 120 ? text.length : 120);
    struct span json = {brace, brace ? text.length - (size_t)(brace - text.data) : 0};
    bool good = false;
    if (brace && json_read(json, 0, &object, &why) == JSON_GOOD)
        good = read_access_json(object, line_r) || read_log_json(object, line_r);
    json_release(object);
    if (good)
        return true;
    memset(line_r, 0, sizeof *line_r);
    if (read_access_text(text, line_r))
        return true;
    memset(line_r, 0, sizeof *line_r);
    return read_log_text(text, line_r);
}
