/* SPDX-License-Identifier: MIT */
#include "check.h"

#include "base/networks.h"
#include "entry.h"
#include "trust.h"
#include "uri.h"

#include <string.h>
#include <strings.h>

static bool wrong(struct reason *why, const char *key, const char *text, const char *fault)
{
    reason_set(why, "%s: \"%.120s\" %s", key, text, fault);
    return false;
}

static bool misses(struct reason *why, const char *what)
{
    reason_set(why, "%s", what);
    return false;
}

/* ---- Servers ---- */

static bool is_clear(const struct ldap_settings *settings, const struct ldap_uri *uri)
{
    return (uri->scheme == LDAP_SCHEME_PLAIN || uri->scheme == LDAP_SCHEME_SRV) &&
           !settings->starttls;
}

bool ldap_check_uses_tls(const struct ldap_settings *settings)
{
    bool found = settings->starttls;
    for (size_t i = 0; i < settings->uri.count; i++)
        found |= strncasecmp(settings->uri.items[i], "ldaps:", 6) == 0;
    return found;
}

static bool check_uri(const struct ldap_settings *settings, const char *text, struct reason *why)
{
    struct ldap_uri uri;
    const char *fault;
    if (!ldap_uri_parse(text, &uri, &fault))
        return wrong(why, "uri", text, fault);
    bool clear = is_clear(settings, &uri);
    if (uri.scheme == LDAP_SCHEME_SRV && settings->uri.count > 1)
        return wrong(why, "uri", text, "must stand alone: the DNS names all the servers");
    if (clear && !settings->allow_cleartext && !network_is_loopback(uri.host))
        return wrong(why, "uri", text,
                     "would send passwords and members in clear text: set \"starttls\", or use "
                     "ldaps:// (or set \"allow_cleartext\")");
    if (settings->sasl_external && uri.scheme != LDAP_SCHEME_LOCAL &&
        (!settings->cert_file || clear))
        return wrong(why, "uri", text,
                     "does not go with \"sasl_external\": that needs ldapi://, or TLS with "
                     "\"cert_file\"");
    return true;
}

static bool check_servers(const struct ldap_settings *settings, struct reason *why)
{
    for (size_t i = 0; i < settings->uri.count; i++)
        if (!check_uri(settings, settings->uri.items[i], why))
            return false;
    return true;
}

/* ---- What is searched ---- */

static bool check_attribute(const char *key, const char *text, struct reason *why)
{
    return !text || ldap_entry_is_attribute(text) ||
           wrong(why, key, text, "is not the name of an attribute");
}

static bool check_attributes(const struct ldap_settings *settings,
                             const struct memberchat_services *services, struct reason *why)
{
    const struct memberchat_list *names = &settings->name_attribute;
    const struct memberchat_map *more = &settings->attributes;
    struct ldap_mapping mapping;
    bool good = check_attribute("id_attribute", settings->id_attribute, why) &&
                check_attribute("avatar_attribute", settings->avatar_attribute, why) &&
                check_attribute("role_attribute", settings->role_attribute, why) &&
                check_attribute("group_attribute", settings->group_attribute, why);
    for (size_t i = 0; good && i < names->count; i++)
        good = check_attribute("name_attribute", names->items[i], why);
    for (size_t i = 0; good && i < more->count; i++) {
        good = check_attribute("attributes", more->values[i], why);
        if (good && strlen(more->names[i]) > MEMBERCHAT_ATTRIBUTE_NAME_MAX)
            good = wrong(why, "attributes", more->names[i], "is longer than 64 bytes");
        if (good && settings->group_base && strcmp(more->names[i], LDAP_GROUPS) == 0)
            good = wrong(why, "attributes", LDAP_GROUPS, "is what \"group_base\" finds");
    }
    return good && ldap_mapping_init(&mapping, settings, services, why);
}

static bool check_filters(const struct ldap_settings *settings, struct reason *why)
{
    const char *fault;
    if (!ldap_filter_check(settings->filter, LDAP_PLACE_ID, &fault))
        return wrong(why, "filter", settings->filter, fault);
    if (!ldap_filter_check(settings->group_filter, LDAP_PLACE_ANY, &fault))
        return wrong(why, "group_filter", settings->group_filter, fault);
    return !settings->active_filter ||
           ldap_filter_check(settings->active_filter, LDAP_PLACE_NONE, &fault) ||
           wrong(why, "active_filter", settings->active_filter, fault);
}

/* ---- Who we are ---- */

static bool check_identity(const struct ldap_settings *settings,
                           const struct memberchat_services *services, struct reason *why)
{
    bool text = settings->bind_password, file = settings->bind_password_file;
    struct bytes password = {0};
    if (!settings->cert_file != !settings->key_file)
        return misses(why, settings->cert_file ? "cert_file: needs \"key_file\""
                                               : "key_file: needs \"cert_file\"");
    if (settings->sasl_external && (settings->bind_dn || text || file))
        return misses(why, "sasl_external: needs no \"bind_dn\" and no password: take them out");
    if (text && file)
        return misses(why, "bind_password: \"bind_password_file\" is set, too: keep one of them");
    if (!settings->bind_dn)
        return (!text && !file) || misses(why, text ? "bind_password: needs \"bind_dn\""
                                                    : "bind_password_file: needs \"bind_dn\"");
    if (!text && !file)
        return misses(why, "bind_dn: needs \"bind_password_file\" (or \"bind_password\")");
    bool good = ldap_trust_password(settings, services, &password, why);
    bytes_free(&password);
    return good;
}

bool ldap_check_settings(const struct ldap_settings *settings,
                         const struct memberchat_services *services, struct reason *why)
{
    return check_identity(settings, services, why) && check_servers(settings, why) &&
           check_filters(settings, why) && check_attributes(settings, services, why) &&
           ldap_trust_check(settings, services, why);
}

/* ---- Warnings ---- */

void ldap_check_warn(const struct ldap_settings *settings,
                     const struct memberchat_services *services)
{
    if (!settings->tls_verify)
        services->log(services, MEMBERCHAT_LOG_WARNING,
                      "tls_verify = false: anybody on the way can play the directory, and gets "
                      "the password");
    for (size_t i = 0; i < settings->uri.count; i++) {
        const char *text = settings->uri.items[i], *why;
        struct ldap_uri uri;
        ldap_uri_parse(text, &uri, &why);
        if (settings->tls_verify && strcasecmp(uri.host, "localhost") == 0 &&
            (uri.scheme == LDAP_SCHEME_TLS || settings->starttls))
            services->log(services, MEMBERCHAT_LOG_WARNING,
                          "%s: libldap compares the certificate with this machine's full name, "
                          "not with localhost: write the name that is in the certificate",
                          text);
        if (settings->allow_cleartext && is_clear(settings, &uri) && !network_is_loopback(uri.host))
            services->log(services, MEMBERCHAT_LOG_WARNING,
                          "%s: passwords and members pass the network in clear text "
                          "(allow_cleartext)",
                          text);
    }
}
