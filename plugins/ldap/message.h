/* SPDX-License-Identifier: MIT
 * LDAP messages as bytes: requests written, answers taken apart (RFC 4511, section 4).
 * We do it ourselves because libldap may leave out a part of a filter when memory runs
 * out, and still send the request.  Pure. */
#ifndef MEMBERCHAT_LDAP_MESSAGE_H
#define MEMBERCHAT_LDAP_MESSAGE_H

#include "ber.h"
#include "filter.h"

/* What a message is: the tag of its protocolOp. */
enum {
    MESSAGE_BIND_DONE = 0x61,
    MESSAGE_ENTRY = 0x64,
    MESSAGE_SEARCH_DONE = 0x65,
    MESSAGE_REFERENCE = 0x73,
    MESSAGE_EXTENDED_DONE = 0x78
};

struct ldap_query {
    const char *base;
    int64_t scope;                      /* RFC 4511, section 4.5.1.2 */
    const char *filter, *active_filter; /* the latter may be NULL */
    struct ldap_terms terms;
    const char *const *attributes; /* NULL ends it */
    int64_t timeout;               /* milliseconds, also for the server */
    int64_t most;                  /* entries */
    bool referrals;                /* whether to report where else to search */
    bool survey; /* without values; entries that came before a limit was reached count */
};

/* Requests.  Whether memory was enough is in out->failed. */
void ldap_message_bind(struct bytes *out, int32_t id, const char *dn, const struct span *password);
void ldap_message_unbind(struct bytes *out, int32_t id);
void ldap_message_starttls(struct bytes *out, int32_t id);
void ldap_message_search(struct bytes *out, int32_t id, const struct ldap_query *query);

/* An answer, from the content of its LDAPMessage. */
struct ldap_message {
    int32_t id;
    int kind;
    struct span content;
};
bool ldap_message_read(struct span bytes, struct ldap_message *message_r);

/* The LDAPResult that ends each answer. */
struct ldap_result {
    int32_t code;
    struct span words; /* the server's own */
    struct span urls;  /* of a referral, for ldap_ber_take_as(BER_STRING) */
};
bool ldap_message_result(struct span content, struct ldap_result *result_r);

/* An entry: its name, and its attributes, one by one with their values.  False: there are no more,
 * or *attributes begins with a damaged one. */
bool ldap_message_entry(struct span content, struct span *dn_r, struct span *attributes_r);
bool ldap_message_attribute(struct span *attributes, struct span *name_r, struct span *values_r);

#endif
