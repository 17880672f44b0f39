/* SPDX-License-Identifier: MIT
 * Creates, opens and replaces the file. */
#include "layout.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/reason.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MODE  0640
#define TRIES 50
#define PAUSE 2000000 /* nanoseconds: for a process that is replacing the file */

/* ---- Making one ---- */

/* Allocates all of it now: a disk that fills up later would kill the process that writes to it. */
static int fill(int fd)
{
    struct figures_header header = {
        .magic = FIGURES_MAGIC, .version = FIGURES_VERSION, .size = (uint32_t)FIGURES_SIZE};
    clock_unix_seconds(&header.created);
    int error;
    do
        error = posix_fallocate(fd, 0, (off_t)FIGURES_SIZE);
    while (error == EINTR);
    if (error)
        return error;
    if (fchmod(fd, MODE) != 0 ||
        !file_write_all(fd, (struct span){(const char *)&header, sizeof header}))
        return errno;
    return 0;
}

/* Creates a file without a name, which it gets once it is complete, unless another file has it
 * by then. */
static int make_nameless(const char *path)
{
    char folder[PATH_MAX], own[64];
    span_copy(file_folder(path), folder, sizeof folder);
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, MODE);
    if (fd < 0)
        return -errno;
    int error = fill(fd);
    snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    if (!error && linkat(AT_FDCWD, own, AT_FDCWD, path, AT_SYMLINK_FOLLOW) != 0)
        error = errno == EEXIST ? EEXIST : EOPNOTSUPP;
    if (!error)
        return fd;
    close(fd);
    return -error;
}

/* The same on a file system without such files. */
static int make_beside(const char *path)
{
    char beside[PATH_MAX];
    if (snprintf(beside, sizeof beside, "%s.XXXXXX", path) >= (int)sizeof beside)
        return -ENAMETOOLONG;
    int fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = fill(fd);
    if (!error && link(beside, path) != 0)
        error = errno;
    unlink(beside);
    if (!error)
        return fd;
    close(fd);
    return -error;
}

/* Returns its descriptor, or a negative errno: EEXIST if another process was first. */
static int make(const char *path)
{
    int fd = make_nameless(path);
    bool lacking = fd == -EOPNOTSUPP || fd == -EISDIR || fd == -ENOENT || fd == -EINVAL;
    return lacking ? make_beside(path) : fd;
}

/* ---- Judging one ---- */

enum verdict { GOOD, BROKEN, NEWER, FOREIGN, UNREADABLE, EXPOSED };

/* Whether another user may have put it there, or may change it. */
static bool is_exposed(const struct stat *st)
{
    return file_mode_refused(st->st_mode) ||
           (st->st_uid != geteuid() && st->st_uid != 0 && geteuid() != 0);
}

/* A truncated file is still recognised by what is left of its first bytes. */
static enum verdict judge(int fd, const struct stat *st)
{
    struct figures_header header = {.version = 0};
    ssize_t got = pread(fd, &header, sizeof header, 0);
    if (got < 0)
        return UNREADABLE;
    if (is_exposed(st))
        return EXPOSED;
    size_t known = (size_t)got < sizeof header.magic ? (size_t)got : sizeof header.magic;
    bool has_magic = memcmp(header.magic, FIGURES_MAGIC, known) == 0;
    bool has_size = st->st_size == (off_t)FIGURES_SIZE;
    if (!has_magic && !has_size)
        return FOREIGN;
    if (has_magic && header.version > FIGURES_VERSION)
        return NEWER;
    return has_magic && has_size && header.version == FIGURES_VERSION && header.size == FIGURES_SIZE
               ? GOOD
               : BROKEN;
}

bool figures_file_is(const char *path, int fd)
{
    struct stat named, open;
    return stat(path, &named) == 0 && fstat(fd, &open) == 0 && named.st_dev == open.st_dev &&
           named.st_ino == open.st_ino && open.st_size == (off_t)FIGURES_SIZE;
}

