/* SPDX-License-Identifier: MIT
 *
 * ldap_entry.h: from the attributes of an entry to a member.  Pure.
 */
#ifndef MEMBERCHAT_LDAP_ENTRY_H
#define MEMBERCHAT_LDAP_ENTRY_H

#include "common.h"

enum {
    LDAP_SLOT_ID,
    LDAP_SLOT_AVATAR,
    LDAP_SLOT_ROLE,
    LDAP_SLOT_NAME, /* the first of several */
    LDAP_SLOT_ATTRIBUTE = LDAP_SLOT_NAME + LDAP_NAMES_MAX,
    LDAP_SLOTS = LDAP_SLOT_ATTRIBUTE + LDAP_ATTRIBUTES_MAX
};

/* Which attributes of the directory go where; made once from the settings. */
struct ldap_mapping {
    const char *sources[LDAP_SLOTS];        /* NULL: nothing goes there */
    const char *names[LDAP_ATTRIBUTES_MAX]; /* what memberchat calls the further attributes */
    const char *wanted[LDAP_SLOTS + 1];     /* each source once; NULL ends it */
};

void ldap_mapping_init(struct ldap_mapping *mapping, const struct ldap_settings *settings);

/* What was read of one entry; zero in the beginning, but for the mapping. */
struct ldap_entry {
    const struct ldap_mapping *mapping;
    struct ldap_text values[LDAP_SLOTS]; /* the first usable one of each */
    size_t ids;                          /* how many values the id has */
    struct ldap_text named;              /* the id as it stands in the entry's own name */
    const char *unusable;                /* an attribute whose value was left out ... */
    const char *why;                     /* ... for this; NULL: none */
};

/* Takes a value.  One that is too long or not plain text is left out. */
void ldap_entry_add(struct ldap_entry *entry, struct ldap_text attribute, struct ldap_text value);

/* Takes a value from the entry's name. */
void ldap_entry_name(struct ldap_entry *entry, struct ldap_text attribute, struct ldap_text value);

/* Describes the member to the host.  NULL, or what is wrong with the entry. */
const char *ldap_entry_tell(const struct ldap_entry *entry,
                            const struct memberchat_services *services,
                            struct memberchat_result *result);

#endif
