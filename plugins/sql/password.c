/* SPDX-License-Identifier: MIT */
#include "password.h"

#include "base/file.h"

#define PASSWORD_MAX 1024

bool sql_password_read(const struct sql_client *client, bool warn, struct bytes *password_r,
                       struct reason *why)
{
    const char *path = client->settings->password_file;
    bool exposed = false;
    if (!path)
        return true;
    if (!file_read_line(path, PASSWORD_MAX, password_r, &exposed, why)) {
        reason_prefix(why, "password_file");
        return false;
    }
    if (exposed && warn)
        client->services->log(client->services, MEMBERCHAT_LOG_WARNING,
                              "password_file: %s: any user of this machine can read it: chmod "
                              "o-rwx it",
                              path);
    return true;
}
