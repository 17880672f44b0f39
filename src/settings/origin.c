/* SPDX-License-Identifier: MIT */
#include "origin.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { HOST_MAX = 256, GROUPS = 8 };

/* The first of the longest runs of zeros; its length, 0 when none has two groups. */
static int zero_run(const unsigned groups[GROUPS], int *start_r)
{
    int best = 0;
    for (int i = 0; i < GROUPS; i++) {
        int length = 0;
        while (i + length < GROUPS && groups[i + length] == 0)
            length++;
        if (length > best && length > 1) {
            best = length;
            *start_r = i;
        }
    }
    return best;
}

static bool is_compressed_ipv6(const char *text)
{
    uint8_t bytes[16];
    unsigned groups[GROUPS];
    char wanted[INET6_ADDRSTRLEN] = "";
    size_t at = 0;
    int start = 0;
    if (inet_pton(AF_INET6, text, bytes) != 1)
        return false;
    for (int i = 0; i < GROUPS; i++)
        groups[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
    int run = zero_run(groups, &start);
    for (int i = 0; i < GROUPS;) {
        bool in_run = run > 0 && i == start;
        const char *colon = i == 0 || (run > 0 && i == start + run) ? "" : ":";
        if (in_run)
            at += (size_t)snprintf(wanted + at, sizeof wanted - at, "::");
        else
            at += (size_t)snprintf(wanted + at, sizeof wanted - at, "%s%x", colon, groups[i]);
        i += in_run ? run : 1;
    }
    return strcmp(text, wanted) == 0;
}

/* A host whose last label is a number is an IPv4 address, which browsers write in full. */
static bool is_plain_host(const char *host)
{
    const char *dot = strrchr(host, '.'), *last = dot ? dot + 1 : host;
    uint8_t bytes[4];
    if (!*host || strpbrk(host, "/?#@,*[]:%\\"))
        return false;
    return strspn(last, "0123456789") != strlen(last) || !*last ||
           inet_pton(AF_INET, host, bytes) == 1;
}

static bool is_needed_port(const char *port, const char *scheme, size_t length)
{
    static const struct {
        const char *scheme;
        int64_t port;
    } defaults[] = {{"http", 80}, {"https", 443}, {"ws", 80}, {"wss", 443}, {"ftp", 21}};
    int64_t number;
    if (*port == '0' || !text_parse_integer(port, &number) || number < 1 || number > 65535)
        return false;
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        if (strlen(defaults[i].scheme) == length &&
            memcmp(defaults[i].scheme, scheme, length) == 0 && defaults[i].port == number)
            return false;
    return true;
}

bool origin_is_exact(const char *text)
{
    char host[HOST_MAX];
    const char *colon = strstr(text, "://");
    for (const char *p = text; *p; p++)
        if (isupper((unsigned char)*p) || (unsigned char)*p <= ' ' || (unsigned char)*p > '~')
            return false;
    if (!colon || colon == text || snprintf(host, sizeof host, "%s", colon + 3) >= HOST_MAX)
        return false;
    bool bracketed = *host == '[';
    char *end = bracketed ? strchr(host, ']') : strchr(host, ':');
    char *port = end && bracketed ? end + 1 : end;
    if (bracketed && !end)
        return false;
    bool has_port = port && *port;
    if (has_port && (*port != ':' || !is_needed_port(port + 1, text, (size_t)(colon - text))))
        return false;
    if (end)
        *end = '\0';
    return bracketed ? is_compressed_ipv6(host + 1) : is_plain_host(host);
}
