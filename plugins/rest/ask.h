/* SPDX-License-Identifier: MIT
 *
 * rest_ask.h: one question to the service, from the template to the answer.
 */
#ifndef MEMBERCHAT_REST_ASK_H
#define MEMBERCHAT_REST_ASK_H

#include "answer.h"
#include "client.h"
#include "credentials.h"

struct rest_question {
    const struct rest_settings *settings;
    const struct memberchat_services *services;
    struct rest_credentials *credentials;
    struct rest_id id;
    const char *app_id, *request_id; /* "" where there is none */
    int64_t deadline;                /* on the host's clock */
};

/* Asks on a wire, follows redirects where that is wanted, and asks once more with
 * credentials that changed meanwhile.  FOUND: there is a body.  Otherwise how the
 * look-up ends, with a reason. */
enum memberchat_outcome rest_ask(const struct rest_question *question, struct rest_wire *wire,
                                 struct rest_reply *reply_r, struct rest_reason *reason);

#endif
