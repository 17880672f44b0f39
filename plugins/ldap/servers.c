/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/random.h"
#include "servers_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    PENALTY_MS = 1000,     /* how long a server that failed is left alone; then twice ... */
    PENALTY_MAX_MS = 30000 /* ... as long each time, up to this */
};

/* ---- The list ---- */

struct ldap_server *ldap_server_new(const struct ldap_uri *uri)
{
    struct ldap_server *server = calloc(1, sizeof *server);
    if (!server)
        return NULL;
    server->holders = 1;
    server->uri = *uri;
    if (uri->scheme != LDAP_SCHEME_LOCAL)
        server->resolver = ldap_resolver_new(uri->host, uri->port);
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
    ldap_resolver_free(server->resolver);
    free(server);
}

struct ldap_servers *ldap_servers_new(const struct ldap_settings *settings,
                                      const struct memberchat_services *services)
{
    struct ldap_servers *servers = calloc(1, sizeof *servers);
    const char *why;
    bool good = servers != NULL;
    if (!good)
        return NULL;
    servers->settings = settings;
    servers->services = services;
    pthread_mutex_init(&servers->lock, NULL);
    servers->guard = ldap_guard_new();
    good = servers->guard != NULL;
    for (size_t i = 0; good && i < settings->uri.count; i++) {
        struct ldap_uri uri;
        ldap_uri_parse(settings->uri.items[i], &uri, &why);
        if (uri.scheme == LDAP_SCHEME_SRV) {
            servers->domain = ldap_resolver_new_srv(uri.host);
            good = servers->domain != NULL;
        } else {
            servers->items[servers->count] = ldap_server_new(&uri);
            good = servers->items[servers->count++] != NULL;
        }
    }
    if (good)
        return servers;
    ldap_servers_free(servers);
    return NULL;
}

void ldap_servers_free(struct ldap_servers *servers)
{
    if (!servers)
        return;
    for (size_t i = 0; i < servers->count; i++)
        ldap_server_release(servers->items[i]);
    ldap_resolver_free(servers->domain);
    pthread_mutex_destroy(&servers->lock);
    ldap_guard_free(servers->guard);
    free(servers);
}

/* The server of a target: one that is there already, or a new one; NULL: no memory.  The
 * caller holds the lock. */
static struct ldap_server *find_target(const struct ldap_servers *servers,
                                       const struct ldap_srv_target *target)
{
    struct ldap_uri uri = {.scheme = LDAP_SCHEME_PLAIN};
    for (size_t i = 0; i < servers->count; i++) {
        const struct ldap_srv_target *old = &servers->items[i]->target;
        if (strcasecmp(old->host, target->host) == 0 && old->port == target->port)
            return ldap_server_hold(servers->items[i]);
    }
    snprintf(uri.host, sizeof uri.host, "%s", target->host);
    snprintf(uri.port, sizeof uri.port, "%u", target->port);
    snprintf(uri.text, sizeof uri.text, "ldap://%s:%s", uri.host, uri.port);
    return ldap_server_new(&uri);
}

bool ldap_servers_refresh(struct ldap_servers *servers, int64_t deadline, struct ldap_fault *fault)
{
    struct ldap_server *items[LIST_MAX];
    struct ldap_srv srv;
    size_t count = 0;
    if (!servers->domain)
        return true;
    if (!ldap_resolver_get_srv(servers->domain, deadline, &srv, fault))
        return false;
    pthread_mutex_lock(&servers->lock);
    for (size_t i = 0; i < srv.count; i++) {
        items[count] = find_target(servers, &srv.targets[i]);
        if (items[count])
            items[count++]->target = srv.targets[i];
    }
    for (size_t i = 0; i < servers->count; i++)
        ldap_server_release(servers->items[i]);
    memcpy(servers->items, items, count * sizeof items[0]);
    servers->count = count;
    pthread_mutex_unlock(&servers->lock);
    if (count == 0)
        ldap_fault_set(fault, VERDICT_BUSY, "out of memory");
    return count > 0;
}

