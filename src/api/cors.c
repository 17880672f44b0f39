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

void cors_add_headers(const struct app *app, struct span origin, struct http_response *response)
{
    if (app->settings.cors_origins.count == 0)
        return;
    http_add_header(response, "Vary", span_of("Origin"));
    struct span allowed = origin.length ? allowed_origin(app, origin) : SPAN_NONE;
    if (!allowed.data)
        return;
    http_add_header(response, "Access-Control-Allow-Origin", allowed);
    http_add_header(response, "Access-Control-Expose-Headers",
                    span_of("X-Request-Id, Retry-After"));
}

void cors_add_preflight(const struct settings *settings, struct span origin,
                        struct http_response *response)
{
    struct span allowed = SPAN_NONE;
    http_add_header(response, "Vary", span_of("Origin"));
    for (size_t i = 0; origin.length && i < settings->app_count && !allowed.data; i++)
        allowed = allowed_origin(&settings->apps[i], origin);
    if (!allowed.data)
        return;
    http_add_header(response, "Access-Control-Allow-Origin", allowed);
    http_add_header(response, "Access-Control-Allow-Methods", span_of("POST"));
    http_add_header(response, "Access-Control-Allow-Headers",
                    span_of("Authorization, Content-Type, X-Request-Id"));
    http_add_header(response, "Access-Control-Max-Age", span_of("7200"));
}
