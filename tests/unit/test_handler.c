/* SPDX-License-Identifier: MIT
 * Whole requests, from variables to answers, with the file store behind. */
#include "api/handler.h"

#include "base/clock.h"
#include "base/json.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API  "/v2/apps/me/members"
#define GOOD "Basic ZGVtby1rZXk6ZGVtby1zZWNyZXQtZGVtbw==" /* demo-key:demo-secret-demo */
#define CLOSED                                                                                     \
    "Basic Y2xvc2VkOmRlbW8tc2VjcmV0LWRlbW8=" /* closed:demo-secret-demo, without guests */
#define WRONG "Basic ZGVtby1rZXk6d3Jvbmc="   /* demo-key:wrong */

static struct settings *settings;
static struct http_response response;
static struct json_object *answer; /* what the last response says */

static int start(void **state)
{
    response = (struct http_response){0};
    if (scratch_start(state) != 0)
        return -1;
    settings = settings_from(&(struct config_texts){
        .app = "api_secret = \"demo-secret-demo\"; store = \"members\";"
               " cors_origins = [ \"https://www.example.com\" ]",
        .apps = "closed = { api_key = \"closed\"; api_secret = \"demo-secret-demo\"; store = "
                "\"members\";"
                " chat_server_url = \"ws://x\"; guests = false; token = { key_file = \"key\" } }"});
    return settings ? 0 : -1;
}

static int stop(void **state)
{
    json_release(answer);
    answer = NULL;
    http_response_free(&response);
    settings_free(settings);
    return scratch_stop(state);
}

static struct http_request request(const char *method, const char *uri)
{
    return (struct http_request){.method = span_of(method),
                                 .uri = span_of(uri),
                                 .authorizations = {SPAN(GOOD)},
                                 .content_type = SPAN("application/json"),
                                 .remote_addr = SPAN("192.0.2.7"),
                                 .deadline = clock_monotonic_ms() + 5000};
}

static const char *serve(const struct http_request *asked)
{
    assert_true(handler_serve(settings, asked, &response));
    return bytes_string(&response.body);
}

static void expect_answer(const struct http_request *asked, int status, const char *code)
{
    char wanted[128];
    const char *body = serve(asked);
    snprintf(wanted, sizeof wanted, "{\"errorCode\":\"%s\",\"errorMessage\":\"", code);
    expect(response.status == status, "%.*s: %d %s, not %d", (int)asked->uri.length,
           asked->uri.data, response.status, body, status);
    expect(strncmp(body, wanted, strlen(wanted)) == 0, "%s where %s should be", body, code);
}

static const char *headers(void)
{
    return bytes_string(&response.headers);
}

/* The six members of the answer, in their order; SPAN_NONE for null. */
static void parse_answer(struct span values_r[6])
{
    static const char *const names[] = {
        "chatServerWebSocketUrl", "chatToken", "appId", "userId", "userName", "avatarProfileUrl"};
    const char *at = bytes_string(&response.body);
    json_release(answer);
    answer = json_of(bytes_span(&response.body));
    for (size_t i = 0; i < COUNT(names); i++) {
        char name[64];
        snprintf(name, sizeof name, "%c\"%s\":", i ? ',' : '{', names[i]);
        at = strstr(at, name);
        expect(at, "no %s, or not in its place", names[i]);
        enum json_kind kind = json_member(answer, names[i], &values_r[i]);
        assert_true(kind == JSON_STRING || (kind == JSON_NULL && i > 3));
    }
}

static void members_get_tokens(void **state)
{
    struct http_request asked = request("POST", API "/1/chat-tokens");
    struct span values[6];
    (void)state;
    serve(&asked);
    assert_int_equal(response.status, 200);
    parse_answer(values);
    expect_span(values[0], "wss://chat.example.com/ws");
    assert_int_equal(values[1].data ? 1 : 0, 1);
    expect_span(values[2], "demo");
    expect_span(values[3], "1");
    expect_span(values[4], "Ann");
    expect_span(values[5], "https://img.example.com/1.jpg");

    asked.uri = SPAN("/mounted/there" API "/2/chat-tokens?x=y");
    asked.body = SPAN("whatever");
    asked.content_type = SPAN("text/plain");
    asked.body_state = HTTP_BODY_BROKEN; /* not looked at for members */
    serve(&asked);
    assert_int_equal(response.status, 200);
    parse_answer(values);
    expect_span(values[3], "2");
    expect_span(values[4], NULL);
    expect_span(values[5], NULL);
}

