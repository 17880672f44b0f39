/* SPDX-License-Identifier: MIT */
#include "token.h"

#include "base/json.h"
#include "base/text.h"
#include "secret.h"

#include <string.h>

enum { TOKEN_MAX = 8192, UNTOLD_LIFE_S = 3600, LONGEST_LIFE_S = 365 * 86400 };

#define KEY "\"token_url\": "

static enum memberchat_outcome without_memory(struct reason *why)
{
    reason_set(why, "out of memory");
    return MEMBERCHAT_UNAVAILABLE;
}

/* Seconds, as a number or as its text; some servers leave them out. */
static int64_t read_life(struct json_object *object)
{
    struct span text = json_string_member(object, "expires_in");
    char digits[16] = "";
    int64_t life = UNTOLD_LIFE_S;
    if (text.length && text.length < sizeof digits) {
        memcpy(digits, text.data, text.length);
        text_parse_integer(digits, &life);
    } else {
        json_integer_member(object, "expires_in", &life);
    }
    return life < 0 ? 0 : life > LONGEST_LIFE_S ? LONGEST_LIFE_S : life;
}

static enum memberchat_outcome read_token(struct json_object *object, struct rest_token *token_r,
                                          struct reason *why)
{
    struct span text = json_string_member(object, "access_token"), type;
    enum json_kind kind = json_member(object, "token_type", &type);
    size_t at;
    if (kind != JSON_ABSENT && !span_equal_nocase(type, "Bearer")) {
        reason_set(why, KEY "its token is not of the type Bearer");
        return MEMBERCHAT_MISCONFIGURED;
    }
    if (!text.length || text.length > TOKEN_MAX || !rest_secret_is_visible(text, false, &at)) {
        reason_set(why, KEY "the answer has no access_token of 1 to %d visible ASCII characters",
                   TOKEN_MAX);
        return MEMBERCHAT_MISCONFIGURED;
    }
    bytes_add_span(&token_r->text, text);
    token_r->life_ms = read_life(object) * 1000;
    return token_r->text.failed ? without_memory(why) : MEMBERCHAT_FOUND;
}

/* The error code of a refusal, if it is one that may be shown. */
static struct span error_code(struct json_object *object)
{
    struct span code = object ? json_string_member(object, "error") : SPAN_NONE;
    for (size_t i = 0; i < code.length; i++)
        if (code.data[i] != '_' && !(code.data[i] >= 'a' && code.data[i] <= 'z'))
            return SPAN_NONE;
    return code.length <= 64 ? code : SPAN_NONE;
}

static enum memberchat_outcome refuse(long status, struct json_object *object, struct reason *why)
{
    struct span code = error_code(object);
    bool later = status >= 500 || status == 408 || status == 425 || status == 429;
    reason_set(why, KEY "HTTP status %ld%s%.*s%s", status, code.length ? ", " : "",
               (int)code.length, code.length ? code.data : "",
               later ? ""
                     : ": check \"client_id\", \"client_secret_file\", \"scope\" and \"audience\"");
    return later ? MEMBERCHAT_UNAVAILABLE : MEMBERCHAT_MISCONFIGURED;
}

static enum memberchat_outcome read_answer(const struct rest_reply *reply,
                                           struct rest_token *token_r, struct reason *why)
{
    struct json_object *object;
    struct reason fault;
    enum memberchat_outcome outcome = MEMBERCHAT_MISCONFIGURED;
    bool good = reply->status >= 200 && reply->status < 300;
    enum json_result result = json_read(reply->body, JSON_DEEP, &object, &fault);
    if (result == JSON_NO_MEMORY)
        outcome = without_memory(why);
    else if (!good)
        outcome = refuse(reply->status, object, why);
    else if (result == JSON_GOOD)
        outcome = read_token(object, token_r, why);
    else
        reason_set(why, KEY "the answer is not a JSON object: %s", fault.text);
    json_release(object);
    return outcome;
}

enum memberchat_outcome rest_token_read(const struct rest_reply *reply, struct rest_token *token_r,
                                        struct reason *why)
{
    switch (reply->end) {
    case REST_ANSWERED:
        return read_answer(reply, token_r, why);
    case REST_TOO_LARGE:
        if (reply->status >= 300)
            return refuse(reply->status, NULL, why);
        reason_set(why, KEY "the answer is too large");
        return MEMBERCHAT_MISCONFIGURED;
    case REST_IMPOSSIBLE:
        reason_set(why, KEY "%s", reply->trouble);
        return MEMBERCHAT_MISCONFIGURED;
    case REST_LATE:
    case REST_NO_ANSWER:
    case REST_BUSY:
        break;
    }
    reason_set(why, KEY "%s", reply->trouble);
    return MEMBERCHAT_UNAVAILABLE;
}
