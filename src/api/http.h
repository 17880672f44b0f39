/* SPDX-License-Identifier: MIT
 * A request and its answer, whichever way they came (FastCGI or CGI). */
#ifndef HTTP_H
#define HTTP_H

#include "base/bytes.h"

#include <stdint.h>

struct gate;

enum http_body {
    HTTP_BODY_COMPLETE,
    HTTP_BODY_DROPPED, /* handler_wants_body() did not want it */
    HTTP_BODY_TOO_LARGE,
    HTTP_BODY_BROKEN, /* nothing came, though it was announced, or CONTENT_LENGTH is nonsense */
};

#define HTTP_AUTHORIZATIONS 4 /* HTTP_AUTHORIZATION and up to three times REDIRECT_ before it */

/* Borrowed from the transport.  Only what is used is here; SPAN_NONE where the
 * web server sent nothing. */
struct http_request {
    struct span method, uri, script_name, path_info, base_path;
    struct span authorizations[HTTP_AUTHORIZATIONS];
    struct span api_key, api_secret; /* X-Api-Key, X-Api-Secret */
    struct span content_type, content_length, content_encoding, transfer_encoding;
    struct span query; /* QUERY_STRING */
    struct span origin, request_id, traceparent, remote_addr, forwarded_for, if_none_match;
    bool forwarded_twice;   /* X-Forwarded-For came twice, with different values */
    bool credentials_twice; /* one of their headers did */
    bool too_large;         /* some of the above are missing, as there was no room for them */
    struct span body;
    enum http_body body_state;
    int64_t began_us;  /* when it was complete, for measuring; monotonic */
    int64_t deadline;  /* for all look-ups; monotonic ms */
    struct gate *gate; /* for look-ups that wait for a network; NULL: it is open */
};

/* Takes one CGI variable (RFC 3875, section 4.1) if it is one of the above.  Of several with the
 * same name, the first counts.  "X_Forwarded_For" and "X-Forwarded-For" get the same name
 * (lighttpd sends both), so a client can put a value before the one that a proxy adds. */
void http_request_take(struct http_request *request, struct span name, struct span value);

/* Whether a variable is one of them. */
bool http_request_wants(struct span name);

/* CONTENT_LENGTH: -1 when it is unknown (absent, empty, or "-1"), -2 when it is not a
 * number.  An input filter of the web server may have changed how many bytes come. */
int64_t http_content_length(const struct http_request *request);

/* Sets body_state from how many bytes came and how many are allowed. */
void http_judge_body(struct http_request *request, uint64_t received, uint64_t limit);

struct http_response {
    int status;
    const char *content_type;  /* NULL: JSON */
    const char *cache_control; /* NULL: it must not be stored */
    struct bytes headers;      /* lines, each ending in CR LF */
    struct bytes body;
};

void http_add_header(struct http_response *response, const char *name, struct span value);

/* Whether its status is one that has a body (RFC 9110, section 6.4.1). */
bool http_has_content(const struct http_response *response);

/* Appends the answer in the form of CGI: status line, headers, the empty line, and the body
 * unless the method is HEAD.  Where memory ran out for a part of it: http_last_words(). */
void http_write(const struct http_request *request, const struct http_response *response,
                struct bytes *out);

/* A 500 for when there is no memory for an answer. */
struct span http_last_words(void);

void http_response_reset(struct http_response *response);
void http_response_free(struct http_response *response);

#endif
