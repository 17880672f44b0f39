/* SPDX-License-Identifier: MIT */
#include "random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void kernel_fill(unsigned char *out, size_t length)
{
    while (length) {
        ssize_t got = getrandom(out, length, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        out += got;
        length -= (size_t)got;
    }
}

void random_fill(void *out, size_t length)
{
    static _Thread_local unsigned char stock[256];
    static _Thread_local size_t left;

    if (length > sizeof stock / 2) {
        kernel_fill(out, length);
        return;
    }
    if (left < length) {
        kernel_fill(stock, sizeof stock);
        left = sizeof stock;
    }
    left -= length;
    memcpy(out, stock + left, length);
    explicit_bzero(stock + left, length);
}
