/* SPDX-License-Identifier: MIT */
#include "entry.h"

#include "base/text.h"
#include "dn.h"
#include "id.h"
#include "message.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* memberchat_store.h: what the host takes. */
enum { ID_MAX = 128, NAME_MAX = 256, AVATAR_MAX = 2048, ROLE_MAX = 64, ATTRIBUTE_MAX = 4096 };

/* Where the name comes from unless the configuration says so. */
static const char *const default_names[] = {"displayName", "cn"};

static void want(struct ldap_mapping *mapping, const char *source)
{
    size_t i = 0;
    for (; mapping->wanted[i]; i++)
        if (strcasecmp(mapping->wanted[i], source) == 0)
            return;
    mapping->wanted[i] = source;
}

void ldap_mapping_init(struct ldap_mapping *mapping, const struct ldap_settings *settings)
{
    const struct memberchat_list *names = &settings->name_attribute;
    const struct memberchat_list defaults = {default_names, 2};
    if (names->count == 0)
        names = &defaults;
    *mapping = (struct ldap_mapping){.sources = {[LDAP_SLOT_ID] = settings->id_attribute,
                                                 [LDAP_SLOT_AVATAR] = settings->avatar_attribute,
                                                 [LDAP_SLOT_ROLE] = settings->role_attribute}};
    for (size_t i = 0; i < names->count; i++)
        mapping->sources[LDAP_SLOT_NAME + i] = names->items[i];
    for (size_t i = 0; i < settings->attributes.count; i++) {
        mapping->names[i] = settings->attributes.names[i];
        mapping->sources[LDAP_SLOT_ATTRIBUTE + i] = settings->attributes.values[i];
    }
    for (size_t i = 0; i < LDAP_SLOTS; i++)
        if (mapping->sources[i])
            want(mapping, mapping->sources[i]);
    ldap_filter_claims(settings->filter, &mapping->claims);
    for (size_t i = 0; i < mapping->claims.count; i++) {
        struct span name = mapping->claims.items[i].attribute;
        snprintf(mapping->claimed[i], sizeof mapping->claimed[i], "%.*s", (int)name.length,
                 name.data);
        want(mapping, mapping->claimed[i]);
    }
}

static size_t limit_of(size_t slot)
{
    static const size_t limits[] = {
        [LDAP_SLOT_ID] = ID_MAX, [LDAP_SLOT_AVATAR] = AVATAR_MAX, [LDAP_SLOT_ROLE] = ROLE_MAX};
    if (slot < LDAP_SLOT_NAME)
        return limits[slot];
    return slot < LDAP_SLOT_ATTRIBUTE ? NAME_MAX : ATTRIBUTE_MAX;
}

/* Fills one slot, unless it has a value. */
static void offer(const struct ldap_mapping *mapping, struct ldap_entry *entry, size_t slot,
                  struct span value)
{
    const char *why = NULL;
    if (value.length > limit_of(slot))
        why = "is too long";
    else if (!text_is_plain(value))
        why = "is not text in UTF-8 without control characters";
    else if (entry->values[slot].length == 0)
        entry->values[slot] = value;
    if (why && !entry->why) {
        entry->unusable = mapping->sources[slot];
        entry->why = why;
    }
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

/* Holds one value of an attribute against what the filter says about it. */
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
        entry->claim = ldap_id_same(value, wanted) ? CLAIM_HOLDS : CLAIM_DIFFERS;
    }
}

bool ldap_entry_read(const struct ldap_mapping *mapping, const struct ldap_terms *terms,
                     struct span content, struct ldap_entry *entry_r)
{
    struct span attributes, name, values, value;
    *entry_r = (struct ldap_entry){.ids = 0};
    if (!ldap_message_entry(content, &entry_r->dn, &attributes))
        return false;
    while (ldap_message_attribute(&attributes, &name, &values)) {
        while (ldap_ber_take_as(&values, BER_STRING, &value)) {
            examine(mapping, terms, name, value, entry_r);
            for (size_t slot = 0; slot < LDAP_SLOTS; slot++)
                if (mapping->sources[slot] && span_equal_nocase(name, mapping->sources[slot])) {
                    entry_r->ids += slot == LDAP_SLOT_ID;
                    offer(mapping, entry_r, slot, value);
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

/* The host, and whether it took all that was set. */
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

/* The id; of several, that of the entry's own name.  False: it has no such value. */
static bool find_id(struct ldap_entry *entry, const struct ldap_mapping *mapping, struct span *id_r)
{
    *id_r = entry->values[LDAP_SLOT_ID];
    if (entry->ids > 1) {
        bytes_reset(&entry->scratch);
        if (!ldap_dn_value(entry->dn, mapping->sources[LDAP_SLOT_ID], &entry->scratch))
            return false;
        entry->no_memory |= entry->scratch.failed;
        *id_r = bytes_span(&entry->scratch);
    }
    return id_r->length > 0 && id_r->length <= ID_MAX && text_is_plain(*id_r);
}

enum memberchat_outcome ldap_entry_tell(struct ldap_entry *entry,
                                        const struct ldap_mapping *mapping,
                                        const struct memberchat_services *services,
                                        struct memberchat_result *result, const char **why_r)
{
    const struct span *values = entry->values;
    struct teller teller = {services, result, true};
    size_t name = LDAP_SLOT_NAME;
    struct span id;
    bool found = find_id(entry, mapping, &id);
    if (entry->no_memory) {
        *why_r = "cannot be read: out of memory";
        return MEMBERCHAT_UNAVAILABLE;
    }
    if (!found) {
        *why_r = entry->ids == 0  ? "has no value of the id attribute that we may read"
                 : entry->ids > 1 ? "has several values of the id attribute, none of them in its "
                                    "own name: set \"id_attribute\" to one with a single value"
                                  : "has no usable value of the id attribute";
        return MEMBERCHAT_MISCONFIGURED;
    }
    tell(&teller, MEMBERCHAT_ID, id);
    while (name + 1 < LDAP_SLOT_ATTRIBUTE && values[name].length == 0)
        name++;
    tell(&teller, MEMBERCHAT_NAME, values[name]);
    tell(&teller, MEMBERCHAT_AVATAR, values[LDAP_SLOT_AVATAR]);
    tell(&teller, MEMBERCHAT_ROLE, values[LDAP_SLOT_ROLE]);
    for (size_t i = 0; i < LDAP_ATTRIBUTES_MAX; i++) {
        struct span value = values[LDAP_SLOT_ATTRIBUTE + i];
        if (value.length > 0)
            teller.good &= services->set_attribute(
                result, mapping->names[i], strlen(mapping->names[i]), value.data, value.length);
    }
    *why_r = "has a value that memberchat refuses";
    return teller.good ? MEMBERCHAT_FOUND : MEMBERCHAT_MISCONFIGURED;
}
