/* SPDX-License-Identifier: MIT */
#include "io.h"

#include <errno.h>
#include <unistd.h>

bool io_read_all(int fd, size_t limit, struct strbuf *out)
{
    while (out->length <= limit) {
        char *room = strbuf_reserve(out, 4096);
        ssize_t got = room ? read(fd, room, 4096) : -1;
        if (got < 0 && room && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        out->length += (size_t)got;
    }
    return true;
}

bool io_write_all(int fd, struct span data)
{
    while (data.length) {
        ssize_t written = write(fd, data.data, data.length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        data.data += written;
        data.length -= (size_t)written;
    }
    return true;
}
