/* SPDX-License-Identifier: MIT */
#include "entry.h"

#include "base/text.h"
#include "dn.h"
#include "message.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ATTRIBUTE_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.;-_"

/* Where the name comes from unless the configuration says so. */
static const char *const default_names[] = {"displayName", "cn"};

/* ---- What goes where ---- */

static void want(struct ldap_mapping *mapping, const char *source)
{
    size_t i = 0;
    for (; mapping->wanted[i]; i++)
        if (strcasecmp(mapping->wanted[i], source) == 0)
            return;
    mapping->wanted[i] = source;
}

bool ldap_entry_is_attribute(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && length <= LDAP_ATTRIBUTE_MAX && strspn(text, ATTRIBUTE_BYTES) == length;
}

static bool add_attribute(struct ldap_mapping *mapping, const char *name, const char *source)
{
    if (mapping->attribute_count == MEMBERCHAT_ATTRIBUTES_MAX)
        return false;
    mapping->attributes[mapping->attribute_count].name = name;
    mapping->attributes[mapping->attribute_count++].source = source;
    want(mapping, source);
    return true;
}

static bool is_mapped(const struct ldap_mapping *mapping, const char *name)
{
    bool found = false;
    for (size_t i = 0; i < mapping->attribute_count; i++)
        found |= strcmp(mapping->attributes[i].name, name) == 0;
    return found;
}

/* The attributes that templates name, by their own names where the configuration has no
 * other for them. */
static bool add_wanted(struct ldap_mapping *mapping, const struct ldap_settings *settings,
                       const struct memberchat_services *services, struct reason *why)
{
    const struct memberchat_list none = {NULL, 0};
    const struct memberchat_list *wanted =
        services->size >= sizeof *services ? &services->wanted : &none;
    for (size_t i = 0; i < wanted->count; i++) {
        const char *name = wanted->items[i];
        if (is_mapped(mapping, name) || (settings->group_base && strcmp(name, LDAP_GROUPS) == 0))
            continue;
        if (!ldap_entry_is_attribute(name)) {
            reason_set(why,
                       "a template names \"%s\", which is not the name of an attribute: give it "
                       "one in \"attributes\"",
                       name);
            return false;
        }
        if (!add_attribute(mapping, name, name)) {
            reason_set(why, "templates and \"attributes\" name more than %d attributes",
                       MEMBERCHAT_ATTRIBUTES_MAX);
            return false;
        }
    }
    return true;
}

static void add_claims(struct ldap_mapping *mapping, const struct ldap_settings *settings)
{
    ldap_filter_claims(settings->filter, &mapping->claims);
    for (size_t i = 0; i < mapping->claims.count; i++) {
        struct span name = mapping->claims.items[i].attribute;
        snprintf(mapping->claimed[i], sizeof mapping->claimed[i], "%.*s", (int)name.length,
                 name.data);
        want(mapping, mapping->claimed[i]);
    }
}

bool ldap_mapping_init(struct ldap_mapping *mapping, const struct ldap_settings *settings,
                       const struct memberchat_services *services, struct reason *why)
{
    const struct memberchat_list *names = &settings->name_attribute;
    const struct memberchat_list defaults = {default_names, 2};
    if (names->count == 0)
        names = &defaults;
    *mapping = (struct ldap_mapping){.sources = {[LDAP_SLOT_ID] = settings->id_attribute,
                                                 [LDAP_SLOT_AVATAR] = settings->avatar_attribute,
                                                 [LDAP_SLOT_ROLE] = settings->role_attribute},
                                     .guid = settings->id_format == LDAP_ID_GUID};
    for (size_t i = 0; i < names->count; i++)
        mapping->sources[LDAP_SLOT_NAME + i] = names->items[i];
    for (size_t i = 0; i < LDAP_SLOTS; i++)
        if (mapping->sources[i])
            want(mapping, mapping->sources[i]);
    for (size_t i = 0; i < settings->attributes.count; i++)
        add_attribute(mapping, settings->attributes.names[i], settings->attributes.values[i]);
    add_claims(mapping, settings);
    return add_wanted(mapping, settings, services, why);
}

