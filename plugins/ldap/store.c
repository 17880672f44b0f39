/* SPDX-License-Identifier: MIT
 * Members from a directory server.  A look-up is one search on a connection of its own,
 * taken from the pool. */
#include "base/clock.h"
#include "base/pool.h"
#include "check.h"
#include "keys.h"
#include "store_private.h"
#include "tls.h"

#include <stdlib.h>
#include <string.h>

#define NOBODY "\x7f" /* no id has control characters */

enum {
    ENTRIES_MAX = 2, /* one more than a good answer has */
    GROUPS_MAX = 1000
};

static bool ldap_check(const void *settings, const struct memberchat_services *services,
                       struct memberchat_result *result)
{
    struct reason why;
    bool good = ldap_check_settings(settings, services, &why);
    if (!good)
        services->reason(result, "%s", why.text);
    return good;
}

static void ldap_close(void *handle)
{
    struct ldap_store *store = handle;
    pool_free(store->pool);
    ldap_servers_free(store->servers);
    free(store);
}

static void *ldap_open(const void *settings, const struct memberchat_services *services,
                       uint32_t how, struct memberchat_result *result)
{
    struct ldap_store *store = calloc(1, sizeof *store);
    struct reason why;
    reason_set(&why, "out of memory");
    if (store) {
        store->settings = settings;
        store->services = services;
        store->explain = how & MEMBERCHAT_OPEN_EXPLAIN;
        if (ldap_mapping_init(&store->mapping, settings, services, &why))
            store->servers = ldap_servers_new(settings, services);
    }
    if (!store || !store->servers || !ldap_search_prepare(store)) {
        services->reason(result, "%s", why.text);
        if (store)
            ldap_close(store);
        return NULL;
    }
    ldap_check_warn(settings, services);
    if (ldap_check_uses_tls(settings))
        ldap_tls_prepare();
    return store;
}

/* ---- Asking ---- */

static void find(struct ldap_store *store, const struct ldap_terms *terms, bool active,
                 int64_t deadline, struct ldap_found *found_r, struct ldap_fault *fault)
{
    struct ldap_query query = ldap_query_members(store, active, store->mapping.wanted);
    query.terms = *terms;
    query.most = ENTRIES_MAX;
    query.referrals = store->settings->referrals;
    ldap_search(store, &query, deadline, found_r, fault);
}

/* Finds the groups of a member who was found, each a value of the attribute "groups".  A missing
 * group could mean another role, so the result is all of them or a failure. */
static enum memberchat_outcome add_groups(struct ldap_store *store, const struct ldap_entry *entry,
                                          int64_t deadline, struct memberchat_result *result)
{
    const struct ldap_settings *settings = store->settings;
    const char *attributes[] = {settings->group_attribute, NULL};
    const struct ldap_query query = {.base = settings->group_base,
                                     .scope = 2,
                                     .filter = settings->group_filter,
                                     .terms = {.id = entry->id, .dn = entry->dn},
                                     .attributes = attributes,
                                     .timeout = settings->timeout,
                                     .most = GROUPS_MAX + 1};
    struct ldap_found found;
    struct ldap_fault fault;
    ldap_search(store, &query, deadline, &found, &fault);
    if (fault.verdict == VERDICT_GOOD && found.count > GROUPS_MAX)
        ldap_fault_set(&fault, VERDICT_WRONG, "there are more than %d", GROUPS_MAX);
    struct span entries = bytes_span(&found.entries), content;
    while (fault.verdict == VERDICT_GOOD && ldap_ber_take_as(&entries, MESSAGE_ENTRY, &content))
        if (!ldap_entry_tell_attribute(content, settings->group_attribute, LDAP_GROUPS,
                                       store->services, result))
            ldap_fault_set(&fault, VERDICT_BUSY, "an answer is damaged, or memory is short");
    if (fault.verdict != VERDICT_GOOD)
        store->services->reason(result, "groups of %.*s: %s", (int)entry->dn.length, entry->dn.data,
                                fault.why.text);
    ldap_found_free(&found);
    return ldap_fault_outcome(&fault);
}

/* What the only entry says about the member. */
static enum memberchat_outcome judge_entry(struct ldap_store *store, struct ldap_entry *entry,
                                           int64_t deadline, struct memberchat_result *result)
{
    const struct memberchat_services *services = store->services;
    const char *why;
    int length = (int)entry->dn.length;
    if (entry->claim == CLAIM_DIFFERS && !entry->no_memory) {
        if (clock_is_due(&store->silent_until[COMPLAINT_OTHER_ID], LDAP_COMPLAIN_MS))
            services->log(services, MEMBERCHAT_LOG_WARNING,
                          "%.*s: the directory takes another spelling for this id, and more than "
                          "case and blanks differ: not found",
                          length, entry->dn.data);
        return MEMBERCHAT_NOT_FOUND;
    }
    enum memberchat_outcome outcome =
        ldap_entry_tell(entry, &store->mapping, services, result, &why);
    if (outcome != MEMBERCHAT_FOUND)
        services->reason(result, "the entry %.*s %s (%s)", length, entry->dn.data, why,
                         store->settings->id_attribute);
    else if (store->settings->group_base)
        outcome = add_groups(store, entry, deadline, result);
    return outcome;
}

