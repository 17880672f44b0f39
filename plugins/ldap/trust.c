/* SPDX-License-Identifier: MIT */
#include "trust.h"

#include "base/file.h"

#include <string.h>

static void warn_exposed(const struct memberchat_services *services, const char *key,
                         const char *path)
{
    services->log(services, MEMBERCHAT_LOG_WARNING,
                  "%s: %s: any user of this machine can read it: chmod o-rwx it", key, path);
}

bool ldap_trust_check(const struct ldap_settings *settings,
                      const struct memberchat_services *services, struct reason *why)
{
    const struct {
        const char *key, *path;
        enum file_pem wanted;
    } files[] = {{"ca_file", settings->ca_file, FILE_CERTIFICATE},
                 {"cert_file", settings->cert_file, FILE_CERTIFICATE},
                 {"key_file", settings->key_file, FILE_PRIVATE_KEY}};
    for (size_t i = 0; i < 3; i++) {
        struct reason fault;
        bool exposed = false;
        if (files[i].path && !file_check_pem(files[i].path, files[i].wanted, &exposed, &fault)) {
            reason_set(why, "%s: %s", files[i].key, fault.text);
            return false;
        }
        if (exposed && files[i].wanted == FILE_PRIVATE_KEY)
            warn_exposed(services, files[i].key, files[i].path);
    }
    return true;
}

/* The file without its line end. */
static bool read_password(const char *path, struct ldap_password *password_r, bool *exposed_r,
                          struct reason *why)
{
    struct bytes text = {0};
    bool good = file_read_secret(path, LDAP_PASSWORD_MAX + 2, &text, exposed_r, why);
    size_t length = file_line_length(bytes_span(&text));
    if (good) {
        const char *wrong = NULL;
        good = false;
        if (length == 0)
            wrong = "is empty, and with an empty password a bind counts as anonymous";
        else if (length > LDAP_PASSWORD_MAX)
            wrong = "is longer than 1024 bytes: there is more in it than a password";
        else if (memchr(text.data, '\n', length))
            wrong = "has several lines: it should have the password and nothing else";
        else
            good = true;
        if (!good)
            reason_set(why, "%s %s", path, wrong);
    }
    if (good) {
        password_r->length = length;
        memcpy(password_r->bytes, text.data, length);
    }
    bytes_free(&text);
    return good;
}

bool ldap_trust_password(const struct ldap_settings *settings,
                         const struct memberchat_services *services,
                         struct ldap_password *password_r, struct reason *why)
{
    const char *path = settings->bind_password_file;
    struct reason fault;
    bool exposed;
    if (!path) {
        password_r->length = strlen(settings->bind_password);
        memcpy(password_r->bytes, settings->bind_password, password_r->length);
        return true;
    }
    if (!read_password(path, password_r, &exposed, &fault)) {
        reason_set(why, "bind_password_file: %s", fault.text);
        return false;
    }
    if (exposed && services)
        warn_exposed(services, "bind_password_file", path);
    return true;
}

void ldap_trust_wipe(struct ldap_password *password)
{
    explicit_bzero(password, sizeof *password);
}
