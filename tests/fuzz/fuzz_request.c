/* SPDX-License-Identifier: MIT
 * A whole request to the bytes of its answer, with members in a file.  An input is lines
 * NAME=VALUE, an empty line and the body; '@' alone is a value with good credentials, and "@T" in
 * the body is a guest's token. */
#include "answer.h"

#include "api/handler.h"
#include "base/json.h"

#include <string.h>

const char fuzz_corpus[] = "request";

static const struct settings *settings;
static struct bytes guest; /* a token */

static void expand(struct span text, struct bytes *out)
{
    for (size_t i = 0; i < text.length; i++) {
        if (i + 1 < text.length && memcmp(text.data + i, "@T", 2) == 0) {
            bytes_add_span(out, bytes_span(&guest));
            i++;
        } else {
            bytes_add(out, text.data + i, 1);
        }
    }
}

static void serve(struct http_request *request, struct bytes *out)
{
    struct http_response response = {0};
    request->deadline = INT64_MAX;
    must(handler_serve(settings, request, &response));
    http_write(request, &response, out);
    must(!out->failed);
    http_response_free(&response);
}

/* A guest's token, for those who put "@T" into a body. */
static void make_guest(void)
{
    struct http_request request = {.method = span_of("POST"),
                                   .uri = span_of("/v2/apps/me/members/guest-chat-tokens"),
                                   .authorizations = {span_of(ANSWER_CREDENTIALS)},
                                   .content_type = span_of("application/json"),
                                   .body = span_of("{\"appUserId\":\"g9\"}"),
                                   .content_length = span_of("18")};
    struct bytes answer = {0};
    struct json_object *body;
    struct reason why;
    serve(&request, &answer);
    must(json_read(answer_body(bytes_span(&answer)), 0, &body, &why) == JSON_GOOD);
    bytes_add_span(&guest, json_string_member(body, "chatToken"));
    must(guest.length > 100);
    json_release(body);
    bytes_free(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = {(const char *)data, size};
    struct http_request request = {0};
    struct bytes body = {0}, out = {0};
    if (!settings) {
        settings = scene_settings();
        make_guest();
    }
    answer_read_request(&rest, &request);
    expand(rest, &body);
    size_t limit = (size_t)settings->top.body_limit;
    request.body = bytes_span(&body);
    http_judge_body(&request, body.length, limit);
    if (request.body.length > limit)
        request.body.length = limit;
    serve(&request, &out);
    answer_check(settings, &request, bytes_span(&out));
    bytes_free(&body);
    bytes_free(&out);
    return 0;
}
