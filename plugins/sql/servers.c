/* SPDX-License-Identifier: MIT */
#include "servers.h"

#include "password.h"

#include "base/clock.h"
#include "base/failover.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/networks.h"
#include "base/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEEDED 100000 /* bytes that a new connection may take */

struct sql_servers {
    const struct sql_protocol *protocol;
    struct failover *failover;
    struct guard *guard;
    unsigned port;
    struct resolver *resolvers[SQL_HOSTS_MAX];
};

/* ---- Settings ---- */

static size_t count_servers(const struct sql_settings *settings)
{
    return settings->socket ? 1 : settings->hosts.count;
}

static const char *name_of(const struct sql_settings *settings, size_t number)
{
    return settings->socket ? settings->socket : settings->hosts.items[number];
}

static bool check_hosts(const struct sql_settings *settings, struct reason *why)
{
    for (size_t i = 0; i < settings->hosts.count; i++) {
        const char *host = settings->hosts.items[i];
        bool clear = settings->tls == SQL_TLS_OFF && !settings->allow_cleartext;
        if (!sql_host_fits(host)) {
            reason_set(why,
                       "hosts: \"%s\" is not a host name or address (IPv6 without brackets, and "
                       "no port: that is \"port\")",
                       host);
            return false;
        }
        if (clear && !network_is_loopback(host)) {
            reason_set(why,
                       "tls: is off, and %s is another machine: what the database says would "
                       "pass the network in clear text (allow_cleartext = true, if it may)",
                       host);
            return false;
        }
    }
    return true;
}

bool sql_servers_check(const struct sql_client *client, struct reason *why)
{
    const struct sql_settings *settings = client->settings;
    struct bytes password = {0};
    bool exposed, good = false;
    if (!settings->socket && !settings->hosts.count)
        reason_set(why, "\"hosts\" or \"socket\" must be set");
    else if (settings->socket && settings->hosts.count)
        reason_set(why, "socket: \"hosts\" is set, too: keep one of them");
    else if (settings->ca_file &&
             !file_check_pem(settings->ca_file, FILE_CERTIFICATE, &exposed, why))
        reason_prefix(why, "ca_file");
    else
        good = check_hosts(settings, why) && sql_password_read(client, true, &password, why);
    bytes_free(&password);
    return good;
}

/* ---- Opening ---- */

bool sql_servers_open(struct sql_client *client, struct reason *why, unsigned usual_port,
                      const struct sql_protocol *protocol)
{
    const struct sql_settings *settings = client->settings;
    struct sql_servers *servers = calloc(1, sizeof *servers);
    char port[8];
    client->own = servers;
    reason_set(why, "out of memory");
    if (!servers)
        return false;
    servers->protocol = protocol;
    servers->port = settings->port ? (unsigned)settings->port : usual_port;
    snprintf(port, sizeof port, "%u", servers->port % 65536);
    servers->failover = failover_new(count_servers(settings), settings->connect_timeout);
    servers->guard = guard_new();
    bool good = servers->failover && servers->guard;
    for (size_t i = 0; good && !settings->socket && i < settings->hosts.count; i++)
        good = (servers->resolvers[i] = resolver_new(settings->hosts.items[i], port));
    return good;
}

void sql_servers_close(struct sql_client *client)
{
    struct sql_servers *servers = client->own;
    if (!servers)
        return;
    for (size_t i = 0; i < SQL_HOSTS_MAX; i++)
        resolver_free(servers->resolvers[i]);
    failover_free(servers->failover);
    guard_free(servers->guard);
    free(servers);
}

void sql_servers_forgive(struct sql_client *client)
{
    struct sql_servers *servers = client->own;
    guard_forgive(servers->guard);
    failover_forgive(servers->failover);
}

bool sql_servers_is_good(void *handle, const void *connection)
{
    const struct sql_client *client = handle;
    const struct sql_servers *servers = client->own;
    const struct sql_link *link = connection;
    /* a server that was asked nothing sends nothing, except when it closes */
    struct pollfd polled = {.fd = link->fd, .events = POLLIN};
    return poll(&polled, 1, 0) == 0 && !failover_has_better(servers->failover, link->server);
}

int sql_servers_await(int fd, int events, int64_t deadline)
{
    for (;;) {
        struct pollfd polled = {.fd = fd, .events = (short)events};
        int ready = poll(&polled, 1, (int)clock_left_ms(deadline));
        if (ready > 0)
            return polled.revents;
        if (ready == 0 || errno != EINTR)
            return 0;
    }
}