/* ---- Reading ---- */

/* The host trims line ends. */
static bool is_plain(struct span value)
{
    while (value.length && memchr("\r\n\t", value.data[value.length - 1], 3))
        value.length--;
    return value.length && text_is_plain(value);
}

/* The name of an attribute without its options (RFC 4512, section 2.5). */
static struct span base_name(struct span name)
{
    const char *end = name.length ? memchr(name.data, ';', name.length) : NULL;
    return (struct span){name.data, end ? (size_t)(end - name.data) : name.length};
}

static bool same_name(struct span a, struct span b)
{
    return a.length == b.length && strncasecmp(a.data, b.data, a.length) == 0;
}

/* Whether an attribute of an entry is the one that was asked for.  Active Directory sends
 * the first part of many values as "member;range=0-1499". */
static bool is_source(struct span name, const char *source)
{
    static const char range[] = ";range=";
    struct span base = base_name(name);
    if (name.length > base.length + sizeof range - 1 &&
        strncasecmp(name.data + base.length, range, sizeof range - 1) == 0)
        name = base;
    return source && span_equal_nocase(name, source);
}

/* Compares one value of an attribute with what the filter says about it. */
static void examine(const struct ldap_mapping *mapping, const struct ldap_terms *terms,
                    struct span name, struct span value, struct ldap_entry *entry)
{
    for (size_t i = 0; i < mapping->claims.count && entry->claim != CLAIM_HOLDS; i++) {
        const struct ldap_claim *claim = &mapping->claims.items[i];
        if (!same_name(base_name(name), base_name(claim->attribute)))
            continue;
        struct span wanted = terms->id;
        if (!span_equal(claim->value, span_of("{id}"))) {
            bytes_reset(&entry->scratch);
            ldap_filter_value(claim->value, terms, &entry->scratch);
            entry->no_memory |= entry->scratch.failed;
            wanted = bytes_span(&entry->scratch);
        }
        bool same = mapping->guid ? span_equal(value, wanted) : ldap_id_same(value, wanted);
        entry->claim = same ? CLAIM_HOLDS : CLAIM_DIFFERS;
    }
}

bool ldap_entry_read(const struct ldap_mapping *mapping, const struct ldap_terms *terms,
                     struct span content, struct ldap_entry *entry_r)
{
    struct span attributes, name, values, value;
    *entry_r = (struct ldap_entry){.ids = 0};
    if (!ldap_message_entry(content, &entry_r->dn, &attributes))
        return false;
    entry_r->attributes = attributes;
    while (ldap_message_attribute(&attributes, &name, &values)) {
        while (ldap_ber_take_as(&values, BER_STRING, &value)) {
            examine(mapping, terms, name, value, entry_r);
            for (size_t slot = 0; slot < LDAP_SLOTS; slot++) {
                if (!is_source(name, mapping->sources[slot]))
                    continue;
                struct span *taken = &entry_r->values[slot];
                entry_r->ids += slot == LDAP_SLOT_ID;
                if (!taken->length || (!is_plain(*taken) && is_plain(value)))
                    *taken = value;
            }
        }
        if (values.length)
            return false;
    }
    return attributes.length == 0;
}

void ldap_entry_free(struct ldap_entry *entry)
{
    bytes_free(&entry->scratch);
}

/* ---- Telling ---- */

