/* SPDX-License-Identifier: MIT */
#include "index.h"

#include "compiled.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(struct reason *why, const char *path)
{
    reason_set(why, "%s: %s%s", path, strerror(errno), file_making_remedy(errno));
    return false;
}

static int open_folder(const char *path)
{
    char folder[PATH_MAX];
    span_copy(file_folder(path), folder, sizeof folder);
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Fills a new file and makes it last. */
static bool write_file(const struct table *table, const char *from, const char *beside,
                       struct reason *why)
{
    struct stat status;
    int fd = open(beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = false;
    if (fd < 0)
        return fail(why, beside);
    if (!compiled_write(table, fd, why))
        reason_prefix(why, beside);
    else if (stat(from, &status) != 0 ||
             (fchown(fd, (uid_t)-1, status.st_gid) != 0 && errno != EPERM) ||
             fchmod(fd, status.st_mode & 0777) != 0 || fsync(fd) != 0)
        fail(why, beside);
    else
        good = true;
    if (close(fd) != 0 && good)
        good = fail(why, beside);
    if (!good)
        unlink(beside);
    return good;
}

bool index_make(const struct file_settings *settings, const struct table_report *report,
                const char *to, struct index *index_r, struct reason *why)
{
    struct members *members;
    struct file_stamp stamp;
    int length = snprintf(index_r->beside, PATH_MAX, "%s.%d.tmp", to, (int)getpid());
    if ((size_t)length >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return fail(why, to);
    }
    index_r->to = to;
    index_r->folder = open_folder(to);
    if (index_r->folder < 0)
        return fail(why, to);
    bool good = members_load(settings, report, &stamp, &members, why) == LOAD_DONE;
    if (good) {
        index_r->members = members_count(members);
        good = members_table(members);
        if (!good)
            reason_set(why, "%s: it is compiled already", settings->path);
        good = good && write_file(members_table(members), settings->path, index_r->beside, why);
        members_free(members);
    }
    if (!good)
        close(index_r->folder);
    return good;
}

bool index_place(struct index *index, bool *synced_r, struct reason *why)
{
    if (rename(index->beside, index->to) != 0) {
        fail(why, index->to);
        index_drop(index);
        return false;
    }
    *synced_r = fsync(index->folder) == 0;
    close(index->folder);
    return true;
}

void index_drop(struct index *index)
{
    unlink(index->beside);
    close(index->folder);
}
