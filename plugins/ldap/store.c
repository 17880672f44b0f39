/* SPDX-License-Identifier: MIT
 *
 * store_ldap.c: members from a directory server.
 *
 * A look-up is one search on a connection of its own, taken from the pool.
 */
#include "check.h"
#include "entry.h"
#include "filter.h"
#include "pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY      "\x7f" /* no id has control characters */
#define FAIR_MS     100    /* a server that had less time than this is not to blame */
#define COMPLAIN_MS 60000  /* the log is told of unusable values once in so long */

#define KEY(NAME, MEMBER, TYPE, DEFAULT, MOST, HELP)                                               \
    {                                                                                              \
        .name = NAME, .type = TYPE, .fallback = DEFAULT, .help = HELP, .max = MOST,                \
        .min = MOST != 0, .offset = offsetof(struct ldap_settings, MEMBER)                         \
    }
#define TEXT(NAME, MEMBER, DEFAULT, MOST, HELP)                                                    \
    KEY(NAME, MEMBER, MEMBERCHAT_STRING, DEFAULT, MOST, HELP)
#define FLAG(NAME, MEMBER, DEFAULT, HELP) KEY(NAME, MEMBER, MEMBERCHAT_BOOL, DEFAULT, 0, HELP)
#define FILE_PATH(NAME, MEMBER, HELP)     KEY(NAME, MEMBER, MEMBERCHAT_PATH, NULL, 0, HELP)
#define DURATION(NAME, MEMBER, DEFAULT, MOST, HELP)                                                \
    KEY(NAME, MEMBER, MEMBERCHAT_DURATION, DEFAULT, MOST, HELP)

static const struct memberchat_key ldap_keys[] = {
    {.name = "uri",
     .help = "the servers, tried in this order: ldap://, ldaps:// or ldapi://",
     .type = MEMBERCHAT_LIST,
     .flags = MEMBERCHAT_KEY_REQUIRED,
     .min = 1,
     .max = LDAP_SERVERS_MAX,
     .offset = offsetof(struct ldap_settings, uri)},
    {.name = "base",
     .help = "the DN of the entry below which members are searched",
     .type = MEMBERCHAT_STRING,
     .flags = MEMBERCHAT_KEY_REQUIRED,
     .offset = offsetof(struct ldap_settings, base)},
    {.name = "scope",
     .fallback = "sub",
     .choices = "base one sub",
     .help = "how deep: the base itself, the entries right below, or everything",
     .type = MEMBERCHAT_CHOICE,
     .offset = offsetof(struct ldap_settings, scope)},
    TEXT("filter", filter, "(&(objectClass=inetOrgPerson)(uid={id}))", LDAP_FILTER_MAX,
         "the search filter, with {id} for the member's id"),
    TEXT("active_filter", active_filter, NULL, LDAP_FILTER_MAX,
         "a filter that matches active members only"),
    TEXT("id_attribute", id_attribute, "uid", 64, "the attribute whose value becomes the userId"),
    {.name = "name_attribute",
     .help = "the attributes with the shown name, the first that has one counts",
     .type = MEMBERCHAT_LIST,
     .min = 1,
     .max = LDAP_NAMES_MAX,
     .offset = offsetof(struct ldap_settings, name_attribute)},
    TEXT("avatar_attribute", avatar_attribute, NULL, 64, "the attribute with the URL of a picture"),
    TEXT("role_attribute", role_attribute, NULL, 64, "the attribute with the role"),
    KEY("attributes", attributes, MEMBERCHAT_MAP, NULL, LDAP_ATTRIBUTES_MAX,
        "further attributes, for claims: their name there = \"attribute\""),
    TEXT("bind_dn", bind_dn, NULL, 1024, "the DN of the account to search with"),
    FILE_PATH("bind_password_file", bind_password_file, "the file with that account's password"),
    {.name = "bind_password",
     .help = "the password itself",
     .type = MEMBERCHAT_STRING,
     .flags = MEMBERCHAT_KEY_SECRET,
     .min = 1,
     .max = LDAP_PASSWORD_MAX,
     .offset = offsetof(struct ldap_settings, bind_password)},
    FLAG("sasl_external", sasl_external, "false",
         "be who the operating system (ldapi) or the client certificate says"),
    FLAG("starttls", starttls, "false", "begin TLS on ldap:// connections"),
    FILE_PATH("ca_file", ca_file, "the certificates of authorities that are trusted, in PEM"),
    FILE_PATH("cert_file", cert_file, "our own certificate, in PEM"),
    FILE_PATH("key_file", key_file, "the key of that certificate, in PEM"),
    FLAG("tls_verify", tls_verify, "true", "whether the server's certificate must be good"),
    FLAG("allow_cleartext", allow_cleartext, "false",
         "whether passwords and members may pass a network in clear text"),
    DURATION("connect_timeout", connect_timeout, "2s", 60000,
             "for a new connection: name, TCP, TLS and bind"),
    DURATION("timeout", timeout, "2s", 60000, "for a search"),
    {.name = "connections",
     .fallback = "0",
     .help = "how many connections there may be; 0: as many as look-ups at once",
     .type = MEMBERCHAT_INTEGER,
     .min = 0,
     .max = 10000,
     .offset = offsetof(struct ldap_settings, connections)},
    DURATION("idle_timeout", idle_timeout, "60s", 86400000,
             "a connection that idles for so long is closed"),
    FLAG("referrals", referrals, "false", "whether to follow the server to other servers"),
};

