/* SPDX-License-Identifier: MIT */
#include "handler.h"

#include "access_log.h"
#include "base/clock.h"
#include "cors.h"
#include "credentials.h"
#include "health.h"
#include "issue.h"
#include "jwks.h"
#include "metrics.h"
#include "openapi.h"
#include "figures/figures.h"
#include "host/log.h"
#include "base/random.h"
#include "reply.h"
#include "status.h"
#include "status_access.h"
#include "throttle.h"
#include "base/text.h"

#include <stdatomic.h>
#include <string.h>

#define REQUEST_ID_MAX 64

/* The client's request id if it is short and plain, otherwise a random one. */
static void choose_request_id(struct span sent, char id_r[REQUEST_ID_MAX + 1])
{
    static const char hex[] = "0123456789abcdef";
    static const char fine[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    unsigned char random[16];
    bool good = sent.length > 0 && sent.length <= REQUEST_ID_MAX;
    for (size_t i = 0; good && i < sent.length; i++)
        good = memchr(fine, sent.data[i], sizeof fine - 1) != NULL;
    if (good) {
        memcpy(id_r, sent.data, sent.length);
        id_r[sent.length] = '\0';
        return;
    }
    if (!random_fill(random, sizeof random))
        memset(random, 0, sizeof random); /* it only serves to find a request in the log */
    for (size_t i = 0; i < sizeof random; i++) {
        id_r[2 * i] = hex[random[i] >> 4];
        id_r[2 * i + 1] = hex[random[i] & 15];
    }
    id_r[2 * sizeof random] = '\0';
}

/* Where the program is mounted, as the request or the environment says. */
static struct span base_path(const struct settings *settings, const struct http_request *request)
{
    return request->base_path.data ? request->base_path : settings->base_path;
}

/* Who answers, by route. */
static enum outcome (*const answers[])(struct exchange *exchange) = {
    [ROUTE_GUEST] = issue_token,      [ROUTE_MEMBER] = issue_token,
    [ROUTE_HEALTHZ] = health_live,    [ROUTE_READYZ] = health_ready,
    [ROUTE_JWKS] = jwks_answer,       [ROUTE_OPENAPI] = openapi_answer,
    [ROUTE_METRICS] = metrics_answer, [ROUTE_STATUS] = status_answer,
};

/* ---- What is told of it ---- */

/* Logs, once a minute, a path that does not begin with the base path: from outside it looks like
 * any 404. */
static void log_mount(const struct exchange *exchange)
{
    static _Atomic int64_t silent_until;
    struct span uri = exchange->request->uri,
                base = base_path(exchange->settings, exchange->request);
    int64_t now = clock_monotonic_ms(), until = atomic_load(&silent_until);
    if (now < until || !atomic_compare_exchange_strong(&silent_until, &until, now + 60000))
        return;
    log_info("no route for %.*s: the base path (MEMBERCHAT_BASE_PATH) is \"%.*s\"",
             (int)(uri.length < 200 ? uri.length : 200), uri.data, (int)base.length, base.data);
}

static bool is_printable(struct span text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~' || strchr("\"\\<>", text.data[i]))
            return false;
    return true;
}

/* The person who set up the mount sees the answer, and perhaps no log. */
static void tell_mount(struct exchange *exchange)
{
    struct span uri = exchange->request->uri,
                base = base_path(exchange->settings, exchange->request);
    const char *query = uri.length ? memchr(uri.data, '?', uri.length) : NULL;
    size_t length = query ? (size_t)(query - uri.data) : uri.length;
    uri.length = length < 200 ? length : 200;
    if (base.length > 200 || !is_printable(uri) || !is_printable(base))
        return;
    bytes_addf(&exchange->message,
               "There is nothing at this path: memberchat saw %.*s, and its base path is %.*s",
               (int)uri.length, uri.data, base.length ? (int)base.length : 1,
               base.length ? base.data : "/");
}

/* ---- Figures ---- */

static void count_refusal(const struct exchange *exchange, enum outcome outcome, const char *id)
{
    const struct route *route = &exchange->route;
    struct figures_refusal refusal = {.app = exchange->named ? exchange->named->id : "",
                                      .code = reply_code(exchange, outcome),
                                      .request_id = id};
    if (exchange->settings->status.show_ids && route->kind == ROUTE_MEMBER && route->id_length &&
        text_is_plain((struct span){route->id, route->id_length}))
        refusal.id = (struct span){route->id, route->id_length};
    figures_count_refusal(&refusal);
}

static void count(const struct exchange *exchange, enum outcome outcome, const char *id)
{
    enum route_kind kind = exchange->route.kind;
    int64_t began = exchange->request->began_us, now = clock_monotonic_us();
    int status = exchange->response->status;
    figures_count_request(route_name(kind), status, began ? now - began : 0);
    if (kind != ROUTE_GUEST && kind != ROUTE_MEMBER)
        return;
    if (outcome != OUTCOME_ANSWERED)
        count_refusal(exchange, outcome, id);
    else if (status == 200)
        figures_count_token(exchange->app->id,
                            kind == ROUTE_GUEST ? FIGURES_GUEST : FIGURES_MEMBER);
}

/* ---- Any request ---- */

/* What every answer carries. */
static void add_common_headers(struct http_response *response, const char *id)
{
    if (http_has_content(response))
        http_add_header(
            response, "Content-Type",
            span_of(response->content_type ? response->content_type : "application/json"));
    http_add_header(response, "Cache-Control",
                    span_of(response->cache_control ? response->cache_control : "no-store"));
    http_add_header(response, "X-Content-Type-Options", span_of("nosniff"));
    http_add_header(response, "X-Request-Id", span_of(id));
}

/* Whether the whole request is known, route, then method, then the rest. */
static enum outcome answer(struct exchange *exchange)
{
    struct route *route = &exchange->route;
    enum status_access access = STATUS_OPEN;
    if (exchange->request->too_large) {
        bytes_add_string(&exchange->message, "The path and the headers are too large");
        return OUTCOME_REQUEST_TOO_LARGE;
    }
    if (route->kind == ROUTE_METRICS || route->kind == ROUTE_STATUS)
        access = status_access(exchange->settings, exchange->request);
    if (access == STATUS_HIDDEN)
        *route = (struct route){.kind = ROUTE_NONE};
    if (route->kind == ROUTE_NONE)
        return OUTCOME_RESOURCE_NOT_FOUND;
    if (!route_allows(route, exchange->request->method))
        return OUTCOME_UNSUPPORTED_HTTP_METHOD;
    if (access == STATUS_WRONG && throttle_wrong_credentials(exchange))
        return OUTCOME_TOO_MANY_REQUESTS;
    return access == STATUS_OPEN ? answers[route->kind](exchange) : OUTCOME_INVALID_STATUS_PASSWORD;
}

bool handler_serve(const struct settings *settings, const struct http_request *request,
                   struct http_response *response)
{
    struct exchange exchange = {.settings = settings, .request = request, .response = response};
    char id[REQUEST_ID_MAX + 1];
    struct trace trace;
    bool traced = trace_parse(request->traceparent, &trace);
    http_response_reset(response);
    choose_request_id(request->request_id, id);
    log_set_request(id);
    trace_set(traced ? &trace : NULL);

    exchange.route = route_find(request, base_path(settings, request));
    enum outcome outcome = answer(&exchange);
    if (exchange.route.elsewhere && outcome == OUTCOME_RESOURCE_NOT_FOUND)
        tell_mount(&exchange);
    if (outcome != OUTCOME_ANSWERED && outcome != OUTCOME_BUSY) {
        reply_with_error(&exchange, outcome);
        if (!exchange.app)
            cors_add_to_error(settings, request->origin, response);
    }
    if (outcome != OUTCOME_BUSY) {
        add_common_headers(response, id);
        count(&exchange, outcome, id);
        access_log_tell(&exchange, outcome, id, traced ? &trace : NULL);
        if (exchange.route.elsewhere)
            log_mount(&exchange);
    }
    trace_set(NULL);
    log_set_request(NULL);
    bytes_free(&exchange.message);
    return outcome != OUTCOME_BUSY;
}

bool handler_wants_body(const struct settings *settings, const struct http_request *request)
{
    const struct app *app;
    return !request->too_large &&
           route_find(request, base_path(settings, request)).kind == ROUTE_GUEST &&
           span_equal(request->method, span_of("POST")) &&
           credentials_check(settings, request, &app) == CREDENTIALS_GOOD;
}

void handler_refuse(const struct http_request *request, struct http_response *response)
{
    struct exchange exchange = {.request = request, .response = response};
    char id[REQUEST_ID_MAX + 1];
    choose_request_id(request->request_id, id);
    reply_with_error(&exchange, OUTCOME_INTERNAL_SERVER_ERROR);
    add_common_headers(response, id);
}
