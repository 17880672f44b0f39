/* SPDX-License-Identifier: MIT
 * The servers of one store: connecting to them in order, and which of them are better
 * left alone for a while. */
#ifndef MEMBERCHAT_LDAP_SERVERS_H
#define MEMBERCHAT_LDAP_SERVERS_H

#include "handle.h"

struct ldap_servers;
struct ldap_server;

/* A connection that is secured and bound. */
struct ldap_connection {
    struct ldap_handle *handle;
    struct ldap_server *server; /* held */
};

/* The settings have been checked.  NULL: no memory. */
struct ldap_servers *ldap_servers_new(const struct ldap_settings *settings,
                                      const struct memberchat_services *services);
void ldap_servers_free(struct ldap_servers *servers);

/* Connects to the first server that lets us; those that failed a short while ago only
 * where there is no other.  False: with the reason, the first that is UNAVAILABLE if
 * there is such a one. */
bool ldap_servers_connect(struct ldap_servers *servers, int64_t deadline,
                          struct ldap_connection *connection_r, struct ldap_fault *fault);

/* Connects to a server that is not ours, by the rules for those that are. */
bool ldap_servers_visit(struct ldap_servers *servers, const struct ldap_uri *uri, int64_t deadline,
                        struct ldap_connection *connection_r, struct ldap_fault *fault);

void ldap_connection_close(struct ldap_connection *connection);

/* Whether our password may go there: it is a server of ours, or its host is named in
 * "referral_hosts". */
bool ldap_servers_may_visit(struct ldap_servers *servers, const struct ldap_uri *uri);

/* Puts the URI of the server in front of a reason. */
void ldap_server_name(const struct ldap_server *server, struct ldap_fault *fault);

/* A connection failed in use: its server is left alone for a while. */
void ldap_servers_note_failure(struct ldap_servers *servers, const struct ldap_server *server,
                               const struct ldap_fault *fault);

/* Whether there is reason to ask another server instead of this one. */
bool ldap_servers_has_better(struct ldap_servers *servers, const struct ldap_server *server);

/* The operator says that something was mended: what was refused may be tried again. */
void ldap_servers_forgive(struct ldap_servers *servers);

#endif
