/* SPDX-License-Identifier: MIT */
#include "srv.h"

#include <arpa/nameser.h>
#include <resolv.h>
#include <string.h>

static uint32_t number(const unsigned char *at, size_t length)
{
    uint32_t value = 0;
    for (size_t i = 0; i < length; i++)
        value = value << 8 | at[i];
    return value;
}

/* The bytes that a name takes (RFC 1035, section 4.1.4); -1: it is damaged. */
static int skip_name(const unsigned char *at, const unsigned char *end)
{
    return at < end ? dn_skipname(at, end) : -1;
}

/* Takes the data of one SRV record: priority, weight, port and target. */
static bool take_target(const unsigned char *answer, const unsigned char *end,
                        const unsigned char *data, size_t length, struct srv *srv)
{
    struct srv_target *target = &srv->targets[srv->count];
    char name[NS_MAXDNAME];
    if (length < 7 || dn_expand(answer, end, data + 6, name, sizeof name) < 0)
        return false;
    size_t long_name = strlen(name);
    if (long_name == 0 || long_name > SRV_HOST_MAX)
        return true;
    memcpy(target->host, name, long_name + 1);
    target->priority = (uint16_t)number(data, 2);
    target->weight = (uint16_t)number(data + 2, 2);
    target->port = (uint16_t)number(data + 4, 2);
    srv->count += target->port != 0;
    return true;
}

bool srv_parse(const unsigned char *answer, size_t length, struct srv *srv_r)
{
    const unsigned char *end = answer + length, *at = answer + NS_HFIXEDSZ;
    srv_r->count = 0;
    srv_r->life = SRV_LIFE_MAX;
    if (length < NS_HFIXEDSZ)
        return false;
    unsigned questions = number(answer + 4, 2), records = number(answer + 6, 2);
    for (; questions > 0; questions--) {
        int name = skip_name(at, end);
        if (name < 0 || end - at < name + NS_QFIXEDSZ)
            return false;
        at += name + NS_QFIXEDSZ;
    }
    for (; records > 0 && srv_r->count < SRV_MAX; records--) {
        int name = skip_name(at, end);
        if (name < 0 || end - at < name + NS_RRFIXEDSZ)
            return false;
        at += name;
        uint32_t type = number(at, 2), life = number(at + 4, 4);
        size_t data = number(at + 8, 2);
        at += NS_RRFIXEDSZ;
        if ((size_t)(end - at) < data)
            return false;
        if (type == ns_t_srv && !take_target(answer, end, at, data, srv_r))
            return false;
        if (life < srv_r->life)
            srv_r->life = life ? life : 1;
        at += data;
    }
    return true;
}

size_t srv_choose(const struct srv_target *const *targets, const bool *wanted, size_t count,
                  uint32_t random)
{
    unsigned lowest = UINT16_MAX + 1u;
    uint32_t sum = 0;
    size_t chosen = 0;
    for (size_t i = 0; i < count; i++)
        if (wanted[i] && targets[i]->priority < lowest)
            lowest = targets[i]->priority;
    for (size_t i = 0; i < count; i++)
        if (wanted[i] && targets[i]->priority == lowest)
            sum += targets[i]->weight + 1u; /* so that no one is never chosen */
    random = sum ? random % sum : 0;
    for (size_t i = 0; i < count; i++) {
        if (!wanted[i] || targets[i]->priority != lowest)
            continue;
        chosen = i;
        if (random < targets[i]->weight + 1u)
            break;
        random -= targets[i]->weight + 1u;
    }
    return chosen;
}
