/* SPDX-License-Identifier: MIT
 * What the parts of the LDAP store say to each other. */
#ifndef MEMBERCHAT_LDAP_COMMON_H
#define MEMBERCHAT_LDAP_COMMON_H

#include "base/bytes.h"
#include "base/reason.h"
#include "base/resolve.h"
#include "memberchat_store.h"

enum {
    LDAP_NAMES_MAX = 8,
    LDAP_ATTRIBUTE_MAX = 64, /* bytes of the name of an attribute */
    LDAP_SERVERS_MAX = 8,
    LDAP_REFERRAL_HOSTS_MAX = 64,
    LDAP_PASSWORD_MAX = 1024
};

/* The attribute that holds the groups the search for groups found. */
#define LDAP_GROUPS "groups"

enum ldap_id_format { LDAP_ID_TEXT, LDAP_ID_GUID };

/* As the configuration says it; memberchat-store-ldap(5). */
struct ldap_settings {
    struct memberchat_list uri, name_attribute, referral_hosts;
    struct memberchat_map attributes;
    const char *base, *filter, *active_filter;
    const char *id_attribute, *avatar_attribute, *role_attribute;
    const char *group_base, *group_filter, *group_attribute;
    const char *bind_dn, *bind_password, *bind_password_file;
    const char *ca_file, *cert_file, *key_file;
    int64_t id_format; /* enum ldap_id_format */
    int64_t scope;     /* RFC 4511, section 4.5.1.2: 0 base, 1 one, 2 sub */
    int64_t connect_timeout, timeout, idle_timeout, connections;
    bool sasl_external, starttls, tls_verify, allow_cleartext, referrals;
};

/* How a step ended, and with it what becomes of the connection and of the look-up. */
enum ldap_verdict {
    VERDICT_GOOD,      /* it did what it should */
    VERDICT_LOST,      /* the connection cannot be used again; unavailable, ask another server */
    VERDICT_LATE,      /* no answer in time: like LOST, but one may still come */
    VERDICT_BUSY,      /* "not now", or no memory: unavailable, the connection is good */
    VERDICT_WRONG,     /* someone must mend something; the connection is good, if there is one */
    VERDICT_UNTRUSTED, /* TLS is required and does not work: misconfigured, ask another server */
    VERDICT_REFUSED    /* the server refuses our credentials: misconfigured, close the connection */
};

struct ldap_fault {
    enum ldap_verdict verdict;
    struct reason why; /* in words, unless the verdict is GOOD */
};

#define ldap_fault_set(FAULT, VERDICT, ...)                                                        \
    ((FAULT)->verdict = (VERDICT), reason_set(&(FAULT)->why, __VA_ARGS__))

/* Turns the outcome of a DNS query into a verdict.  False: with a fault. */
bool ldap_fault_resolved(struct ldap_fault *fault, enum resolved resolved);

enum memberchat_outcome ldap_fault_outcome(const struct ldap_fault *fault);

#endif
