/* SPDX-License-Identifier: MIT
 * A store plugin inside of a test program, whose answers the test chooses. */
#ifndef STUB_STORE_H
#define STUB_STORE_H

#include "members/store.h"

#include <stdatomic.h>
#include <stdbool.h>

struct stub {
    uint32_t flags; /* of the plugin */
    atomic_int outcome;
    atomic_int delay_ms; /* of each look-up, at most until the deadline */
    _Atomic int64_t retry_after_ms;
    atomic_bool odd; /* "answer" is called instead of the usual, also by check() */
    enum memberchat_outcome (*answer)(const struct memberchat_services *services,
                                      struct memberchat_result *result);
    bool check_fails, open_fails, silent; /* silent: open_fails without a reason */
    bool per_app;                         /* answers depend on the app */
    bool names_asker;                     /* the name of a member is "APP/REQUEST" */
    bool counts;                          /* it knows that it has seven members */
    atomic_int lookups, probes, reloads, opens, closes;
    atomic_int inside, most_inside; /* calls at once */
    atomic_uint how;                /* of the last open */
};

/* A store of that stub; not open. */
struct store *stub_store(struct stub *stub);

/* The same without the optional callbacks. */
struct store *stub_store_bare(struct stub *stub);

#endif
