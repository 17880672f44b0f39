/* SPDX-License-Identifier: MIT */
#include "handler.h"

#include "base/clock.h"
#include "credentials.h"
#include "health.h"
#include "issue.h"
#include "jwks.h"
#include "openapi.h"
#include "host/log.h"
#include "base/random.h"
#include "reply.h"

#include <string.h>

#define REQUEST_ID_MAX 64

/* The client's, if nobody could take offence at it; else a new one. */
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
        memset(random, 0, sizeof random); /* it is for finding a request in the log, no more */
    for (size_t i = 0; i < sizeof random; i++) {
        id_r[2 * i] = hex[random[i] >> 4];
        id_r[2 * i + 1] = hex[random[i] & 15];
    }
    id_r[2 * sizeof random] = '\0';
}

/* Where it is mounted, as the request or the environment says. */
static struct span base_path(const struct settings *settings, const struct http_request *request)
{
    return request->base_path.data ? request->base_path : settings->base_path;
}

static enum outcome serve(struct exchange *exchange)
{
    switch (exchange->route.kind) {
    case ROUTE_GUEST:
    case ROUTE_MEMBER:
        return issue_token(exchange);
    case ROUTE_HEALTHZ:
        return health_live(exchange);
    case ROUTE_READYZ:
        return health_ready(exchange);
    case ROUTE_JWKS:
        return jwks_answer(exchange);
    case ROUTE_OPENAPI:
        return openapi_answer(exchange);
    default:
        return OUTCOME_RESOURCE_NOT_FOUND;
    }
}

/* The address of the client: the peer's, or what proxies that are believed say. */
static const char *client_address(const struct exchange *exchange, char buffer[64])
{
    const struct settings *settings = exchange->settings;
    struct span address = exchange->request->remote_addr;
    struct span list = exchange->request->forwarded_for;
    for (;;) {
        size_t length = address.length < 63 ? address.length : 63;
        if (length)
            memcpy(buffer, address.data, length);
        buffer[length] = '\0';
        if (!list.length ||
            !networks_contain(settings->trusted_proxies, settings->trusted_proxy_count, buffer))
            return length ? buffer : "unknown";
        const char *comma = memrchr(list.data, ',', list.length);
        size_t start = comma ? (size_t)(comma - list.data) + 1 : 0;
        address = (struct span){list.data + start, list.length - start};
        while (address.length && *address.data == ' ')
            address = (struct span){address.data + 1, address.length - 1};
        list.length = comma ? start - 1 : 0;
    }
}

static void log_outcome(const struct exchange *exchange, enum outcome outcome)
{
    char address[64];
    if (outcome == OUTCOME_INVALID_APP_CREDENTIALS)
        log_info("client %s: wrong API key or secret", client_address(exchange, address));
    else if (log_enabled(LOG_LEVEL_DEBUG))
        log_debug("client %s: %.*s, app %s: %d", client_address(exchange, address),
                  (int)exchange->request->method.length, exchange->request->method.data,
                  exchange->app ? exchange->app->id : "-", exchange->response->status);
}

/* What every answer carries. */
static void add_common_headers(struct http_response *response, const char *id)
{
    if (http_has_content(response))
        http_add_header(response, "Content-Type", span_of("application/json"));
    http_add_header(response, "Cache-Control",
                    span_of(response->cache_control ? response->cache_control : "no-store"));
    http_add_header(response, "X-Content-Type-Options", span_of("nosniff"));
    http_add_header(response, "X-Request-Id", span_of(id));
}

bool handler_serve(const struct settings *settings, const struct http_request *request,
                   struct http_response *response)
{
    struct exchange exchange = {.settings = settings, .request = request, .response = response};
    char id[REQUEST_ID_MAX + 1];
    http_response_reset(response);
    choose_request_id(request->request_id, id);
    log_set_request(id);

    exchange.route = route_find(request, base_path(settings, request));
    enum outcome outcome = OUTCOME_RESOURCE_NOT_FOUND;
    if (exchange.route.kind != ROUTE_NONE)
        outcome = route_allows(&exchange.route, request->method) ? serve(&exchange)
                                                                 : OUTCOME_UNSUPPORTED_HTTP_METHOD;
    if (outcome != OUTCOME_ANSWERED && outcome != OUTCOME_BUSY)
        reply_with_error(&exchange, outcome);
    if (outcome != OUTCOME_BUSY) {
        add_common_headers(response, id);
        log_outcome(&exchange, outcome);
    }
    log_set_request(NULL);
    bytes_free(&exchange.message);
    return outcome != OUTCOME_BUSY;
}

bool handler_wants_body(const struct settings *settings, const struct http_request *request)
{
    const struct app *app;
    return route_find(request, base_path(settings, request)).kind == ROUTE_GUEST &&
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
