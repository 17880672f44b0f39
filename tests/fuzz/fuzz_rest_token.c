/* SPDX-License-Identifier: MIT
 * What a token endpoint answers.  The first byte chooses the status and how the exchange ended. */
#include "fuzz.h"

#include "plugins/rest/token.h"

#include <string.h>

const char fuzz_corpus[] = "rest_token";

static void check_token(const struct rest_token *token, struct span body)
{
    struct span text = bytes_span(&token->text);
    must(text.length > 0 && text.length <= body.length);
    for (size_t i = 0; i < text.length; i++)
        must(text.data[i] > 0x20 && text.data[i] < 0x7f); /* it goes into a header */
    must(token->life_ms >= 0 && token->life_ms <= INT64_C(365) * 86400 * 1000);
}

/* A reason is one line of plain text, and tells nothing of the answer but an error code. */
static void check_reason(const struct reason *why, struct span body)
{
    must(*why->text);
    for (const char *at = why->text; *at; at++)
        must((unsigned char)*at >= 0x20 && *at != 0x7f);
    must(!memmem(body.data, body.length, "SECRET", 6) || !strstr(why->text, "SECRET"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {200, 201, 400, 401, 429, 500, 302, 0};
    struct rest_token token = {{0}, 0};
    struct reason why = {""};
    if (size == 0)
        return 0;
    struct rest_reply reply = {.end = data[0] & 8 ? REST_TOO_LARGE : REST_ANSWERED,
                               .status = statuses[data[0] & 7],
                               .trouble = "trouble",
                               .body = {(const char *)data + 1, size - 1}};
    enum memberchat_outcome outcome = rest_token_read(&reply, &token, &why);
    must((outcome == MEMBERCHAT_FOUND) == (token.text.length > 0));
    if (outcome == MEMBERCHAT_FOUND) {
        must(reply.end == REST_ANSWERED && reply.status / 100 == 2);
        check_token(&token, reply.body);
    } else {
        must(outcome == MEMBERCHAT_UNAVAILABLE || outcome == MEMBERCHAT_MISCONFIGURED);
        check_reason(&why, reply.body);
    }
    bytes_free(&token.text);
    return 0;
}
