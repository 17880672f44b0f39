/* SPDX-License-Identifier: MIT */
#include "keys.h"

#include "filter.h"

#define KEY(NAME, MEMBER, TYPE, DEFAULT, MOST, HELP)                                               \
    {                                                                                              \
        .name = NAME, .type = TYPE, .fallback = DEFAULT, .help = HELP, .max = MOST,                \
        .min = MOST != 0, .offset = offsetof(struct ldap_settings, MEMBER)                         \
    }
#define TEXT(NAME, MEMBER, DEFAULT, MOST, HELP)                                                    \
    KEY(NAME, MEMBER, MEMBERCHAT_STRING, DEFAULT, MOST, HELP)
#define LIST(NAME, MEMBER, MOST, HELP)    KEY(NAME, MEMBER, MEMBERCHAT_LIST, NULL, MOST, HELP)
#define FLAG(NAME, MEMBER, DEFAULT, HELP) KEY(NAME, MEMBER, MEMBERCHAT_BOOL, DEFAULT, 0, HELP)
#define FILE_PATH(NAME, MEMBER, HELP)     KEY(NAME, MEMBER, MEMBERCHAT_PATH, NULL, 0, HELP)
#define DURATION(NAME, MEMBER, DEFAULT, MOST, HELP)                                                \
    KEY(NAME, MEMBER, MEMBERCHAT_DURATION, DEFAULT, MOST, HELP)

const struct memberchat_key ldap_keys[LDAP_KEY_COUNT] = {
    {.name = "uri",
     .help = "the servers, tried in this order: ldap://, ldaps:// or ldapi://; or srv:DOMAIN",
     .type = MEMBERCHAT_LIST,
     .flags = MEMBERCHAT_KEY_REQUIRED,
     .min = 1,
     .max = LDAP_SERVERS_MAX,
     .offset = offsetof(struct ldap_settings, uri)},
    {.name = "base",
     .help = "the DN of the entry below which members are searched",
     .type = MEMBERCHAT_STRING,
     .flags = MEMBERCHAT_KEY_REQUIRED,
     .offset = offsetof(struct ldap_settings, base)},
    {.name = "scope",
     .fallback = "sub",
     .choices = "base one sub",
     .help = "how deep: the base itself, the entries right below, or everything",
     .type = MEMBERCHAT_CHOICE,
     .offset = offsetof(struct ldap_settings, scope)},
    TEXT("filter", filter, "(&(objectClass=inetOrgPerson)(uid={id}))", LDAP_FILTER_MAX,
         "the search filter, with {id} for the member's id"),
    TEXT("active_filter", active_filter, NULL, LDAP_FILTER_MAX,
         "a filter that matches active members only"),
    TEXT("id_attribute", id_attribute, "uid", LDAP_ATTRIBUTE_MAX,
         "the attribute whose value becomes the userId"),
    {.name = "id_format",
     .fallback = "text",
     .choices = "text guid",
     .help = "guid: the id is 16 bytes in the directory, and written as Microsoft does",
     .type = MEMBERCHAT_CHOICE,
     .offset = offsetof(struct ldap_settings, id_format)},
    LIST("name_attribute", name_attribute, LDAP_NAMES_MAX,
         "the attributes with the shown name, the first that has one counts"),
    TEXT("avatar_attribute", avatar_attribute, NULL, LDAP_ATTRIBUTE_MAX,
         "the attribute with the URL of a picture"),
    TEXT("role_attribute", role_attribute, NULL, LDAP_ATTRIBUTE_MAX, "the attribute with the role"),
    KEY("attributes", attributes, MEMBERCHAT_MAP, NULL, MEMBERCHAT_ATTRIBUTES_MAX,
        "further attributes, for claims: their name there = \"attribute\""),
    TEXT("group_base", group_base, NULL, 1024,
         "the DN below which the member's groups are searched"),
    TEXT("group_filter", group_filter, "(member={dn})", LDAP_FILTER_MAX,
         "the filter for groups, with {dn} for the member's entry and {id} for the userId"),
    TEXT("group_attribute", group_attribute, "cn", LDAP_ATTRIBUTE_MAX,
         "the attribute of a group that becomes a value of the member's \"groups\""),
    TEXT("bind_dn", bind_dn, NULL, 1024, "the DN of the account to search with"),
    FILE_PATH("bind_password_file", bind_password_file, "the file with that account's password"),
    {.name = "bind_password",
     .help = "the password itself",
     .type = MEMBERCHAT_STRING,
     .flags = MEMBERCHAT_KEY_SECRET,
     .min = 1,
     .max = LDAP_PASSWORD_MAX,
     .offset = offsetof(struct ldap_settings, bind_password)},
    FLAG("sasl_external", sasl_external, "false",
         "be the account that the operating system (ldapi) or the client certificate names"),
    FLAG("starttls", starttls, "false", "begin TLS on ldap:// connections"),
    FILE_PATH("ca_file", ca_file, "the certificates of authorities that are trusted, in PEM"),
    FILE_PATH("cert_file", cert_file, "our own certificate, in PEM"),
    FILE_PATH("key_file", key_file, "the key of that certificate, in PEM"),
    FLAG("tls_verify", tls_verify, "true", "whether the server's certificate must be good"),
    FLAG("allow_cleartext", allow_cleartext, "false",
         "whether passwords and members may pass a network in clear text"),
    DURATION("connect_timeout", connect_timeout, "2s", 60000,
             "for a new connection: name, TCP, TLS and bind"),
    DURATION("timeout", timeout, "2s", 60000, "for a search"),
    {.name = "connections",
     .fallback = "0",
     .help = "how many connections there may be; 0: as many as look-ups at once",
     .type = MEMBERCHAT_INTEGER,
     .min = 0,
     .max = 10000,
     .offset = offsetof(struct ldap_settings, connections)},
    DURATION("idle_timeout", idle_timeout, "60s", 86400000,
             "a connection that was idle for this long is closed"),
    FLAG("referrals", referrals, "false", "whether to follow the server to other servers"),
    LIST("referral_hosts", referral_hosts, LDAP_REFERRAL_HOSTS_MAX,
         "the hosts to which referrals may lead, besides those of \"uri\""),
};
