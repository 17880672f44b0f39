/* SPDX-License-Identifier: MIT
 * The servers of one store: connects to them in order, and remembers which to leave alone for a
 * while. */
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

/* Connects to the first server that accepts us; tries servers that failed recently only when no
 * other is left.  False: with the reason, that of the first UNAVAILABLE server if there is one. */
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

/* Notes that a connection failed in use: its server is left alone for a while. */
void ldap_servers_note_failure(struct ldap_servers *servers, const struct ldap_server *server,
                               const struct ldap_fault *fault);

/* Whether another server should be asked instead of this one. */
bool ldap_servers_has_better(struct ldap_servers *servers, const struct ldap_server *server);

/* After a reload, which may have mended something: what was refused may be tried again. */
void ldap_servers_forgive(struct ldap_servers *servers);

#endif