struct ldap_store {
    const struct ldap_settings *settings;
    const struct memberchat_services *services;
    struct ldap_mapping mapping;
    struct ldap_servers *servers;
    struct ldap_pool *pool;
    _Atomic int64_t complain_at; /* when the log may be told of unusable values again */
};

static bool ldap_check(const void *settings, const struct memberchat_services *services,
                       struct memberchat_result *result)
{
    struct ldap_fault fault;

    if (ldap_check_settings(settings, services, &fault))
        return true;
    services->reason(result, "%s", fault.text);
    return false;
}

static void ldap_close(void *handle)
{
    struct ldap_store *store = handle;

    if (store->pool != NULL)
        ldap_pool_free(store->pool);
    if (store->servers != NULL)
        ldap_servers_free(store->servers);
    free(store);
}

static void *ldap_open(const void *given, const struct memberchat_services *services, uint32_t how,
                       struct memberchat_result *result)
{
    const struct ldap_settings *settings = given;
    struct ldap_store *store = calloc(1, sizeof *store);

    (void)how;
    if (store != NULL) {
        store->settings = settings;
        store->services = services;
        ldap_mapping_init(&store->mapping, settings);
        store->servers = ldap_servers_new(settings, services);
        if (store->servers != NULL)
            store->pool = ldap_pool_new(settings, services, store->servers);
    }
    if (store == NULL || store->pool == NULL) {
        services->reason(result, "out of memory");
        if (store != NULL)
            ldap_close(store);
        return NULL;
    }
    ldap_check_warn(settings, services);
    ldap_handle_prepare();
    return store;
}

/* ---- Asking ---- */

/* One look-up on its way. */
struct ldap_asking {
    struct ldap_store *store;
    struct memberchat_result *result;
    struct ldap_entry entry;
    const char *wrong; /* with the entry; NULL: nothing */
    bool probing;      /* nobody wants to know who it is */
};

static void take_value(void *context, struct ldap_text attribute, struct ldap_text value)
{
    ldap_entry_add(&((struct ldap_asking *)context)->entry, attribute, value);
}

static bool wants_name(void *context)
{
    return ((struct ldap_asking *)context)->entry.ids > 1;
}

static void take_name(void *context, struct ldap_text attribute, struct ldap_text value)
{
    ldap_entry_name(&((struct ldap_asking *)context)->entry, attribute, value);
}

static void take_end(void *context)
{
    struct ldap_asking *asking = context;

    if (!asking->probing)
        asking->wrong = ldap_entry_tell(&asking->entry, asking->store->services, asking->result);
}

/* Searches on this connection, at a base of its own if a referral gave one.  The
 * fault is GOOD or says what went wrong. */
