/* SPDX-License-Identifier: MIT */
#include "base/random.h"
#include "servers_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SRV_SERVICE "_ldap._tcp."

/* ---- The list ---- */

struct ldap_server *ldap_server_new(const struct ldap_uri *uri)
{
    struct ldap_server *server = calloc(1, sizeof *server);
    if (!server)
        return NULL;
    server->holders = 1;
    server->number = FAILOVER_MAX;
    server->uri = *uri;
    if (uri->scheme != LDAP_SCHEME_LOCAL)
        server->resolver = resolver_new(uri->host, uri->port);
    if (server->resolver || uri->scheme == LDAP_SCHEME_LOCAL)
        return server;
    free(server);
    return NULL;
}

struct ldap_server *ldap_server_hold(struct ldap_server *server)
{
    atomic_fetch_add(&server->holders, 1);
    return server;
}

void ldap_server_release(struct ldap_server *server)
{
    if (!server || atomic_fetch_sub(&server->holders, 1) > 1)
        return;
    resolver_free(server->resolver);
    free(server);
}

/* Puts a server into the list, and takes it over.  The caller holds the lock, or no other thread
 * is there yet. */
static void add_server(struct ldap_servers *servers, struct ldap_server *server)
{
    for (size_t i = 0; i < FAILOVER_MAX; i++) {
        if (servers->items[i])
            continue;
        servers->items[i] = server;
        server->number = i;
        failover_list(servers->failover, i, true);
        return;
    }
    ldap_server_release(server);
}

static bool add_uri(struct ldap_servers *servers, const char *text)
{
    char name[sizeof SRV_SERVICE + LDAP_HOST_MAX];
    struct ldap_uri uri;
    const char *why;
    ldap_uri_parse(text, &uri, &why);
    if (uri.scheme == LDAP_SCHEME_SRV) {
        snprintf(name, sizeof name, SRV_SERVICE "%s", uri.host);
        servers->domain = resolver_new_srv(name);
        return servers->domain != NULL;
    }
    struct ldap_server *server = ldap_server_new(&uri);
    if (server)
        add_server(servers, server);
    return server != NULL;
}

struct ldap_servers *ldap_servers_new(const struct ldap_settings *settings,
                                      const struct memberchat_services *services)
{
    struct ldap_servers *servers = calloc(1, sizeof *servers);
    if (!servers)
        return NULL;
    servers->settings = settings;
    servers->services = services;
    pthread_mutex_init(&servers->lock, NULL);
    servers->guard = guard_new();
    servers->failover = failover_new(0, settings->connect_timeout);
    bool good = servers->guard && servers->failover;
    for (size_t i = 0; good && i < settings->uri.count; i++)
        good = add_uri(servers, settings->uri.items[i]);
    if (good)
        return servers;
    ldap_servers_free(servers);
    return NULL;
}

void ldap_servers_free(struct ldap_servers *servers)
{
    if (!servers)
        return;
    for (size_t i = 0; i < FAILOVER_MAX; i++)
        ldap_server_release(servers->items[i]);
    resolver_free(servers->domain);
    pthread_mutex_destroy(&servers->lock);
    failover_free(servers->failover);
    guard_free(servers->guard);
    free(servers);
}

/* The target of a server in the list; NULL: it is not one of them. */
static const struct srv_target *find_target(const struct srv *srv, const struct ldap_server *server)
{
    for (size_t i = 0; i < srv->count; i++)
        if (strcasecmp(server->target.host, srv->targets[i].host) == 0 &&
            server->target.port == srv->targets[i].port)
            return &srv->targets[i];
    return NULL;
}

static struct ldap_server *new_target(const struct srv_target *target)
{
    struct ldap_uri uri = {.scheme = LDAP_SCHEME_PLAIN};
    snprintf(uri.host, sizeof uri.host, "%s", target->host);
    snprintf(uri.port, sizeof uri.port, "%u", target->port);
    snprintf(uri.text, sizeof uri.text, "ldap://%s:%s", uri.host, uri.port);
    struct ldap_server *server = ldap_server_new(&uri);
    if (server)
        server->target = *target;
    return server;
}

/* Drops what the DNS does not name any more, and notes which targets have their server.  The
 * caller holds the lock. */
