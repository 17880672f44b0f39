/* SPDX-License-Identifier: MIT
 * What a directory holds, found out by one or two searches that end at a limit. */
#include "store_private.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SURVEY_MAX = 1000 }; /* entries */

/* A search for anybody; *found_r is to be freed. */
static void search(struct ldap_store *store, bool active, const char *const *attributes,
                   int64_t deadline, struct ldap_found *found_r, struct ldap_fault *fault)
{
    struct ldap_query query = ldap_query_members(store, active, attributes);
    query.terms.anybody = true;
    query.most = SURVEY_MAX;
    query.survey = true;
    ldap_search(store, &query, deadline, found_r, fault);
}

/* Whether an attribute is the one that was asked for, ignoring its options. */
static bool is_attribute(struct span name, const char *wanted)
{
    size_t length = strlen(wanted);
    return name.length >= length && strncasecmp(name.data, wanted, length) == 0 &&
           (name.length == length || name.data[length] == ';');
}

/* Notes which of the wanted attributes an entry has. */
static void note_attributes(struct span content, const char *const *wanted, bool *seen)
{
    struct span dn, attributes, name, values;
    if (!ldap_message_entry(content, &dn, &attributes))
        return;
    while (ldap_message_attribute(&attributes, &name, &values))
        for (size_t i = 0; wanted[i]; i++)
            seen[i] |= is_attribute(name, wanted[i]);
}

/* The attributes of the shown name count only where the configuration names them. */
static bool is_default(const struct ldap_settings *settings, const char *attribute)
{
    return settings->name_attribute.count == 0 &&
           (strcasecmp(attribute, "displayName") == 0 || strcasecmp(attribute, "cn") == 0);
}

/* Fills in the attributes that no entry has. */
static void list_missing(const struct ldap_store *store, const struct ldap_found *found, char *list,
                         size_t size)
{
    const char *const *wanted = store->mapping.wanted;
    bool seen[sizeof store->mapping.wanted / sizeof *store->mapping.wanted] = {false};
    struct span entries = bytes_span(&found->entries), content;
    while (ldap_ber_take_as(&entries, MESSAGE_ENTRY, &content))
        note_attributes(content, wanted, seen);
    for (size_t i = 0, used = 0; wanted[i] && used < size; i++)
        if (!seen[i] && !is_default(store->settings, wanted[i]))
            used += (size_t)snprintf(list + used, size - used, "%s%s", used ? ", " : "", wanted[i]);
    size_t used = strlen(list);
    if (used && found->limited)
        snprintf(list + used, size - used, " (in the first %zu entries)", found->count);
}

static void count(struct ldap_store *store, int64_t deadline, struct memberchat_holdings *holdings,
                  struct ldap_fault *fault)
{
    static const char *const nothing[] = {"1.1", NULL}; /* RFC 4511, section 4.5.1.8 */
    struct ldap_found all, active = {.count = 0};
    search(store, false, store->mapping.wanted, deadline, &all, fault);
    holdings->members = holdings->active = all.count;
    if (fault->verdict == VERDICT_GOOD && store->settings->active_filter) {
        search(store, true, nothing, deadline, &active, fault);
        holdings->active = active.count;
    }
    holdings->counted = fault->verdict == VERDICT_GOOD;
    holdings->limited = all.limited || active.limited;
    if (holdings->counted && all.count)
        list_missing(store, &all, holdings->missing, sizeof holdings->missing);
    ldap_found_free(&all);
    ldap_found_free(&active);
}

enum memberchat_outcome ldap_survey(void *handle, int64_t deadline,
                                    struct memberchat_holdings *holdings_r,
                                    struct memberchat_result *result)
{
    struct ldap_store *store = handle;
    struct ldap_fault fault;
    count(store, deadline, holdings_r, &fault);
    if (fault.verdict != VERDICT_GOOD)
        store->services->reason(result, "%s", fault.why.text);
    return ldap_fault_outcome(&fault);
}
