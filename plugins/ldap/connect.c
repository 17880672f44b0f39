/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/file.h"
#include "servers_private.h"
#include "socket.h"
#include "trust.h"

#include <errno.h>

/* A handle on a connected socket of this server. */
static struct ldap_handle *open_handle(const struct ldap_servers *servers,
                                       const struct ldap_server *server, int64_t deadline,
                                       struct ldap_fault *fault)
{
    const struct ldap_settings *settings = servers->settings;
    bool clear = server->uri.scheme == LDAP_SCHEME_PLAIN && !settings->starttls;
    struct addresses addresses;
    int fd = -1;
    if (server->uri.scheme == LDAP_SCHEME_LOCAL)
        fd = ldap_socket_connect_path(server->uri.host, deadline, fault);
    else if (ldap_fault_resolved(fault,
                                 resolver_get(server->resolver, deadline, &addresses, &fault->why)))
        fd = ldap_socket_connect(&addresses, clear && !settings->allow_cleartext, deadline, fault);
    return fd < 0 ? NULL : ldap_handle_new(fd, fault);
}

static bool secure(const struct ldap_servers *servers, const struct ldap_server *server,
                   struct ldap_handle *handle, int64_t deadline, struct ldap_fault *fault)
{
    bool wanted = server->uri.scheme == LDAP_SCHEME_TLS ||
                  (server->uri.scheme == LDAP_SCHEME_PLAIN && servers->settings->starttls);
    return !wanted || ldap_handle_secure(handle, &server->uri, servers->settings, deadline, fault);
}

/* False, with the fault, when another thread is trying the password or it was refused. */
static bool enter(const struct ldap_servers *servers, struct span password, int64_t deadline,
                  struct ldap_fault *fault)
{
    enum guard_entry entry = guard_enter(servers->guard, password, deadline, &fault->why);
    fault->verdict = entry == GUARD_LATE ? VERDICT_LATE : VERDICT_REFUSED;
    return entry == GUARD_OPEN;
}

/* A password that was refused, for whatever reason, is not tried again for a while. */
static bool bind_by_password(const struct ldap_servers *servers, struct ldap_handle *handle,
                             struct span password, int64_t deadline, struct ldap_fault *fault)
{
    const char *dn = servers->settings->bind_dn;
    enum guard_end end = GUARD_UNKNOWN;
    if (!enter(servers, password, deadline, fault))
        return false;
    bool good = ldap_handle_bind(handle, dn, &password, deadline, fault);
    if (ldap_fault_outcome(fault) == MEMBERCHAT_MISCONFIGURED) {
        const struct reason told = fault->why;
        ldap_fault_set(fault, VERDICT_REFUSED, "%s as %s", told.text, dn);
        end = GUARD_REFUSED;
    }
    guard_leave(servers->guard, password, good ? GUARD_WORKED : end, &fault->why);
    return good;
}

static bool bind_as(const struct ldap_servers *servers, struct ldap_handle *handle,
                    struct span password, int64_t deadline, struct ldap_fault *fault)
{
    if (servers->settings->sasl_external)
        return ldap_handle_bind(handle, NULL, NULL, deadline, fault);
    return !servers->settings->bind_dn ||
           bind_by_password(servers, handle, password, deadline, fault);
}

/* One server, within its share of the time. */
static bool connect_to(struct ldap_servers *servers, struct ldap_server *server,
                       struct span password, int64_t deadline, struct ldap_connection *connection_r,
                       struct ldap_fault *fault)
{
    struct ldap_handle *handle = open_handle(servers, server, deadline, fault);
    if (!handle)
        return false;
    *connection_r = (struct ldap_connection){handle, ldap_server_hold(server)};
    if (secure(servers, server, handle, deadline, fault) &&
        bind_as(servers, handle, password, deadline, fault))
        return true;
    ldap_connection_close(connection_r);
    return false;
}

void ldap_connection_close(struct ldap_connection *connection)
{
    ldap_handle_free(connection->handle);
    ldap_server_release(connection->server);
}

/* Of several failures, the first that may pass by itself counts; the text has them all. */
static void add_fault(struct ldap_fault *all, const struct ldap_fault *fault)
{
    const struct reason before = all->why;
    bool first = all->verdict == VERDICT_GOOD;
    if (first || (ldap_fault_outcome(all) == MEMBERCHAT_MISCONFIGURED &&
                  ldap_fault_outcome(fault) == MEMBERCHAT_UNAVAILABLE))
        all->verdict = fault->verdict;
    reason_set(&all->why, "%s%s%s", first ? "" : before.text, first ? "" : "; ", fault->why.text);
}

static bool try_servers(struct ldap_servers *servers, struct span password, int64_t deadline,
                        struct ldap_connection *connection_r, struct ldap_fault *fault)
{
    struct ldap_server *order[FAILOVER_MAX];
    struct ldap_fault one;
    bool good = false;
    size_t count = ldap_servers_choose(servers, order);
    fault->verdict = VERDICT_GOOD;
    for (size_t i = 0; i < count && !good; i++) {
        int64_t share = clock_left_ms(deadline) / (int64_t)(count - i);
        int64_t longest = servers->settings->connect_timeout;
        int64_t end = clock_earlier(deadline, share < longest ? share : longest);
        good = connect_to(servers, order[i], password, end, connection_r, &one);
        if (good) {
            ldap_servers_note_success(servers, order[i]);
            continue;
        }
        ldap_server_name(order[i], &one);
        add_fault(fault, &one);
        if (one.verdict == VERDICT_REFUSED)
            break;
        ldap_servers_note_failure(servers, order[i], &one);
    }
    for (size_t i = 0; i < count; i++)
        ldap_server_release(order[i]);
    return good;
}

/* The password, if there is one and it was not refused lately; bytes_free() in any case. */
static bool have_password(struct ldap_servers *servers, struct bytes *password_r,
                          struct ldap_fault *fault)
{
    if (!servers->settings->bind_dn)
        return true;
    if (!ldap_trust_password(servers->settings, NULL, password_r, &fault->why)) {
        fault->verdict = file_error_passes(errno) ? VERDICT_BUSY : VERDICT_WRONG;
        return false;
    }
    if (password_r->failed) {
        ldap_fault_set(fault, VERDICT_BUSY, "out of memory");
        return false;
    }
    bool allowed = guard_allows(servers->guard, bytes_span(password_r), &fault->why);
    if (!allowed)
        fault->verdict = VERDICT_REFUSED;
    return allowed;
}

bool ldap_servers_connect(struct ldap_servers *servers, int64_t deadline,
                          struct ldap_connection *connection_r, struct ldap_fault *fault)
{
    struct bytes password = {0};
    bool good = have_password(servers, &password, fault) &&
                ldap_servers_refresh(servers, deadline, fault) &&
                try_servers(servers, bytes_span(&password), deadline, connection_r, fault);
    bytes_free(&password);
    return good;
}

bool ldap_servers_visit(struct ldap_servers *servers, const struct ldap_uri *uri, int64_t deadline,
                        struct ldap_connection *connection_r, struct ldap_fault *fault)
{
    struct ldap_server *server = ldap_server_new(uri);
    struct bytes password = {0};
    int64_t end = clock_earlier(deadline, servers->settings->connect_timeout);
    ldap_fault_set(fault, VERDICT_BUSY, "out of memory");
    bool good = have_password(servers, &password, fault) && server &&
                connect_to(servers, server, bytes_span(&password), end, connection_r, fault);
    ldap_server_release(server);
    bytes_free(&password);
    return good;
}
