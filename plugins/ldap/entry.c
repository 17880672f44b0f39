/* SPDX-License-Identifier: MIT
 *
 * ldap_entry.c: see ldap_entry.h.
 */
#include "entry.h"

#include "base/text.h" /* pure, and linked into the plugin */

#include <string.h>
#include <strings.h>

/* memberchat_store.h: what the host takes. */
enum { ID_MAX = 128, NAME_MAX = 256, AVATAR_MAX = 2048, ROLE_MAX = 64, ATTRIBUTE_MAX = 4096 };

/* Where the name comes from unless the configuration says so. */
static const char *const default_names[] = {"displayName", "cn"};

static void want(struct ldap_mapping *mapping, const char *source)
{
    size_t i;

    for (i = 0; mapping->wanted[i] != NULL; i++)
        if (strcasecmp(mapping->wanted[i], source) == 0)
            return;
    mapping->wanted[i] = source;
}

void ldap_mapping_init(struct ldap_mapping *mapping, const struct ldap_settings *settings)
{
    const struct memberchat_list *names = &settings->name_attribute;
    const struct memberchat_list defaults = {default_names, 2};
    size_t i;

    if (names->count == 0)
        names = &defaults;
    *mapping = (struct ldap_mapping){.sources = {[LDAP_SLOT_ID] = settings->id_attribute,
                                                 [LDAP_SLOT_AVATAR] = settings->avatar_attribute,
                                                 [LDAP_SLOT_ROLE] = settings->role_attribute}};
    for (i = 0; i < names->count; i++)
        mapping->sources[LDAP_SLOT_NAME + i] = names->items[i];
    for (i = 0; i < settings->attributes.count; i++) {
        mapping->names[i] = settings->attributes.names[i];
        mapping->sources[LDAP_SLOT_ATTRIBUTE + i] = settings->attributes.values[i];
    }
    for (i = 0; i < LDAP_SLOTS; i++)
        if (mapping->sources[i] != NULL)
            want(mapping, mapping->sources[i]);
}

static size_t limit_of(size_t slot)
{
    static const size_t limits[] = {
        [LDAP_SLOT_ID] = ID_MAX, [LDAP_SLOT_AVATAR] = AVATAR_MAX, [LDAP_SLOT_ROLE] = ROLE_MAX};

    if (slot < LDAP_SLOT_NAME)
        return limits[slot];
    return slot < LDAP_SLOT_ATTRIBUTE ? NAME_MAX : ATTRIBUTE_MAX;
}

/* UTF-8 without control characters. */
static bool is_plain(struct ldap_text text)
{
    return text_is_plain((struct span){text.bytes, text.length});
}

static bool is_name(struct ldap_text text, const char *name)
{
    return name != NULL && strlen(name) == text.length &&
           strncasecmp(text.bytes, name, text.length) == 0;
}

/* Fills one slot, unless it has a value. */
static void offer(struct ldap_entry *entry, size_t slot, struct ldap_text value)
{
    const char *why = NULL;

    if (value.length > limit_of(slot))
        why = "is too long";
    else if (!is_plain(value))
        why = "is not text in UTF-8 without control characters";
    else if (entry->values[slot].length == 0)
        entry->values[slot] = value;
    if (why != NULL && entry->why == NULL) {
        entry->unusable = entry->mapping->sources[slot];
        entry->why = why;
    }
}

void ldap_entry_add(struct ldap_entry *entry, struct ldap_text attribute, struct ldap_text value)
{
    size_t slot;

    for (slot = 0; slot < LDAP_SLOTS; slot++)
        if (is_name(attribute, entry->mapping->sources[slot])) {
            entry->ids += slot == LDAP_SLOT_ID;
            offer(entry, slot, value);
        }
}

void ldap_entry_name(struct ldap_entry *entry, struct ldap_text attribute, struct ldap_text value)
{
    if (is_name(attribute, entry->mapping->sources[LDAP_SLOT_ID]))
        entry->named = value;
}

/* The host, and whether it took all that was set. */
struct teller {
    const struct memberchat_services *services;
    struct memberchat_result *result;
    bool good;
};

static void tell(struct teller *teller, enum memberchat_field field, struct ldap_text value)
{
    if (value.length > 0)
        teller->good &= teller->services->set(teller->result, field, value.bytes, value.length);
}

const char *ldap_entry_tell(const struct ldap_entry *entry,
                            const struct memberchat_services *services,
                            struct memberchat_result *result)
{
    const struct ldap_text *values = entry->values;
    struct teller teller = {services, result, true};
    struct ldap_text id = entry->ids > 1 ? entry->named : values[LDAP_SLOT_ID];
    size_t i, name = LDAP_SLOT_NAME;

    if (entry->ids > 1 && (id.length == 0 || id.length > ID_MAX || !is_plain(id)))
        return "has several values of the id attribute, none of them in its own name";
    if (id.length == 0)
        return entry->ids == 0 ? "has no value of the id attribute that we may read"
                               : "has no usable value of the id attribute";
    tell(&teller, MEMBERCHAT_ID, id);
    while (name + 1 < LDAP_SLOT_ATTRIBUTE && values[name].length == 0)
        name++;
    tell(&teller, MEMBERCHAT_NAME, values[name]);
    tell(&teller, MEMBERCHAT_AVATAR, values[LDAP_SLOT_AVATAR]);
    tell(&teller, MEMBERCHAT_ROLE, values[LDAP_SLOT_ROLE]);
    for (i = 0; i < LDAP_ATTRIBUTES_MAX; i++) {
        struct ldap_text value = values[LDAP_SLOT_ATTRIBUTE + i];

        if (value.length > 0)
            teller.good &= services->set_attribute(result, entry->mapping->names[i],
                                                   strlen(entry->mapping->names[i]), value.bytes,
                                                   value.length);
    }
    return teller.good ? NULL : "has a value that memberchat refuses";
}
