/* SPDX-License-Identifier: MIT */
#include "cgi.h"

#include "base/clock.h"
#include "api/handler.h"
#include "base/file.h"
#include "settings/load.h"
#include "api/reply.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_TIMEOUT_MS        20000 /* for the whole body */
#define DRAIN_TIMEOUT_MS       2000  /* for what nobody wants any more */
#define CGI_REQUEST_TIMEOUT_MS 2000  /* where the configuration does not say */

extern char **environ;

bool cgi_is_request(void)
{
    return getenv("GATEWAY_INTERFACE") != NULL;
}

static void read_environment(struct http_request *request)
{
    for (char **entry = environ; *entry; entry++) {
        const char *equals = strchr(*entry, '=');
        if (equals)
            http_request_take(request, (struct span){*entry, (size_t)(equals - *entry)},
                              span_of(equals + 1));
    }
}

/* Some bytes of standard input; 0 at its end, when the time is over, or when
 * there is none. */
static size_t read_some(char *bytes, size_t size, int64_t deadline)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    for (;;) {
        int64_t left = deadline - clock_monotonic_ms();
        if (left <= 0 || poll(&input, 1, (int)left) == 0)
            return 0;
        ssize_t got = read(STDIN_FILENO, bytes, size);
        if (got >= 0)
            return (size_t)got;
        if (errno != EINTR)
            return 0;
    }
}

/* Reads the body, no further than CONTENT_LENGTH: the end of the input need not
 * come (RFC 3875, section 4.2).  A chunked body has no length and ends with the
 * input.  Keeps at most `limit` bytes, returns how many came. */
static uint64_t read_body(const struct http_request *request, size_t limit, struct bytes *body)
{
    char bytes[16384];
    int64_t promised = http_content_length(request);
    int64_t deadline = clock_monotonic_ms() + READ_TIMEOUT_MS;
    uint64_t received = 0, end = promised >= 0 ? (uint64_t)promised : UINT64_MAX;
    if (promised < 0 && !request->transfer_encoding.length)
        return 0;
    while (received < end && received <= limit) {
        uint64_t wanted = end - received;
        size_t got =
            read_some(bytes, wanted < sizeof bytes ? (size_t)wanted : sizeof bytes, deadline);
        if (got == 0)
            break;
        size_t room = limit > body->length ? limit - body->length : 0;
        bytes_add(body, bytes, got < room ? got : room);
        received += got;
    }
    return received;
}

/* A web server may lose the answer of a program that ends with its input unread.
 * What was promised and has come is not followed by anything. */
static void drain_input(const struct http_request *request, uint64_t received)
{
    char bytes[16384];
    int64_t deadline = clock_monotonic_ms() + DRAIN_TIMEOUT_MS;
    int64_t promised = http_content_length(request);
    bool more = promised >= 0 ? received < (uint64_t)promised
                              : promised == -2 || request->transfer_encoding.length > 0;
    if (!more)
        return;
    close(STDOUT_FILENO); /* the answer is complete */
    while (read_some(bytes, sizeof bytes, deadline) > 0)
        continue;
}

static void write_response(const struct http_request *request, const struct http_response *response)
{
    struct bytes out = {0};
    http_write_head(response, &out);
    if (!span_equal(request->method, span_of("HEAD")))
        bytes_add_span(&out, bytes_span(&response->body));
    file_write_all(STDOUT_FILENO, bytes_span(&out)); /* or the web server has gone */
    bytes_free(&out);
}

void cgi_serve(const char *config_path, const char *plugin_folder)
{
    struct http_request request = {0};
    struct http_response response = {0};
    struct bytes body = {0};
    uint64_t received = 0;
    struct settings *settings = load_settings(config_path, plugin_folder, NULL, LOAD_ONCE);
    read_environment(&request);
    if (settings) {
        size_t limit = (size_t)settings->top.body_limit;
        received = read_body(&request, limit, &body);
        http_judge_body(&request, received, limit);
        request.body = bytes_span(&body);
        request.deadline =
            clock_monotonic_ms() + (settings->request_timeout_set ? settings->top.request_timeout_ms
                                                                  : CGI_REQUEST_TIMEOUT_MS);
        handler_serve(settings, &request, &response); /* one request is never too many */
    } else {
        handler_refuse(&request, &response);
    }
    write_response(&request, &response);
    drain_input(&request, received);
    bytes_free(&body);
    http_response_free(&response);
    settings_free(settings);
}
