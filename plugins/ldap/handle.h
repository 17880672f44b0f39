/* SPDX-License-Identifier: MIT
 *
 * ldap_handle.h: libldap, as far as the store uses it.  A handle belongs to one
 * thread at a time, and has one server.
 */
#ifndef MEMBERCHAT_LDAP_HANDLE_H
#define MEMBERCHAT_LDAP_HANDLE_H

#include "common.h"
#include "referral.h"

struct ldap; /* of libldap */

/* Once in a process, before the first handle: libldap asks for the name of this
 * machine then, which may take as long as it takes. */
void ldap_handle_prepare(void);

/* A handle on a connected socket, which it takes over also when it fails (NULL). */
struct ldap *ldap_handle_new(int fd, const struct ldap_uri *uri, struct ldap_fault *fault);

/* TLS on the connection, after StartTLS where the URI is no ldaps.  False: the
 * handle must not be used any more. */
bool ldap_handle_secure(struct ldap *handle, const struct ldap_uri *uri,
                        const struct ldap_settings *settings, const struct ldap_watch *watch,
                        struct ldap_fault *fault);

/* Simple bind with dn and password, or SASL EXTERNAL without them (NULL). */
bool ldap_handle_bind(struct ldap *handle, const char *dn, const struct ldap_text *password,
                      const struct ldap_watch *watch, struct ldap_fault *fault);

struct ldap_query {
    const char *base, *filter;
    int scope;
    const char **attributes; /* NULL ends it */
    int64_t timeout;         /* milliseconds, also for the server */
    bool referrals;          /* whether to tell where else to search */
};

/* Gets what an entry says, one value after the other, and then, if it wants them,
 * those of its RDN.  The texts are valid until done() returns, which comes last. */
struct ldap_reader {
    void *context;
    void (*value)(void *context, struct ldap_text attribute, struct ldap_text value);
    bool (*wants_name)(void *context);
    void (*name)(void *context, struct ldap_text attribute, struct ldap_text value);
    void (*done)(void *context);
};

struct ldap_found {
    size_t entries;
    char dn[2][112]; /* the beginnings of the first two names, for messages */
    struct ldap_referrals referrals;
};

/* Searches for one entry.  GOOD: what was found is added to *found; the entry was
 * read if there is one and no other.  Any other verdict is in the fault. */
enum ldap_verdict ldap_handle_search(struct ldap *handle, const struct ldap_query *query,
                                     const struct ldap_watch *watch,
                                     const struct ldap_reader *reader, struct ldap_found *found,
                                     struct ldap_fault *fault);

/* Says good-bye if it can at once, and closes. */
void ldap_handle_free(struct ldap *handle);

#endif
