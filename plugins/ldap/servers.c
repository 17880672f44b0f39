/* SPDX-License-Identifier: MIT
 *
 * ldap_servers.c: see ldap_servers.h.
 */
#include "servers.h"

#include "guard.h"
#include "socket.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PENALTY_MS = 1000,     /* a server that failed is left alone for so long, then twice ... */
    PENALTY_MAX_MS = 30000 /* ... as long each time, up to this */
};

struct ldap_server {
    struct ldap_uri uri;
    struct ldap_resolver *resolver; /* NULL for ldapi */
    int64_t penalty;                /* 0: it did not fail lately */
    int64_t avoid_until;
};

struct ldap_servers {
    const struct ldap_settings *settings;
    const struct memberchat_services *services;
    size_t count;
    struct ldap_server items[LDAP_SERVERS_MAX];
    struct ldap_guard *guard;
    pthread_mutex_t lock; /* guards penalty and avoid_until */
};

struct ldap_servers *ldap_servers_new(const struct ldap_settings *settings,
                                      const struct memberchat_services *services)
{
    struct ldap_servers *servers = calloc(1, sizeof *servers);

    if (servers == NULL)
        return NULL;
    servers->settings = settings;
    servers->services = services;
    pthread_mutex_init(&servers->lock, NULL);
    servers->guard = ldap_guard_new();
    for (; servers->guard != NULL && servers->count < settings->uri.count; servers->count++) {
        struct ldap_server *server = &servers->items[servers->count];

        ldap_uri_parse(settings->uri.items[servers->count], &server->uri);
        if (server->uri.scheme == LDAP_SCHEME_LOCAL)
            continue;
        server->resolver = ldap_resolver_new(server->uri.host, server->uri.port);
        if (server->resolver == NULL)
            break;
    }
    if (servers->guard != NULL && servers->count == settings->uri.count)
        return servers;
    ldap_servers_free(servers);
    return NULL;
}

void ldap_servers_free(struct ldap_servers *servers)
{
    size_t i;

    for (i = 0; i < servers->count; i++)
        ldap_resolver_free(servers->items[i].resolver);
    pthread_mutex_destroy(&servers->lock);
    ldap_guard_free(servers->guard);
    free(servers);
}

void ldap_servers_name(const struct ldap_servers *servers, size_t number, struct ldap_fault *fault)
{
    const struct ldap_fault plain = *fault;

    ldap_fault_set(fault, plain.verdict, "%s: %.200s", servers->items[number].uri.text, plain.text);
}

/* ---- Penalties ---- */

void ldap_servers_note_failure(struct ldap_servers *servers, size_t number,
                               const struct ldap_fault *fault)
{
    struct ldap_server *server = &servers->items[number];
    int64_t now = servers->services->now(servers->services);
    bool first;

    pthread_mutex_lock(&servers->lock);
    first = server->penalty == 0;
    if (first)
        server->penalty = PENALTY_MS;
    server->avoid_until = now + server->penalty;
    pthread_mutex_unlock(&servers->lock);
    if (first && servers->count > 1)
        servers->services->log(servers->services, MEMBERCHAT_LOG_WARNING,
                               "%s; other servers are asked before it for a while", fault->text);
}

static void note_success(struct ldap_servers *servers, size_t number)
{
    struct ldap_server *server = &servers->items[number];
    bool back;

    pthread_mutex_lock(&servers->lock);
    back = server->penalty != 0;
    server->penalty = 0;
    server->avoid_until = 0;
    pthread_mutex_unlock(&servers->lock);
    if (back && servers->count > 1)
        servers->services->log(servers->services, MEMBERCHAT_LOG_INFO, "%s: answers again",
                               server->uri.text);
}

bool ldap_servers_has_better(struct ldap_servers *servers, size_t number)
{
    int64_t now = servers->services->now(servers->services);
    bool better = false;
    size_t i;

    pthread_mutex_lock(&servers->lock);
    if (now < servers->items[number].avoid_until)
        for (i = 0; i < servers->count; i++)
            better |= i != number && now >= servers->items[i].avoid_until;
    pthread_mutex_unlock(&servers->lock);
    return better;
}

