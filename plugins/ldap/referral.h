/* SPDX-License-Identifier: MIT
 *
 * ldap_referral.h: where a server says that the rest of the answer is.  Pure.
 */
#ifndef MEMBERCHAT_LDAP_REFERRAL_H
#define MEMBERCHAT_LDAP_REFERRAL_H

#include "uri.h"

enum { LDAP_REFERRALS_MAX = 4, LDAP_REFERRAL_LENGTH = 1024 };

/* The URLs that came with an answer; more than there is room for are counted only. */
struct ldap_referrals {
    size_t count;
    char urls[LDAP_REFERRALS_MAX][LDAP_REFERRAL_LENGTH];
};

/* One of them, taken apart (RFC 4516): what it leaves out is as it was asked for. */
struct ldap_referral {
    struct ldap_uri uri;
    char base[LDAP_REFERRAL_LENGTH]; /* "" where it has none */
    int scope;                       /* -1 where it has none */
};

/* NULL when it is good, else what is wrong with it. */
const char *ldap_referral_parse(const char *url, struct ldap_referral *referral_r);

#endif
