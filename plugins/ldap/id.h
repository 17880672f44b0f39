/* SPDX-License-Identifier: MIT
 * Whether two ids are the same person's.  Pure. */
#ifndef MEMBERCHAT_LDAP_ID_H
#define MEMBERCHAT_LDAP_ID_H

#include "base/bytes.h"

/* The usual attributes of a directory ignore case and blanks (RFC 4517, section 4.2.11),
 * and so does this; but a directory may also take a full-width letter, an accent or a
 * character without width for nothing, and this does not. */
bool ldap_id_same(struct span a, struct span b);

#endif
