/* SPDX-License-Identifier: MIT
 * One question to the service, from the template to the answer. */
#ifndef REST_ASK_H
#define REST_ASK_H

#include "base/pool.h"
#include "credentials.h"

struct rest_question {
    const struct rest_settings *settings;
    struct rest_credentials *credentials;
    struct pool *wires;
    struct span id, app_id;
    const char *request_id, *traceparent; /* "" where there is none */
    int64_t deadline;                     /* clock_monotonic_ms() */
};

/* A wire on loan, what came back on it, and what proved who we are.  Zero-initialised is none. */
struct rest_exchange {
    struct pool_loan *loan;
    struct rest_reply reply;
    struct rest_proof proof;
};

/* Asks, follows redirects where that is wanted, and asks once more with credentials that
 * have changed meanwhile.  When a kept connection turns out to be dead, none that is kept is
 * used any more, and a GET is sent once more on a new one.  FOUND: there is a body.
 * Otherwise how the look-up ends, with a reason. */
enum memberchat_outcome rest_ask(const struct rest_question *question,
                                 struct rest_exchange *exchange, struct reason *why);

/* Gives the wire back, and with it the reply; wipes the proof. */
void rest_exchange_end(struct rest_exchange *exchange, struct pool *wires);

#endif
