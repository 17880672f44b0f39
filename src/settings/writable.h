/* SPDX-License-Identifier: MIT
 * Whether what a responder writes can be written: what a start would meet.  Asking leaves nothing
 * behind. */
#ifndef WRITABLE_H
#define WRITABLE_H

#include "base/reason.h"

#include <stdbool.h>

/* The target of a log.  False: why not, and what to do. */
bool writable_log(const char *target, struct reason *why);

/* Whether a log's target is a terminal, which a service does not have. */
bool writable_is_terminal(const char *target);

#endif
