/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <string.h>

/* The page may load nothing from elsewhere, run no script, and be framed by no other page. */
#define POLICY                                                                                     \
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "         \
    "frame-ancestors 'none'"

/* "json" among the parameters of the query. */
static bool wants_json(const struct http_request *request)
{
    struct span query = request->query, uri = request->uri;
    const char *mark = uri.length ? memchr(uri.data, '?', uri.length) : NULL;
    if (uri.length)
        query =
            mark ? (struct span){mark + 1, uri.length - (size_t)(mark + 1 - uri.data)} : SPAN_NONE;
    while (query.length) {
        const char *end = memchr(query.data, '&', query.length);
        size_t length = end ? (size_t)(end - query.data) : query.length;
        const char *equals = memchr(query.data, '=', length);
        if (span_equal((struct span){query.data, equals ? (size_t)(equals - query.data) : length},
                       span_of("json")))
            return true;
        query = (struct span){query.data + length + (end != NULL),
                              query.length - length - (end != NULL)};
    }
    return false;
}

enum outcome status_answer(struct exchange *exchange)
{
    struct http_response *response = exchange->response;
    const struct figures_view view = figures_view_own();
    struct status_report report;
    bool good = status_gather(exchange->settings, &view, &report);
    response->status = 200;
    if (good && wants_json(exchange->request)) {
        status_write_json(&report, &response->body);
    } else if (good) {
        response->content_type = "text/html; charset=utf-8";
        http_add_header(response, "Content-Security-Policy", span_of(POLICY));
        http_add_header(response, "Referrer-Policy", span_of("no-referrer"));
        status_write_html(&report, &response->body);
    }
    status_free(&report);
    return good && !response->body.failed ? OUTCOME_ANSWERED : OUTCOME_INTERNAL_SERVER_ERROR;
}
