/* SPDX-License-Identifier: MIT */
#include "secret_file.h"

#include "config.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool secret_file_read(const char *path, size_t limit, struct strbuf *out, bool *exposed_r,
                      struct strbuf *why_r)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0)
        strbuf_addf(why_r, "%s cannot be read: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        strbuf_addf(why_r, "%s is not a file", path);
    else if (config_mode_refused(st.st_mode))
        strbuf_addf(why_r,
                    "any user of this machine can write to %s (mode %04o): make a new one, with "
                    "mode 0640",
                    path, st.st_mode & 07777u);
    else if (!io_read_all(fd, limit, out))
        strbuf_addf(why_r, "%s cannot be read: %s", path, strerror(errno));
    else if (out->length > limit)
        strbuf_addf(why_r, "%s is larger than %zu bytes", path, limit);
    else
        *exposed_r = config_mode_exposed(st.st_mode);
    if (fd >= 0)
        close(fd);
    return why_r->length == 0;
}
