/* SPDX-License-Identifier: MIT
 *
 * ldap_trust.h: the files that say who is trusted and who we are: certificates,
 * keys, passwords.
 */
#ifndef MEMBERCHAT_LDAP_TRUST_H
#define MEMBERCHAT_LDAP_TRUST_H

#include "common.h"

struct ldap_password {
    size_t length;
    char bytes[LDAP_PASSWORD_MAX + 2]; /* room to see that a file has more */
};

/* "ca_file", or the system's certificate authorities; NULL: it has none. */
const char *ldap_trust_file(const struct ldap_settings *settings);

/* Whether the files for TLS can be read and have in them what they should:
 * libldap takes an empty one without a word.  False: with a reason. */
bool ldap_trust_check(const struct ldap_settings *settings, struct ldap_fault *fault);

/* The password to bind with, without the line end of its file; wipe it when it
 * is not needed any more.  False: with a reason.  `services` (or NULL) hears a
 * warning when others can read the file. */
bool ldap_trust_password(const struct ldap_settings *settings,
                         const struct memberchat_services *services,
                         struct ldap_password *password_r, struct ldap_fault *fault);
void ldap_trust_wipe(struct ldap_password *password);

#endif
