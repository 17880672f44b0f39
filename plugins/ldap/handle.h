/* SPDX-License-Identifier: MIT
 * One connection to a directory server.  A handle belongs to one thread at a time. */
#ifndef MEMBERCHAT_LDAP_HANDLE_H
#define MEMBERCHAT_LDAP_HANDLE_H

#include "common.h"
#include "message.h"
#include "referral.h"

struct ldap_handle;

/* A handle on a connected socket, which it takes over also when it fails (NULL). */
struct ldap_handle *ldap_handle_new(int fd, struct ldap_fault *fault);

/* Starts TLS on the connection, with StartTLS unless the URI is ldaps.  False: the handle must
 * not be used again. */
bool ldap_handle_secure(struct ldap_handle *handle, const struct ldap_uri *uri,
                        const struct ldap_settings *settings, int64_t deadline,
                        struct ldap_fault *fault);

/* Simple bind with dn and password, or SASL EXTERNAL without them (NULL). */
bool ldap_handle_bind(struct ldap_handle *handle, const char *dn, const struct span *password,
                      int64_t deadline, struct ldap_fault *fault);

/* What searches found; zero at first. */
struct ldap_found {
    size_t count;         /* entries, of which the first `most` of a query are kept */
    struct bytes entries; /* for ldap_ber_take_as(MESSAGE_ENTRY) */
    bool limited;         /* there are more, see `survey` of the query */
    struct ldap_referrals referrals;
};
void ldap_found_free(struct ldap_found *found);

/* Searches, and adds what is found to *found.  The verdict is in the fault. */
void ldap_handle_search(struct ldap_handle *handle, const struct ldap_query *query,
                        int64_t deadline, struct ldap_found *found, struct ldap_fault *fault);

/* Whether an idle connection is quiet: nothing has arrived, not even its end. */
bool ldap_handle_is_quiet(const struct ldap_handle *handle);

/* Says good-bye if it can at once, and closes. */
void ldap_handle_free(struct ldap_handle *handle);

#endif
