/* SPDX-License-Identifier: MIT
 * Whether two ids are the same person's, and ids that are GUIDs.  Pure. */
#ifndef MEMBERCHAT_LDAP_ID_H
#define MEMBERCHAT_LDAP_ID_H

#include "base/bytes.h"

/* The usual attributes of a directory ignore case and blanks (RFC 4517, section 4.2.11), and so
 * does this.  A directory may also ignore accents, full-width letters or zero-width characters;
 * this does not. */
bool ldap_id_same(struct span a, struct span b);

enum { LDAP_GUID_BYTES = 16, LDAP_GUID_TEXT = 36 };

/* Microsoft's text form of a GUID, 6b29fc40-ca47-1067-b31d-00dd010662da, whose first three
 * parts are little-endian numbers ([MS-DTYP], section 2.3.4).  False: it is not one. */
bool ldap_guid_parse(struct span text, char guid_r[LDAP_GUID_BYTES]);
bool ldap_guid_format(struct span guid, char text_r[LDAP_GUID_TEXT]);

#endif
