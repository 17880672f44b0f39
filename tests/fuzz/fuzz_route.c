/* SPDX-License-Identifier: MIT
 * The path: up to four lines, REQUEST_URI, SCRIPT_NAME, PATH_INFO and the base path. */
#include "fuzz.h"

#include "api/route.h"

#include <string.h>

const char fuzz_corpus[] = "route";

/* The next line; SPAN_NONE when there is none. */
static struct span next_line(struct span *rest)
{
    if (!rest->data)
        return SPAN_NONE;
    const char *newline = rest->length ? memchr(rest->data, '\n', rest->length) : NULL;
    struct span line = {rest->data, newline ? (size_t)(newline - rest->data) : rest->length};
    *rest = newline ? (struct span){newline + 1, rest->length - line.length - 1} : SPAN_NONE;
    return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = {(const char *)data, size};
    struct http_request request = {0};
    request.uri = next_line(&rest);
    request.script_name = next_line(&rest);
    request.path_info = next_line(&rest);
    struct route route = route_find(&request, next_line(&rest));
    must(route.id_length <= MEMBERCHAT_ID_MAX);
    must(route.kind == ROUTE_NONE || route.methods);
    must(route.kind == ROUTE_MEMBER || (route.id_length == 0 && !route.id_too_long));
    if (route.kind != ROUTE_NONE)
        must(!route_allows(&route, (struct span){"PATCH", 5}));
    return 0;
}
