/* SPDX-License-Identifier: MIT
 * Where a server says that the rest of the answer is.  Pure. */
#ifndef MEMBERCHAT_LDAP_REFERRAL_H
#define MEMBERCHAT_LDAP_REFERRAL_H

#include "base/bytes.h"
#include "uri.h"

enum { LDAP_REFERRALS_MAX = 4, LDAP_REFERRAL_LENGTH = 1024 };

/* The URLs that came with answers; more than there is room for are only counted. */
struct ldap_referrals {
    size_t count;
    char urls[LDAP_REFERRALS_MAX][LDAP_REFERRAL_LENGTH];
};

/* Adds the first URL of a list in BER, if it has any: all lead to the same. */
void ldap_referrals_add(struct ldap_referrals *referrals, struct span urls);

/* One of them, taken apart (RFC 4516): what it leaves out is as it was asked for. */
struct ldap_referral {
    struct ldap_uri uri;
    char base[LDAP_REFERRAL_LENGTH]; /* "" where it has none */
    int scope;                       /* -1 where it has none */
};

/* False: *why_r says what is wrong with it. */
bool ldap_referral_parse(const char *url, struct ldap_referral *referral_r, const char **why_r);

#endif
