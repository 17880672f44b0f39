/* SPDX-License-Identifier: MIT
 * Referrals: where a server says the rest of the answer is.  Pure. */
#ifndef MEMBERCHAT_LDAP_REFERRAL_H
#define MEMBERCHAT_LDAP_REFERRAL_H

#include "base/bytes.h"
#include "uri.h"

enum { LDAP_REFERRALS_MAX = 4, LDAP_REFERRAL_LENGTH = 1024 };

/* The URLs that came with answers; those beyond the room are only counted. */
struct ldap_referrals {
    size_t count;
    char urls[LDAP_REFERRALS_MAX][LDAP_REFERRAL_LENGTH];
};

/* Adds the first URL of a list in BER, if there is one: all of them lead to the same place. */
void ldap_referrals_add(struct ldap_referrals *referrals, struct span urls);

/* One of them, parsed (RFC 4516); what it leaves out stays as in the search. */
struct ldap_referral {
    struct ldap_uri uri;
    char base[LDAP_REFERRAL_LENGTH]; /* "" where it has none */
    int scope;                       /* -1 where it has none */
};

/* False: *why_r says what is wrong with it. */
bool ldap_referral_parse(const char *url, struct ldap_referral *referral_r, const char **why_r);

#endif