/* The numbers of the servers in the order in which to ask them; how many. */
static size_t choose(struct ldap_servers *servers, size_t order[LDAP_SERVERS_MAX])
{
    const struct memberchat_services *services = servers->services;
    int64_t now = services->now(services);
    size_t count = 0, i;

    pthread_mutex_lock(&servers->lock);
    for (i = 0; i < servers->count; i++) {
        struct ldap_server *server = &servers->items[i];

        if (now < server->avoid_until)
            continue;
        order[count++] = i;
        if (server->penalty == 0)
            continue;
        /* one goes and sees; others need not wait with it */
        server->avoid_until = now + servers->settings->connect_timeout;
        server->penalty =
            2 * server->penalty < PENALTY_MAX_MS ? 2 * server->penalty : PENALTY_MAX_MS;
    }
    pthread_mutex_unlock(&servers->lock);
    for (i = 0; count == 0 && i < servers->count; i++)
        order[i] = i;
    return count == 0 ? servers->count : count;
}

void ldap_servers_forgive(struct ldap_servers *servers)
{
    size_t i;

    ldap_guard_forgive(servers->guard);
    pthread_mutex_lock(&servers->lock);
    for (i = 0; i < servers->count; i++)
        servers->items[i].avoid_until = 0;
    pthread_mutex_unlock(&servers->lock);
}

/* ---- Connecting ---- */

/* A handle on a connected socket of this server. */
static struct ldap *open_handle(const struct ldap_servers *servers,
                                const struct ldap_server *server, const struct ldap_watch *watch,
                                int *fd_r, struct ldap_fault *fault)
{
    const struct ldap_settings *settings = servers->settings;
    bool clear = server->uri.scheme == LDAP_SCHEME_PLAIN && !settings->starttls;
    struct ldap_addresses addresses;

    if (server->uri.scheme == LDAP_SCHEME_LOCAL)
        *fd_r = ldap_socket_connect_path(server->uri.host, watch, fault);
    else if (ldap_resolver_get(server->resolver, watch, &addresses, fault))
        *fd_r = ldap_socket_connect(&addresses, clear && !settings->allow_cleartext, watch, fault);
    else
        *fd_r = -1;
    return *fd_r < 0 ? NULL : ldap_handle_new(*fd_r, &server->uri, fault);
}

static bool secure(const struct ldap_servers *servers, const struct ldap_server *server,
                   struct ldap *handle, const struct ldap_watch *watch, struct ldap_fault *fault)
{
    bool wanted = server->uri.scheme == LDAP_SCHEME_TLS ||
                  (server->uri.scheme == LDAP_SCHEME_PLAIN && servers->settings->starttls);

    return !wanted || ldap_handle_secure(handle, &server->uri, servers->settings, watch, fault);
}

/* A password that is refused, for whatever reason, is left alone for a while. */
static bool bind_by_password(const struct ldap_servers *servers, struct ldap *handle,
                             const struct ldap_password *password, const struct ldap_watch *watch,
                             struct ldap_fault *fault)
{
    const char *dn = servers->settings->bind_dn;
    const struct ldap_text text = {password->bytes, password->length};
    struct ldap_fault told = {.verdict = VERDICT_GOOD};

    if (!ldap_guard_enter(servers->guard, password, watch, fault))
        return false;
    if (!ldap_handle_bind(handle, dn, &text, watch, &told)) {
        *fault = told;
        if (ldap_fault_outcome(&told) == MEMBERCHAT_MISCONFIGURED)
            ldap_fault_set(fault, VERDICT_REFUSED, "%.100s as %.80s; not tried again for 30 s",
                           told.text, dn);
    }
    ldap_guard_leave(servers->guard, password, watch, fault);
    return told.verdict == VERDICT_GOOD;
}

static bool bind_as(const struct ldap_servers *servers, struct ldap *handle,
                    const struct ldap_password *password, const struct ldap_watch *watch,
                    struct ldap_fault *fault)
{
    if (servers->settings->sasl_external)
        return ldap_handle_bind(handle, NULL, NULL, watch, fault);
    return servers->settings->bind_dn == NULL ||
           bind_by_password(servers, handle, password, watch, fault);
}

