/* SPDX-License-Identifier: MIT
 * The address of a directory server.  Pure. */
#ifndef MEMBERCHAT_LDAP_URI_H
#define MEMBERCHAT_LDAP_URI_H

#include <stdbool.h>
#include <stddef.h>

enum ldap_scheme { LDAP_SCHEME_PLAIN = 1, LDAP_SCHEME_TLS, LDAP_SCHEME_LOCAL, LDAP_SCHEME_SRV };

enum { LDAP_HOST_MAX = 255 };

struct ldap_uri {
    enum ldap_scheme scheme;
    char host[LDAP_HOST_MAX + 1];      /* name or address; the socket's path of ldapi; a domain */
    char port[6];                      /* "" for ldapi and srv */
    char text[3 * LDAP_HOST_MAX + 16]; /* as libldap wants it, and as messages say it */
};

/* Reads ldap://HOST[:PORT], ldaps://HOST[:PORT] or ldapi://PATH with the path's slashes
 * as %2F (RFC 4516 without the parts behind the host), or srv:DOMAIN, whose servers the
 * DNS names.  False: *why_r says what is wrong. */
bool ldap_uri_parse(const char *text, struct ldap_uri *uri_r, const char **why_r);

#endif
