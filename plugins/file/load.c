/* SPDX-License-Identifier: MIT
 *
 * file_load.c: reads a members file whole.  It is read and never mapped: a
 * mapped file that someone truncates kills the process.
 */
#include "load.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_LIMIT     (INT64_C(1) << 30)    /* offsets in the index have 32 bits */
#define COMPILED_LIMIT (INT64_C(0xffffffff)) /* as those of a cdb */

void file_reason_errno(const char *path, int error, struct file_reason *reason)
{
    if (error == ENOENT || error == ENOTDIR)
        file_reason_set(reason, "%s: no such file: create it, or correct \"path\"", path);
    else if (error == EACCES)
        file_reason_set(reason, "%s: permission denied: let user %lu read it and enter its folders",
                        path, (unsigned long)geteuid());
    else
        file_reason_set(reason, "%s: %s", path, strerror(error));
}

/* Opens a regular file, and nothing that could block.  -1: with a reason. */
static int file_open(const char *path, int64_t limit, struct file_stamp *stamp_r,
                     struct file_reason *reason)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 || fstat(fd, &status) != 0)
        file_reason_errno(path, errno, reason);
    else if (!S_ISREG(status.st_mode))
        file_reason_set(reason, "%s: not a regular file", path);
    else if (status.st_size > limit)
        file_reason_set(reason, "%s: larger than %lld MiB", path, (long long)(limit >> 20));
    else {
        *stamp_r = file_stamp_of(&status);
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Reads up to `size` bytes, fewer only at the end of the file.  -1: see errno. */
static ssize_t file_read(int fd, char *to, size_t size)
{
    size_t done = 0;
    ssize_t got;

    while (done < size) {
        got = read(fd, to + done, size - done);
        if (got < 0 && errno != EINTR)
            return -1;
        if (got == 0)
            break;
        if (got > 0)
            done += (size_t)got;
    }
    return (ssize_t)done;
}

/* Reads the file whole.  FILE_LOADED: *text_r is from malloc, stamp_r->size bytes. */
static enum file_load file_read_whole(const char *path, struct file_stamp *stamp_r, char **text_r,
                                      struct file_reason *reason)
{
    enum file_load result = FILE_REFUSED;
    struct stat after;
    struct file_stamp now;
    ssize_t got;
    int fd = file_open(path, TEXT_LIMIT, stamp_r, reason);

    if (fd < 0)
        return FILE_REFUSED;
    *text_r = malloc((size_t)stamp_r->size + 1);
    if (*text_r == NULL) {
        file_reason_set(reason, "%s: out of memory", path);
    } else {
        /* One byte more than there should be shows a file that grew. */
        got = file_read(fd, *text_r, (size_t)stamp_r->size + 1);
        if (got < 0 || fstat(fd, &after) != 0) {
            file_reason_errno(path, errno, reason);
        } else {
            now = file_stamp_of(&after);
            result = got == stamp_r->size && file_stamp_equal(stamp_r, &now) ? FILE_LOADED
                                                                             : FILE_CHANGING;
            file_reason_set(reason, "%s: it changed while it was read", path);
        }
    }
    close(fd);
    if (result == FILE_LOADED)
        return result;
    free(*text_r);
    memset(stamp_r, 0, sizeof *stamp_r);
    return result;
}

/* Whether the file was written less than a second ago (a time to come is not one). */
static bool stamp_is_fresh(const struct file_stamp *stamp)
{
    struct timespec now;
    int64_t age;

    clock_gettime(CLOCK_REALTIME, &now);
    age = (int64_t)(now.tv_sec - stamp->modified.tv_sec) * 1000 +
          (now.tv_nsec - stamp->modified.tv_nsec) / 1000000;
    return age >= 0 && age < 1000;
}

/* A members file of text: read, checked, indexed. */
static enum file_load load_text(const struct file_settings *settings,
                                const struct file_report *report, struct file_stamp *stamp_r,
                                struct file_members **members_r, struct file_reason *reason)
{
    const struct memberchat_services *services = report->services;
    struct file_table *table;
    struct file_reason what;
    char *text;
    enum file_load result;
    bool ended;

    result = file_read_whole(settings->path, stamp_r, &text, reason);
    if (result != FILE_LOADED)
        return result;
    ended = stamp_r->size == 0 || text[stamp_r->size - 1] == '\n';
    if (!ended && stamp_is_fresh(stamp_r)) {
        free(text);
        memset(stamp_r, 0, sizeof *stamp_r);
        file_reason_set(reason, "%s: the last line has no line end yet: someone is still writing",
                        settings->path);
        return FILE_CHANGING;
    }
    table = file_table_build(text, (size_t)stamp_r->size, settings, report, &what);
    if (table == NULL) {
        file_reason_set(reason, "%s: %s", settings->path, what.text);
        return FILE_REFUSED;
    }
    if (!ended)
        services->log(services, MEMBERCHAT_LOG_WARNING,
                      "%s: the last line has no line end: is the file complete?", settings->path);
    *members_r = file_members_from_table(table);
    return FILE_LOADED;
}

static enum file_load load_compiled(const struct file_settings *settings,
                                    struct file_stamp *stamp_r, struct file_members **members_r,
                                    struct file_reason *reason)
{
    struct file_reason what;
    struct file_cdb *cdb;
    int fd = file_open(settings->path, COMPILED_LIMIT, stamp_r, reason);

    if (fd < 0)
        return FILE_REFUSED;
    cdb = file_cdb_open(fd, settings, &what);
    close(fd);
    if (cdb == NULL) {
        file_reason_set(reason, "%s: %s", settings->path, what.text);
        return FILE_REFUSED;
    }
    *members_r = file_members_from_cdb(cdb);
    return FILE_LOADED;
}

static bool is_compiled(const char *path)
{
    size_t length = strlen(path);

    return length > 4 && strcmp(path + length - 4, ".cdb") == 0;
}

enum file_load file_load(const struct file_settings *settings, const struct file_report *report,
                         struct file_stamp *stamp_r, struct file_members **members_r,
                         struct file_reason *reason)
{
    enum file_load result;

    memset(stamp_r, 0, sizeof *stamp_r);
    *members_r = NULL;
    result = is_compiled(settings->path) ? load_compiled(settings, stamp_r, members_r, reason)
                                         : load_text(settings, report, stamp_r, members_r, reason);
    if (result == FILE_LOADED && *members_r == NULL) {
        file_reason_set(reason, "%s: out of memory", settings->path);
        return FILE_REFUSED;
    }
    return result;
}

static bool check_compiled(const struct file_settings *settings, struct file_reason *reason)
{
    struct file_stamp stamp;
    struct file_reason what;
    struct file_cdb *cdb;
    int fd = file_open(settings->path, COMPILED_LIMIT, &stamp, reason);

    if (fd < 0)
        return false;
    cdb = file_cdb_open(fd, settings, &what);
    close(fd);
    if (cdb == NULL)
        file_reason_set(reason, "%s: %s", settings->path, what.text);
    file_cdb_close(cdb);
    return cdb != NULL;
}

bool file_load_check(const struct file_settings *settings, struct file_reason *reason)
{
    struct file_stamp stamp;
    struct file_reason what;
    char *text;
    ssize_t got = -1;
    bool good = false;
    int fd;

    if (is_compiled(settings->path))
        return check_compiled(settings, reason);
    fd = file_open(settings->path, TEXT_LIMIT, &stamp, reason);
    if (fd < 0)
        return false;
    text = malloc(FILE_LINE_MAX);
    if (text != NULL)
        got = file_read(fd, text, FILE_LINE_MAX);
    if (got < 0) {
        file_reason_errno(settings->path, errno, reason);
    } else {
        good = file_text_check(text, (size_t)got, settings->columns, &what);
        file_reason_set(reason, "%s: %s", settings->path, good ? "good" : what.text);
    }
    free(text);
    close(fd);
    return good;
}
