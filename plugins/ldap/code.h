/* SPDX-License-Identifier: MIT
 *
 * ldap_code.h: what result codes, and words about TLS, mean for a look-up.  Pure.
 */
#ifndef MEMBERCHAT_LDAP_CODE_H
#define MEMBERCHAT_LDAP_CODE_H

#include "common.h"

/* A resultCode of RFC 4511, section 4.1.9, or a negative one of libldap. */
enum ldap_verdict ldap_code_verdict(int code);

/* What GnuTLS says of a handshake that failed: the server went away, or is not to be
 * trusted, which every word not known here means. */
enum ldap_verdict ldap_code_handshake(const char *words);

#endif