/* One server, within its share of the time. */
static bool connect_to(struct ldap_servers *servers, const struct ldap_server *server,
                       const struct ldap_password *password, const struct ldap_watch *watch,
                       struct ldap_connection *connection_r, struct ldap_fault *fault)
{
    *fault = (struct ldap_fault){.verdict = VERDICT_GOOD};
    connection_r->handle = open_handle(servers, server, watch, &connection_r->fd, fault);
    if (connection_r->handle == NULL)
        return false;
    if (secure(servers, server, connection_r->handle, watch, fault) &&
        bind_as(servers, connection_r->handle, password, watch, fault))
        return true;
    ldap_handle_free(connection_r->handle);
    return false;
}

/* Of several failures, the first counts by which a later try may succeed; the text has them all. */
static void add_fault(struct ldap_fault *all, const struct ldap_fault *fault)
{
    size_t length = strlen(all->text);

    if (all->verdict == VERDICT_GOOD || (ldap_fault_outcome(all) == MEMBERCHAT_MISCONFIGURED &&
                                         ldap_fault_outcome(fault) == MEMBERCHAT_UNAVAILABLE))
        all->verdict = fault->verdict;
    snprintf(all->text + length, sizeof all->text - length, "%s%s", length > 0 ? "; " : "",
             fault->text);
}

static bool try_servers(struct ldap_servers *servers, const struct ldap_password *password,
                        const struct ldap_watch *watch, struct ldap_connection *connection_r,
                        struct ldap_fault *fault)
{
    size_t order[LDAP_SERVERS_MAX], count = choose(servers, order), i;
    struct ldap_fault one;

    *fault = (struct ldap_fault){.verdict = VERDICT_GOOD};
    for (i = 0; i < count; i++) {
        int64_t share = ldap_watch_left(watch) / (int64_t)(count - i);
        int64_t longest = servers->settings->connect_timeout;
        struct ldap_watch part = ldap_watch_within(watch, share < longest ? share : longest);

        connection_r->server = order[i];
        if (connect_to(servers, &servers->items[order[i]], password, &part, connection_r, &one)) {
            note_success(servers, order[i]);
            return true;
        }
        ldap_servers_name(servers, order[i], &one);
        add_fault(fault, &one);
        if (one.verdict == VERDICT_REFUSED)
            break;
        ldap_servers_note_failure(servers, order[i], &one);
    }
    return false;
}

/* The password, if there is one and it was not refused lately; wipe it. */
static bool have_password(struct ldap_servers *servers, const struct ldap_watch *watch,
                          struct ldap_password *password_r, struct ldap_fault *fault)
{
    password_r->length = 0;
    return servers->settings->bind_dn == NULL ||
           (ldap_trust_password(servers->settings, NULL, password_r, fault) &&
            ldap_guard_allows(servers->guard, password_r, watch, fault));
}

bool ldap_servers_connect(struct ldap_servers *servers, const struct ldap_watch *watch,
                          struct ldap_connection *connection_r, struct ldap_fault *fault)
{
    struct ldap_password password;
    bool good = have_password(servers, watch, &password, fault) &&
                try_servers(servers, &password, watch, connection_r, fault);

    ldap_trust_wipe(&password);
    return good;
}

bool ldap_servers_visit(struct ldap_servers *servers, const struct ldap_uri *uri,
                        const struct ldap_watch *watch, struct ldap_connection *connection_r,
                        struct ldap_fault *fault)
{
    const struct ldap_watch part = ldap_watch_within(watch, servers->settings->connect_timeout);
    struct ldap_server server = {.uri = *uri};
    struct ldap_password password;
    bool good = have_password(servers, watch, &password, fault);

    if (good && uri->scheme != LDAP_SCHEME_LOCAL) {
        server.resolver = ldap_resolver_new(uri->host, uri->port);
        good = server.resolver != NULL;
        if (!good)
            ldap_fault_set(fault, VERDICT_BUSY, "out of memory");
    }
    good = good && connect_to(servers, &server, &password, &part, connection_r, fault);
    ldap_resolver_free(server.resolver);
    ldap_trust_wipe(&password);
    return good;
}
