/* SPDX-License-Identifier: MIT
 * Keeps a wrong password from being tried until the directory locks the account. */
#ifndef MEMBERCHAT_LDAP_GUARD_H
#define MEMBERCHAT_LDAP_GUARD_H

#include "trust.h"

struct ldap_guard;

struct ldap_guard *ldap_guard_new(void); /* NULL: no memory */
void ldap_guard_free(struct ldap_guard *guard);

/* False, with the directory's reason, when this password was refused in the last 30 seconds. */
bool ldap_guard_allows(struct ldap_guard *guard, const struct ldap_password *password,
                       struct ldap_fault *fault);

/* Before a bind: true when it may be tried now.  A password that did not work a moment
 * ago is tried by one thread, and others wait for what comes of it. */
bool ldap_guard_enter(struct ldap_guard *guard, const struct ldap_password *password,
                      int64_t deadline, struct ldap_fault *fault);

/* After that bind, with what came of it. */
void ldap_guard_leave(struct ldap_guard *guard, const struct ldap_password *password,
                      const struct ldap_fault *fault);

/* The operator says that it was mended. */
void ldap_guard_forgive(struct ldap_guard *guard);

#endif
