/* SPDX-License-Identifier: MIT
 * Shared by servers.c, which has the list, and connect.c, which connects to what is in it. */
#ifndef MEMBERCHAT_LDAP_SERVERS_PRIVATE_H
#define MEMBERCHAT_LDAP_SERVERS_PRIVATE_H

#include "base/failover.h"
#include "base/guard.h"
#include "base/resolve.h"
#include "servers.h"

#include <pthread.h>
#include <stdatomic.h>

/* One server.  It belongs to the list and to its connections; the last one frees it. */
struct ldap_server {
    atomic_uint holders;
    struct ldap_uri uri;
    struct resolver *resolver; /* NULL for ldapi */
    struct srv_target target;  /* if the DNS named it */
    atomic_size_t number;      /* in the list; FAILOVER_MAX: it is not there */
};

struct ldap_servers {
    const struct ldap_settings *settings;
    const struct memberchat_services *services;
    struct guard *guard;
    struct failover *failover;
    struct resolver *domain;                 /* NULL: the configuration names the servers */
    pthread_mutex_t lock;                    /* guards what follows */
    struct ldap_server *items[FAILOVER_MAX]; /* by their numbers; NULL: none */
};

/* A server that is held but not in the list; NULL: no memory. */
struct ldap_server *ldap_server_new(const struct ldap_uri *uri);
struct ldap_server *ldap_server_hold(struct ldap_server *server);
void ldap_server_release(struct ldap_server *server); /* NULL is allowed */

/* Looks the servers up in the DNS again.  False: none has been found so far. */
bool ldap_servers_refresh(struct ldap_servers *servers, int64_t deadline, struct ldap_fault *fault);

/* Puts the servers into `order` as they should be asked, and holds them.  Returns how many. */
size_t ldap_servers_choose(struct ldap_servers *servers, struct ldap_server *order[FAILOVER_MAX]);

void ldap_servers_note_success(struct ldap_servers *servers, const struct ldap_server *server);

#endif
