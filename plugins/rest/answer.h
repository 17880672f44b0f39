/* SPDX-License-Identifier: MIT
 *
 * rest_answer.h: what an answer means: its status, and its JSON.
 */
#ifndef MEMBERCHAT_REST_ANSWER_H
#define MEMBERCHAT_REST_ANSWER_H

#include "settings.h"

/* FOUND: the body tells more.  Otherwise how the look-up ends, with a reason. */
enum memberchat_outcome rest_answer_status(const struct rest_settings *settings, long status,
                                           struct rest_reason *reason);

struct rest_id {
    const char *bytes;
    size_t length;
};

/* Describes the member in a body to the host: FOUND; NOT_FOUND when it is not
 * active; MISCONFIGURED, with a reason, when it is no strict JSON (RFC 8259), lacks
 * what it should have, or speaks of somebody else.  The body is written to. */
enum memberchat_outcome rest_answer_read(const struct rest_settings *settings, char *body,
                                         size_t length, struct rest_id asked,
                                         const struct memberchat_services *services,
                                         struct memberchat_result *result,
                                         struct rest_reason *reason);

/* Whether this is a JSON Pointer (RFC 6901). */
bool rest_answer_is_pointer(const char *pointer);

/* Whether a text is one value of strict JSON.  It is written to. */
bool rest_answer_is_json(char *text, size_t length);

/* The beginning of a body for the log: one line of visible ASCII. */
#define REST_EXCERPT_MAX 120
void rest_answer_excerpt(const char *body, size_t length, char out[REST_EXCERPT_MAX + 1]);

#endif
