/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE     4096
#define LINKS_MAX 40 /* of a chain, as the kernel has it */
#define PEM_MAX   (16u << 20)

bool file_read_all(int fd, size_t limit, struct bytes *out)
{
    while (out->length <= limit) {
        char *room = bytes_reserve(out, PIECE);
        ssize_t got = room ? read(fd, room, PIECE) : -1;
        if (!room)
            errno = ENOMEM;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        out->length += (size_t)got;
    }
    return true;
}

bool file_read_path(const char *path, int flags, size_t limit, struct bytes *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    bool good = fd >= 0 && file_read_all(fd, limit, out);
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return good;
}

bool file_write_all(int fd, struct span data)
{
    for (size_t done = 0; done < data.length;) {
        ssize_t wrote = write(fd, data.data + done, data.length - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        done += (size_t)wrote;
    }
    return true;
}

void file_fill_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", O_RDWR);
}

/* ---- Stamps and modes ---- */

struct file_stamp file_stamp_of(const struct stat *status)
{
    return (struct file_stamp){status->st_dev, status->st_ino, status->st_size, status->st_mtim,
                               status->st_ctim};
}

bool file_stamp_read(const char *path, struct file_stamp *stamp_r)
{
    struct stat status;
    bool found = stat(path, &status) == 0;
    *stamp_r = found ? file_stamp_of(&status) : (struct file_stamp){0};
    return found;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           same_time(&a->modified, &b->modified) && same_time(&a->changed, &b->changed);
}

bool file_mode_refused(mode_t mode)
{
    return mode & S_IWOTH;
}

bool file_mode_exposed(mode_t mode)
{
    return mode & S_IROTH;
}

bool file_is_replaceable(const char *path, mode_t *mode_r)
{
    char folder[PATH_MAX];
    struct stat st;
    span_copy(file_folder(path), folder, sizeof folder);
    bool there = stat(folder, &st) == 0;
    *mode_r = there ? st.st_mode & 07777u : 0;
    return there && file_mode_refused(st.st_mode) && !(st.st_mode & S_ISVTX);
}

/* ---- Small files ---- */

bool file_error_passes(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM;
}

bool file_read_secret(const char *path, size_t limit, struct bytes *out, bool *exposed_r,
                      struct reason *why)
{
    struct stat st;
    bool good = false;
    int error = 0, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0)
        file_explain_unreadable(path, error = errno, why);
    else if (!S_ISREG(st.st_mode))
        reason_set(why, "%s is not a file", path);
    else if (file_mode_refused(st.st_mode))
        reason_set(why,
                   "any user of this machine can write to %s (mode %04o): make a new one, with "
                   "mode 0640",
                   path, st.st_mode & 07777u);
    else if (!file_read_all(fd, limit, out))
        file_explain_unreadable(path, error = errno, why);
    else if (out->length > limit)
        reason_set(why, "%s is larger than %zu bytes", path, limit);
    else
        good = true;
    if (fd >= 0)
        close(fd);
    *exposed_r = good && file_mode_exposed(st.st_mode);
    errno = error;
    return good;
}

const char *file_system_certificates(void)
{
    static const char *const bundles[] = {
        "/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine, Arch */
        "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, Red Hat */
        "/etc/ssl/ca-bundle.pem",             /* SUSE */
        "/etc/ssl/cert.pem",                  /* Alpine, the BSDs */
    };
    for (size_t i = 0; i < sizeof bundles / sizeof *bundles; i++)
        if (access(bundles[i], R_OK) == 0)
            return bundles[i];
    return NULL;
}

size_t file_line_length(struct span text)
{
    size_t length = text.length;
    if (length && text.data[length - 1] == '\n')
        length--;
    if (length && length < text.length && text.data[length - 1] == '\r')
        length--;
    return length;
}

bool file_read_line(const char *path, size_t most, struct bytes *out, bool *exposed_r,
                    struct reason *why)
{
    if (!file_read_secret(path, most + 2, out, exposed_r, why))
        return false;
    struct span text = bytes_span(out);
    size_t length = out->length = file_line_length(text), at = 0;
    while (at < length && text.data[at] != '\n' && text.data[at] != '\0')
        at++;
    if (!length)
        reason_set(why, "%s is empty", path);
    else if (length > most)
        reason_set(why, "%s is larger than %zu bytes", path, most);
    else if (at < length)
        reason_set(why, "%s must be one line of text; byte %zu is not", path, at + 1);
    else
        return true;
    return false;
}

/* Whether a line begins with "-----BEGIN " and ends with `tail`. */
static bool has_pem(struct span text, const char *tail)
{
    static const char mark[] = "-----BEGIN ";
    size_t tail_length = strlen(tail);
    while (text.length) {
        const char *end = memchr(text.data, '\n', text.length);
        size_t whole = end ? (size_t)(end - text.data) + 1 : text.length;
        size_t length = file_line_length((struct span){text.data, whole});
        while (length && (text.data[length - 1] == ' ' || text.data[length - 1] == '\t'))
            length--;
        if (length >= sizeof mark - 1 + tail_length &&
            memcmp(text.data, mark, sizeof mark - 1) == 0 &&
            memcmp(text.data + length - tail_length, tail, tail_length) == 0)
            return true;
        text.data += whole;
        text.length -= whole;
    }
    return false;
}

