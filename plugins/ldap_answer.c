/* SPDX-License-Identifier: MIT
 *
 * ldap_answer.c: see ldap_answer.h.
 */
#include "ldap_answer.h"

#include <lber.h>
#include <ldap.h>
#include <stdio.h>

static struct ldap_text text_of(const struct berval *value)
{
    return (struct ldap_text){value->bv_val, value->bv_len};
}

/* The values of an entry where they lie in the message. */
static bool read_values(LDAP *handle, LDAPMessage *entry, BerElement *ber,
                        const struct ldap_reader *reader)
{
    struct berval attribute, *values, *value;
    int code;

    while ((code = ldap_get_attribute_ber(handle, entry, ber, &attribute, &values)) ==
               LDAP_SUCCESS &&
           attribute.bv_val != NULL) {
        for (value = values; value != NULL && value->bv_val != NULL; value++)
            reader->value(reader->context, text_of(&attribute), text_of(value));
        ber_memfree(values);
    }
    return code == LDAP_SUCCESS;
}

/* The attributes and values of the first part of the entry's name (RFC 4514). */
static LDAPDN read_name(struct berval *dn, const struct ldap_reader *reader)
{
    LDAPDN parts = NULL;
    LDAPAVA **pair;

    if (ldap_bv2dn(dn, &parts, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS || parts == NULL)
        return NULL;
    for (pair = parts[0]; pair != NULL && *pair != NULL; pair++)
        reader->name(reader->context, text_of(&(*pair)->la_attr), text_of(&(*pair)->la_value));
    return parts;
}

static bool read_entry(LDAP *handle, LDAPMessage *entry, const struct ldap_reader *reader)
{
    BerElement *ber = NULL;
    LDAPDN name = NULL;
    struct berval dn;
    bool good;

    if (ldap_get_dn_ber(handle, entry, &ber, &dn) != LDAP_SUCCESS)
        return false;
    good = read_values(handle, entry, ber, reader);
    if (good && reader->wants_name(reader->context))
        name = read_name(&dn, reader);
    if (good)
        reader->done(reader->context);
    ldap_dnfree(name);
    ber_free(ber, 0);
    return good;
}

bool ldap_answer_entries(struct ldap *handle, struct ldapmsg *answer,
                         const struct ldap_reader *reader, struct ldap_found *found)
{
    LDAPMessage *first = ldap_first_entry(handle, answer), *entry;

    for (entry = first; entry != NULL; entry = ldap_next_entry(handle, entry)) {
        struct berval dn = {0, NULL};
        BerElement *ber = NULL;

        if (found->entries < 2 && ldap_get_dn_ber(handle, entry, &ber, &dn) == LDAP_SUCCESS)
            snprintf(found->dn[found->entries], sizeof found->dn[0], "%.*s", (int)dn.bv_len,
                     dn.bv_val);
        ber_free(ber, 0);
        found->entries++;
    }
    return first == NULL || found->entries > 1 || read_entry(handle, first, reader);
}

/* Of several URLs, all lead to the same: the first counts. */
static void add_referral(struct ldap_found *found, char **urls)
{
    struct ldap_referrals *referrals = &found->referrals;

    if (urls != NULL && urls[0] != NULL) {
        if (referrals->count < LDAP_REFERRALS_MAX)
            snprintf(referrals->urls[referrals->count], sizeof referrals->urls[0], "%s", urls[0]);
        referrals->count++;
    }
    ber_memvfree((void **)urls);
}

void ldap_answer_referrals(struct ldap *handle, struct ldapmsg *answer, struct ldap_found *found)
{
    LDAPMessage *reference = ldap_first_reference(handle, answer);
    char **urls = NULL;

    for (; reference != NULL; reference = ldap_next_reference(handle, reference))
        if (ldap_parse_reference(handle, reference, &urls, NULL, 0) == LDAP_SUCCESS)
            add_referral(found, urls);
    urls = NULL;
    if (ldap_parse_result(handle, answer, NULL, NULL, NULL, &urls, NULL, 0) == LDAP_SUCCESS)
        add_referral(found, urls);
}
