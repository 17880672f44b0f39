/* SPDX-License-Identifier: MIT */
#include "writable.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_word(const char *target)
{
    return strcmp(target, "stderr") == 0 || strcmp(target, "syslog") == 0;
}

/* Opens a device as the log does; its descriptor, or -1 with errno. */
static int open_device(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

/* Whether what is there can be opened.  A pipe is not tried: that could wake its reader. */
static bool can_open(const char *path, const struct stat *status)
{
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
        return false;
    errno = S_ISDIR(status->st_mode) ? EISDIR : ENXIO;
    if (S_ISDIR(status->st_mode) || S_ISSOCK(status->st_mode))
        return false;
    if (!S_ISCHR(status->st_mode))
        return true;
    int fd = open_device(path);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Whether a file can be made where there is none. */
static bool can_make(const char *path)
{
    char to[PATH_MAX], folder[PATH_MAX];
    if (!file_destination(path, to))
        return false;
    span_copy(file_folder(to), folder, sizeof folder);
    return faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0;
}

bool writable_log(const char *target, struct reason *why)
{
    struct stat status;
    if (is_word(target))
        return true;
    bool there = stat(target, &status) == 0;
    if (there ? can_open(target, &status) : errno == ENOENT && can_make(target))
        return true;
    file_explain_unwritable(target, errno, why);
    return false;
}

bool writable_is_terminal(const char *target)
{
    struct stat status;
    if (is_word(target) || stat(target, &status) != 0 || !S_ISCHR(status.st_mode))
        return false;
    int fd = open_device(target);
    bool terminal = fd >= 0 && isatty(fd);
    if (fd >= 0)
        close(fd);
    return terminal;
}
