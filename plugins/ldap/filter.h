/* SPDX-License-Identifier: MIT
 * Search filters: templates as RFC 4515 writes filters, with {id} and {dn} for values,
 * written as RFC 4511 sends them.  A value from outside goes into the bytes as it is, so
 * it can never be more than a value.  Pure. */
#ifndef MEMBERCHAT_LDAP_FILTER_H
#define MEMBERCHAT_LDAP_FILTER_H

#include "base/bytes.h"

enum {
    LDAP_FILTER_MAX = 4096, /* bytes of a template */
    LDAP_CLAIMS_MAX = 8,
    LDAP_FILTER_AND = 0xa0 /* the tag of an "and" */
};

/* What stands in the places of a template. */
struct ldap_terms {
    struct span id, dn;
    bool anybody; /* any value may stand where {id} is */
};

/* The places that a template may have; it must have at least one of them. */
enum ldap_places { LDAP_PLACE_NONE, LDAP_PLACE_ID = 1, LDAP_PLACE_ANY = 3 };

/* Whether a text is one filter that has the right places, all of them where a value stands.
 * False: *why_r says what is wrong. */
bool ldap_filter_check(const char *text, enum ldap_places places, const char **why_r);

/* Appends the filter of a template that was checked. */
void ldap_filter_write(const char *text, const struct ldap_terms *terms, struct bytes *out);

/* What a filter says about the entries that it finds: one of these attributes has the
 * value, a part of the template with {id} in it.  None: it allows no such conclusion,
 * as with a pattern. */
struct ldap_claim {
    struct span attribute, value;
};
struct ldap_claims {
    size_t count;
    struct ldap_claim items[LDAP_CLAIMS_MAX];
};
void ldap_filter_claims(const char *text, struct ldap_claims *claims_r);

/* Appends such a value with the terms in their places. */
void ldap_filter_value(struct span value, const struct ldap_terms *terms, struct bytes *out);

#endif
