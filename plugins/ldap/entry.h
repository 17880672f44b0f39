/* SPDX-License-Identifier: MIT
 * From the attributes of an entry to a member.  Pure. */
#ifndef MEMBERCHAT_LDAP_ENTRY_H
#define MEMBERCHAT_LDAP_ENTRY_H

#include "common.h"
#include "filter.h"

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
    struct ldap_claims claims;              /* of the filter */
    char claimed[LDAP_CLAIMS_MAX][65];      /* their attributes */
    const char *wanted[LDAP_SLOTS + LDAP_CLAIMS_MAX + 1]; /* each source once; NULL ends it */
};

void ldap_mapping_init(struct ldap_mapping *mapping, const struct ldap_settings *settings);

/* Whether the entry has the id that the filter asked for. */
enum ldap_claim_verdict {
    CLAIM_UNSEEN, /* it does not show the attributes of the filter */
    CLAIM_DIFFERS,
    CLAIM_HOLDS
};

/* What was read of one entry.  The spans point into its bytes. */
struct ldap_entry {
    struct span dn;
    struct span values[LDAP_SLOTS]; /* the first usable one of each */
    size_t ids;                     /* how many values the id has */
    enum ldap_claim_verdict claim;
    struct bytes scratch;
    bool no_memory;       /* it could not be looked at as it should */
    const char *unusable; /* an attribute whose value was left out ... */
    const char *why;      /* ... for this; NULL: none */
};

/* False: the bytes are damaged.  Values that are too long or not plain text are left out. */
bool ldap_entry_read(const struct ldap_mapping *mapping, const struct ldap_terms *terms,
                     struct span content, struct ldap_entry *entry_r);
void ldap_entry_free(struct ldap_entry *entry);

/* Describes the member to the host: FOUND, or what is wrong with the entry. */
enum memberchat_outcome ldap_entry_tell(struct ldap_entry *entry,
                                        const struct ldap_mapping *mapping,
                                        const struct memberchat_services *services,
                                        struct memberchat_result *result, const char **why_r);

#endif