bool sql_servers_tls_is_wrong(const char *message)
{
    static const char *const words[] = {"certificate", "support", "CA file", "hostname",
                                        "version",     "alert",   "cipher",  "verification"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(message, words[i]))
            return true;
    return false;
}

/* ---- Connecting ---- */

/* An attempt to connect to the servers of a store. */
struct attempt {
    struct sql_client *client;
    struct sql_servers *servers;
    struct bytes password;
    struct sql_target target;
};

/* A connection without a server yet.  NULL: memory is short. */
static struct sql_link *link_new(const struct sql_client *client,
                                 const struct sql_protocol *protocol)
{
    struct sql_link *link = calloc(1, protocol->size);
    if (link) {
        link->client = client;
        link->fd = -1;
    }
    return link;
}

static struct sql_link *connect_to(struct attempt *attempt, int64_t deadline,
                                   struct sql_fault *fault)
{
    const struct sql_protocol *protocol = attempt->servers->protocol;
    struct sql_link *link = link_new(attempt->client, protocol);
    sql_fault_set(fault, SQL_BUSY, "out of memory");
    if (!link)
        return NULL;
    if (protocol->sign_in(link, &attempt->target, deadline, fault) &&
        protocol->prepare(link, deadline, fault))
        return link;
    protocol->disconnect(attempt->client, link);
    return NULL;
}

/* Lets only one thread try a password until the server has accepted or refused it. */
static struct sql_link *connect_guarded(struct attempt *attempt, int64_t deadline,
                                        struct sql_fault *fault)
{
    struct guard *guard = attempt->servers->guard;
    struct span password = bytes_span(&attempt->password);
    switch (guard_enter(guard, password, deadline, &fault->why)) {
    case GUARD_OPEN:
        break;
    case GUARD_HELD:
        fault->verdict = SQL_REFUSED;
        return NULL;
    case GUARD_LATE:
        fault->verdict = SQL_LATE;
        return NULL;
    }
    struct sql_link *link = connect_to(attempt, deadline, fault);
    if (link) {
        link->target = attempt->target;
        link->target.address = link->target.password = NULL;
        snprintf(link->address, sizeof link->address, "%s", attempt->target.address);
    }
    guard_leave(guard, password,
                link                            ? GUARD_WORKED
                : fault->verdict == SQL_REFUSED ? GUARD_REFUSED
                                                : GUARD_UNKNOWN,
                &fault->why);
    return link;
}

/* The addresses of one host, each with its share of the time. */
static struct sql_link *connect_host(struct attempt *attempt, size_t number, int64_t deadline,
                                     struct sql_fault *fault)
{
    const struct sql_settings *settings = attempt->client->settings;
    struct addresses addresses;
    char text[NI_MAXHOST];
    enum resolved resolved =
        resolver_get(attempt->servers->resolvers[number], deadline, &addresses, &fault->why);
    fault->verdict = resolved == RESOLVED_LATE ? SQL_LATE : SQL_LOST;
    struct sql_link *link = NULL;
    for (size_t i = 0; !link && resolved == RESOLVED_GOOD && i < addresses.count; i++) {
        const struct sockaddr *address = (const struct sockaddr *)&addresses.items[i];
        bool loopback = network_address_is_loopback(address);
        attempt->target.host = settings->hosts.items[number];
        attempt->target.address = text;
        attempt->target.encrypt = settings->tls != SQL_TLS_OFF && (!loopback || settings->ca_file);
        attempt->target.verify = settings->tls == SQL_TLS_VERIFY;
        int error =
            getnameinfo(address, addresses.lengths[i], text, sizeof text, NULL, 0, NI_NUMERICHOST);
        if (error)
            sql_fault_set(fault, SQL_LOST, "%s", gai_strerror(error));
        else if (settings->tls == SQL_TLS_OFF && !loopback && !settings->allow_cleartext)
            sql_fault_set(fault, SQL_WRONG, "tls is off, and %s is another machine", text);
        else
            link = connect_guarded(
                attempt,
                clock_earlier(deadline, clock_left_ms(deadline) / (int64_t)(addresses.count - i)),
                fault);
        if (!link && fault->verdict == SQL_REFUSED)
            break;
    }
    attempt->target.address = NULL; /* it pointed into this function */
    return link;
}

static struct sql_link *connect_one(struct attempt *attempt, size_t number, int64_t deadline,
                                    struct sql_fault *fault)
{
    if (!attempt->client->settings->socket)
        return connect_host(attempt, number, deadline, fault);
    attempt->target.address = attempt->client->settings->socket;
    return connect_guarded(attempt, deadline, fault);
}

