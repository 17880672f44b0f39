/* SPDX-License-Identifier: MIT
 * Requests from CGI variables, and heads of answers. */
#include "api/http.h"

#include "support.h"

#include <stdlib.h>
#include <string.h>

static struct http_request request;

static void take(const char *name, const char *value)
{
    http_request_take(&request, span_of(name), span_of(value));
}

static void variables_are_taken(void **state)
{
    (void)state;
    request = (struct http_request){0};
    take("REQUEST_METHOD", "POST");
    take("REQUEST_URI", "/x?y");
    take("SCRIPT_NAME", "/s");
    take("PATH_INFO", "/p");
    take("CONTENT_TYPE", "a/b");
    take("CONTENT_LENGTH", "7");
    take("REMOTE_ADDR", "192.0.2.1");
    take("MEMBERCHAT_BASE_PATH", "/b");
    take("HTTP_ORIGIN", "https://o");
    take("HTTP_X_REQUEST_ID", "id");
    take("HTTP_X_FORWARDED_FOR", "192.0.2.2");
    take("HTTP_TRANSFER_ENCODING", "chunked");
    expect_span(request.method, "POST");
    expect_span(request.uri, "/x?y");
    expect_span(request.script_name, "/s");
    expect_span(request.path_info, "/p");
    expect_span(request.content_type, "a/b");
    expect_span(request.content_length, "7");
    expect_span(request.remote_addr, "192.0.2.1");
    expect_span(request.base_path, "/b");
    expect_span(request.origin, "https://o");
    expect_span(request.request_id, "id");
    expect_span(request.forwarded_for, "192.0.2.2");
    expect_span(request.transfer_encoding, "chunked");
}