static void drop_servers(struct ldap_servers *servers, const struct srv *srv, bool known[SRV_MAX])
{
    for (size_t i = 0; i < FAILOVER_MAX; i++) {
        struct ldap_server *server = servers->items[i];
        const struct srv_target *target = server ? find_target(srv, server) : NULL;
        if (target) {
            server->target = *target;
            known[target - srv->targets] = true;
        } else if (server) {
            servers->items[i] = NULL;
            server->number = FAILOVER_MAX;
            failover_list(servers->failover, i, false);
            ldap_server_release(server);
        }
    }
}

bool ldap_servers_refresh(struct ldap_servers *servers, int64_t deadline, struct ldap_fault *fault)
{
    struct srv srv;
    bool known[SRV_MAX] = {false}, any = false;
    if (!servers->domain)
        return true;
    if (!ldap_fault_resolved(fault, resolver_get_srv(servers->domain, deadline, &srv, &fault->why)))
        return false;
    pthread_mutex_lock(&servers->lock);
    drop_servers(servers, &srv, known);
    for (size_t i = 0; i < srv.count; i++) {
        struct ldap_server *server = known[i] ? NULL : new_target(&srv.targets[i]);
        if (server)
            add_server(servers, server);
        any |= known[i] || server;
    }
    pthread_mutex_unlock(&servers->lock);
    if (!any)
        ldap_fault_set(fault, VERDICT_BUSY, "out of memory");
    return any;
}

void ldap_server_name(const struct ldap_server *server, struct ldap_fault *fault)
{
    reason_prefix(&fault->why, server->uri.text);
}

static bool same_host(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

bool ldap_servers_may_visit(struct ldap_servers *servers, const struct ldap_uri *uri)
{
    const struct memberchat_list *hosts = &servers->settings->referral_hosts;
    bool found = false;
    for (size_t i = 0; i < hosts->count; i++)
        found |= same_host(hosts->items[i], uri->host);
    pthread_mutex_lock(&servers->lock);
    for (size_t i = 0; i < FAILOVER_MAX; i++)
        found |= servers->items[i] && same_host(servers->items[i]->uri.host, uri->host);
    pthread_mutex_unlock(&servers->lock);
    return found;
}

/* ---- Which to ask ---- */

void ldap_servers_note_failure(struct ldap_servers *servers, const struct ldap_server *server,
                               const struct ldap_fault *fault)
{
    if (failover_note_failure(servers->failover, server->number))
        servers->services->log(servers->services, MEMBERCHAT_LOG_WARNING,
                               "%s; other servers are asked before it for a while",
                               fault->why.text);
}

void ldap_servers_note_success(struct ldap_servers *servers, const struct ldap_server *server)
{
    if (failover_note_success(servers->failover, server->number))
        servers->services->log(servers->services, MEMBERCHAT_LOG_INFO, "%s: answers again",
                               server->uri.text);
}

bool ldap_servers_has_better(struct ldap_servers *servers, const struct ldap_server *server)
{
    return failover_has_better(servers->failover, server->number);
}

/* Orders servers as RFC 2782 says: by priority, and at random by weight within one.  The caller
 * holds the lock. */
static void shuffle(struct ldap_server **order, size_t count)
{
    const struct srv_target *targets[FAILOVER_MAX];
    struct ldap_server *servers[FAILOVER_MAX];
    bool wanted[FAILOVER_MAX];
    for (size_t i = 0; i < count; i++) {
        servers[i] = order[i];
        targets[i] = &order[i]->target;
        wanted[i] = true;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t number = 0;
        random_seed(&number, sizeof number); /* without a random number, take the first */
        size_t chosen = srv_choose(targets, wanted, count, number);
        wanted[chosen] = false;
        order[i] = servers[chosen];
    }
}

size_t ldap_servers_choose(struct ldap_servers *servers, struct ldap_server *order[FAILOVER_MAX])
{
    size_t numbers[FAILOVER_MAX], count = 0;
    size_t chosen = failover_choose(servers->failover, numbers);
    pthread_mutex_lock(&servers->lock);
    for (size_t i = 0; i < chosen; i++)
        if (servers->items[numbers[i]]) /* unless it was dropped just now */
            order[count++] = ldap_server_hold(servers->items[numbers[i]]);
    if (servers->domain)
        shuffle(order, count);
    pthread_mutex_unlock(&servers->lock);
    return count;
}

void ldap_servers_forgive(struct ldap_servers *servers)
{
    guard_forgive(servers->guard);
    failover_forgive(servers->failover);
}