bool file_check_pem(const char *path, enum file_pem wanted, bool *exposed_r, struct reason *why)
{
    static const struct {
        const char *tail, *name;
    } kinds[] = {[FILE_CERTIFICATE] = {"CERTIFICATE-----", "certificate"},
                 [FILE_PRIVATE_KEY] = {"PRIVATE KEY-----", "private key"}};
    struct bytes text = {0};
    bool good = file_read_secret(path, PEM_MAX, &text, exposed_r, why);
    if (good && !has_pem(bytes_span(&text), kinds[wanted].tail)) {
        reason_set(why, "%s holds no %s in PEM", path, kinds[wanted].name);
        good = false;
    }
    bytes_free(&text);
    return good;
}

struct span file_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return span_of(".");
    return (struct span){path, slash == path ? 1 : (size_t)(slash - path)};
}

bool file_destination(const char *path, char out_r[PATH_MAX])
{
    char link[PATH_MAX];
    size_t length = strlen(path);
    errno = ENAMETOOLONG;
    if (length >= PATH_MAX)
        return false;
    memcpy(out_r, path, length + 1);
    for (int i = 0; i < LINKS_MAX; i++) {
        ssize_t linked = readlink(out_r, link, sizeof link - 1);
        if (linked < 0)
            return true;
        link[linked] = '\0';
        const char *slash = strrchr(out_r, '/');
        size_t start = *link == '/' || !slash ? 0 : (size_t)(slash + 1 - out_r);
        errno = ENAMETOOLONG;
        if (start + (size_t)linked >= PATH_MAX)
            return false;
        memcpy(out_r + start, link, (size_t)linked + 1);
    }
    errno = ELOOP;
    return false;
}

/* ---- Why it cannot be read, or written ---- */

void file_explain_reading(int error, struct reason *why)
{
    const char *said = strerror(error);
    if (error == ENOENT || error == ENOTDIR)
        reason_set(why, "cannot be read: %s: make it, or correct its path", said);
    else if (error == EACCES)
        reason_set(why,
                   "cannot be read: %s: make it readable, and its folders accessible, for user %lu",
                   said, (unsigned long)geteuid());
    else if (error == EISDIR)
        reason_set(why, "cannot be read: %s: name the file itself", said);
    else
        reason_set(why, "cannot be read: %s", said);
}

void file_explain_unreadable(const char *path, int error, struct reason *why)
{
    struct reason fault;
    file_explain_reading(error, &fault);
    reason_set(why, "%s %s", path, fault.text);
}

const char *file_making_remedy(int error)
{
    return error == ENOENT   ? ": make its folder (mkdir)"
           : error == EACCES ? ": do it as root, or as a user who may write in its folder"
           : error == ENOSPC ? ": make room for it"
                             : "";
}

/* The user that should own it; root asks for another one. */
static const char *name_owner(char room[24])
{
    if (geteuid() == 0)
        return "www-data";
    snprintf(room, 24, "%u", (unsigned)geteuid());
    return room;
}

/* "SAID: ADVICE: [mkdir -p PLACE; ]chown USER PLACE", without a command that would be cut. */
static void advise_to_give(struct reason *why, const char *said, const char *advice, bool make,
                           const char *place)
{
    char memory[REASON_MAX], room[24];
    struct bytes text = bytes_within(memory, sizeof memory);
    bytes_addf(&text, "%s: %s: ", said, advice);
    if (make) {
        bytes_add_string(&text, "mkdir -p ");
        bytes_add_shell(&text, span_of(place));
        bytes_add_string(&text, "; ");
    }
    bytes_addf(&text, "chown %s ", name_owner(room));
    bytes_add_shell(&text, span_of(place));
    const char *whole = bytes_string(&text);
    if (text.failed)
        reason_set(why, "%s: %s", said, advice);
    else
        reason_set(why, "%s", whole);
}

/* The text of the error, and where a symbolic link leads. */
static void say_error(const char *path, const char *to, int error, struct reason *said)
{
    if (strcmp(path, to) == 0)
        reason_set(said, "%s", strerror(error));
    else
        reason_set(said, "it is a link to %s: %s", to, strerror(error));
}

void file_explain_unwritable(const char *path, int error, struct reason *why)
{
    char folder[PATH_MAX], to[PATH_MAX], room[24];
    struct reason said;
    if (!file_destination(path, to))
        snprintf(to, sizeof to, "%s", path);
    span_copy(file_folder(to), folder, sizeof folder);
    say_error(path, to, error, &said);
    bool there = faccessat(AT_FDCWD, to, F_OK, AT_EACCESS) == 0;
    bool has_folder = faccessat(AT_FDCWD, folder, F_OK, AT_EACCESS) == 0;
    if (error == ENOENT && !has_folder)
        advise_to_give(why, said.text, "make its folder, and give it to the web server's user",
                       true, folder);
    else if (error == EACCES && there)
        advise_to_give(why, said.text, "give it to the user that memberchat runs as", false, to);
    else if (error == EACCES && has_folder)
        advise_to_give(why, said.text, "give its folder to the user that memberchat runs as", false,
                       folder);
    else if (error == EACCES)
        reason_set(why, "%s: let the user that memberchat runs as (%s) enter each folder above it",
                   said.text, name_owner(room));
    else if (error == ENOSPC || error == EDQUOT)
        reason_set(why, "%s: make room for it", said.text);
    else if (error == ELOOP)
        reason_set(why, "%s: it is a symbolic link that is not followed: name the file itself",
                   strerror(error));
    else if (error == ENOENT || error == EISDIR || error == ENOTDIR || error == EROFS ||
             error == ENXIO || error == ENOTSUP)
        reason_set(why, "%s: name a file in a folder that the web server's user can write",
                   said.text);
    else
        reason_set(why, "%s", said.text);
}
