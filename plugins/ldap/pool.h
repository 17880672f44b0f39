/* SPDX-License-Identifier: MIT
 *
 * ldap_pool.h: connections that are kept for the next look-up.
 */
#ifndef MEMBERCHAT_LDAP_POOL_H
#define MEMBERCHAT_LDAP_POOL_H

#include "servers.h"

struct ldap_pool;

/* A connection that one look-up has for itself. */
struct ldap_lease {
    struct ldap_lease *next; /* of those that idle */
    struct ldap_connection connection;
    int64_t born, used; /* on the host's clock */
    int64_t life;       /* milliseconds */
    bool reused;        /* it has served a look-up before */
};

/* NULL: no memory. */
struct ldap_pool *ldap_pool_new(const struct ldap_settings *settings,
                                const struct memberchat_services *services,
                                struct ldap_servers *servers);
void ldap_pool_free(struct ldap_pool *pool);

/* An idle connection that is still good, else a new one; waits where there are
 * as many as there may be.  NULL: with the reason. */
struct ldap_lease *ldap_pool_take(struct ldap_pool *pool, const struct ldap_watch *watch,
                                  struct ldap_fault *fault);

/* Takes the connection back: to keep it, or to close it. */
void ldap_pool_give(struct ldap_pool *pool, struct ldap_lease *lease, bool keep);

/* Closes all that idle: one of them turned out to be dead. */
void ldap_pool_flush(struct ldap_pool *pool);

/* Closes what idled for too long, is too old, or was closed by the server. */
void ldap_pool_tidy(struct ldap_pool *pool);

#endif