static enum memberchat_outcome judge_all(struct ldap_store *store, const struct ldap_terms *terms,
                                         const struct ldap_found *found, int64_t deadline,
                                         struct memberchat_result *result)
{
    struct span entries = bytes_span(&found->entries), content[ENTRIES_MAX];
    struct ldap_entry entry[ENTRIES_MAX] = {{.ids = 0}};
    enum memberchat_outcome outcome = MEMBERCHAT_NOT_FOUND;
    bool good = true;
    for (size_t i = 0; good && i < found->count && i < ENTRIES_MAX; i++)
        good = ldap_ber_take_as(&entries, MESSAGE_ENTRY, &content[i]) &&
               ldap_entry_read(&store->mapping, terms, content[i], &entry[i]);
    if (!good) {
        store->services->reason(result, "search: the answer is damaged");
        outcome = MEMBERCHAT_UNAVAILABLE;
    } else if (found->count > 1) {
        store->services->reason(result, "more than one entry has the id: %.*s and %.*s",
                                (int)entry[0].dn.length, entry[0].dn.data, (int)entry[1].dn.length,
                                entry[1].dn.data);
        outcome = MEMBERCHAT_MISCONFIGURED;
    } else if (found->count == 1) {
        outcome = judge_entry(store, &entry[0], deadline, result);
    }
    for (size_t i = 0; i < ENTRIES_MAX; i++)
        ldap_entry_free(&entry[i]);
    return outcome;
}

/* Finds out whether a member who was not found exists but is not active.  A failure of this
 * search does not matter. */
static void explain_absence(struct ldap_store *store, const struct ldap_terms *terms,
                            int64_t deadline, struct memberchat_result *result)
{
    struct ldap_found found;
    struct ldap_fault fault;
    struct ldap_entry entry;
    struct span content;
    find(store, terms, false, deadline, &found, &fault);
    struct span entries = bytes_span(&found.entries);
    if (fault.verdict == VERDICT_GOOD && found.count == 1 &&
        ldap_ber_take_as(&entries, MESSAGE_ENTRY, &content)) {
        bool good = ldap_entry_read(&store->mapping, terms, content, &entry);
        if (good && (entry.claim != CLAIM_DIFFERS || entry.no_memory))
            store->services->reason(result,
                                    "the entry %.*s is there, but \"active_filter\" leaves it out",
                                    (int)entry.dn.length, entry.dn.data);
        ldap_entry_free(&entry);
    } else if (fault.verdict == VERDICT_GOOD && found.count > 1) {
        store->services->reason(result, "several entries are there, but \"active_filter\" leaves "
                                        "them out");
    }
    ldap_found_free(&found);
}

static enum memberchat_outcome ldap_lookup(void *handle, const char *id, size_t id_length,
                                           int64_t deadline, struct memberchat_result *result)
{
    struct ldap_store *store = handle;
    struct ldap_terms terms = {.id = {id, id_length}};
    char guid[LDAP_GUID_BYTES];
    struct ldap_found found;
    struct ldap_fault fault;
    if (store->mapping.guid) {
        if (!ldap_guid_parse(terms.id, guid))
            return MEMBERCHAT_NOT_FOUND;
        terms.id = (struct span){guid, sizeof guid};
    }
    find(store, &terms, true, deadline, &found, &fault);
    enum memberchat_outcome outcome = ldap_fault_outcome(&fault);
    if (outcome == MEMBERCHAT_FOUND)
        outcome = judge_all(store, &terms, &found, deadline, result);
    else
        store->services->reason(result, "%s", fault.why.text);
    if (outcome == MEMBERCHAT_NOT_FOUND && !found.count && store->explain &&
        store->settings->active_filter)
        explain_absence(store, &terms, deadline, result);
    ldap_found_free(&found);
    return outcome;
}

/* Searches for an id that nobody has, which tests the base, our rights and the filter at once. */
static enum memberchat_outcome ldap_probe(void *handle, int64_t deadline,
                                          struct memberchat_result *result)
{
    struct ldap_store *store = handle;
    static const char no_guid[LDAP_GUID_BYTES];
    struct ldap_terms terms = {.id = {NOBODY, strlen(NOBODY)}};
    struct ldap_found found;
    struct ldap_fault fault;
    if (store->mapping.guid)
        terms.id = (struct span){no_guid, sizeof no_guid};
    find(store, &terms, true, deadline, &found, &fault);
    if (fault.verdict != VERDICT_GOOD)
        store->services->reason(result, "%s", fault.why.text);
    ldap_found_free(&found);
    return ldap_fault_outcome(&fault);
}

static void ldap_reload(void *handle, bool asked)
{
    struct ldap_store *store = handle;
    if (asked)
        ldap_servers_forgive(store->servers);
    pool_trim(store->pool);
}

static const struct memberchat_store_plugin ldap_plugin = {
    .abi = MEMBERCHAT_STORE_ABI,
    .size = sizeof(struct memberchat_store_plugin),
    .name = "ldap",
    .version = "1.0",
    .summary = "members from a directory server",
    .flags = MEMBERCHAT_STORE_THREAD_SAFE | MEMBERCHAT_STORE_MATCHES,
    .key_count = LDAP_KEY_COUNT,
    .keys = ldap_keys,
    .settings_size = sizeof(struct ldap_settings),
    .check = ldap_check,
    .open = ldap_open,
    .lookup = ldap_lookup,
    .reload = ldap_reload,
    .probe = ldap_probe,
    .close = ldap_close,
    .survey = ldap_survey,
};

const struct memberchat_store_plugin *memberchat_store_plugin(void)
{
    return &ldap_plugin;
}
