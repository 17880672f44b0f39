/* SPDX-License-Identifier: MIT
 * A host for harnesses that ask members files: it keeps what it is told of a member. */
#ifndef MEMBERS_HOST_H
#define MEMBERS_HOST_H

#include "scene.h"

#include "plugins/file/members.h"

/* What came of a look-up: the outcome, and the fields as they were told. */
struct told {
    enum memberchat_outcome outcome;
    struct bytes fields;
};

extern const struct memberchat_services host_services;
extern const struct table_report host_report;

struct file_settings host_settings(const char *path);

/* Asks, and sees that FOUND means the member who was asked for. */
struct told host_ask(const struct members *members, const struct file_settings *settings,
                     struct span id);

#endif
