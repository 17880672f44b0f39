/* SPDX-License-Identifier: MIT
 *
 * rest_file.c: see rest_file.h.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEM_MAX (16 * 1024 * 1024)

struct rest_stamp rest_stamp_read(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return (struct rest_stamp){0};
    return (struct rest_stamp){status.st_dev, status.st_ino, status.st_size, status.st_mtim};
}

bool rest_stamp_equal(const struct rest_stamp *a, const struct rest_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}

static bool read_all(int fd, size_t most, struct rest_text *out)
{
    while (out->length <= most) {
        char *room = rest_text_reserve(out, 4096);
        ssize_t got = room ? read(fd, room, 4096) : -1;
        if (got < 0 && room && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        out->length += (size_t)got;
    }
    return true;
}

/* Reads a regular file that only we and ours can write. */
static bool read_file(const char *path, size_t most, struct rest_text *out, bool *exposed_r,
                      struct rest_reason *reason)
{
    struct stat status;
    bool good = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &status) != 0)
        rest_reason_set(reason, "%s cannot be read: %s", path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        rest_reason_set(reason, "%s is not a file", path);
    else if (status.st_mode & S_IWOTH)
        rest_reason_set(reason,
                        "any user of this machine can write to %s: make a new one, with mode 0640",
                        path);
    else if (!read_all(fd, most, out))
        rest_reason_set(reason, "%s cannot be read: %s", path,
                        out->failed ? "out of memory" : strerror(errno));
    else if (out->length > most)
        rest_reason_set(reason, "%s is larger than %zu bytes", path, most);
    else
        good = true;
    if (fd >= 0)
        close(fd);
    *exposed_r = good && status.st_mode & S_IROTH;
    return good;
}

static size_t length_of_line(const struct rest_text *text)
{
    size_t length = text->length;
    if (length && text->bytes[length - 1] == '\n')
        length--;
    if (length && length < text->length && text->bytes[length - 1] == '\r')
        length--;
    return length;
}

bool rest_file_read_secret(const char *path, size_t most, bool blanks, struct rest_text *out,
                           bool *exposed_r, struct rest_reason *reason)
{
    if (!read_file(path, most + 2, out, exposed_r, reason))
        return false;
    out->length = length_of_line(out);
    if (out->length == 0) {
        rest_reason_set(reason, "%s is empty", path);
        return false;
    }
    if (out->length > most) {
        rest_reason_set(reason, "%s holds more than %zu bytes", path, most);
        return false;
    }
    for (size_t i = 0; i < out->length; i++) {
        char c = out->bytes[i];
        if (c < 0x20 || c > 0x7e || (c == ' ' && !blanks)) {
            rest_reason_set(reason, "%s must hold one line of visible ASCII; byte %zu is not", path,
                            i + 1);
            return false;
        }
    }
    return true;
}

bool rest_file_check_pem(const char *path, enum rest_pem wanted, bool *exposed_r,
                         struct rest_reason *reason)
{
    struct rest_text text = {0};
    bool good = read_file(path, PEM_MAX, &text, exposed_r, reason);
    if (good) {
        const char *content = rest_text_string(&text);
        good = wanted == REST_KEY ? strstr(content, "-----BEGIN ") && strstr(content, "PRIVATE KEY")
                                  : strstr(content, "CERTIFICATE-----") != NULL;
        if (!good)
            rest_reason_set(reason, "%s holds no %s in PEM", path,
                            wanted == REST_KEY ? "private key" : "certificate");
    }
    rest_text_free(&text);
    return good;
}
