/* SPDX-License-Identifier: MIT
 * Addresses and networks, for lists of peers that are trusted. */
#ifndef NETWORKS_H
#define NETWORKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct network {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;       /* of the prefix, of 128 */
};

/* "192.0.2.1", "192.0.2.0/24", "2001:db8::/32"; "unix:" for peers on a unix socket */
bool network_parse(const char *text, struct network *net_r);
bool networks_contain(const struct network *nets, size_t count, const char *address);

/* Whether a host is this machine by its name: "localhost", or an address of the
 * loopback, an IPv6 one with or without brackets. */
bool network_is_loopback(const char *host);

struct sockaddr;
bool network_address_is_loopback(const struct sockaddr *address);

#endif
