/* SPDX-License-Identifier: MIT
 * HTTP, by libcurl, whose header no other file includes. */
#ifndef REST_CLIENT_H
#define REST_CLIENT_H

#include "base/bytes.h"
#include "place.h"
#include "settings.h"

/* What the connections of one store share: resolved names and TLS sessions, and never a
 * connection. */
struct rest_client;

/* NULL: no memory.  The settings outlive it. */
struct rest_client *rest_client_new(const struct rest_settings *settings);
void rest_client_free(struct rest_client *client); /* after all its wires */

/* At most one connection, kept between exchanges; for one thread at a time. */
struct rest_wire;

struct rest_wire *rest_wire_new(struct rest_client *client); /* NULL: no memory */
void rest_wire_free(struct rest_wire *wire);

/* How a request proves who we are: Basic with a user's password (RFC 7617), or Bearer with
 * a token (RFC 6750). */
enum rest_scheme { REST_ANONYMOUS, REST_BASIC, REST_BEARER };

struct rest_request {
    const char *url;
    bool post;
    struct span body;         /* of a POST */
    const char *const *lines; /* "Name: value" */
    size_t line_count;        /* 1 to REST_LINES_MAX */
    enum rest_scheme scheme;
    const char *user, *secret;
    int64_t deadline; /* clock_monotonic_ms() */
    int64_t most;     /* bytes of the answer's body, decompressed */
};

#define REST_LINES_MAX (REST_HEADERS_MAX + 8)

enum rest_end {
    REST_ANSWERED,  /* there is a status, and all of the body */
    REST_TOO_LARGE, /* there is a status, and more body than is read */
    REST_LATE,      /* no answer in time: the connection may be dead */
    REST_NO_ANSWER, /* no answer: try again later */
    REST_BUSY,      /* all connections were in use until the deadline */
    REST_IMPOSSIBLE /* not before someone mends it */
};

/* What came back, valid until the wire is used again. */
struct rest_reply {
    enum rest_end end;
    bool reused; /* it went out on a connection that was kept */
    long status;
    struct span body;
    int64_t retry_after;  /* milliseconds, 0: it did not say */
    const char *location; /* the absolute target of a redirect; NULL: there is none */
    const char *trouble;  /* what went wrong, in libcurl's words */
};

/* One request and its answer.  A GET on a kept connection that the other side has closed is
 * sent once more, on a new one; a POST only if its body had not been sent. */
void rest_wire_exchange(struct rest_wire *wire, const struct rest_request *request,
                        struct rest_reply *reply_r);

/* Whether the next exchange will try a connection that was kept. */
bool rest_wire_is_kept(const struct rest_wire *wire);

enum rest_url { REST_URL_GOOD, REST_URL_BAD, REST_URL_NO_MEMORY };

/* GOOD: an http or https URL with a host. */
enum rest_url rest_place_read(const char *url, struct rest_place *place_r);

#endif
