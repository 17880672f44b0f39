/* SPDX-License-Identifier: MIT
 * One open store. */
#ifndef MEMBERCHAT_LDAP_STORE_PRIVATE_H
#define MEMBERCHAT_LDAP_STORE_PRIVATE_H

#include "entry.h"
#include "servers.h"

/* Warnings that are logged at most once a minute each. */
enum { LDAP_COMPLAIN_MS = 60000 };
enum ldap_complaint { COMPLAINT_OTHER_ID, COMPLAINT_REFERRAL, COMPLAINTS };

struct pool;

struct ldap_store {
    const struct ldap_settings *settings;
    const struct memberchat_services *services;
    struct ldap_mapping mapping;
    struct ldap_servers *servers;
    bool explain;      /* MEMBERCHAT_OPEN_EXPLAIN */
    struct pool *pool; /* of struct ldap_connection */
    _Atomic int64_t silent_until[COMPLAINTS];
};

/* Makes the pool.  False: no memory. */
bool ldap_search_prepare(struct ldap_store *store);

/* A query for members, without terms; `active`: for active ones only. */
struct ldap_query ldap_query_members(const struct ldap_store *store, bool active,
                                     const char *const *attributes);

/* Searches, on another connection or server where the first is to blame, and where the
 * server sends us.  The verdict is in the fault; the caller frees what was found. */
void ldap_search(struct ldap_store *store, const struct ldap_query *query, int64_t deadline,
                 struct ldap_found *found_r, struct ldap_fault *fault);

/* For struct memberchat_store_plugin. */
enum memberchat_outcome ldap_survey(void *store, int64_t deadline,
                                    struct memberchat_holdings *holdings_r,
                                    struct memberchat_result *result);

#endif
