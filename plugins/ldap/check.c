/* SPDX-License-Identifier: MIT
 *
 * ldap_check.c: see ldap_check.h.
 */
#include "check.h"

#include "filter.h"
#include "trust.h"
#include "uri.h"

#include <string.h>
#include <strings.h>

#define ATTRIBUTE_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.;-_"

static bool wrong(struct ldap_fault *fault, const char *key, const char *text, const char *why)
{
    ldap_fault_set(fault, VERDICT_WRONG, "%s: \"%.120s\" %s", key, text, why);
    return false;
}

static bool misses(struct ldap_fault *fault, const char *what)
{
    ldap_fault_set(fault, VERDICT_WRONG, "%s", what);
    return false;
}

/* ---- Servers ---- */

static bool check_uri(const struct ldap_settings *settings, const char *text,
                      struct ldap_fault *fault)
{
    struct ldap_uri uri;
    const char *why = ldap_uri_parse(text, &uri);
    bool clear = why == NULL && uri.scheme == LDAP_SCHEME_PLAIN && !settings->starttls;

    if (why != NULL)
        return wrong(fault, "uri", text, why);
    if (clear && !settings->allow_cleartext && !ldap_uri_is_loopback(&uri))
        return wrong(fault, "uri", text,
                     "would send passwords and members in clear text: set \"starttls\", or use "
                     "ldaps:// (or set \"allow_cleartext\")");
    if (settings->sasl_external && uri.scheme != LDAP_SCHEME_LOCAL &&
        (settings->cert_file == NULL || clear))
        return wrong(fault, "uri", text,
                     "does not go with \"sasl_external\": that needs ldapi://, or TLS with "
                     "\"cert_file\"");
    return true;
}

static bool check_servers(const struct ldap_settings *settings, struct ldap_fault *fault)
{
    size_t i;

    for (i = 0; i < settings->uri.count; i++)
        if (!check_uri(settings, settings->uri.items[i], fault))
            return false;
    return true;
}

/* ---- What is searched ---- */

static bool check_attribute(const char *key, const char *text, struct ldap_fault *fault)
{
    size_t length = text != NULL ? strlen(text) : 1;

    if (text == NULL || (length > 0 && length <= 64 && strspn(text, ATTRIBUTE_BYTES) == length))
        return true;
    return wrong(fault, key, text, "is no name of an attribute");
}

static bool check_attributes(const struct ldap_settings *settings, struct ldap_fault *fault)
{
    const struct memberchat_list *names = &settings->name_attribute;
    const struct memberchat_map *more = &settings->attributes;
    bool good = check_attribute("id_attribute", settings->id_attribute, fault) &&
                check_attribute("avatar_attribute", settings->avatar_attribute, fault) &&
                check_attribute("role_attribute", settings->role_attribute, fault);
    size_t i;

    for (i = 0; good && i < names->count; i++)
        good = check_attribute("name_attribute", names->items[i], fault);
    for (i = 0; good && i < more->count; i++) {
        good = check_attribute("attributes", more->values[i], fault);
        if (good && strlen(more->names[i]) > 64)
            good = wrong(fault, "attributes", more->names[i], "is longer than 64 bytes");
    }
    return good;
}

static bool check_filters(const struct ldap_settings *settings, struct ldap_fault *fault)
{
    const char *why = ldap_filter_check(settings->filter, true);

    if (why != NULL)
        return wrong(fault, "filter", settings->filter, why);
    if (settings->active_filter != NULL)
        why = ldap_filter_check(settings->active_filter, false);
    return why == NULL || wrong(fault, "active_filter", settings->active_filter, why);
}

/* ---- Who we are ---- */

static bool check_identity(const struct ldap_settings *settings,
                           const struct memberchat_services *services, struct ldap_fault *fault)
{
    bool text = settings->bind_password != NULL, file = settings->bind_password_file != NULL;
    struct ldap_password password = {.length = 0};
    bool good;

    if ((settings->cert_file == NULL) != (settings->key_file == NULL))
        return misses(fault, "\"cert_file\" and \"key_file\" go together");
    if (settings->sasl_external && (settings->bind_dn != NULL || text || file))
        return misses(fault, "with \"sasl_external\" there is no \"bind_dn\" and no password");
    if (text && file)
        return misses(fault, "there is both \"bind_password\" and \"bind_password_file\"");
    if (settings->bind_dn == NULL)
        return text || file ? misses(fault, "there is a password, but no \"bind_dn\"") : true;
    if (!text && !file)
        return misses(fault, "\"bind_dn\" needs \"bind_password_file\" (or \"bind_password\")");
    good = ldap_trust_password(settings, services, &password, fault);
    ldap_trust_wipe(&password);
    return good;
}

bool ldap_check_settings(const struct ldap_settings *settings,
                         const struct memberchat_services *services, struct ldap_fault *fault)
{
    return check_identity(settings, services, fault) && check_servers(settings, fault) &&
           check_filters(settings, fault) && check_attributes(settings, fault) &&
           ldap_trust_check(settings, fault);
}

/* ---- Warnings ---- */

void ldap_check_warn(const struct ldap_settings *settings,
                     const struct memberchat_services *services)
{
    size_t i;

    if (!settings->tls_verify)
        services->log(services, MEMBERCHAT_LOG_WARNING,
                      "tls_verify = false: anybody on the way can play the directory, and gets "
                      "the password");
    for (i = 0; i < settings->uri.count; i++) {
        struct ldap_uri uri;

        ldap_uri_parse(settings->uri.items[i], &uri);
        if (settings->tls_verify && strcasecmp(uri.host, "localhost") == 0 &&
            (uri.scheme == LDAP_SCHEME_TLS || settings->starttls))
            services->log(services, MEMBERCHAT_LOG_WARNING,
                          "%s: libldap compares the certificate with this machine's full name, "
                          "not with localhost: write what the certificate says",
                          settings->uri.items[i]);
        if (settings->allow_cleartext && uri.scheme == LDAP_SCHEME_PLAIN && !settings->starttls &&
            !ldap_uri_is_loopback(&uri))
            services->log(services, MEMBERCHAT_LOG_WARNING,
                          "%s: passwords and members pass the network in clear text "
                          "(allow_cleartext)",
                          settings->uri.items[i]);
    }
}