static void guests_get_tokens(void **state)
{
    static const struct {
        struct span body, type;
    } rows[] = {
        {LITERAL(""), LITERAL("application/json")},
        {LITERAL(""), {NULL, 0}},
        {LITERAL(""), LITERAL("application/x-www-form-urlencoded")}, /* curl -d '' */
        {LITERAL("{}"), LITERAL("application/json")},
        {LITERAL("{}"), LITERAL("Application/JSON; charset=utf-8")},
        {LITERAL("{}"), LITERAL("application/vnd.x+json")},
        {LITERAL("{}"), LITERAL("application/json ;charset=utf-8")},
        {LITERAL("{}"), {NULL, 0}},
    };
    struct span values[6];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request asked = request("POST", API "/guest-chat-tokens");
        asked.body = rows[i].body;
        asked.content_type = rows[i].type;
        serve(&asked);
        expect(response.status == 200, "row %zu: %s", i, bytes_string(&response.body));
        parse_answer(values);
        assert_int_equal(values[3].length, 27);
        expect_span(values[5], NULL);
    }
    struct http_request asked = request("POST", API "/guest-chat-tokens");
    asked.body =
        SPAN("{\"appUserId\":\"u7\",\"appUserName\":\"\\u00e9\",\"appUserProfileImgUrl\":\"p\"}");
    serve(&asked);
    parse_answer(values);
    expect_span(values[3], "u7");
    expect_span(values[4], "\xc3\xa9");
    expect_span(values[5], "p");
}

static void every_answer_has_its_headers(void **state)
{
    static const char *const uris[] = {API "/1/chat-tokens", API "/9/chat-tokens", "/none",
                                       "/healthz", API "/guest-chat-tokens"};
    (void)state;
    for (size_t i = 0; i < COUNT(uris); i++) {
        struct http_request asked = request(i == 3 ? "GET" : "POST", uris[i]);
        asked.request_id = SPAN("My-request_1.2");
        serve(&asked);
        expect_contains(headers(), "Content-Type: application/json\r\n");
        expect_contains(headers(), "Cache-Control: no-store\r\n");
        expect_contains(headers(), "X-Content-Type-Options: nosniff\r\n");
        expect_contains(headers(), "X-Request-Id: My-request_1.2\r\n");
    }
}

static void request_ids(void **state)
{
    static const char *const bad[] = {NULL, "", "a b", "a\r\nX: y", "a\"b", "\xc3\xa9", "<x>"};
    char *long_id = repeated('x', 65);
    (void)state;
    for (size_t i = 0; i <= COUNT(bad); i++) {
        struct http_request asked = request("GET", "/healthz");
        asked.request_id = span_of(i < COUNT(bad) ? bad[i] : long_id);
        serve(&asked);
        const char *id = strstr(headers(), "X-Request-Id: ");
        assert_non_null(id);
        expect(strspn(id + 14, "0123456789abcdef") == 32 && id[46] == '\r', "row %zu: %s", i, id);
    }
    free(long_id);
}

