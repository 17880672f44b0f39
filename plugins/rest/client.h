/* SPDX-License-Identifier: MIT
 *
 * rest_client.h: HTTP, through libcurl, which is known nowhere else.
 */
#ifndef MEMBERCHAT_REST_CLIENT_H
#define MEMBERCHAT_REST_CLIENT_H

#include "settings.h"

/* What the connections of one store share: names that were resolved and TLS
 * sessions, and never a connection. */
struct rest_client;

/* NULL: no memory.  The settings outlive it. */
struct rest_client *rest_client_new(const struct rest_settings *settings);
void rest_client_free(struct rest_client *client); /* after all its wires */

/* One connection, kept between exchanges; for one thread at a time. */
struct rest_wire;

struct rest_wire *rest_wire_new(struct rest_client *client); /* NULL: no memory */
void rest_wire_free(struct rest_wire *wire);

struct rest_request {
    const char *url;
    const char *body; /* of a POST */
    size_t body_length;
    const char *const *headers; /* "Name: value" */
    size_t header_count;        /* at most REST_LINES_MAX */
    int64_t timeout;            /* milliseconds, at least 1 */
};

#define REST_LINES_MAX (REST_HEADERS_MAX + 8)

enum rest_end {
    REST_ANSWERED,  /* there is a status, and all of the body */
    REST_TOO_LARGE, /* there is a status, and more body than is read */
    REST_NO_ANSWER, /* try again later */
    REST_IMPOSSIBLE /* not before someone mends it */
};

/* What came back, valid until the wire is used again. */
struct rest_reply {
    enum rest_end end;
    long status;
    char *body; /* may be written to */
    size_t length;
    int64_t retry_after;  /* milliseconds, 0: it did not say */
    const char *location; /* where it redirects to, absolute; NULL: nowhere */
    const char *trouble;  /* what went wrong, in libcurl's words */
};

/* One request and its answer.  A GET on a connection that the other side had
 * closed meanwhile is sent once more, on a new one; a POST only if its body had
 * not been sent. */
void rest_wire_exchange(struct rest_wire *wire, const struct rest_request *request,
                        struct rest_reply *reply_r);

/* Whether credentials for `from` may go to `to`: same host and port, or same host
 * and https now. */
bool rest_client_same_place(const char *from, const char *to);

/* What a URL says of itself. */
struct rest_place {
    bool valid, http, https; /* http, https: its scheme */
    bool credentials;        /* it has a user name in it */
    bool loopback;           /* its host is this machine */
};
struct rest_place rest_client_read_url(const char *url);

#endif
