/* SPDX-License-Identifier: MIT */
#include "cgi.h"

#include "base/clock.h"
#include "api/credentials.h"
#include "api/handler.h"
#include "api/route.h"
#include "base/file.h"
#include "figures/figures.h"
#include "base/vault.h"
#include "dumps.h"
#include "settings/load.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_TIMEOUT_MS        60000        /* for the whole body */
#define FILTER_TIMEOUT_MS      50           /* for more than was promised */
#define DRAIN_TIMEOUT_MS       2000         /* for a body that is not needed */
#define CGI_REQUEST_TIMEOUT_MS 2000         /* where the configuration does not say */
#define DESCRIPTORS            64           /* more than a process has that serves one request */
#define HEAP_STEP              (512 * 1024) /* bytes that the heap grows by at least */

extern char **environ;

/* A process that ends soon gives no memory back, and asks for more of it seldom. */
static void keep_memory(void)
{
#ifdef M_TRIM_THRESHOLD
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
    mallopt(M_TOP_PAD, HEAP_STEP);
#endif
}

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
        [ROUTE_METRICS] = SETTINGS_STORES | SETTINGS_APPS | SETTINGS_KEYS,
        [ROUTE_STATUS] = SETTINGS_STORES | SETTINGS_APPS | SETTINGS_KEYS,
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

enum input { INPUT_MORE, INPUT_ENDED, INPUT_LATE, INPUT_FAILED };

/* Some bytes of standard input.  Late: when the time is over. */
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
        if (ready == 0)
            return INPUT_LATE;
        if (errno != EINTR)
            return INPUT_FAILED;
    }
}

struct input_body {
    struct bytes bytes; /* at most as many as may come */
    uint64_t received;
    bool whole;  /* all of it has come */
    bool ended;  /* nothing is left in the input */
    bool failed; /* it could not be read */
};

/* Reads the body.  The end of the input need not come (RFC 3875, section 4.2), so what
 * CONTENT_LENGTH promises is enough, unless more follows at once: behind a filter of the web
 * server the body is longer or shorter, and ends with the input.  So does one without a
 * length. */
static void read_body(const struct http_request *request, size_t limit, struct input_body *body)
{
    char bytes[16384];
    int64_t promised = http_content_length(request);
    int64_t deadline = clock_monotonic_ms() + READ_TIMEOUT_MS;
    enum input state = INPUT_MORE;
    body->ended = !request->content_length.length && !request->transfer_encoding.length;
    body->whole = body->ended || promised == 0;
    if (body->whole)
        return;
    while (state == INPUT_MORE && body->received <= limit) {
        bool enough = promised >= 0 && body->received == (uint64_t)promised;
        int64_t patience = clock_monotonic_ms() + FILTER_TIMEOUT_MS;
        size_t got, room = limit > body->bytes.length ? limit - body->bytes.length : 0;
        state = read_some(bytes, sizeof bytes, enough ? patience : deadline, &got);
        bytes_add(&body->bytes, bytes, got < room ? got : room);
        body->received += got;
        body->failed = state == INPUT_FAILED;
        body->whole = state == INPUT_ENDED || (state == INPUT_LATE && enough);
    }
    body->ended = body->whole;
    body->whole = body->whole && !body->bytes.failed;
}

/* A web server may lose the answer of a program that leaves input unread. */
static void drain_input(int answer_fd)
{
    char bytes[16384];
    size_t got;
    int64_t deadline = clock_monotonic_ms() + DRAIN_TIMEOUT_MS;
    close(answer_fd); /* the answer is complete */
    while (read_some(bytes, sizeof bytes, deadline, &got) == INPUT_MORE)
        continue;
}

static const struct bytes *taken; /* of the body; NULL: nothing */

bool cgi_unread(void)
{
    int ends[2];
    for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC); /* a connection that is half made, too */
    if (!taken || !taken->length)
        return true;
    if (pipe(ends) != 0)
        return false;
    fcntl(ends[1], F_SETPIPE_SZ, (int)taken->length);
    bool good = fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0 &&
                write(ends[1], taken->data, taken->length) == (ssize_t)taken->length &&
                dup2(ends[0], STDIN_FILENO) == STDIN_FILENO;
    close(ends[0]);
    close(ends[1]);
    return good;
}

/* ---- One request ---- */

static bool write_response(const struct http_request *request, const struct http_response *response,
                           int fd)
{
    struct bytes out = {0};
    http_write(request, response, &out);
    bool good = file_write_all(fd, out.failed ? http_last_words() : bytes_span(&out));
    if (!good && errno == EPIPE)
        log_info("the web server no longer wants the answer");
    else if (!good)
        log_error("the answer cannot be written: %s", strerror(errno));
    bytes_free(&out);
    return good;
}

bool cgi_serve(const char *config_path, const char *plugin_folder, int answer_fd)
{
    struct http_request request = {.began_us = clock_monotonic_us()};
    struct http_response response = {0};
    struct input_body body = {0};
    dumps_forbid();
    vault_skip_locks(); /* which take longer than a key is here */
    keep_memory();
    read_environment(&request);
    struct settings *settings = load_chosen(&request, config_path, plugin_folder);
    if (settings) {
        figures_use(settings->status.file, FIGURES_ONCE);
        figures_request_begins();
        size_t limit = (size_t)settings->top.body_limit;
        read_body(&request, limit, &body);
        taken = &body.bytes;
        http_judge_body(&request, body.received, limit);
        if (!body.whole && request.body_state == HTTP_BODY_COMPLETE)
            request.body_state = HTTP_BODY_BROKEN;
        request.body = bytes_span(&body.bytes);
        request.deadline =
            clock_monotonic_ms() + (settings->request_timeout_set ? settings->top.request_timeout_ms
                                                                  : CGI_REQUEST_TIMEOUT_MS);
        if (body.failed || body.bytes.failed)
            handler_refuse(&request, &response);
        else
            handler_serve(settings, &request, &response); /* one request is never too many */
    } else {
        handler_refuse(&request, &response);
    }
    bool written = write_response(&request, &response, answer_fd);
    if (!body.ended && http_content_length(&request) != 0 &&
        request.content_length.length + request.transfer_encoding.length > 0)
        drain_input(answer_fd);
    taken = NULL;
    bytes_free(&body.bytes);
    http_response_free(&response);
    settings_free(settings);
    return written;
}
