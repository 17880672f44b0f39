/* SPDX-License-Identifier: MIT */
#include "referral.h"

#include "base/text.h"
#include "ber.h"

#include <stdio.h>
#include <string.h>

void ldap_referrals_add(struct ldap_referrals *referrals, struct span urls)
{
    struct span url;
    if (!ldap_ber_take_as(&urls, BER_STRING, &url))
        return;
    if (referrals->count < LDAP_REFERRALS_MAX)
        snprintf(referrals->urls[referrals->count], LDAP_REFERRAL_LENGTH, "%.*s", (int)url.length,
                 url.data);
    referrals->count++;
}

/* Percent-decodes up to the end or a question mark; false when it is not valid. */
static bool take_base(const char **at, char *base, size_t size)
{
    size_t length = 0;
    for (; **at && **at != '?'; ++*at) {
        char byte = **at;
        if (byte == '%') {
            int high = text_hex_digit((*at)[1]), low = high < 0 ? -1 : text_hex_digit((*at)[2]);
            if (low < 0 || high + low == 0)
                return false;
            byte = (char)(high * 16 + low);
            *at += 2;
        }
        if (length + 1 >= size)
            return false;
        base[length++] = byte;
    }
    base[length] = '\0';
    return true;
}

/* The third part of /DN?ATTRIBUTES?SCOPE?FILTER; attributes and filter stay our own. */
static int take_scope(const char *at)
{
    static const char *const names[] = {"base", "one", "sub"};
    at = *at == '?' ? strchr(at + 1, '?') : NULL;
    if (!at)
        return -1;
    const struct span scope = {at + 1, strcspn(at + 1, "?")};
    for (int i = 0; i < 3; i++)
        if (span_equal_nocase(scope, names[i]))
            return i;
    return -1;
}

bool ldap_referral_parse(const char *url, struct ldap_referral *referral_r, const char **why_r)
{
    const char *host = strstr(url, "://");
    char server[LDAP_REFERRAL_LENGTH];
    *why_r = "is not a URL";
    if (!host)
        return false;
    const char *at = host + 3 + strcspn(host + 3, "/?");
    snprintf(server, sizeof server, "%.*s", (int)(at - url), url);
    if (!ldap_uri_parse(server, &referral_r->uri, why_r))
        return false;
    *why_r = "has a DN that is too long, or not encoded well";
    at += *at == '/';
    if (!take_base(&at, referral_r->base, sizeof referral_r->base))
        return false;
    referral_r->scope = take_scope(at);
    return true;
}
