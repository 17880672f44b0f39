/* SPDX-License-Identifier: MIT */
#include "answer.h"

#include "base/json.h"
#include "token/jws.h"

#include <stdlib.h>
#include <string.h>

/* A line without its end; SPAN_NONE at the end of the head. */
static struct span take_line(struct span *rest)
{
    const char *end = rest->length ? memchr(rest->data, '\n', rest->length) : NULL;
    struct span line = {rest->data, end ? (size_t)(end - rest->data) : rest->length};
    size_t taken = line.length + (end ? 1 : 0);
    *rest = (struct span){rest->data + taken, rest->length - taken};
    return line.length ? line : SPAN_NONE;
}

void answer_read_request(struct span *rest, struct http_request *request)
{
    for (struct span line; (line = take_line(rest)).data;) {
        const char *equals = memchr(line.data, '=', line.length);
        if (!equals)
            continue;
        struct span name = {line.data, (size_t)(equals - line.data)};
        struct span value = {equals + 1, line.length - name.length - 1};
        if (span_equal(value, span_of("@")))
            value = span_of(ANSWER_CREDENTIALS);
        http_request_take(request, name, value);
    }
}

/* ---- What an answer has to be like ---- */

static const int statuses[] = {200, 204, 304, 400, 401, 403, 404, 405, 413, 415, 500, 503};

static int read_status(struct span answer)
{
    char text[4] = {0};
    must(answer.length > 12 && memcmp(answer.data, "Status: ", 8) == 0);
    memcpy(text, answer.data + 8, 3);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i] == atoi(text))
            return statuses[i];
    must(false && "a known status");
    return 0;
}

/* Nothing from outside makes a line of its own: each has a name of ours. */
static void check_header(struct span line)
{
    static const char *const names[] = {"Status",
                                        "Content-Type",
                                        "Content-Length",
                                        "Cache-Control",
                                        "X-Content-Type-Options",
                                        "X-Request-Id",
                                        "WWW-Authenticate",
                                        "Retry-After",
                                        "Accept-Encoding",
                                        "Allow",
                                        "ETag",
                                        "Vary",
                                        "Access-Control-Allow-Origin",
                                        "Access-Control-Allow-Methods",
                                        "Access-Control-Allow-Headers",
                                        "Access-Control-Max-Age",
                                        "Access-Control-Expose-Headers"};
    const char *colon = memchr(line.data, ':', line.length);
    bool known = false;
    must(colon);
    struct span name = {line.data, (size_t)(colon - line.data)};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        known = known || span_equal(name, span_of(names[i]));
    must(known);
    for (size_t i = 0; i < line.length; i++)
        must((unsigned char)line.data[i] >= 0x20 && line.data[i] != 0x7f);
}

struct span answer_body(struct span answer)
{
    while (answer.length) {
        const char *end = memchr(answer.data, '\r', answer.length);
        must(end && end[1] == '\n');
        struct span line = {answer.data, (size_t)(end - answer.data)};
        answer.data += line.length + 2;
        answer.length -= line.length + 2;
        if (!line.length)
            return answer;
        check_header(line);
    }
    must(false && "an end of the head");
    return answer;
}

/* A token of ours that says what the answer says, of somebody who may have one. */
static void check_token(const struct settings *settings, const struct http_request *request,
                        struct json_object *body)
{
    const struct jws_rules rules = {.keys = &settings->apps[0].keys, .ours = true, .type = "JWT"};
    struct jws jws;
    struct span user = json_string_member(body, "userId");
    bool authorized = span_equal(request->api_key, span_of("demo-key")) &&
                      span_equal(request->api_secret, span_of(SCENE_SECRET));
    for (size_t i = 0; i < HTTP_AUTHORIZATIONS; i++)
        authorized = authorized ||
                     (request->authorizations[i].length > 6 &&
                      memmem(request->authorizations[i].data, request->authorizations[i].length,
                             &ANSWER_CREDENTIALS[6], sizeof ANSWER_CREDENTIALS - 7));
    must(authorized);
    must(jws_verify(json_string_member(body, "chatToken"), &rules, &jws) == JWS_GOOD);
    must(span_equal(json_string_member(jws.claims, "sub"), user));
    must(span_equal(json_string_member(jws.claims, "appId"), span_of("demo")));
    must(span_equal(json_string_member(body, "appId"), span_of("demo")));
    if (!span_equal(json_string_member(jws.claims, "role"), span_of("guest")))
        must(span_equal(user, span_of("1")) || span_equal(user, span_of("2")));
    must(user.length > 0 && user.length <= MEMBERCHAT_ID_MAX);
    jws_free(&jws);
}

static void check_body(const struct settings *settings, const struct http_request *request,
                       int status, struct span text)
{
    struct json_object *body = NULL;
    struct reason why;
    bool head = span_equal(request->method, span_of("HEAD"));
    if (head || status == 204 || status == 304) {
        must(text.length == 0);
        return;
    }
    must(json_read(text, JSON_UNIQUE | JSON_ANY | JSON_DEEP, &body, &why) == JSON_GOOD);
    if (status >= 400 && json_kind_of(body) == JSON_OBJECT)
        must(json_string_member(body, "errorCode").length);
    if (status == 200 && json_kind_of(body) == JSON_OBJECT &&
        json_member(body, "chatToken", &text) != JSON_ABSENT)
        check_token(settings, request, body);
    json_release(body);
}

void answer_check(const struct settings *settings, const struct http_request *request,
                  struct span answer)
{
    check_body(settings, request, read_status(answer), answer_body(answer));
}
