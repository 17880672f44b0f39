/* SPDX-License-Identifier: MIT */
#include "random.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* Where the kernel is older than getrandom(), or does not let us call it. */
static bool device_fill(unsigned char *out, size_t length)
{
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && length) {
        ssize_t got = read(fd, out, length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        out += got;
        length -= (size_t)got;
    }
    if (fd >= 0)
        close(fd);
    return fd >= 0 && length == 0;
}

bool random_seed(void *out_r, size_t length)
{
    unsigned char *out = out_r;
    while (length) {
        ssize_t got = getrandom(out, length, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == ENOSYS || errno == EPERM))
            return device_fill(out, length);
        if (got <= 0)
            return false;
        out += got;
        length -= (size_t)got;
    }
    return true;
}

bool random_fill(void *out, size_t length)
{
    static _Thread_local unsigned char stock[256];
    static _Thread_local size_t left;

    if (length > sizeof stock / 2)
        return random_seed(out, length);
    if (left < length) {
        left = 0; /* what a failure has half filled is never used */
        if (!random_seed(stock, sizeof stock))
            return false;
        left = sizeof stock;
    }
    left -= length;
    memcpy(out, stock + left, length);
    explicit_bzero(stock + left, length);
    return true;
}
