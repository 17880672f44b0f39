/* SPDX-License-Identifier: MIT
 *
 * file_index.c: writes a compiled members file, and puts it in place at once.
 */
#include "index.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(struct file_reason *reason, const char *path)
{
    file_reason_set(reason, "%s: %s", path, strerror(errno));
    return false;
}

/* Syncs the folder of `path`, so that a rename in it survives a power cut. */
static bool sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL   ? strdup(".")
                   : slash == path ? strdup("/")
                                   : strndup(path, (size_t)(slash - path));
    int fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool good = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    free(folder);
    return good;
}

/* Fills a new file and makes it last. */
static bool write_file(const struct file_table *table, const char *from, const char *beside,
                       struct file_reason *reason)
{
    struct file_reason what;
    struct stat status;
    int fd = open(beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = false;

    if (fd < 0)
        return fail(reason, beside);
    if (!file_cdb_write(table, fd, &what))
        file_reason_set(reason, "%s: %s", beside, what.text);
    else if (stat(from, &status) != 0 ||
             (fchown(fd, (uid_t)-1, status.st_gid) != 0 && errno != EPERM) ||
             fchmod(fd, status.st_mode & 0777) != 0 || fsync(fd) != 0)
        fail(reason, beside);
    else
        good = true;
    if (close(fd) != 0 && good)
        good = fail(reason, beside);
    return good;
}

bool file_index(const struct file_settings *settings, const struct file_report *report,
                const char *to, size_t *members_r, struct file_reason *reason)
{
    struct file_members *members;
    struct file_stamp stamp;
    char beside[PATH_MAX];
    bool good = false;

    if (snprintf(beside, sizeof beside, "%s.%d.tmp", to, (int)getpid()) >= (int)sizeof beside) {
        errno = ENAMETOOLONG;
        return fail(reason, to);
    }
    if (file_load(settings, report, &stamp, &members, reason) != FILE_LOADED)
        return false;
    *members_r = file_members_count(members);
    if (file_members_table(members) == NULL)
        file_reason_set(reason, "%s: it is compiled already", settings->path);
    else if (!write_file(file_members_table(members), settings->path, beside, reason))
        unlink(beside);
    else if (rename(beside, to) != 0 || !sync_folder(to)) {
        fail(reason, to);
        unlink(beside);
    } else
        good = true;
    file_members_free(members);
    return good;
}
