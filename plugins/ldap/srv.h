/* SPDX-License-Identifier: MIT
 * Servers that a domain names in the DNS: SRV records (RFC 2782).  Pure. */
#ifndef MEMBERCHAT_LDAP_SRV_H
#define MEMBERCHAT_LDAP_SRV_H

#include "uri.h"

#include <stdint.h>

enum { LDAP_SRV_MAX = 16, LDAP_SRV_LIFE_MAX = 86400 };

struct ldap_srv_target {
    char host[LDAP_HOST_MAX + 1];
    uint16_t port, priority, weight;
};

/* Those of the first LDAP_SRV_MAX records that name a host. */
struct ldap_srv {
    size_t count;
    struct ldap_srv_target targets[LDAP_SRV_MAX];
    uint32_t life; /* seconds for which this holds, 1 to LDAP_SRV_LIFE_MAX */
};

/* Reads the answer of a DNS server.  False: it is damaged.  What has no host that could be
 * asked, such as "." for "no such service here", is left out. */
bool ldap_srv_parse(const unsigned char *answer, size_t length, struct ldap_srv *srv_r);

/* One target of those with the lowest priority, by weight: `random` is any number.
 * `wanted` says which may be chosen; there must be one. */
size_t ldap_srv_choose(const struct ldap_srv_target *const *targets, const bool *wanted,
                       size_t count, uint32_t random);

#endif
