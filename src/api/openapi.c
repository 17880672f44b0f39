/* SPDX-License-Identifier: MIT */
#include "openapi.h"

/* Made from docs/openapi.json when the program is built. */
static const char text[] =
#include "api/openapi.inc"
    ;

enum outcome openapi_answer(struct exchange *exchange)
{
    struct http_response *response = exchange->response;
    response->status = 200;
    response->cache_control = "public, max-age=300";
    http_add_header(response, "Access-Control-Allow-Origin", span_of("*"));
    bytes_add(&response->body, text, sizeof text - 1);
    return response->body.failed ? OUTCOME_INTERNAL_SERVER_ERROR : OUTCOME_ANSWERED;
}
