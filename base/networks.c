/* SPDX-License-Identifier: MIT */
#include "networks.h"

#include "text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#define UNIX_BITS 129 /* no prefix, but peers without an address */

bool network_parse(const char *text, struct network *net_r)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char address[INET6_ADDRSTRLEN];
    int64_t bits;
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    *net_r = (struct network){.bits = UNIX_BITS};
    if (strcmp(text, "unix:") == 0)
        return true;
    if (length >= sizeof address)
        return false;
    memcpy(address, text, length);
    address[length] = '\0';

    unsigned own_bits = 128;
    if (inet_pton(AF_INET, address, net_r->address + 12) == 1) {
        memcpy(net_r->address, mapped, sizeof mapped);
        own_bits = 32;
    } else if (inet_pton(AF_INET6, address, net_r->address) != 1) {
        return false;
    }
    bits = own_bits;
    if (slash && (!text_parse_integer(slash + 1, &bits) || bits < 0 || bits > own_bits))
        return false;
    net_r->bits = 128 - own_bits + (unsigned)bits;
    return true;
}

static bool covers(const struct network *net, const struct network *host)
{
    if (net->bits == UNIX_BITS || host->bits == UNIX_BITS)
        return net->bits == host->bits;
    unsigned bytes = net->bits / 8, rest = net->bits % 8;
    if (memcmp(net->address, host->address, bytes) != 0)
        return false;
    uint8_t mask = (uint8_t)(0xff00u >> rest);
    return rest == 0 || ((net->address[bytes] ^ host->address[bytes]) & mask) == 0;
}

bool networks_contain(const struct network *nets, size_t count, const char *address)
{
    struct network host;
    if (!network_parse(address, &host) || host.bits < 128)
        return false;
    for (size_t i = 0; i < count; i++)
        if (covers(&nets[i], &host))
            return true;
    return false;
}

bool network_is_loopback(const char *host)
{
    static const struct network nets[] = {
        {.address = {[10] = 0xff, [11] = 0xff, [12] = 127}, .bits = 104},
        {.address = {[15] = 1}, .bits = 128},
    };
    char address[INET6_ADDRSTRLEN];
    size_t length = strlen(host);
    if (host[0] == '[' && host[length - 1] == ']' && length - 2 < sizeof address) {
        memcpy(address, host + 1, length - 2);
        address[length - 2] = '\0';
        host = address;
    }
    return strcasecmp(host, "localhost") == 0 || networks_contain(nets, 2, host);
}

bool network_address_is_loopback(const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, sizeof text);
    if (address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, text, sizeof text);
    return network_is_loopback(text);
}