/* Of several faults, the first that may pass by itself counts; the text has them all. */
static void add_fault(struct sql_fault *all, const char *server, const struct sql_fault *fault)
{
    size_t length = strlen(all->why.text);
    if (!length || all->verdict == SQL_WRONG)
        all->verdict = fault->verdict;
    snprintf(all->why.text + length, sizeof all->why.text - length, "%s%s: %s", length ? "; " : "",
             server, fault->why.text);
}

static void note_failure(const struct sql_client *client, size_t number,
                         const struct sql_fault *fault)
{
    const struct sql_servers *servers = client->own;
    if (failover_note_failure(servers->failover, number))
        client->services->log(client->services, MEMBERCHAT_LOG_WARNING,
                              "%s: %s; other servers are asked before it for a while",
                              name_of(client->settings, number), fault->why.text);
}

static struct sql_link *try_servers(struct attempt *attempt, int64_t deadline,
                                    struct sql_fault *fault)
{
    const struct sql_settings *settings = attempt->client->settings;
    size_t order[FAILOVER_MAX], count = failover_choose(attempt->servers->failover, order);
    fault->why.text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const char *name = name_of(settings, order[i]);
        int64_t share = clock_left_ms(deadline) / (int64_t)(count - i);
        struct sql_fault one = {.verdict = SQL_LOST};
        if (share > settings->connect_timeout)
            share = settings->connect_timeout;
        struct sql_link *link =
            connect_one(attempt, order[i], clock_earlier(deadline, share), &one);
        if (link) {
            link->server = order[i]; /* whether it is good, is known when it has answered */
            return link;
        }
        add_fault(fault, name, &one);
        if (one.verdict == SQL_REFUSED) /* the password is the same everywhere */
            break;
        note_failure(attempt->client, order[i], &one);
    }
    return NULL;
}

bool sql_servers_have_memory(void)
{
    void *room = malloc(NEEDED);
    free(room);
    return room != NULL;
}

void *sql_servers_connect(struct sql_client *client, int64_t deadline, struct sql_fault *fault)
{
    const char *ca_file = client->settings->ca_file;
    struct attempt attempt = {
        .client = client,
        .servers = client->own,
        .target = {.ca_file = ca_file ? ca_file : file_system_certificates()}};
    struct sql_link *link = NULL;
    attempt.target.port = attempt.servers->port;
    if (!sql_password_read(client, false, &attempt.password, &fault->why)) {
        fault->verdict = file_error_passes(errno) ? SQL_BUSY : SQL_WRONG;
    } else {
        attempt.target.password = bytes_string(&attempt.password);
        if (attempt.password.failed || !sql_servers_have_memory())
            sql_fault_set(fault, SQL_BUSY, "out of memory");
        else
            link = try_servers(&attempt, deadline, fault);
    }
    bytes_free(&attempt.password);
    return link;
}

bool sql_servers_note(void *handle, const void *connection, const struct sql_fault *fault)
{
    const struct sql_client *client = handle;
    const struct memberchat_services *services = client->services;
    const struct sql_servers *servers = client->own;
    const struct sql_link *link = connection;
    if (fault)
        note_failure(client, link->server, fault);
    else if (failover_note_success(servers->failover, link->server))
        services->log(services, MEMBERCHAT_LOG_INFO, "%s: answers again",
                      name_of(client->settings, link->server));
    return fault && failover_has_better(servers->failover, link->server);
}

/* Signs in once more, and ends a session. */
static void end_session(struct sql_client *client, const struct sql_target *target,
                        uint64_t session, int64_t deadline)
{
    const struct sql_protocol *protocol = ((const struct sql_servers *)client->own)->protocol;
    struct sql_link *link = link_new(client, protocol);
    struct sql_fault fault;
    if (link && protocol->sign_in(link, target, deadline, &fault))
        protocol->end_session(link, session, deadline);
    if (link)
        protocol->disconnect(client, link);
}

void sql_servers_cancel(void *handle, const void *connection, int64_t deadline)
{
    struct sql_client *client = handle;
    const struct sql_link *link = connection;
    struct sql_target target = link->target;
    struct bytes password = {0};
    struct reason why;
    bool known = sql_password_read(client, false, &password, &why);
    target.address = link->address;
    target.password = bytes_string(&password);
    if (known && !password.failed)
        end_session(client, &target, link->session, deadline);
    bytes_free(&password);
}