/* ---- Replacing one ---- */

/* Renames a file that is not ours; someone may need it. */
static int move_aside(const char *path)
{
    char aside[PATH_MAX];
    if (snprintf(aside, sizeof aside, "%s.broken", path) >= (int)sizeof aside)
        return ENAMETOOLONG;
    if (link(path, aside) != 0)
        return errno;
    return unlink(path) == 0 ? 0 : errno;
}

/* Removes the file that was judged, and no other: of several processes that try, one gets the
 * lock, and the next finds another file at the path.  Returns an errno. */
static int remove_judged(const char *path, int fd, enum verdict verdict)
{
    struct flock lock = {.l_type = F_WRLCK, .l_start = (off_t)FIGURES_REPLACING, .l_len = 1};
    const struct timespec pause = {.tv_nsec = PAUSE};
    struct stat named, open;
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
        nanosleep(&pause, NULL);
        return 0; /* another one does it */
    }
    if (stat(path, &named) != 0 || fstat(fd, &open) != 0 || named.st_ino != open.st_ino ||
        named.st_dev != open.st_dev)
        return 0;
    if (verdict == FOREIGN)
        return move_aside(path);
    return unlink(path) == 0 ? 0 : errno;
}

static void explain(const char *path, enum verdict verdict, struct reason *why)
{
    if (verdict == NEWER)
        reason_set(why, "%s was made by a newer version of memberchat", path);
    else if (verdict == EXPOSED)
        reason_set(why, "%s belongs to another user, or any user can write to it: remove it", path);
    else
        reason_set(why, "%s cannot be read: %s", path, strerror(errno));
}

static bool fail(const char *path, int error, struct reason *why)
{
    struct reason because;
    file_explain_unwritable(path, error, &because);
    if (error == ENOSPC || error == EDQUOT)
        reason_set(why, "%s cannot be made: %s; it needs %zu bytes", path, strerror(error),
                   FIGURES_SIZE);
    else
        reason_set(why, "%s cannot be opened or made: %s", path, because.text);
    return false;
}

/* What is there already: its descriptor, or a negative errno. */
static int open_present(const char *path, struct stat *st_r)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    if (fstat(fd, st_r) == 0 && S_ISREG(st_r->st_mode))
        return fd;
    close(fd);
    return -ENOTSUP;
}

static bool is_refused(enum verdict verdict)
{
    return verdict == NEWER || verdict == UNREADABLE || verdict == EXPOSED;
}

bool figures_open_file(const char *path, int *fd_r, struct reason *why)
{
    int error = 0;
    for (int i = 0; i < TRIES; i++) {
        struct stat st = {0};
        int fd = open_present(path, &st);
        if (fd == -ENOENT) {
            *fd_r = make(path);
            if (*fd_r >= 0)
                return true;
            if (*fd_r != -EEXIST)
                return fail(path, -*fd_r, why);
            continue;
        }
        if (fd < 0)
            return fail(path, -fd, why);
        enum verdict verdict = judge(fd, &st);
        if (verdict == GOOD) {
            *fd_r = fd;
            return true;
        }
        if (is_refused(verdict)) {
            explain(path, verdict, why);
            close(fd);
            return false;
        }
        error = remove_judged(path, fd, verdict);
        close(fd);
        if (error)
            return fail(path, error, why);
    }
    return fail(path, EBUSY, why);
}

bool figures_try(const char *path, struct reason *why)
{
    char folder[PATH_MAX];
    struct stat st = {0};
    int fd = open_present(path, &st);
    if (fd >= 0) {
        enum verdict verdict = judge(fd, &st);
        if (is_refused(verdict))
            explain(path, verdict, why);
        close(fd);
        return !is_refused(verdict);
    }
    span_copy(file_folder(path), folder, sizeof folder);
    if (fd == -ENOENT && faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0)
        return true;
    fail(path, fd == -ENOENT ? errno : -fd, why);
    return false;
}
