/* SPDX-License-Identifier: MIT
 * From a name to addresses, or to the servers of a domain, without waiting longer than
 * allowed: the system's resolver knows no deadline, so a thread waits for it. */
#ifndef MEMBERCHAT_LDAP_RESOLVE_H
#define MEMBERCHAT_LDAP_RESOLVE_H

#include "common.h"
#include "srv.h"

#include <sys/socket.h>

enum { LDAP_ADDRESSES_MAX = 8 };

struct ldap_addresses {
    struct sockaddr_storage items[LDAP_ADDRESSES_MAX];
    socklen_t lengths[LDAP_ADDRESSES_MAX];
    size_t count;
};

struct ldap_resolver;

/* For one host and port; NULL: no memory. */
struct ldap_resolver *ldap_resolver_new(const char *host, const char *port);

/* The addresses of the host, at most half a minute old, or those that were good before
 * when there are no newer ones in time.  False: with the reason. */
bool ldap_resolver_get(struct ldap_resolver *resolver, int64_t deadline,
                       struct ldap_addresses *addresses_r, struct ldap_fault *fault);

/* For the SRV records of a domain's LDAP servers. */
struct ldap_resolver *ldap_resolver_new_srv(const char *domain);

/* The records, at most as old as they say, or those that were good before. */
bool ldap_resolver_get_srv(struct ldap_resolver *resolver, int64_t deadline, struct ldap_srv *srv_r,
                           struct ldap_fault *fault);

/* A thread that still waits for the system's resolver goes when that lets it. */
void ldap_resolver_free(struct ldap_resolver *resolver);

#endif
