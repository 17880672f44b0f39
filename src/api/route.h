/* SPDX-License-Identifier: MIT
 * Finds out from the web server's variables what is wanted, wherever the program is mounted.
 * Pure functions on the request. */
#ifndef ROUTE_H
#define ROUTE_H

#include "http.h"
#include "members/member.h"

enum route_kind {
    ROUTE_NONE,
    ROUTE_GUEST,
    ROUTE_MEMBER,
    ROUTE_HEALTHZ,
    ROUTE_READYZ,
    ROUTE_JWKS,
    ROUTE_OPENAPI,
    ROUTE_METRICS,
    ROUTE_STATUS
};

struct route {
    enum route_kind kind;
    const char *methods; /* that it answers, as in Allow */
    size_t id_length;    /* of a member's id, percent-decoded once */
    bool id_too_long;    /* longer than any id may be */
    bool elsewhere;      /* no route, since it is not below the base path */
    char id[MEMBERCHAT_ID_MAX];
};

/* Matches the tail of the raw REQUEST_URI; what stands before it is the mount,
 * which must be the configured base path, if there is one (`base_path` SPAN_NONE:
 * none).  Everything that is not well formed is ROUTE_NONE. */
struct route route_find(const struct http_request *request, struct span base_path);

/* Its name in logs and figures: "guest", "member", ..., "none". */
const char *route_name(enum route_kind kind);

/* Whether a route answers a method. */
bool route_allows(const struct route *route, struct span method);

#endif
