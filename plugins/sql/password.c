/* SPDX-License-Identifier: MIT */
#include "password.h"

#include "base/file.h"

#include <string.h>

#define PASSWORD_MAX 1024

bool sql_password_read(const struct sql_client *client, bool warn, struct bytes *password_r,
                       struct reason *why)
{
    const char *path = client->settings->password_file;
    struct reason fault;
    bool exposed = false;
    if (!path)
        return true;
    if (!file_read_secret(path, PASSWORD_MAX + 2, password_r, &exposed, &fault)) {
        reason_set(why, "password_file: %s", fault.text);
        return false;
    }
    password_r->length = file_line_length(bytes_span(password_r));
    bool lines = memchr(bytes_span(password_r).data, '\n', password_r->length) ||
                 memchr(bytes_span(password_r).data, '\0', password_r->length);
    if (!password_r->length || lines || password_r->length > PASSWORD_MAX) {
        reason_set(why, "password_file: %s must hold the password and nothing else", path);
        return false;
    }
    if (exposed && warn)
        client->services->log(client->services, MEMBERCHAT_LOG_WARNING,
                              "password_file: %s: any user of this machine can read it: chmod "
                              "o-rwx it",
                              path);
    return true;
}
