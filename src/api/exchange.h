/* SPDX-License-Identifier: MIT
 * The state of one request: where it came from, what is known so far, and how it ends. */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "http.h"
#include "route.h"
#include "host/trace.h"
#include "settings/settings.h"

/* How a request ends.  The table in reply.c turns this into HTTP. */
enum outcome {
    OUTCOME_ANSWERED, /* the response is complete */
    OUTCOME_BUSY,     /* no answer yet: for a thread that may wait for a network */
    OUTCOME_INVALID_APP_USER_ID_FORMAT,
    OUTCOME_INVALID_HTTP_MESSAGE_BODY,
    OUTCOME_EMPTY_APP_CREDENTIALS,
    OUTCOME_INVALID_APP_CREDENTIALS,
    OUTCOME_INVALID_ACCESS_TOKEN,
    OUTCOME_INVALID_STATUS_PASSWORD,
    OUTCOME_GUESTS_NOT_ALLOWED,
    OUTCOME_MEMBER_DENIED,
    OUTCOME_MEMBER_NOT_FOUND,
    OUTCOME_RESOURCE_NOT_FOUND,
    OUTCOME_UNSUPPORTED_HTTP_METHOD,
    OUTCOME_REQUEST_TOO_LARGE,
    OUTCOME_UNSUPPORTED_MEDIA_TYPE,
    OUTCOME_UNSUPPORTED_ENCODING, /* of the body */
    OUTCOME_TOO_MANY_REQUESTS,
    OUTCOME_INTERNAL_SERVER_ERROR,
    OUTCOME_MEMBER_STORE_UNAVAILABLE,
};

struct exchange {
    const struct settings *settings;
    const struct http_request *request;
    struct http_response *response;
    struct route route;
    const struct app *app;   /* NULL until the credentials were good */
    const struct app *named; /* by the key that was sent */
    struct bytes message;    /* what to tell the caller beyond the code; may stay empty */
    int64_t retry_after_ms;  /* with MEMBER_STORE_UNAVAILABLE and TOO_MANY_REQUESTS */
    struct exchange_rate {   /* what the limit of tokens leaves */
        bool counted;
        int64_t left, reset_ms;
    } rate;
    struct exchange_notes { /* for the log */
        char id[DENIED_ID_MAX];
        size_t id_length;  /* of the member a token was asked for; 0: not known */
        const char *store; /* the last store that was asked; NULL: none */
        enum directory_cache cache;
    } notes;
};

/* Notes, for the log, whom a token is asked for: in the directory's spelling once that is known. */
void exchange_note_id(struct exchange *exchange, struct span id);

#endif
