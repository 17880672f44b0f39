/* SPDX-License-Identifier: MIT */
#include "trust.h"

#include "base/file.h"

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
        bool exposed = false;
        if (files[i].path && !file_check_pem(files[i].path, files[i].wanted, &exposed, why)) {
            reason_prefix(why, files[i].key);
            return false;
        }
        if (exposed && files[i].wanted == FILE_PRIVATE_KEY)
            warn_exposed(services, files[i].key, files[i].path);
    }
    return true;
}

bool ldap_trust_password(const struct ldap_settings *settings,
                         const struct memberchat_services *services, struct bytes *password_r,
                         struct reason *why)
{
    const char *path = settings->bind_password_file;
    bool exposed;
    if (!path) {
        bytes_add_string(password_r, settings->bind_password);
        return true;
    }
    if (!file_read_line(path, LDAP_PASSWORD_MAX, password_r, &exposed, why)) {
        reason_prefix(why, "bind_password_file");
        return false;
    }
    if (exposed && services)
        warn_exposed(services, "bind_password_file", path);
    return true;
}
