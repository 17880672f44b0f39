/* SPDX-License-Identifier: MIT
 * From a name to addresses, or to the servers of a domain, by a deadline: the system's resolver
 * knows none, so a thread waits for it. */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "reason.h"
#include "srv.h"

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

/* For the SRV records of one name, such as _ldap._tcp.example.com; NULL: no memory. */
struct resolver *resolver_new_srv(const char *name);

/* The records, at most as old as they say, or those that were good before. */
enum resolved resolver_get_srv(struct resolver *resolver, int64_t deadline, struct srv *srv_r,
                               struct reason *why);

/* A thread that still waits for the system's resolver ends when that lets it. */
void resolver_free(struct resolver *resolver);

#endif
