/* SPDX-License-Identifier: MIT
 * Folders in which others can put a file of theirs in the place of one of ours. */
#include "settings_private.h"

#include "base/file.h"

#include <limits.h>
#include <string.h>

void settings_check_folder(const struct loading *loading, const struct config_node *group,
                           const char *key, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
    mode_t mode;
    if (!length || length >= PATH_MAX ||
        (strncmp(loading->folder, path, length) == 0 && !loading->folder[length]))
        return;
    memcpy(loading->folder, path, length);
    loading->folder[length] = '\0';
    if (file_is_replaceable(path, &mode))
        config_warning(loading->report, group, key,
                       "any user of this machine can replace files in the folder %s (mode %04o): "
                       "chmod o-w it",
                       loading->folder, (unsigned)mode);
}
