/* SPDX-License-Identifier: MIT
 * Whether the settings of an LDAP store fit together. */
#ifndef MEMBERCHAT_LDAP_CHECK_H
#define MEMBERCHAT_LDAP_CHECK_H

#include "common.h"

/* Looks at local files, too, and asks no network.  False: with a reason. */
bool ldap_check_settings(const struct ldap_settings *settings,
                         const struct memberchat_services *services, struct reason *why);

/* Whether the servers of the configuration are asked by TLS. */
bool ldap_check_uses_tls(const struct ldap_settings *settings);

/* Warns of settings that are allowed and unsafe. */
void ldap_check_warn(const struct ldap_settings *settings,
                     const struct memberchat_services *services);

#endif
