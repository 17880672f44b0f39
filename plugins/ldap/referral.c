/* SPDX-License-Identifier: MIT
 *
 * ldap_referral.c: see ldap_referral.h.
 */
#include "referral.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Percent-decodes what is before the end or a question mark; false when it is no good. */
static bool take_base(const char **at, char *base, size_t size)
{
    size_t length = 0;
    unsigned byte;

    for (; **at != '\0' && **at != '?'; ++*at) {
        byte = (unsigned char)**at;
        if (byte == '%') {
            if (strspn(*at + 1, "0123456789abcdefABCDEF") < 2 ||
                sscanf(*at + 1, "%2x", &byte) != 1 || byte == 0)
                return false;
            *at += 2;
        }
        if (length + 1 >= size)
            return false;
        base[length++] = (char)byte;
    }
    base[length] = '\0';
    return true;
}

/* The third part of /DN?ATTRIBUTES?SCOPE?FILTER; the others are ours. */
static int take_scope(const char *at)
{
    static const char *const names[] = {"base", "one", "sub"};
    size_t length;
    int i;

    at = *at == '?' ? strchr(at + 1, '?') : NULL;
    if (at == NULL)
        return -1;
    length = strcspn(at + 1, "?");
    for (i = 0; i < 3; i++)
        if (length == strlen(names[i]) && strncasecmp(at + 1, names[i], length) == 0)
            return i;
    return -1;
}

const char *ldap_referral_parse(const char *url, struct ldap_referral *referral_r)
{
    const char *host = strstr(url, "://"), *at;
    char server[LDAP_REFERRAL_LENGTH];
    const char *fault;

    if (host == NULL)
        return "is no URL";
    at = host + 3 + strcspn(host + 3, "/?");
    snprintf(server, sizeof server, "%.*s", (int)(at - url), url);
    fault = ldap_uri_parse(server, &referral_r->uri);
    if (fault != NULL)
        return fault;
    if (*at == '/')
        at++;
    if (!take_base(&at, referral_r->base, sizeof referral_r->base))
        return "has a DN that is too long, or not encoded well";
    referral_r->scope = take_scope(at);
    return NULL;
}
