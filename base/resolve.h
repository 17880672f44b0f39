/* SPDX-License-Identifier: MIT
 * From a host name to addresses by a deadline: the system's resolver knows none, so a thread
 * waits for it. */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "reason.h"

#include <stdint.h>
#include <sys/socket.h>

enum { ADDRESSES_MAX = 8 };

struct addresses {
    struct sockaddr_storage items[ADDRESSES_MAX];
    socklen_t lengths[ADDRESSES_MAX];
    size_t count;
};

enum resolved { RESOLVED_GOOD = 1, RESOLVED_LATE, RESOLVED_FAILED };

/* For one host and port; NULL: no memory. */
struct resolver *resolver_new(const char *host, const char *port);

/* The addresses of the host, at most half a minute old, or those that were good before if
 * there are no newer ones in time.  RESOLVED_LATE and RESOLVED_FAILED: with a reason. */
enum resolved resolver_get(struct resolver *resolver, int64_t deadline,
                           struct addresses *addresses_r, struct reason *why);

/* A thread that still waits for the system's resolver ends when that lets it. */
void resolver_free(struct resolver *resolver);

#endif
