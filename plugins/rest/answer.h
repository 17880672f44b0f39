/* SPDX-License-Identifier: MIT
 * What an answer means: its status, and its JSON.  Pure functions. */
#ifndef REST_ANSWER_H
#define REST_ANSWER_H

#include "base/bytes.h"
#include "base/reason.h"
#include "settings.h"

/* FOUND: the body tells more.  Otherwise how the look-up ends, with a reason. */
enum memberchat_outcome rest_answer_status(const struct rest_settings *settings, long status,
                                           struct reason *why);

/* Describes the member in a body to the host, or without `services` only looks whether one
 * is there.  NOT_FOUND: there is no member, or an inactive one.  UNAVAILABLE: memory ran
 * out.  MISCONFIGURED: the body is not strict JSON (RFC 8259), or lacks what it should
 * have.  Whether the id is the one that was `asked` for is the host's to judge. */
enum memberchat_outcome rest_answer_read(const struct rest_settings *settings, struct span body,
                                         struct span asked,
                                         const struct memberchat_services *services,
                                         struct memberchat_result *result, struct reason *why);

/* The beginning of a body for the log: one line of visible ASCII. */
#define REST_EXCERPT_MAX 120
void rest_answer_excerpt(struct span body, char out[REST_EXCERPT_MAX + 1]);

#endif
