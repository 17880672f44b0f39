/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/pool.h"
#include "store_private.h"

#include <stdlib.h>

enum {
    FAIR_MS = 100,   /* a server that had less time than this is not to blame */
    LIFE_MS = 900000 /* so that connections return to a server that is up again */
};

/* ---- Connections ---- */

static void *make(void *servers, int64_t deadline, void *why)
{
    struct ldap_connection *connection = malloc(sizeof *connection);
    if (connection && ldap_servers_connect(servers, deadline, connection, why))
        return connection;
    free(connection);
    return NULL;
}

static bool is_good(void *servers, const void *thing)
{
    const struct ldap_connection *connection = thing;
    return ldap_handle_is_quiet(connection->handle) &&
           !ldap_servers_has_better(servers, connection->server);
}

static void unmake(void *servers, void *thing)
{
    struct ldap_connection *connection = thing;
    (void)servers;
    ldap_connection_close(connection);
    free(connection);
}

bool ldap_search_prepare(struct ldap_store *store)
{
    const struct pool_kind kind = {.make = make,
                                   .is_good = is_good,
                                   .unmake = unmake,
                                   .context = store->servers,
                                   .most = (size_t)store->settings->connections,
                                   .idle_ms = store->settings->idle_timeout,
                                   .life_ms = LIFE_MS};
    store->pool = pool_new(&kind);
    return store->pool != NULL;
}

/* NULL: with the reason. */
static struct pool_loan *take(struct ldap_store *store, int64_t deadline, struct ldap_fault *fault)
{
    struct pool_loan *loan = NULL;
    ldap_fault_set(fault, VERDICT_BUSY, "out of memory");
    enum pool_result result = pool_take(store->pool, deadline, fault, &loan);
    if (result == POOL_BUSY)
        ldap_fault_set(fault, VERDICT_BUSY, "every connection is in use (connections = %lld)",
                       (long long)store->settings->connections);
    /* a server that accepts no more connections may still answer on those it has */
    if (result == POOL_FAILED && ldap_fault_outcome(fault) == MEMBERCHAT_UNAVAILABLE)
        loan = pool_take_idle(store->pool);
    return loan;
}

struct ldap_query ldap_query_members(const struct ldap_store *store, bool active,
                                     const char *const *attributes)
{
    const struct ldap_settings *settings = store->settings;
    return (struct ldap_query){.base = settings->base,
                               .scope = settings->scope,
                               .filter = settings->filter,
                               .active_filter = active ? settings->active_filter : NULL,
                               .attributes = attributes,
                               .timeout = settings->timeout};
}

/* What to look for, by when, and what was found. */
struct errand {
    struct ldap_store *store;
    const struct ldap_query *query;
    int64_t deadline;
    struct ldap_found *found;
};

/* ---- Where the server sends us ---- */

/* Searches there, without following further referrals. */
static void follow(const struct errand *errand, const char *url, struct ldap_fault *fault)
{
    struct ldap_servers *servers = errand->store->servers;
    struct ldap_connection connection;
    struct ldap_referral referral;
    struct ldap_query there = *errand->query;
    const char *wrong;
    if (!ldap_referral_parse(url, &referral, &wrong)) {
        ldap_fault_set(fault, VERDICT_WRONG, "referral \"%s\" %s", url, wrong);
        return;
    }
    if (!ldap_servers_may_visit(servers, &referral.uri)) {
        ldap_fault_set(fault, VERDICT_WRONG,
                       "referral to %s is not followed: name the host in \"referral_hosts\" to "
                       "send it our password",
                       referral.uri.text);
        return;
    }
    there.referrals = false;
    if (*referral.base)
        there.base = referral.base;
    if (referral.scope >= 0)
        there.scope = referral.scope;
    if (ldap_servers_visit(servers, &referral.uri, errand->deadline, &connection, fault)) {
        ldap_handle_search(connection.handle, &there,
                           clock_earlier(errand->deadline, there.timeout), errand->found, fault);
        ldap_connection_close(&connection);
    }
    if (fault->verdict != VERDICT_GOOD) {
        const struct reason plain = fault->why;
        reason_set(&fault->why, "referral to %s: %s", referral.uri.text, plain.text);
    }
}