void ldap_server_name(const struct ldap_server *server, struct ldap_fault *fault)
{
    const struct reason plain = fault->why;
    reason_set(&fault->why, "%s: %s", server->uri.text, plain.text);
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
    for (size_t i = 0; i < servers->count; i++)
        found |= same_host(servers->items[i]->uri.host, uri->host);
    pthread_mutex_unlock(&servers->lock);
    return found;
}

/* ---- Penalties ---- */

void ldap_servers_note_failure(struct ldap_servers *servers, struct ldap_server *server,
                               const struct ldap_fault *fault)
{
    pthread_mutex_lock(&servers->lock);
    bool first = server->penalty == 0, alone = servers->count < 2;
    if (first)
        server->penalty = PENALTY_MS;
    server->avoid_until = clock_monotonic_ms() + server->penalty;
    pthread_mutex_unlock(&servers->lock);
    if (first && !alone)
        servers->services->log(servers->services, MEMBERCHAT_LOG_WARNING,
                               "%s; other servers are asked before it for a while",
                               fault->why.text);
}

void ldap_servers_note_success(struct ldap_servers *servers, struct ldap_server *server)
{
    pthread_mutex_lock(&servers->lock);
    bool back = server->penalty != 0 && servers->count > 1;
    server->penalty = 0;
    server->avoid_until = 0;
    pthread_mutex_unlock(&servers->lock);
    if (back)
        servers->services->log(servers->services, MEMBERCHAT_LOG_INFO, "%s: answers again",
                               server->uri.text);
}

bool ldap_servers_has_better(struct ldap_servers *servers, const struct ldap_server *server)
{
    int64_t now = clock_monotonic_ms();
    bool listed = false, other = false;
    pthread_mutex_lock(&servers->lock);
    for (size_t i = 0; i < servers->count; i++) {
        listed |= servers->items[i] == server;
        other |= servers->items[i] != server && now >= servers->items[i]->avoid_until;
    }
    bool avoided = now < server->avoid_until;
    pthread_mutex_unlock(&servers->lock);
    return other && (avoided || !listed);
}

/* Puts servers into the order of RFC 2782: by priority, and by lot within one. */
static void shuffle(struct ldap_server **order, size_t count)
{
    const struct ldap_srv_target *targets[LIST_MAX];
    struct ldap_server *servers[LIST_MAX];
    bool wanted[LIST_MAX];
    for (size_t i = 0; i < count; i++) {
        servers[i] = order[i];
        targets[i] = &order[i]->target;
        wanted[i] = true;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t number = 0;
        random_seed(&number, sizeof number); /* without luck, the first is as good as any */
        size_t chosen = ldap_srv_choose(targets, wanted, count, number);
        wanted[chosen] = false;
        order[i] = servers[chosen];
    }
}

size_t ldap_servers_choose(struct ldap_servers *servers, struct ldap_server *order[LIST_MAX])
{
    int64_t now = clock_monotonic_ms();
    size_t count = 0;
    pthread_mutex_lock(&servers->lock);
    for (size_t i = 0; i < servers->count; i++) {
        struct ldap_server *server = servers->items[i];
        if (now < server->avoid_until)
            continue;
        order[count++] = server;
        if (server->penalty == 0)
            continue;
        /* one goes and sees; others need not wait with it */
        server->avoid_until = now + servers->settings->connect_timeout;
        server->penalty =
            2 * server->penalty < PENALTY_MAX_MS ? 2 * server->penalty : PENALTY_MAX_MS;
    }
    if (count == 0) {
        count = servers->count;
        memcpy(order, servers->items, count * sizeof order[0]);
    }
    if (servers->domain)
        shuffle(order, count);
    for (size_t i = 0; i < count; i++)
        ldap_server_hold(order[i]);
    pthread_mutex_unlock(&servers->lock);
    return count;
}

void ldap_servers_forgive(struct ldap_servers *servers)
{
    ldap_guard_forgive(servers->guard);
    pthread_mutex_lock(&servers->lock);
    for (size_t i = 0; i < servers->count; i++)
        servers->items[i]->avoid_until = 0;
    pthread_mutex_unlock(&servers->lock);
}
