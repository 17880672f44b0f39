/* SPDX-License-Identifier: MIT
 *
 * ldap_code.h: what result codes mean for a look-up.  Pure.
 */
#ifndef MEMBERCHAT_LDAP_CODE_H
#define MEMBERCHAT_LDAP_CODE_H

#include "ldap_common.h"

/* A resultCode of RFC 4511, section 4.1.9, or a negative one of libldap. */
enum ldap_verdict ldap_code_verdict(int code);

#endif
