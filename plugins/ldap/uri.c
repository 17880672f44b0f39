/* SPDX-License-Identifier: MIT
 *
 * ldap_uri.c: see ldap_uri.h.
 */
#include "uri.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#define DEFAULT_SOCKET "/var/run/slapd/ldapi" /* of libldap, for ldapi:/// */
#define HOST_BYTES     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"
#define ADDRESS_BYTES  "0123456789abcdefABCDEF:."

static const struct {
    const char *prefix, *port;
    enum ldap_scheme scheme;
} schemes[] = {
    {"ldap://", "389", LDAP_SCHEME_PLAIN},
    {"ldaps://", "636", LDAP_SCHEME_TLS},
    {"ldapi://", "", LDAP_SCHEME_LOCAL},
};

static int hex_value(char digit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = digit != '\0' ? strchr(digits, digit) : NULL;

    return at != NULL ? (int)((at - digits) % 16) : -1;
}

/* The path of ldapi, percent-decoded; a slash that is not encoded ends it. */
static const char *parse_path(const char *text, struct ldap_uri *uri)
{
    size_t length = 0;

    for (; *text != '\0' && *text != '/'; text++) {
        int high, low;
        char byte = *text;

        if (byte == '%') {
            high = hex_value(text[1]);
            low = high >= 0 ? hex_value(text[2]) : -1;
            if (low < 0 || (high == 0 && low == 0))
                return "has a percent sign without two hexadecimal digits";
            byte = (char)(high * 16 + low);
            text += 2;
        }
        if (length + 1 >= sizeof((struct sockaddr_un *)NULL)->sun_path)
            return "has a path that is too long for a socket";
        uri->host[length++] = byte;
    }
    uri->host[length] = '\0';
    if (length == 0)
        snprintf(uri->host, sizeof uri->host, "%s", DEFAULT_SOCKET);
    else if (uri->host[0] != '/')
        return "needs an absolute path, its slashes written %2F";
    return strcmp(text, "") == 0 || strcmp(text, "/") == 0
               ? NULL
               : "has something behind the path, whose slashes are written %2F";
}

static const char *parse_port(const char *text, char port_r[6])
{
    size_t digits = strspn(text, "0123456789");
    long number = digits > 0 && digits < 6 ? strtol(text, NULL, 10) : 0;

    if (number < 1 || number > 65535)
        return "has no good port behind the colon";
    snprintf(port_r, 6, "%ld", number);
    text += digits;
    return strcmp(text, "") == 0 || strcmp(text, "/") == 0
               ? NULL
               : "has more than a host and a port; the base is a key of its own";
}

/* HOST or [ADDRESS], and what is behind it. */
static const char *parse_host(const char *text, struct ldap_uri *uri)
{
    bool bracket = *text == '[';
    size_t length = strspn(text + bracket, bracket ? ADDRESS_BYTES : HOST_BYTES);
    struct in6_addr address;

    if (length == 0 || length > LDAP_HOST_MAX)
        return length == 0 ? "has no host" : "has a host name that is too long";
    memcpy(uri->host, text + bracket, length);
    uri->host[length] = '\0';
    text += bracket + length;
    if (bracket && (*text++ != ']' || inet_pton(AF_INET6, uri->host, &address) != 1))
        return "has no IPv6 address between its brackets";
    if (*text == ':')
        return parse_port(text + 1, uri->port);
    return strcmp(text, "") == 0 || strcmp(text, "/") == 0
               ? NULL
               : "has more than a host and a port; the base is a key of its own";
}

/* The text that libldap gets: percent-encoded where it is a path. */
static void write_text(struct ldap_uri *uri, const char *prefix)
{
    bool brackets = strchr(uri->host, ':') != NULL;
    size_t length;
    const char *at;

    if (uri->scheme != LDAP_SCHEME_LOCAL) {
        snprintf(uri->text, sizeof uri->text, "%s%s%s%s:%s", prefix, brackets ? "[" : "", uri->host,
                 brackets ? "]" : "", uri->port);
        return;
    }
    length = (size_t)snprintf(uri->text, sizeof uri->text, "%s", prefix);
    for (at = uri->host; *at != '\0'; at++)
        length +=
            (size_t)snprintf(uri->text + length, sizeof uri->text - length,
                             strchr(HOST_BYTES, *at) != NULL ? "%c" : "%%%02X", (unsigned char)*at);
}

const char *ldap_uri_parse(const char *text, struct ldap_uri *uri_r)
{
    const char *fault;
    size_t i = 0;

    while (i < 3 && strncasecmp(text, schemes[i].prefix, strlen(schemes[i].prefix)) != 0)
        i++;
    if (i == 3)
        return "does not begin with ldap://, ldaps:// or ldapi://";
    *uri_r = (struct ldap_uri){.scheme = schemes[i].scheme};
    snprintf(uri_r->port, sizeof uri_r->port, "%s", schemes[i].port);
    text += strlen(schemes[i].prefix);
    fault = uri_r->scheme == LDAP_SCHEME_LOCAL ? parse_path(text, uri_r) : parse_host(text, uri_r);
    if (fault == NULL)
        write_text(uri_r, schemes[i].prefix);
    return fault;
}

bool ldap_uri_is_loopback(const struct ldap_uri *uri)
{
    struct in_addr four;
    struct in6_addr six;

    if (inet_pton(AF_INET, uri->host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
    if (inet_pton(AF_INET6, uri->host, &six) == 1)
        return IN6_IS_ADDR_LOOPBACK(&six);
    return strcasecmp(uri->host, "localhost") == 0;
}