/* Only where it matters who wrote it, and only where they differ. */
static void twice(void **state)
{
    static const struct {
        const char *name, *first, *second;
        bool forwarded, credentials;
    } rows[] = {
        {"HTTP_X_FORWARDED_FOR", "192.0.2.1", "192.0.2.2", true, false},
        {"HTTP_X_FORWARDED_FOR", "192.0.2.1", "192.0.2.1", false, false},
        {"HTTP_X_FORWARDED_FOR", "", "192.0.2.1", true, false},
        {"HTTP_AUTHORIZATION", "Basic YTpi", "Basic YTpj", false, true},
        {"HTTP_AUTHORIZATION", "Basic YTpi", "Basic YTpi", false, false},
        {"HTTP_X_API_KEY", "a", "b", false, true},
        {"HTTP_X_API_SECRET", "a", "b", false, true},
        {"HTTP_ORIGIN", "https://a", "https://b", false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        request = (struct http_request){0};
        take(rows[i].name, rows[i].first);
        take(rows[i].name, rows[i].second);
        expect(request.forwarded_twice == rows[i].forwarded, "row %zu: forwarded", i);
        expect(request.credentials_twice == rows[i].credentials, "row %zu: credentials", i);
    }
}

static void others_are_left(void **state)
{
    static const char *const names[] = {
        "",
        "REQUEST_METHO",
        "REQUEST_METHOD_",
        "request_method",
        "HTTP_REQUEST_METHOD",
        "REMOTE_USER",
        "HTTP_MEMBERCHAT_BASE_PATH",
        "AUTHORIZATION",
        "HTTP_PROXY",
        "REDIRECT_REDIRECT_REDIRECT_REDIRECT_HTTP_AUTHORIZATION",
    };
    const struct http_request empty = {0};
    (void)state;
    request = empty;
    for (size_t i = 0; i < COUNT(names); i++) {
        take(names[i], "x");
        assert_false(http_request_wants(span_of(names[i])));
    }
    http_request_take(&request, SPAN("REQUEST_METHOD\0"), SPAN("x"));
    assert_memory_equal(&request, &empty, sizeof request);
}

static void the_first_of_a_name_counts(void **state)
{
    (void)state;
    request = (struct http_request){0};
    assert_true(http_request_wants(SPAN("REQUEST_METHOD")));
    assert_true(http_request_wants(SPAN("REDIRECT_HTTP_AUTHORIZATION")));
    take("REQUEST_METHOD", "POST");
    take("REQUEST_METHOD", "GET");
    expect_span(request.method, "POST");
    take("PATH_INFO", "");
    take("PATH_INFO", "/x");
    expect_span(request.path_info, "");
}

static void content_lengths(void **state)
{
    static const struct {
        const char *text;
        int64_t length;
    } rows[] = {
        {NULL, -1},
        {"", -1},
        {"0", 0},
        {"7", 7},
        {"007", 7},
        {"+7", -2},
        {"-1", -1},
        {"-2", -2},
        {"-", -2},
        {"7x", -2},
        {" 7", -2},
        {"7 ", -2},
        {"7,7", -2},
        {"0x7", -2},
        {"7.0", -2},
        {"9223372036854775807", INT64_MAX},
        {"9223372036854775808", -2},
        {"99999999999999999999", -2},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        request = (struct http_request){.content_length = span_of(rows[i].text)};
        expect(http_content_length(&request) == rows[i].length, "%s", rows[i].text);
    }
}

static void bodies_are_judged(void **state)
{
    static const struct {
        const char *promised;
        uint64_t received;
        enum http_body state;
    } rows[] = {
        {NULL, 0, HTTP_BODY_COMPLETE},
        {"", 0, HTTP_BODY_COMPLETE},
        {NULL, 50, HTTP_BODY_COMPLETE}, /* chunked */
        {"-1", 50, HTTP_BODY_COMPLETE},
        {"0", 0, HTTP_BODY_COMPLETE},
        {"50", 50, HTTP_BODY_COMPLETE},
        {"100", 100, HTTP_BODY_COMPLETE},
        {"50", 49, HTTP_BODY_COMPLETE}, /* an input filter was at work */
        {"50", 51, HTTP_BODY_COMPLETE},
        {"0", 1, HTTP_BODY_COMPLETE},
        {"101", 5, HTTP_BODY_COMPLETE},
        {"50", 0, HTTP_BODY_BROKEN},
        {"+7", 7, HTTP_BODY_BROKEN},
        {"-2", 0, HTTP_BODY_BROKEN},
        {"99999999999999999999", 7, HTTP_BODY_BROKEN},
        {NULL, 101, HTTP_BODY_TOO_LARGE},
        {"101", 101, HTTP_BODY_TOO_LARGE},
        {"5", 1000, HTTP_BODY_TOO_LARGE},
        {"x", 101, HTTP_BODY_TOO_LARGE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        request = (struct http_request){.content_length = span_of(rows[i].promised)};
        http_judge_body(&request, rows[i].received, 100);
        expect(request.body_state == rows[i].state, "row %zu: %d", i, request.body_state);
    }
}

static void answers_are_written(void **state)
{
    static const struct {
        int status;
        const char *line;
    } rows[] = {
        {200, "Status: 200 OK\r\n"},
        {400, "Status: 400 Bad Request\r\n"},
        {401, "Status: 401 Unauthorized\r\n"},
        {403, "Status: 403 Forbidden\r\n"},
        {404, "Status: 404 Not Found\r\n"},
        {405, "Status: 405 Method Not Allowed\r\n"},
        {413, "Status: 413 "},
        {415, "Status: 415 Unsupported Media Type\r\n"},
        {429, "Status: 429 Too Many Requests\r\n"},
        {500, "Status: 500 Internal Server Error\r\n"},
        {503, "Status: 503 Service Unavailable\r\n"},
    };
    struct http_response response = {.status = 200};
    struct bytes head = {0};
    (void)state;
    request = (struct http_request){.method = SPAN("POST")};
    http_add_header(&response, "A", SPAN("b"));
    http_add_header(&response, "C", SPAN("d e"));
    bytes_add_string(&response.body, "{}");
    http_write(&request, &response, &head);
    assert_string_equal(bytes_string(&head),
                        "Status: 200 OK\r\nA: b\r\nC: d e\r\nContent-Length: 2\r\n\r\n{}");
    request.method = SPAN("HEAD");
    bytes_reset(&head);
    http_write(&request, &response, &head);
    assert_string_equal(bytes_string(&head),
                        "Status: 200 OK\r\nA: b\r\nC: d e\r\nContent-Length: 2\r\n\r\n");
    for (size_t i = 0; i < COUNT(rows); i++) {
        response.status = rows[i].status;
        bytes_reset(&head);
        http_write(&request, &response, &head);
        expect_contains(bytes_string(&head), rows[i].line);
    }
    http_response_reset(&response);
    response.status = 204;
    bytes_reset(&head);
    http_write(&request, &response, &head);
    assert_string_equal(bytes_string(&head), "Status: 204 No Content\r\n\r\n");
    response.status = 304;
    bytes_reset(&head);
    http_write(&request, &response, &head);
    assert_string_equal(bytes_string(&head), "Status: 304 Not Modified\r\n\r\n");
    bytes_free(&head);
    http_response_free(&response);
}

/* Never a part of one, and never without headers or body. */
static void answers_without_memory(void **state)
{
    struct bytes out = {0};
    (void)state;
    request = (struct http_request){.method = SPAN("POST")};
    for (int part = 0; part < 2; part++) {
        struct http_response response = {.status = 200};
        http_add_header(&response, "A", SPAN("b"));
        bytes_add_string(&response.body, "{}");
        *(part ? &response.headers.failed : &response.body.failed) = true;
        http_write(&request, &response, &out);
        assert_true(span_equal(bytes_span(&out), http_last_words()));
        bytes_reset(&out);
        http_response_free(&response);
    }
    const char *text = http_last_words().data;
    const char *length = strstr(text, "Content-Length: "), *body = strstr(text, "\r\n\r\n");
    assert_int_equal(strtol(length + 16, NULL, 10), strlen(body + 4));
    bytes_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_are_taken), cmocka_unit_test(twice),
        cmocka_unit_test(others_are_left),     cmocka_unit_test(the_first_of_a_name_counts),
        cmocka_unit_test(content_lengths),     cmocka_unit_test(bodies_are_judged),
        cmocka_unit_test(answers_are_written), cmocka_unit_test(answers_without_memory),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
