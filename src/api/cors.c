/* SPDX-License-Identifier: MIT */
#include "cors.h"

#include <string.h>

/* What to answer to an origin: itself, "*", or SPAN_NONE when it is not listed. */
static struct span allowed_origin(const struct app *app, struct span origin)
{
    const struct memberchat_list *list = &app->settings.cors_origins;
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], "*") == 0)
            return span_of("*");
        if (span_equal(span_of(list->items[i]), origin))
            return origin;
    }
    return SPAN_NONE;
}

static struct span allowed_by_any(const struct settings *settings, struct span origin)
{
    struct span allowed = SPAN_NONE;
    for (size_t i = 0; origin.length && i < settings->app_count && !allowed.data; i++)
        allowed = allowed_origin(&settings->apps[i], origin);
    return allowed;
}

static void add_headers(struct span allowed, struct http_response *response)
{
    if (!allowed.data)
        return;
    http_add_header(response, "Access-Control-Allow-Origin", allowed);
    http_add_header(response, "Access-Control-Expose-Headers",
                    span_of("X-Request-Id, Retry-After"));
}

void cors_add_headers(const struct app *app, struct span origin, struct http_response *response)
{
    if (app->settings.cors_origins.count == 0)
        return;
    http_add_header(response, "Vary", span_of("Origin"));
    add_headers(origin.length ? allowed_origin(app, origin) : SPAN_NONE, response);
}

void cors_add_to_error(const struct settings *settings, struct span origin,
                       struct http_response *response)
{
    if (!origin.length)
        return;
    http_add_header(response, "Vary", span_of("Origin"));
    add_headers(allowed_by_any(settings, origin), response);
}

void cors_add_preflight(const struct settings *settings, struct span origin,
                        struct http_response *response)
{
    struct span allowed = allowed_by_any(settings, origin);
    http_add_header(response, "Vary", span_of("Origin"));
    if (!allowed.data)
        return;
    http_add_header(response, "Access-Control-Allow-Origin", allowed);
    http_add_header(response, "Access-Control-Allow-Methods", span_of("POST"));
    http_add_header(response, "Access-Control-Allow-Headers",
                    span_of("Authorization, Content-Type, X-Api-Key, X-Api-Secret, X-Request-Id"));
    http_add_header(response, "Access-Control-Max-Age", span_of("7200"));
}
