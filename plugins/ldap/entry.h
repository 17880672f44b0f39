/* SPDX-License-Identifier: MIT
 * From the attributes of an entry to a member.  Pure. */
#ifndef MEMBERCHAT_LDAP_ENTRY_H
#define MEMBERCHAT_LDAP_ENTRY_H

#include "common.h"
#include "filter.h"
#include "id.h"

enum {
    LDAP_SLOT_ID,
    LDAP_SLOT_AVATAR,
    LDAP_SLOT_ROLE,
    LDAP_SLOT_NAME, /* the first of several */
    LDAP_SLOTS = LDAP_SLOT_NAME + LDAP_NAMES_MAX
};

/* Which attributes of the directory go where; made once from the settings and from what
 * templates name.  Nothing is copied but the attributes of the filter. */
struct ldap_mapping {
    const char *sources[LDAP_SLOTS]; /* NULL: nothing goes there */
    size_t attribute_count;
    struct {
        const char *name, *source; /* as memberchat and the directory call it */
    } attributes[MEMBERCHAT_ATTRIBUTES_MAX];
    struct ldap_claims claims;         /* of the filter */
    char claimed[LDAP_CLAIMS_MAX][65]; /* their attributes */
    bool guid;                         /* the id is one */
    const char *wanted[LDAP_SLOTS + MEMBERCHAT_ATTRIBUTES_MAX + LDAP_CLAIMS_MAX + 1];
};

/* Fills all of it; `wanted` ends with NULL.  False: with a reason. */
bool ldap_mapping_init(struct ldap_mapping *mapping, const struct ldap_settings *settings,
                       const struct memberchat_services *services, struct reason *why);

/* Whether a text could be the name of an attribute. */
bool ldap_entry_is_attribute(const char *text);

/* Whether the entry has the id that the filter asked for. */
enum ldap_claim_verdict {
    CLAIM_UNSEEN, /* it does not show the attributes of the filter */
    CLAIM_DIFFERS,
    CLAIM_HOLDS
};

/* What was read of one entry.  The spans point into its bytes. */
struct ldap_entry {
    struct span dn, attributes;
    struct span values[LDAP_SLOTS]; /* the first of each that is plain text, or the first */
    size_t ids;                     /* how many values the id has */
    enum ldap_claim_verdict claim;
    struct span id; /* as it was told to the host */
    char guid[LDAP_GUID_TEXT];
    struct bytes scratch;
    bool no_memory; /* memory ran out while it was read */
};

/* False: the bytes are damaged. */
bool ldap_entry_read(const struct ldap_mapping *mapping, const struct ldap_terms *terms,
                     struct span content, struct ldap_entry *entry_r);
void ldap_entry_free(struct ldap_entry *entry);

/* Describes the member to the host: FOUND, or what is wrong with the entry. */
enum memberchat_outcome ldap_entry_tell(struct ldap_entry *entry,
                                        const struct ldap_mapping *mapping,
                                        const struct memberchat_services *services,
                                        struct memberchat_result *result, const char **why_r);

/* Tells the host all values of an attribute of an entry, by another name.  False: no
 * memory, or the bytes are damaged. */
bool ldap_entry_tell_attribute(struct span content, const char *source, const char *name,
                               const struct memberchat_services *services,
                               struct memberchat_result *result);

#endif