static void search(struct ldap_asking *asking, struct ldap *handle, const char *filter,
                   const struct ldap_referral *referral, const struct ldap_watch *watch,
                   struct ldap_found *found, struct ldap_fault *fault)
{
    const struct ldap_settings *settings = asking->store->settings;
    struct ldap_query query = {.base = settings->base,
                               .filter = filter,
                               .scope = (int)settings->scope,
                               .attributes = asking->store->mapping.wanted,
                               .timeout = settings->timeout,
                               .referrals = settings->referrals && referral == NULL};
    const struct ldap_reader reader = {asking, take_value, wants_name, take_name, take_end};
    const struct ldap_watch part = ldap_watch_within(watch, settings->timeout);

    if (referral != NULL && referral->base[0] != '\0')
        query.base = referral->base;
    if (referral != NULL && referral->scope >= 0)
        query.scope = referral->scope;
    asking->entry = (struct ldap_entry){.mapping = &asking->store->mapping};
    asking->wrong = NULL;
    fault->verdict = ldap_handle_search(handle, &query, &part, &reader, found, fault);
}

/* Searches where the server sent us.  That answer's own referrals are not followed. */
static void follow(struct ldap_asking *asking, const char *url, const char *filter,
                   const struct ldap_watch *watch, struct ldap_found *found,
                   struct ldap_fault *fault)
{
    struct ldap_connection connection;
    struct ldap_referral referral;
    const char *wrong = ldap_referral_parse(url, &referral);
    struct ldap_fault plain;

    if (wrong != NULL) {
        ldap_fault_set(fault, VERDICT_WRONG, "referral \"%.100s\" %s", url, wrong);
        return;
    }
    if (ldap_servers_visit(asking->store->servers, &referral.uri, watch, &connection, fault)) {
        search(asking, connection.handle, filter, &referral, watch, found, fault);
        ldap_handle_free(connection.handle);
    }
    plain = *fault;
    if (plain.verdict != VERDICT_GOOD)
        ldap_fault_set(fault, plain.verdict, "referral to %.80s: %.150s", referral.uri.text,
                       plain.text);
}

/* Follows all referrals: somebody whom we looked for in only a part is not "not found". */
static void follow_all(struct ldap_asking *asking, const char *filter,
                       const struct ldap_watch *watch, struct ldap_found *found,
                       struct ldap_fault *fault)
{
    size_t count = found->referrals.count, i;

    if (count > LDAP_REFERRALS_MAX)
        ldap_fault_set(fault, VERDICT_WRONG, "the server sends us to %zu servers; %d are followed",
                       count, LDAP_REFERRALS_MAX);
    for (i = 0; i < count && fault->verdict == VERDICT_GOOD && found->entries < 2; i++)
        follow(asking, found->referrals.urls[i], filter, watch, found, fault);
}

/* Takes a connection and searches, again where the connection is to blame: once
 * when it was an old one, and as long as there is a server that did not fail yet. */
static void ask(struct ldap_asking *asking, const char *filter, const struct ldap_watch *watch,
                struct ldap_found *found, struct ldap_fault *fault)
{
    struct ldap_store *store = asking->store;
    bool again = ldap_watch_left(watch) > 0, retried = false;
    struct ldap_lease *lease;

    if (!again)
        ldap_fault_set(fault, VERDICT_BUSY, "there was no time left to ask");
    while (again && (lease = ldap_pool_take(store->pool, watch, fault)) != NULL) {
        bool reused = lease->reused, useless, fair = ldap_watch_left(watch) >= FAIR_MS;
        size_t server = lease->connection.server;

        found->entries = found->referrals.count = 0;
        search(asking, lease->connection.handle, filter, NULL, watch, found, fault);
        if (fault->verdict != VERDICT_GOOD)
            ldap_servers_name(store->servers, server, fault);
        useless = fault->verdict == VERDICT_LOST || fault->verdict == VERDICT_LATE;
        ldap_pool_give(store->pool, lease, !useless && fault->verdict != VERDICT_REFUSED);
        again = false;
        if (fault->verdict == VERDICT_LOST && reused && !retried) {
            again = retried = true;
            ldap_pool_flush(store->pool);
        } else if (useless && (fair || fault->verdict == VERDICT_LOST)) {
            ldap_servers_note_failure(store->servers, server, fault);
            again = ldap_servers_has_better(store->servers, server);
        }
        again = again && ldap_watch_left(watch) > 0;
    }
    if (fault->verdict == VERDICT_GOOD)
        follow_all(asking, filter, watch, found, fault);
}