/* Follows all referrals.  When only a part of the directory was searched, a person who was not
 * there is not "not found". */
static void follow_all(const struct errand *errand, struct ldap_fault *fault)
{
    struct ldap_store *store = errand->store;
    const struct ldap_found *found = errand->found;
    size_t count = found->referrals.count;
    struct ldap_fault one;
    if (count > LDAP_REFERRALS_MAX)
        ldap_fault_set(fault, VERDICT_WRONG, "the server sends us to %zu servers; %d are followed",
                       count, LDAP_REFERRALS_MAX);
    for (size_t i = 0; i < count && i < LDAP_REFERRALS_MAX && found->count < 2; i++) {
        follow(errand, found->referrals.urls[i], &one);
        if (one.verdict != VERDICT_GOOD && fault->verdict == VERDICT_GOOD)
            *fault = one;
    }
    if (fault->verdict == VERDICT_GOOD || found->count == 0)
        return;
    fault->verdict = VERDICT_GOOD;
    if (clock_is_due(&store->silent_until[COMPLAINT_REFERRAL], LDAP_COMPLAIN_MS))
        store->services->log(store->services, MEMBERCHAT_LOG_WARNING,
                             "%s; the entry that was found counts", fault->why.text);
}

/* ---- Searching ---- */

/* A reused connection may be dead without any sign of it, so a third of the time is kept for a
 * new one. */
static int64_t end_of_try(bool reused, int64_t deadline, int64_t timeout)
{
    int64_t left = clock_left_ms(deadline);
    return clock_earlier(deadline, reused && left * 2 / 3 < timeout ? left * 2 / 3 : timeout);
}

/* Searches on this connection and gives it back.  True: another try may succeed. */
static bool try_on(const struct errand *errand, struct pool_loan *loan, bool *retried,
                   struct ldap_fault *fault)
{
    struct ldap_store *store = errand->store;
    struct ldap_found *found = errand->found;
    int64_t deadline = errand->deadline;
    const struct ldap_connection *connection = loan->thing;
    struct ldap_server *server = connection->server;
    bool suspect = loan->reused && !*retried, fair = clock_left_ms(deadline) >= FAIR_MS;
    found->count = found->referrals.count = 0;
    bytes_reset(&found->entries);
    ldap_handle_search(connection->handle, errand->query,
                       end_of_try(suspect, deadline, errand->query->timeout), found, fault);
    if (fault->verdict != VERDICT_GOOD)
        ldap_server_name(server, fault);
    bool useless = fault->verdict == VERDICT_LOST || fault->verdict == VERDICT_LATE;
    bool again = useless && suspect;
    if (again) {
        /* what idles is as old, and may be as dead */
        pool_flush_before(store->pool, loan);
        *retried = true;
    } else if (useless && (fair || fault->verdict == VERDICT_LOST)) {
        ldap_servers_note_failure(store->servers, server, fault);
        again = ldap_servers_has_better(store->servers, server);
    }
    pool_give(store->pool, loan, !useless && fault->verdict != VERDICT_REFUSED);
    return again && clock_left_ms(deadline) > 0;
}

void ldap_search(struct ldap_store *store, const struct ldap_query *query, int64_t deadline,
                 struct ldap_found *found_r, struct ldap_fault *fault)
{
    const struct errand errand = {store, query, deadline, found_r};
    struct pool_loan *loan;
    bool retried = false;
    *found_r = (struct ldap_found){.count = 0};
    if (!clock_left_ms(deadline)) {
        ldap_fault_set(fault, VERDICT_BUSY, "there was no time left to ask");
        return;
    }
    do {
        loan = take(store, deadline, fault);
    } while (loan && try_on(&errand, loan, &retried, fault));
    if (fault->verdict == VERDICT_GOOD)
        follow_all(&errand, fault);
}
