/* SPDX-License-Identifier: MIT */
#include "servers.h"

#include "base/clock.h"
#include "guard.h"
#include "socket.h"

#include <stdlib.h>

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
    const char *why;
    if (!servers)
        return NULL;
    servers->settings = settings;
    servers->services = services;
    pthread_mutex_init(&servers->lock, NULL);
    servers->guard = ldap_guard_new();
    for (; servers->guard && servers->count < settings->uri.count; servers->count++) {
        struct ldap_server *server = &servers->items[servers->count];
        ldap_uri_parse(settings->uri.items[servers->count], &server->uri, &why);
        if (server->uri.scheme == LDAP_SCHEME_LOCAL)
            continue;
        server->resolver = ldap_resolver_new(server->uri.host, server->uri.port);
        if (!server->resolver)
            break;
    }
    if (servers->guard && servers->count == settings->uri.count)
        return servers;
    ldap_servers_free(servers);
    return NULL;
}

void ldap_servers_free(struct ldap_servers *servers)
{
    if (!servers)
        return;
    for (size_t i = 0; i < servers->count; i++)
        ldap_resolver_free(servers->items[i].resolver);
    pthread_mutex_destroy(&servers->lock);
    ldap_guard_free(servers->guard);
    free(servers);
}

void ldap_servers_name(const struct ldap_servers *servers, size_t number, struct ldap_fault *fault)
{
    const struct reason plain = fault->why;
    reason_set(&fault->why, "%s: %s", servers->items[number].uri.text, plain.text);
}

/* ---- Penalties ---- */

void ldap_servers_note_failure(struct ldap_servers *servers, size_t number,
                               const struct ldap_fault *fault)
{
    struct ldap_server *server = &servers->items[number];
    pthread_mutex_lock(&servers->lock);
    bool first = server->penalty == 0;
    if (first)
        server->penalty = PENALTY_MS;
    server->avoid_until = clock_monotonic_ms() + server->penalty;
    pthread_mutex_unlock(&servers->lock);
    if (first && servers->count > 1)
        servers->services->log(servers->services, MEMBERCHAT_LOG_WARNING,
                               "%s; other servers are asked before it for a while",
                               fault->why.text);
}

static void note_success(struct ldap_servers *servers, size_t number)
{
    struct ldap_server *server = &servers->items[number];
    pthread_mutex_lock(&servers->lock);
    bool back = server->penalty != 0;
    server->penalty = 0;
    server->avoid_until = 0;
    pthread_mutex_unlock(&servers->lock);
    if (back && servers->count > 1)
        servers->services->log(servers->services, MEMBERCHAT_LOG_INFO, "%s: answers again",
                               server->uri.text);
}

bool ldap_servers_has_better(struct ldap_servers *servers, size_t number)
{
    int64_t now = clock_monotonic_ms();
    bool better = false;
    pthread_mutex_lock(&servers->lock);
    if (now < servers->items[number].avoid_until)
        for (size_t i = 0; i < servers->count; i++)
            better |= i != number && now >= servers->items[i].avoid_until;
    pthread_mutex_unlock(&servers->lock);
    return better;
}