static void errors_of_routes_and_methods(void **state)
{
    static const struct {
        const char *method, *uri;
        int status;
        const char *code;
    } rows[] = {
        {"POST", "/", 404, "RESOURCE_NOT_FOUND"},
        {"GET", "/metrics", 404, "RESOURCE_NOT_FOUND"},
        {"PUT", "/none", 404, "RESOURCE_NOT_FOUND"}, /* the route comes before the method */
        {"POST", API "/%zz/chat-tokens", 404, "RESOURCE_NOT_FOUND"},
        {"GET", API "/1/chat-tokens", 405, "UNSUPPORTED_HTTP_METHOD"},
        {"DELETE", API "/guest-chat-tokens", 405, "UNSUPPORTED_HTTP_METHOD"},
        {"FOO", API "/guest-chat-tokens", 405, "UNSUPPORTED_HTTP_METHOD"},
        {"POST", "/healthz", 405, "UNSUPPORTED_HTTP_METHOD"},
        {"OPTIONS", "/readyz", 405, "UNSUPPORTED_HTTP_METHOD"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request asked = request(rows[i].method, rows[i].uri);
        asked.authorizations[0] = SPAN_NONE; /* and the method before the credentials */
        asked.body_state = HTTP_BODY_TOO_LARGE;
        expect_answer(&asked, rows[i].status, rows[i].code);
        expect(!strstr(headers(), "Allow: ") == (rows[i].status != 405), "row %zu: Allow", i);
    }
    expect_contains(headers(), "Allow: GET, HEAD\r\n");
}

static void errors_of_members(void **state)
{
    static const char *const ids[] = {"nobody",     "3",   "",         "%00",  "1%00",
                                      "a%0Ab",      "%FF", "%C2%80",   "1%20", "01",
                                      "%2e%2e%2f1", "ANN", "appUserId"};
    char *long_id = repeated('1', 129);
    (void)state;
    for (size_t i = 0; i <= COUNT(ids); i++) {
        char uri[256];
        snprintf(uri, sizeof uri, API "/%s/chat-tokens", i < COUNT(ids) ? ids[i] : long_id);
        struct http_request asked = request("POST", uri);
        expect_answer(&asked, 404, "MEMBER_NOT_FOUND");
    }
    free(long_id);
}

static void errors_of_guests(void **state)
{
    static const struct {
        const char *body, *type;
        enum http_body body_state;
        int status;
        const char *code;
    } rows[] = {
        {"{\"appUserId\":\"a-b\"}", NULL, HTTP_BODY_COMPLETE, 400, "INVALID_APP_USER_ID_FORMAT"},
        {"{\"appUserName\":1}", NULL, HTTP_BODY_COMPLETE, 400, "INVALID_HTTP_MESSAGE_BODY"},
        {"{", NULL, HTTP_BODY_COMPLETE, 400, "INVALID_HTTP_MESSAGE_BODY"},
        {"[]", NULL, HTTP_BODY_COMPLETE, 400, "INVALID_HTTP_MESSAGE_BODY"},
        {"{}", NULL, HTTP_BODY_BROKEN, 400, "INVALID_HTTP_MESSAGE_BODY"},
        {"", NULL, HTTP_BODY_BROKEN, 400, "INVALID_HTTP_MESSAGE_BODY"},
        {"{}", NULL, HTTP_BODY_TOO_LARGE, 413, "REQUEST_TOO_LARGE"},
        {"{}", "text/plain", HTTP_BODY_COMPLETE, 415, "UNSUPPORTED_MEDIA_TYPE"},
        {"{}", "application/jsonp", HTTP_BODY_COMPLETE, 415, "UNSUPPORTED_MEDIA_TYPE"},
        {"{}", "application/jso", HTTP_BODY_COMPLETE, 415, "UNSUPPORTED_MEDIA_TYPE"},
        {"{}", ";", HTTP_BODY_COMPLETE, 415, "UNSUPPORTED_MEDIA_TYPE"},
        {"{\"accessToken\":\"x\"}", NULL, HTTP_BODY_COMPLETE, 401, "INVALID_ACCESS_TOKEN"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request asked = request("POST", API "/guest-chat-tokens");
        asked.body = span_of(rows[i].body);
        asked.body_state = rows[i].body_state;
        if (rows[i].type)
            asked.content_type = span_of(rows[i].type);
        expect_answer(&asked, rows[i].status, rows[i].code);
        if (rows[i].status == 401)
            expect_contains(headers(), "WWW-Authenticate: Bearer error=\"invalid_token\"");
    }
    struct http_request asked = request("POST", API "/guest-chat-tokens");
    asked.authorizations[0] = SPAN(CLOSED);
    asked.body = SPAN("{");
    expect_answer(&asked, 403, "GUESTS_NOT_ALLOWED");
}

static void errors_of_credentials(void **state)
{
    static const char *const uris[] = {API "/guest-chat-tokens", API "/1/chat-tokens",
                                       API "//chat-tokens"};
    (void)state;
    log_configure("stderr", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    for (size_t i = 0; i < COUNT(uris); i++) {
        struct http_request asked = request("POST", uris[i]);
        asked.body_state = HTTP_BODY_TOO_LARGE; /* the credentials come before the body */
        asked.authorizations[0] = SPAN_NONE;
        expect_answer(&asked, 401, "EMPTY_APP_CREDENTIALS");
        expect_contains(headers(),
                        "WWW-Authenticate: Basic realm=\"memberchat\", charset=\"UTF-8\"\r\n");
        asked.authorizations[0] = SPAN(WRONG);
        expect_answer(&asked, 401, "INVALID_APP_CREDENTIALS");
        expect_contains(headers(),
                        "WWW-Authenticate: Basic realm=\"memberchat\", charset=\"UTF-8\"\r\n");
    }
    log_configure("stderr", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
}

static void pages_of_browsers(void **state)
{
    struct http_request asked = request("OPTIONS", API "/guest-chat-tokens");
    (void)state;
    asked.authorizations[0] = SPAN_NONE;
    asked.origin = SPAN("https://www.example.com");
    assert_string_equal(serve(&asked), "");
    assert_int_equal(response.status, 204);
    expect_contains(headers(), "Allow: POST, OPTIONS\r\n");
    expect_contains(headers(), "Access-Control-Allow-Origin: https://www.example.com\r\n");
    asked.origin = SPAN("https://elsewhere.example");
    assert_string_equal(serve(&asked), "");
    assert_int_equal(response.status, 204);
    expect_lacks(headers(), "Access-Control");

    asked = request("POST", API "/nobody/chat-tokens"); /* errors, too, once the app is known */
    asked.origin = SPAN("https://www.example.com");
    serve(&asked);
    assert_int_equal(response.status, 404);
    expect_contains(headers(), "Access-Control-Allow-Origin: https://www.example.com\r\n");
    asked.authorizations[0] = SPAN(CLOSED); /* another app, without such a page */
    serve(&asked);
    expect_lacks(headers(), "Access-Control");
}

static void health(void **state)
{
    struct http_request asked = request("GET", "/healthz");
    (void)state;
    asked.authorizations[0] = SPAN_NONE;
    assert_string_equal(serve(&asked), "\"ok\"");
    assert_int_equal(response.status, 200);
    asked.uri = SPAN("/readyz");
    assert_string_equal(serve(&asked), "\"ok\"");
    assert_int_equal(response.status, 200);
}

static void the_mount_may_be_given(void **state)
{
    struct http_request asked = request("GET", "/chat/healthz");
    (void)state;
    asked.base_path = SPAN("/chat");
    serve(&asked);
    assert_int_equal(response.status, 200);
    asked.base_path = SPAN("/other");
    serve(&asked);
    assert_int_equal(response.status, 404);
    settings->base_path = SPAN("/chat");
    serve(&asked); /* the parameter comes first */
    assert_int_equal(response.status, 404);
    asked.base_path = SPAN_NONE;
    serve(&asked);
    assert_int_equal(response.status, 200);
    settings->base_path = SPAN(""); /* the root */
    serve(&asked);
    assert_int_equal(response.status, 404);
    settings->base_path = SPAN_NONE;
}

static void without_settings(void **state)
{
    struct http_request asked = request("POST", API "/guest-chat-tokens");
    (void)state;
    handler_refuse(&asked, &response);
    assert_int_equal(response.status, 500);
    expect_contains(bytes_string(&response.body), "{\"errorCode\":\"INTERNAL_SERVER_ERROR\"");
    expect_contains(headers(), "Cache-Control: no-store\r\n");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(members_get_tokens),
        TEST(guests_get_tokens),
        TEST(every_answer_has_its_headers),
        TEST(request_ids),
        TEST(errors_of_routes_and_methods),
        TEST(errors_of_members),
        TEST(errors_of_guests),
        TEST(errors_of_credentials),
        TEST(pages_of_browsers),
        TEST(health),
        TEST(the_mount_may_be_given),
        TEST(without_settings),
    };
    return cmocka_run_group_tests_name("handler", tests, NULL, NULL);
}