/* The id; of several, that of the entry's own name.  False: it has no such value. */
static bool find_id(struct ldap_entry *entry, const struct ldap_mapping *mapping)
{
    entry->id = entry->values[LDAP_SLOT_ID];
    if (mapping->guid) {
        bool good = ldap_guid_format(entry->id, entry->guid);
        entry->id = (struct span){entry->guid, LDAP_GUID_TEXT};
        return good;
    }
    if (entry->ids > 1) {
        bytes_reset(&entry->scratch);
        if (!ldap_dn_value(entry->dn, mapping->sources[LDAP_SLOT_ID], &entry->scratch))
            return false;
        entry->no_memory |= entry->scratch.failed;
        entry->id = bytes_span(&entry->scratch);
    }
    return entry->id.length > 0;
}

static const char *id_fault(const struct ldap_entry *entry, const struct ldap_mapping *mapping)
{
    if (entry->ids == 0)
        return "has no value of the id attribute that we may read";
    if (mapping->guid)
        return "has an id that is not a GUID: \"id_format\" does not go with the attribute";
    return entry->ids > 1 ? "has several values of the id attribute, none of them in its own name: "
                            "set \"id_attribute\" to one with a single value"
                          : "has an empty value of the id attribute";
}

/* RFC 2079: a labeledURI is a URL, then perhaps a blank and a label. */
static struct span without_label(struct span url)
{
    const char *blank = url.length ? memchr(url.data, ' ', url.length) : NULL;
    return (struct span){url.data, blank ? (size_t)(blank - url.data) : url.length};
}

/* The host, and whether it accepted everything that was set. */
struct teller {
    const struct memberchat_services *services;
    struct memberchat_result *result;
    bool good;
};

static void tell(struct teller *teller, enum memberchat_field field, struct span value)
{
    if (value.length > 0)
        teller->good &= teller->services->set(teller->result, field, value.data, value.length);
}

static bool tell_values(struct span attributes, const char *source, const char *name,
                        const struct memberchat_services *services,
                        struct memberchat_result *result)
{
    struct span found, values, value;
    bool good = true;
    while (good && ldap_message_attribute(&attributes, &found, &values)) {
        if (!is_source(found, source))
            continue;
        while (good && ldap_ber_take_as(&values, BER_STRING, &value))
            good = !value.length ||
                   services->set_attribute(result, name, strlen(name), value.data, value.length);
        good = good && !values.length;
    }
    return good && !attributes.length;
}

bool ldap_entry_tell_attribute(struct span content, const char *source, const char *name,
                               const struct memberchat_services *services,
                               struct memberchat_result *result)
{
    struct span dn, attributes;
    return ldap_message_entry(content, &dn, &attributes) &&
           tell_values(attributes, source, name, services, result);
}

enum memberchat_outcome ldap_entry_tell(struct ldap_entry *entry,
                                        const struct ldap_mapping *mapping,
                                        const struct memberchat_services *services,
                                        struct memberchat_result *result, const char **why_r)
{
    struct teller teller = {services, result, true};
    bool named = false;
    if (!find_id(entry, mapping) && !entry->no_memory) {
        *why_r = id_fault(entry, mapping);
        return MEMBERCHAT_MISCONFIGURED;
    }
    tell(&teller, MEMBERCHAT_ID, entry->id);
    for (size_t slot = LDAP_SLOT_NAME; slot < LDAP_SLOTS && !named; slot++) {
        tell(&teller, MEMBERCHAT_NAME, entry->values[slot]); /* the host warns of a useless one */
        named = is_plain(entry->values[slot]);
    }
    tell(&teller, MEMBERCHAT_AVATAR, without_label(entry->values[LDAP_SLOT_AVATAR]));
    tell(&teller, MEMBERCHAT_ROLE, entry->values[LDAP_SLOT_ROLE]);
    for (size_t i = 0; i < mapping->attribute_count; i++)
        teller.good &= tell_values(entry->attributes, mapping->attributes[i].source,
                                   mapping->attributes[i].name, services, result);
    *why_r = "cannot be read: out of memory";
    return teller.good && !entry->no_memory ? MEMBERCHAT_FOUND : MEMBERCHAT_UNAVAILABLE;
}
