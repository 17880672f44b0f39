/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <stddef.h>
#include <string.h>

#define TELLING(name, member, twice)                                                               \
    {                                                                                              \
        name, sizeof(name) - 1, offsetof(struct http_request, member), twice                       \
    }
#define VARIABLE(name, member) TELLING(name, member, 0)
#define CREDENTIALS            offsetof(struct http_request, credentials_twice)
#define FORWARDED              offsetof(struct http_request, forwarded_twice)

static const struct variable {
    const char *name;
    size_t length, offset;
    size_t twice; /* where to note a second one; 0: it does not matter */
} variables[] = {
    VARIABLE("REQUEST_METHOD", method),
    VARIABLE("REQUEST_URI", uri),
    VARIABLE("SCRIPT_NAME", script_name),
    VARIABLE("PATH_INFO", path_info),
    VARIABLE("QUERY_STRING", query),
    VARIABLE("CONTENT_TYPE", content_type),
    VARIABLE("CONTENT_LENGTH", content_length),
    VARIABLE("REMOTE_ADDR", remote_addr),
    VARIABLE("MEMBERCHAT_BASE_PATH", base_path),
    TELLING("HTTP_AUTHORIZATION", authorizations[0], CREDENTIALS),
    VARIABLE("REDIRECT_HTTP_AUTHORIZATION", authorizations[1]),
    VARIABLE("REDIRECT_REDIRECT_HTTP_AUTHORIZATION", authorizations[2]),
    VARIABLE("REDIRECT_REDIRECT_REDIRECT_HTTP_AUTHORIZATION", authorizations[3]),
    TELLING("HTTP_X_API_KEY", api_key, CREDENTIALS),
    TELLING("HTTP_X_API_SECRET", api_secret, CREDENTIALS),
    VARIABLE("HTTP_CONTENT_ENCODING", content_encoding),
    VARIABLE("HTTP_ORIGIN", origin),
    VARIABLE("HTTP_IF_NONE_MATCH", if_none_match),
    VARIABLE("HTTP_X_REQUEST_ID", request_id),
    VARIABLE("HTTP_TRACEPARENT", traceparent),
    TELLING("HTTP_X_FORWARDED_FOR", forwarded_for, FORWARDED),
    VARIABLE("HTTP_TRANSFER_ENCODING", transfer_encoding),
};

static const struct variable *find_variable(struct span name)
{
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (variables[i].length == name.length &&
            memcmp(variables[i].name, name.data, name.length) == 0)
            return &variables[i];
    return NULL;
}

bool http_request_wants(struct span name)
{
    return find_variable(name) != NULL;
}

void http_request_take(struct http_request *request, struct span name, struct span value)
{
    const struct variable *variable = find_variable(name);
    if (!variable)
        return;
    struct span *field = (struct span *)((char *)request + variable->offset);
    if (!field->data)
        *field = value;
    else if (variable->twice && !span_equal(*field, value))
        *(bool *)((char *)request + variable->twice) = true;
}

int64_t http_content_length(const struct http_request *request)
{
    struct span text = request->content_length;
    int64_t value = 0;
    if (text.length == 0 || span_equal(text, span_of("-1")))
        return -1;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text.data[i] - '0', &value))
            return -2;
    }
    return value;
}

void http_judge_body(struct http_request *request, uint64_t received, uint64_t limit)
{
    int64_t promised = http_content_length(request);
    if (received > limit)
        request->body_state = HTTP_BODY_TOO_LARGE;
    else if (promised == -2 || (promised > 0 && received == 0))
        request->body_state = HTTP_BODY_BROKEN;
    else
        request->body_state = HTTP_BODY_COMPLETE;
}

void http_add_header(struct http_response *response, const char *name, struct span value)
{
    bytes_add_string(&response->headers, name);
    bytes_add(&response->headers, ": ", 2);
    bytes_add_span(&response->headers, value);
    bytes_add(&response->headers, "\r\n", 2);
}

static const char *reason_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {
        {200, "OK"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {429, "Too Many Requests"},
        {503, "Service Unavailable"},
    };
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Internal Server Error";
}

bool http_has_content(const struct http_response *response)
{
    return response->status != 204 && response->status != 304;
}

struct span http_last_words(void)
{
#define BODY                                                                                       \
    "{\"errorCode\":\"INTERNAL_SERVER_ERROR\",\"errorMessage\":\"The server ran out of memory; "   \
    "try again later\"}"
    static const char text[] = "Status: 500 Internal Server Error\r\n"
                               "Content-Type: application/json\r\n"
                               "Cache-Control: no-store\r\n"
                               "X-Content-Type-Options: nosniff\r\n"
                               "Content-Length: 100\r\n\r\n" BODY;
    _Static_assert(sizeof BODY - 1 == 100, "Content-Length");
#undef BODY
    return (struct span){text, sizeof text - 1};
}

void http_write(const struct http_request *request, const struct http_response *response,
                struct bytes *out)
{
    if (response->headers.failed || response->body.failed) {
        bytes_add_span(out, http_last_words());
        return;
    }
    bytes_add_string(out, "Status: ");
    bytes_add_number(out, response->status);
    bytes_add(out, " ", 1);
    bytes_add_string(out, reason_phrase(response->status));
    bytes_add(out, "\r\n", 2);
    bytes_add_span(out, bytes_span(&response->headers));
    if (http_has_content(response)) {
        bytes_add_string(out, "Content-Length: ");
        bytes_add_number(out, (int64_t)response->body.length);
        bytes_add(out, "\r\n", 2);
    }
    bytes_add(out, "\r\n", 2);
    if (!span_equal(request->method, span_of("HEAD")))
        bytes_add_span(out, bytes_span(&response->body));
}

void http_response_reset(struct http_response *response)
{
    response->status = 0;
    response->content_type = NULL;
    response->cache_control = NULL;
    bytes_reset(&response->headers);
    bytes_reset(&response->body);
}

void http_response_free(struct http_response *response)
{
    bytes_free(&response->headers);
    bytes_free(&response->body);
}
