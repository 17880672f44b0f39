/* SPDX-License-Identifier: MIT
 * The table of errors, and the shape of good answers. */
#include "api/reply.h"

#include "support.h"

#include <stdio.h>
#include <string.h>

static struct http_response response;
static struct exchange exchange;

static int start(void **state)
{
    (void)state;
    response = (struct http_response){0};
    exchange = (struct exchange){.response = &response};
    return 0;
}

static int stop(void **state)
{
    (void)state;
    http_response_free(&response);
    bytes_free(&exchange.message);
    return 0;
}

static void every_error(void **state)
{
    static const struct {
        enum outcome outcome;
        int status;
        const char *code;
    } rows[] = {
        {OUTCOME_INVALID_APP_USER_ID_FORMAT, 400, "INVALID_APP_USER_ID_FORMAT"},
        {OUTCOME_INVALID_HTTP_MESSAGE_BODY, 400, "INVALID_HTTP_MESSAGE_BODY"},
        {OUTCOME_EMPTY_APP_CREDENTIALS, 401, "EMPTY_APP_CREDENTIALS"},
        {OUTCOME_INVALID_APP_CREDENTIALS, 401, "INVALID_APP_CREDENTIALS"},
        {OUTCOME_INVALID_ACCESS_TOKEN, 401, "INVALID_ACCESS_TOKEN"},
        {OUTCOME_GUESTS_NOT_ALLOWED, 403, "GUESTS_NOT_ALLOWED"},
        {OUTCOME_MEMBER_DENIED, 403, "MEMBER_DENIED"},
        {OUTCOME_MEMBER_NOT_FOUND, 404, "MEMBER_NOT_FOUND"},
        {OUTCOME_RESOURCE_NOT_FOUND, 404, "RESOURCE_NOT_FOUND"},
        {OUTCOME_UNSUPPORTED_HTTP_METHOD, 405, "UNSUPPORTED_HTTP_METHOD"},
        {OUTCOME_REQUEST_TOO_LARGE, 413, "REQUEST_TOO_LARGE"},
        {OUTCOME_UNSUPPORTED_MEDIA_TYPE, 415, "UNSUPPORTED_MEDIA_TYPE"},
        {OUTCOME_UNSUPPORTED_ENCODING, 415, "UNSUPPORTED_MEDIA_TYPE"},
        {OUTCOME_TOO_MANY_REQUESTS, 429, "TOO_MANY_REQUESTS"},
        {OUTCOME_INTERNAL_SERVER_ERROR, 500, "INTERNAL_SERVER_ERROR"},
        {OUTCOME_MEMBER_STORE_UNAVAILABLE, 503, "MEMBER_STORE_UNAVAILABLE"},
    };
    (void)state;
    exchange.route.methods = "POST, OPTIONS";
    for (size_t i = 0; i < COUNT(rows); i++) {
        char body[128];
        http_response_reset(&response);
        reply_with_error(&exchange, rows[i].outcome);
        assert_int_equal(response.status, rows[i].status);
        snprintf(body, sizeof body, "{\"errorCode\":\"%s\",\"errorMessage\":\"", rows[i].code);
        expect(strncmp(bytes_string(&response.body), body, strlen(body)) == 0, "%s: %s",
               rows[i].code, bytes_string(&response.body));
        const char *headers = bytes_string(&response.headers);
        bool basic = strstr(headers, "WWW-Authenticate: Basic realm=\"memberchat\", "
                                     "charset=\"UTF-8\"\r\n") != NULL;
        bool retry = strstr(headers, "Retry-After: 1\r\n") != NULL;
        bool allow = strstr(headers, "Allow: POST, OPTIONS\r\n") != NULL;
        expect(allow == (rows[i].status == 405), "%s: %s", rows[i].code, headers);
        expect(retry == (rows[i].status == 503 || rows[i].status == 429), "%s: %s", rows[i].code,
               headers);
        bool token = rows[i].outcome == OUTCOME_INVALID_ACCESS_TOKEN;
        bool bearer = strstr(headers, "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n");
        bool identity = strstr(headers, "Accept-Encoding: identity\r\n");
        expect(basic == (rows[i].status == 401 && !token), "%s: %s", rows[i].code, headers);
        expect(bearer == token, "%s: %s", rows[i].code, headers);
        expect(identity == (rows[i].outcome == OUTCOME_UNSUPPORTED_ENCODING), "%s: %s",
               rows[i].code, headers);
    }
}

static void messages_without_memory(void **state)
{
    (void)state;
    bytes_add_string(&exchange.message, "half of a mess");
    exchange.message.failed = true;
    reply_with_error(&exchange, OUTCOME_INVALID_HTTP_MESSAGE_BODY);
    assert_int_equal(response.status, 500);
    expect_lacks(bytes_string(&response.body), "half of");
}

static void messages_are_escaped(void **state)
{
    (void)state;
    bytes_add_string(&exchange.message, "a \"quoted\" \x01 text");
    bytes_add_string(&response.body, "left from an answer that failed");
    reply_with_error(&exchange, OUTCOME_INVALID_HTTP_MESSAGE_BODY);
    assert_string_equal(bytes_string(&response.body),
                        "{\"errorCode\":\"INVALID_HTTP_MESSAGE_BODY\",\"errorMessage\":"
                        "\"a \\\"quoted\\\" \\u0001 text\"}");
}

static void retry_after_is_in_whole_seconds(void **state)
{
    static const struct {
        int64_t ms;
        const char *header;
    } rows[] = {
        {0, "Retry-After: 1\r\n"},      {1, "Retry-After: 1\r\n"},
        {1000, "Retry-After: 1\r\n"},   {1001, "Retry-After: 2\r\n"},
        {30000, "Retry-After: 30\r\n"}, {INT64_MAX, "Retry-After: 9223372036854776\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        http_response_reset(&response);
        exchange.retry_after_ms = rows[i].ms;
        reply_with_error(&exchange, OUTCOME_MEMBER_STORE_UNAVAILABLE);
        assert_string_equal(bytes_string(&response.headers), rows[i].header);
    }
}

static void reply(const struct reply_token *token)
{
    reply_begin_token(&exchange);
    bytes_add_string(&response.body, "a.b.c");
    reply_end_token(&exchange, token);
}

static void tokens(void **state)
{
    struct app app = {.id = "demo", .settings = {.chat_server_url = "wss://c/\"ws\""}};
    struct reply_token token = {.id = SPAN("u\"1"),
                                .name = SPAN_NONE,
                                .avatar = SPAN("https://i/1"),
                                .expires = 1700000000,
                                .lifetime = 900};
    (void)state;
    exchange.app = &app;
    reply(&token);
    assert_int_equal(response.status, 200);
    assert_string_equal(
        bytes_string(&response.body),
        "{\"chatServerWebSocketUrl\":\"wss://c/\\\"ws\\\"\",\"chatToken\":\"a.b.c\","
        "\"appId\":\"demo\",\"userId\":\"u\\\"1\",\"userName\":null,"
        "\"avatarProfileUrl\":\"https://i/1\"}");
    app.settings.extended_response = true;
    token.name = SPAN("");
    http_response_reset(&response);
    reply(&token);
    expect_contains(bytes_string(&response.body),
                    "\"userName\":\"\",\"avatarProfileUrl\":\"https://i/1\","
                    "\"expiresAt\":\"2023-11-14T22:13:20Z\",\"expiresIn\":900}");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(every_error),
        TEST(messages_without_memory),
        TEST(messages_are_escaped),
        TEST(retry_after_is_in_whole_seconds),
        TEST(tokens),
    };
    return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