static void complain(struct ldap_store *store, const struct ldap_entry *entry, const char *dn)
{
    const struct memberchat_services *services = store->services;
    int64_t now = services->now(services), due = atomic_load(&store->complain_at);

    if (entry->why != NULL && now >= due &&
        atomic_compare_exchange_strong(&store->complain_at, &due, now + COMPLAIN_MS))
        services->log(services, MEMBERCHAT_LOG_WARNING, "%s: a value of %s %s, and is left out", dn,
                      entry->unusable, entry->why);
}

/* What the search says about the member. */
static enum memberchat_outcome judge(struct ldap_asking *asking, const struct ldap_found *found)
{
    const struct memberchat_services *services = asking->store->services;

    if (found->entries == 0)
        return MEMBERCHAT_NOT_FOUND;
    if (found->entries > 1) {
        services->reason(asking->result, "more than one entry has the id: %s and %s", found->dn[0],
                         found->dn[1]);
        return MEMBERCHAT_MISCONFIGURED;
    }
    complain(asking->store, &asking->entry, found->dn[0]);
    if (asking->wrong == NULL)
        return MEMBERCHAT_FOUND;
    services->reason(asking->result, "the entry %s %s (%s)", found->dn[0], asking->wrong,
                     asking->store->settings->id_attribute);
    return MEMBERCHAT_MISCONFIGURED;
}

static enum memberchat_outcome look_up(struct ldap_asking *asking, const char *id, size_t id_length,
                                       const struct ldap_watch *watch, struct ldap_found *found)
{
    const struct ldap_settings *settings = asking->store->settings;
    const struct memberchat_services *services = asking->store->services;
    struct ldap_fault fault;
    char *filter = malloc(ldap_filter_size(settings->filter, settings->active_filter, id_length));

    if (filter == NULL) {
        services->reason(asking->result, "out of memory");
        return MEMBERCHAT_UNAVAILABLE;
    }
    ldap_filter_fill(settings->filter, settings->active_filter, id, id_length, filter);
    ask(asking, filter, watch, found, &fault);
    free(filter);
    if (fault.verdict != VERDICT_GOOD)
        services->reason(asking->result, "%s", fault.text);
    return ldap_fault_outcome(&fault);
}

static enum memberchat_outcome ldap_lookup(void *handle, const char *id, size_t id_length,
                                           int64_t deadline, struct memberchat_result *result)
{
    struct ldap_store *store = handle;
    const struct ldap_watch watch = {store->services, deadline};
    struct ldap_asking asking = {.store = store, .result = result};
    struct ldap_found found;
    enum memberchat_outcome outcome = look_up(&asking, id, id_length, &watch, &found);

    return outcome == MEMBERCHAT_FOUND ? judge(&asking, &found) : outcome;
}

/* Asks for an id that nobody has: for the base, our rights and the filter at once. */
static enum memberchat_outcome ldap_probe(void *handle, int64_t deadline,
                                          struct memberchat_result *result)
{
    struct ldap_store *store = handle;
    const struct ldap_watch watch = {store->services, deadline};
    struct ldap_asking asking = {.store = store, .result = result, .probing = true};
    struct ldap_found found;

    return look_up(&asking, NOBODY, strlen(NOBODY), &watch, &found);
}

static void ldap_reload(void *handle, bool asked)
{
    struct ldap_store *store = handle;

    if (asked)
        ldap_servers_forgive(store->servers);
    ldap_pool_tidy(store->pool);
}

static const struct memberchat_store_plugin ldap_plugin = {
    .abi = MEMBERCHAT_STORE_ABI,
    .size = sizeof(struct memberchat_store_plugin),
    .name = "ldap",
    .version = "1.0",
    .summary = "members from a directory server",
    .flags = MEMBERCHAT_STORE_THREAD_SAFE,
    .key_count = sizeof ldap_keys / sizeof ldap_keys[0],
    .keys = ldap_keys,
    .settings_size = sizeof(struct ldap_settings),
    .check = ldap_check,
    .open = ldap_open,
    .lookup = ldap_lookup,
    .reload = ldap_reload,
    .probe = ldap_probe,
    .close = ldap_close,
};

const struct memberchat_store_plugin *memberchat_store_plugin(void)
{
    return &ldap_plugin;
}
