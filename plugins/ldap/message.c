/* SPDX-License-Identifier: MIT */
#include "message.h"

#define STARTTLS "1.3.6.1.4.1.1466.20037" /* RFC 4511, section 4.14.1 */

enum {
    REQUEST_BIND = 0x60,
    REQUEST_UNBIND = 0x42,
    REQUEST_SEARCH = 0x63,
    REQUEST_EXTENDED = 0x77,
    DEREF_NEVER = 0
};

static size_t begin(struct bytes *out, int32_t id)
{
    bytes_reset(out);
    size_t start = ldap_ber_begin(out, BER_SEQUENCE);
    ldap_ber_add_number(out, BER_INTEGER, id);
    return start;
}

void ldap_message_bind(struct bytes *out, int32_t id, const char *dn, const struct span *password)
{
    size_t whole = begin(out, id), bind = ldap_ber_begin(out, REQUEST_BIND);
    ldap_ber_add_number(out, BER_INTEGER, 3);
    ldap_ber_add(out, BER_STRING, span_of(dn ? dn : ""));
    if (password) {
        ldap_ber_add(out, BER_CONTEXT + 0, *password);
    } else {
        size_t sasl = ldap_ber_begin(out, BER_CONTEXT + BER_CONSTRUCTED + 3);
        ldap_ber_add(out, BER_STRING, span_of("EXTERNAL"));
        ldap_ber_add(out, BER_STRING, span_of("")); /* the server decides who we are */
        ldap_ber_end(out, sasl);
    }
    ldap_ber_end(out, bind);
    ldap_ber_end(out, whole);
}

void ldap_message_unbind(struct bytes *out, int32_t id)
{
    size_t whole = begin(out, id);
    ldap_ber_add(out, REQUEST_UNBIND, SPAN_NONE);
    ldap_ber_end(out, whole);
}

void ldap_message_starttls(struct bytes *out, int32_t id)
{
    size_t whole = begin(out, id), extended = ldap_ber_begin(out, REQUEST_EXTENDED);
    ldap_ber_add(out, BER_CONTEXT + 0, span_of(STARTTLS));
    ldap_ber_end(out, extended);
    ldap_ber_end(out, whole);
}

static void add_filter(struct bytes *out, const struct ldap_query *query)
{
    size_t both = 0;
    if (query->active_filter)
        both = ldap_ber_begin(out, LDAP_FILTER_AND);
    ldap_filter_write(query->filter, &query->terms, out);
    if (query->active_filter) {
        ldap_filter_write(query->active_filter, &query->terms, out);
        ldap_ber_end(out, both);
    }
}

void ldap_message_search(struct bytes *out, int32_t id, const struct ldap_query *query)
{
    const char types_only = query->survey ? '\xff' : '\0';
    size_t whole = begin(out, id), search = ldap_ber_begin(out, REQUEST_SEARCH);
    ldap_ber_add(out, BER_STRING, span_of(query->base));
    ldap_ber_add_number(out, BER_ENUMERATED, query->scope);
    ldap_ber_add_number(out, BER_ENUMERATED, DEREF_NEVER);
    ldap_ber_add_number(out, BER_INTEGER, query->most);
    ldap_ber_add_number(out, BER_INTEGER, (query->timeout + 999) / 1000);
    ldap_ber_add(out, BER_BOOLEAN, (struct span){&types_only, 1});
    add_filter(out, query);
    size_t attributes = ldap_ber_begin(out, BER_SEQUENCE);
    for (const char *const *name = query->attributes; *name; name++)
        ldap_ber_add(out, BER_STRING, span_of(*name));
    ldap_ber_end(out, attributes);
    ldap_ber_end(out, search);
    ldap_ber_end(out, whole);
}

bool ldap_message_read(struct span bytes, struct ldap_message *message_r)
{
    return ldap_ber_take_number(&bytes, BER_INTEGER, &message_r->id) &&
           ldap_ber_take(&bytes, &message_r->kind, &message_r->content);
}

bool ldap_message_result(struct span content, struct ldap_result *result_r)
{
    struct span matched;
    if (!ldap_ber_take_number(&content, BER_ENUMERATED, &result_r->code) ||
        !ldap_ber_take_as(&content, BER_STRING, &matched) ||
        !ldap_ber_take_as(&content, BER_STRING, &result_r->words))
        return false;
    result_r->urls = SPAN_NONE;
    ldap_ber_take_as(&content, BER_CONTEXT + BER_CONSTRUCTED + 3, &result_r->urls);
    return true;
}

bool ldap_message_entry(struct span content, struct span *dn_r, struct span *attributes_r)
{
    return ldap_ber_take_as(&content, BER_STRING, dn_r) &&
           ldap_ber_take_as(&content, BER_SEQUENCE, attributes_r);
}

bool ldap_message_attribute(struct span *attributes, struct span *name_r, struct span *values_r)
{
    struct span rest = *attributes, attribute;
    bool good = ldap_ber_take_as(&rest, BER_SEQUENCE, &attribute) &&
                ldap_ber_take_as(&attribute, BER_STRING, name_r) &&
                ldap_ber_take_as(&attribute, BER_SET, values_r);
    if (good)
        *attributes = rest;
    return good;
}
