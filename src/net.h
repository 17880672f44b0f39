/* SPDX-License-Identifier: MIT
 * Addresses and networks, for lists of who is believed. */
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;       /* of the prefix, of 128 */
};

/* "192.0.2.1", "192.0.2.0/24", "2001:db8::/32" */
bool net_parse(const char *text, struct net *net_r);
bool net_contains(const struct net *nets, size_t count, const char *address);

#endif
