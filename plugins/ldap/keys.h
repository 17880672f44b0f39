/* SPDX-License-Identifier: MIT
 * The keys of an LDAP store. */
#ifndef MEMBERCHAT_LDAP_KEYS_H
#define MEMBERCHAT_LDAP_KEYS_H

#include "common.h"

#define LDAP_KEY_COUNT 30
extern const struct memberchat_key ldap_keys[LDAP_KEY_COUNT];

#endif
