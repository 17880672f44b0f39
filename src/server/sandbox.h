/* SPDX-License-Identifier: MIT
 * What the resident process gives up once it has started, so that a hole in it or in a
 * library is worth less. */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>

struct reason;

enum sandbox_result {
    SANDBOX_ON,
    SANDBOX_NOT_HERE, /* this kernel or this build has none */
    SANDBOX_FAILED,   /* it has one, and something went wrong */
};

/* For all threads that there are and will be: no new privileges, and only the system calls
 * that serving, reloading and the stores need.  Others fail: EPERM, which the kernel logs,
 * where there is no good reason to make the call, else ENOSYS, so that libraries take an
 * older way. */
enum sandbox_result sandbox_enter(struct reason *why);

#endif
