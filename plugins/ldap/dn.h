/* SPDX-License-Identifier: MIT
 * Names of entries.  Pure. */
#ifndef MEMBERCHAT_LDAP_DN_H
#define MEMBERCHAT_LDAP_DN_H

#include "base/bytes.h"

/* Puts the value that an attribute has in the first part of a name (RFC 4514) into `out`.
 * False: it has none there. */
bool ldap_dn_value(struct span dn, const char *attribute, struct bytes *out);

#endif
