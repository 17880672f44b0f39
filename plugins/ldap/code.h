/* SPDX-License-Identifier: MIT
 * What result codes, and words about TLS, mean for a look-up.  Pure. */
#ifndef MEMBERCHAT_LDAP_CODE_H
#define MEMBERCHAT_LDAP_CODE_H

#include "common.h"

enum {
    LDAP_CODE_TIME_LIMIT = 3,
    LDAP_CODE_SIZE_LIMIT = 4,
    LDAP_CODE_REFERRAL = 10,
    LDAP_CODE_ADMIN_LIMIT = 11
};

/* What a resultCode of RFC 4511, section 4.1.9, means, and what it is called. */
enum ldap_verdict ldap_code_verdict(int code);
const char *ldap_code_name(int code);

/* What Active Directory means by "data 52e" and the like in its words about a refused
 * bind; NULL where it says no such thing. */
const char *ldap_code_account(struct span words);

/* Says why a handshake failed, from what GnuTLS or OpenSSL wrote: the server went away, or it is
 * not to be trusted.  Unknown words count as the latter. */
void ldap_code_handshake(const char *words, struct ldap_fault *fault);

#endif
