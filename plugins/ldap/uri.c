/* SPDX-License-Identifier: MIT */
#include "uri.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#define DEFAULT_SOCKET "/var/run/slapd/ldapi" /* of libldap, for ldapi:/// */
#define HOST_BYTES     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"
#define ADDRESS_BYTES  "0123456789abcdefABCDEF:."
#define MORE_THAN_HOST "has more than a host and a port; the base is a key of its own"

static const struct {
    const char *prefix, *port;
    enum ldap_scheme scheme;
} schemes[] = {
    {"ldap://", "389", LDAP_SCHEME_PLAIN},
    {"ldaps://", "636", LDAP_SCHEME_TLS},
    {"ldapi://", "", LDAP_SCHEME_LOCAL},
    {"srv:", "", LDAP_SCHEME_SRV},
};

enum { SCHEMES = sizeof schemes / sizeof schemes[0] };

static bool check(bool good, const char *fault, const char **why_r)
{
    if (!good)
        *why_r = fault;
    return good;
}

static bool is_end(const char *text)
{
    return strcmp(text, "") == 0 || strcmp(text, "/") == 0;
}

/* The path of ldapi, percent-decoded; a slash that is not encoded ends it. */
static bool parse_path(const char *text, struct ldap_uri *uri, const char **why_r)
{
    size_t length = 0;
    for (; *text && *text != '/'; text++) {
        char byte = *text;
        if (byte == '%') {
            int high = text_hex_digit(text[1]), low = high < 0 ? -1 : text_hex_digit(text[2]);
            if (low < 0 || high + low == 0)
                return check(false, "has a percent sign without two hexadecimal digits", why_r);
            byte = (char)(high * 16 + low);
            text += 2;
        }
        if (length + 1 >= sizeof((struct sockaddr_un *)NULL)->sun_path)
            return check(false, "has a path that is too long for a socket", why_r);
        uri->host[length++] = byte;
    }
    uri->host[length] = '\0';
    if (length == 0)
        snprintf(uri->host, sizeof uri->host, "%s", DEFAULT_SOCKET);
    return check(uri->host[0] == '/', "needs an absolute path, its slashes written %2F", why_r) &&
           check(is_end(text), "has something behind the path, whose slashes are written %2F",
                 why_r);
}

static bool parse_port(const char *text, char port_r[6], const char **why_r)
{
    size_t digits = strspn(text, "0123456789");
    long number = digits > 0 && digits < 6 ? strtol(text, NULL, 10) : 0;
    if (number < 1 || number > 65535)
        return check(false, "has no valid port after the colon", why_r);
    snprintf(port_r, 6, "%ld", number);
    return check(is_end(text + digits), MORE_THAN_HOST, why_r);
}

/* HOST or [ADDRESS], and what follows it. */
static bool parse_host(const char *text, struct ldap_uri *uri, const char **why_r)
{
    bool bracket = *text == '[';
    size_t length = strspn(text + bracket, bracket ? ADDRESS_BYTES : HOST_BYTES);
    struct in6_addr address;
    if (!check(length > 0, "has no host", why_r) ||
        !check(length <= LDAP_HOST_MAX, "has a host name that is too long", why_r))
        return false;
    memcpy(uri->host, text + bracket, length);
    uri->host[length] = '\0';
    text += bracket + length;
    if (bracket && (*text++ != ']' || inet_pton(AF_INET6, uri->host, &address) != 1))
        return check(false, "has no IPv6 address between its brackets", why_r);
    return *text == ':' ? parse_port(text + 1, uri->port, why_r)
                        : check(is_end(text), MORE_THAN_HOST, why_r);
}

/* The text that libldap gets: percent-encoded where it is a path. */
static void write_text(struct ldap_uri *uri, const char *prefix)
{
    bool brackets = strchr(uri->host, ':') != NULL;
    if (uri->scheme != LDAP_SCHEME_LOCAL) {
        snprintf(uri->text, sizeof uri->text, "%s%s%s%s%s%s", prefix, brackets ? "[" : "",
                 uri->host, brackets ? "]" : "", *uri->port ? ":" : "", uri->port);
        return;
    }
    size_t length = (size_t)snprintf(uri->text, sizeof uri->text, "%s", prefix);
    for (const char *at = uri->host; *at; at++)
        length += (size_t)snprintf(uri->text + length, sizeof uri->text - length,
                                   strchr(HOST_BYTES, *at) ? "%c" : "%%%02X", (unsigned char)*at);
}

bool ldap_uri_parse(const char *text, struct ldap_uri *uri_r, const char **why_r)
{
    size_t i = 0;
    while (i < SCHEMES && strncasecmp(text, schemes[i].prefix, strlen(schemes[i].prefix)) != 0)
        i++;
    if (i == SCHEMES)
        return check(false, "does not begin with ldap://, ldaps://, ldapi:// or srv:", why_r);
    *uri_r = (struct ldap_uri){.scheme = schemes[i].scheme};
    snprintf(uri_r->port, sizeof uri_r->port, "%s", schemes[i].port);
    text += strlen(schemes[i].prefix);
    bool local = uri_r->scheme == LDAP_SCHEME_LOCAL;
    if (!(local ? parse_path(text, uri_r, why_r) : parse_host(text, uri_r, why_r)))
        return false;
    if (uri_r->scheme == LDAP_SCHEME_SRV && (*uri_r->port || strpbrk(text, "[/")))
        return check(false, "has more than a domain behind srv:", why_r);
    write_text(uri_r, schemes[i].prefix);
    return true;
}
