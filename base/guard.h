/* SPDX-License-Identifier: MIT
 * Keeps a wrong password from being tried until a server locks the account: one that did not
 * work a moment ago is tried by one thread at a time, and a refused one not for a second, then
 * for 4, 16, and at last 30.  So what was wrong for a moment works again a moment later, and an
 * account is tried four times in the first 50 seconds. */
#ifndef GUARD_H
#define GUARD_H

#include "bytes.h"
#include "reason.h"

struct guard *guard_new(void); /* NULL: no memory */
void guard_free(struct guard *guard);

enum guard_entry {
    GUARD_OPEN = 1, /* it may be tried now; guard_leave() must follow */
    GUARD_HELD,     /* it was refused lately, with this reason */
    GUARD_LATE      /* another thread that tries it did not end in time */
};

/* False, with the server's reason, if it was refused lately: to ask before connecting. */
bool guard_allows(struct guard *guard, struct span password, struct reason *why);

enum guard_entry guard_enter(struct guard *guard, struct span password, int64_t deadline,
                             struct reason *why);

enum guard_end { GUARD_WORKED = 1, GUARD_REFUSED, GUARD_UNKNOWN };

/* `why`: for GUARD_REFUSED, the server's reason; how long the password is held is added to it. */
void guard_leave(struct guard *guard, struct span password, enum guard_end end, struct reason *why);

/* The operator says that it was mended. */
void guard_forgive(struct guard *guard);

#endif
