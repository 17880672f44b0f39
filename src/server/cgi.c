/* SPDX-License-Identifier: MIT */
#include "cgi.h"

#include "base/clock.h"
#include "api/credentials.h"
#include "api/handler.h"
#include "api/route.h"
#include "base/file.h"
#include "settings/load.h"
#include "api/reply.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_TIMEOUT_MS        60000 /* for the whole body */
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

/* ---- What the request needs ---- */

/* What its route needs of the configuration.  With an Origin all apps are asked whether
 * they know it. */
static unsigned choose_parts(const struct http_request *request)
{
    static const unsigned by_kind[] = {
        [ROUTE_GUEST] = SETTINGS_ONE_APP | SETTINGS_KEYS,
        [ROUTE_MEMBER] = SETTINGS_ONE_APP | SETTINGS_KEYS | SETTINGS_APP_STORES,
        [ROUTE_READYZ] = SETTINGS_STORES,
        [ROUTE_JWKS] = SETTINGS_APPS | SETTINGS_KEYS,
    };
    const struct route route = route_find(request, request->base_path);
    unsigned parts = 0;
    if (route.kind != ROUTE_NONE && route.kind < sizeof by_kind / sizeof *by_kind &&
        route_allows(&route, request->method) && !span_equal(request->method, span_of("OPTIONS")))
        parts = by_kind[route.kind];
    return parts | (request->origin.length ? SETTINGS_APPS : 0);
}

static struct settings *load_chosen(const struct http_request *request, const char *config_path,
                                    const char *plugin_folder)
{
    struct credentials_pair pair;
    credentials_read(request, &pair);
    const struct settings_choice choice = {
        .parts = choose_parts(request), .api_key = pair.key, .api_secret = pair.secret};
    struct settings *settings = load_once(config_path, plugin_folder, &choice);
    explicit_bzero(&pair, sizeof pair);
    return settings;
}

/* ---- The body ---- */

enum input { INPUT_MORE, INPUT_ENDED, INPUT_FAILED };

/* Some bytes of standard input.  Failed: also when the time is over. */
static enum input read_some(char *bytes, size_t size, int64_t deadline, size_t *got_r)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    *got_r = 0;
    for (;;) {
        int64_t left = deadline - clock_monotonic_ms();
        int ready = left > 0 ? poll(&input, 1, (int)left) : 0;
        ssize_t got = ready > 0 ? read(STDIN_FILENO, bytes, size) : -1;
        if (got > 0) {
            *got_r = (size_t)got;
            return INPUT_MORE;
        }
        if (got == 0)
            return INPUT_ENDED;
        if (ready == 0 || errno != EINTR)
            return INPUT_FAILED;
    }
}

/* Reads the body, no further than CONTENT_LENGTH: the end of the input need not
 * come (RFC 3875, section 4.2).  A chunked body has no length and ends with the
 * input.  Keeps at most `limit` bytes, *received_r is how many came.  False: it could not
 * be read to its end. */
static bool read_body(const struct http_request *request, size_t limit, struct bytes *body,
                      uint64_t *received_r)
{
    char bytes[16384];
    int64_t promised = http_content_length(request);
    int64_t deadline = clock_monotonic_ms() + READ_TIMEOUT_MS;
    uint64_t end = promised >= 0 ? (uint64_t)promised : UINT64_MAX;
    enum input state = INPUT_MORE;
    *received_r = 0;
    if (!request->content_length.length && !request->transfer_encoding.length)
        return true;
    while (state == INPUT_MORE && *received_r < end && *received_r <= limit) {
        uint64_t wanted = end - *received_r;
        size_t got;
        state =
            read_some(bytes, wanted < sizeof bytes ? (size_t)wanted : sizeof bytes, deadline, &got);
        size_t room = limit > body->length ? limit - body->length : 0;
        bytes_add(body, bytes, got < room ? got : room);
        *received_r += got;
    }
    return state != INPUT_FAILED && !body->failed;
}

/* A web server may lose the answer of a program that ends with its input unread.
 * What was promised and has come is not followed by anything. */
static void drain_input(const struct http_request *request, uint64_t received)
{
    char bytes[16384];
    size_t got;
    int64_t deadline = clock_monotonic_ms() + DRAIN_TIMEOUT_MS;
    int64_t promised = http_content_length(request);
    bool more = promised >= 0
                    ? received < (uint64_t)promised
                    : request->content_length.length + request->transfer_encoding.length > 0;
    if (!more)
        return;
    close(STDOUT_FILENO); /* the answer is complete */
    while (read_some(bytes, sizeof bytes, deadline, &got) == INPUT_MORE)
        continue;
}

/* ---- One request ---- */

static void write_response(const struct http_request *request, const struct http_response *response)
{
    struct bytes out = {0};
    http_write(request, response, &out);
    file_write_all(STDOUT_FILENO, out.failed ? http_last_words() : bytes_span(&out));
    bytes_free(&out);
}

void cgi_serve(const char *config_path, const char *plugin_folder)
{
    struct http_request request = {0};
    struct http_response response = {0};
    struct bytes body = {0};
    uint64_t received = 0;
    read_environment(&request);
    struct settings *settings = load_chosen(&request, config_path, plugin_folder);
    if (settings) {
        size_t limit = (size_t)settings->top.body_limit;
        bool whole = read_body(&request, limit, &body, &received);
        http_judge_body(&request, received, limit);
        if (!whole && request.body_state == HTTP_BODY_COMPLETE)
            request.body_state = HTTP_BODY_BROKEN;
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
