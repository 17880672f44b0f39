/* SPDX-License-Identifier: MIT
 * Servers that a domain names in the DNS: SRV records (RFC 2782).  Pure. */
#ifndef SRV_H
#define SRV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SRV_MAX = 16, SRV_HOST_MAX = 255, SRV_LIFE_MAX = 86400 };

struct srv_target {
    char host[SRV_HOST_MAX + 1];
    uint16_t port, priority, weight;
};

/* Those of the first SRV_MAX records that name a host. */
struct srv {
    size_t count;
    struct srv_target targets[SRV_MAX];
    uint32_t life; /* seconds for which this holds, 1 to SRV_LIFE_MAX */
};

/* Reads the answer of a DNS server.  False: it is damaged.  What has no host that could be
 * asked, such as "." for "no such service here", is left out. */
bool srv_parse(const unsigned char *answer, size_t length, struct srv *srv_r);

/* One target of those with the lowest priority, by weight: `random` is any number.
 * `wanted` says which may be chosen; there must be one. */
size_t srv_choose(const struct srv_target *const *targets, const bool *wanted, size_t count,
                  uint32_t random);

#endif