/* The numbers of the servers in the order in which to ask them; how many. */
static size_t choose(struct ldap_servers *servers, size_t order[LDAP_SERVERS_MAX])
{
    int64_t now = clock_monotonic_ms();
    size_t count = 0;
    pthread_mutex_lock(&servers->lock);
    for (size_t i = 0; i < servers->count; i++) {
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
    for (size_t i = 0; count == 0 && i < servers->count; i++)
        order[i] = i;
    return count == 0 ? servers->count : count;
}

void ldap_servers_forgive(struct ldap_servers *servers)
{
    ldap_guard_forgive(servers->guard);
    pthread_mutex_lock(&servers->lock);
    for (size_t i = 0; i < servers->count; i++)
        servers->items[i].avoid_until = 0;
    pthread_mutex_unlock(&servers->lock);
}

/* ---- Connecting ---- */

/* A handle on a connected socket of this server. */
static struct ldap_handle *open_handle(const struct ldap_servers *servers,
                                       const struct ldap_server *server, int64_t deadline,
                                       struct ldap_fault *fault)
{
    const struct ldap_settings *settings = servers->settings;
    bool clear = server->uri.scheme == LDAP_SCHEME_PLAIN && !settings->starttls;
    struct ldap_addresses addresses;
    int fd = -1;
    if (server->uri.scheme == LDAP_SCHEME_LOCAL)
        fd = ldap_socket_connect_path(server->uri.host, deadline, fault);
    else if (ldap_resolver_get(server->resolver, deadline, &addresses, fault))
        fd = ldap_socket_connect(&addresses, clear && !settings->allow_cleartext, deadline, fault);
    return fd < 0 ? NULL : ldap_handle_new(fd, &server->uri, fault);
}

static bool secure(const struct ldap_servers *servers, const struct ldap_server *server,
                   struct ldap_handle *handle, int64_t deadline, struct ldap_fault *fault)
{
    bool wanted = server->uri.scheme == LDAP_SCHEME_TLS ||
                  (server->uri.scheme == LDAP_SCHEME_PLAIN && servers->settings->starttls);
    return !wanted || ldap_handle_secure(handle, &server->uri, servers->settings, deadline, fault);
}

/* A password that is refused, for whatever reason, is left alone for a while. */
static bool bind_by_password(const struct ldap_servers *servers, struct ldap_handle *handle,
                             const struct ldap_password *password, int64_t deadline,
                             struct ldap_fault *fault)
{
    const char *dn = servers->settings->bind_dn;
    const struct span text = {password->bytes, password->length};
    if (!ldap_guard_enter(servers->guard, password, deadline, fault))
        return false;
    bool good = ldap_handle_bind(handle, dn, &text, deadline, fault);
    if (ldap_fault_outcome(fault) == MEMBERCHAT_MISCONFIGURED) {
        const struct reason told = fault->why;
        ldap_fault_set(fault, VERDICT_REFUSED, "%s as %s; not tried again for 30 s", told.text, dn);
    }
    ldap_guard_leave(servers->guard, password, fault);
    return good;
}

static bool bind_as(const struct ldap_servers *servers, struct ldap_handle *handle,
                    const struct ldap_password *password, int64_t deadline,
                    struct ldap_fault *fault)
{
    if (servers->settings->sasl_external)
        return ldap_handle_bind(handle, NULL, NULL, deadline, fault);
    return !servers->settings->bind_dn ||
           bind_by_password(servers, handle, password, deadline, fault);
}

/* One server, within its share of the time. */
static bool connect_to(struct ldap_servers *servers, const struct ldap_server *server,
                       const struct ldap_password *password, int64_t deadline,
                       struct ldap_connection *connection_r, struct ldap_fault *fault)
{
    fault->verdict = VERDICT_GOOD;
    connection_r->handle = open_handle(servers, server, deadline, fault);
    if (!connection_r->handle)
        return false;
    if (secure(servers, server, connection_r->handle, deadline, fault) &&
        bind_as(servers, connection_r->handle, password, deadline, fault))
        return true;
    ldap_handle_free(connection_r->handle);
    return false;
}

/* Of several failures, the first counts by which a later try may succeed; the text has them all. */
static void add_fault(struct ldap_fault *all, const struct ldap_fault *fault)
{
    const struct reason before = all->why;
    bool first = all->verdict == VERDICT_GOOD;
    if (first || (ldap_fault_outcome(all) == MEMBERCHAT_MISCONFIGURED &&
                  ldap_fault_outcome(fault) == MEMBERCHAT_UNAVAILABLE))
        all->verdict = fault->verdict;
    reason_set(&all->why, "%s%s%s", first ? "" : before.text, first ? "" : "; ", fault->why.text);
}

static bool try_servers(struct ldap_servers *servers, const struct ldap_password *password,
                        int64_t deadline, struct ldap_connection *connection_r,
                        struct ldap_fault *fault)
{
    size_t order[LDAP_SERVERS_MAX], count = choose(servers, order);
    struct ldap_fault one;
    fault->verdict = VERDICT_GOOD;
    for (size_t i = 0; i < count; i++) {
        int64_t share = clock_left_ms(deadline) / (int64_t)(count - i);
        int64_t longest = servers->settings->connect_timeout;
        int64_t end = clock_earlier(deadline, share < longest ? share : longest);
        connection_r->server = order[i];
        if (connect_to(servers, &servers->items[order[i]], password, end, connection_r, &one)) {
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
static bool have_password(struct ldap_servers *servers, struct ldap_password *password_r,
                          struct ldap_fault *fault)
{
    password_r->length = 0;
    if (!servers->settings->bind_dn)
        return true;
    if (!ldap_trust_password(servers->settings, NULL, password_r, &fault->why)) {
        fault->verdict = VERDICT_WRONG;
        return false;
    }
    return ldap_guard_allows(servers->guard, password_r, fault);
}

bool ldap_servers_connect(struct ldap_servers *servers, int64_t deadline,
                          struct ldap_connection *connection_r, struct ldap_fault *fault)
{
    struct ldap_password password;
    bool good = have_password(servers, &password, fault) &&
                try_servers(servers, &password, deadline, connection_r, fault);
    ldap_trust_wipe(&password);
    return good;
}

bool ldap_servers_visit(struct ldap_servers *servers, const struct ldap_uri *uri, int64_t deadline,
                        struct ldap_connection *connection_r, struct ldap_fault *fault)
{
    struct ldap_server server = {.uri = *uri};
    struct ldap_password password;
    bool good = have_password(servers, &password, fault);
    if (good && uri->scheme != LDAP_SCHEME_LOCAL) {
        server.resolver = ldap_resolver_new(uri->host, uri->port);
        good = server.resolver != NULL;
        if (!good)
            ldap_fault_set(fault, VERDICT_BUSY, "out of memory");
    }
    good = good && connect_to(servers, &server, &password,
                              clock_earlier(deadline, servers->settings->connect_timeout),
                              connection_r, fault);
    ldap_resolver_free(server.resolver);
    ldap_trust_wipe(&password);
    return good;
}
