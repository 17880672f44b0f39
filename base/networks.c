/* SPDX-License-Identifier: MIT */
#include "networks.h"

#include "text.h"

#include <arpa/inet.h>
#include <string.h>

bool network_parse(const char *text, struct network *net_r)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char address[INET6_ADDRSTRLEN];
    int64_t bits;
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
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
    unsigned bytes = net->bits / 8, rest = net->bits % 8;
    if (memcmp(net->address, host->address, bytes) != 0)
        return false;
    uint8_t mask = (uint8_t)(0xff00u >> rest);
    return rest == 0 || ((net->address[bytes] ^ host->address[bytes]) & mask) == 0;
}

bool networks_contain(const struct network *nets, size_t count, const char *address)
{
    struct network host;
    if (!network_parse(address, &host) || host.bits != 128)
        return false;
    for (size_t i = 0; i < count; i++)
        if (covers(&nets[i], &host))
            return true;
    return false;
}
