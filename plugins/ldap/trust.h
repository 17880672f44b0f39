/* SPDX-License-Identifier: MIT
 * The files that say which servers are trusted and who we are: certificates, keys,
 * passwords. */
#ifndef MEMBERCHAT_LDAP_TRUST_H
#define MEMBERCHAT_LDAP_TRUST_H

#include "common.h"

/* Whether the files for TLS can be read and hold what they should: libldap accepts an empty file
 * silently. */
bool ldap_trust_check(const struct ldap_settings *settings,
                      const struct memberchat_services *services, struct reason *why);

/* The password to bind with, without the line end of its file; bytes_free() in any case.
 * `services` (or NULL) hears a warning when others can read the file. */
bool ldap_trust_password(const struct ldap_settings *settings,
                         const struct memberchat_services *services, struct bytes *password_r,
                         struct reason *why);

#endif
