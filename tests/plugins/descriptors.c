/* SPDX-License-Identifier: MIT
 *
 * descriptors.c: to be preloaded by tests.  A process that shuts down or closes a descriptor that
 * is not open ends: with threads, it might be that of another one by then.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int judge(const char *name, int fd, long result)
{
    if (result < 0 && errno == EBADF && fd >= 0) {
        fprintf(stderr, "%s(%d): not open\n", name, fd);
        abort();
    }
    return (int)result;
}

int shutdown(int fd, int how)
{
    return judge("shutdown", fd, syscall(SYS_shutdown, fd, how));
}

int close(int fd)
{
    return judge("close", fd, syscall(SYS_close, fd));
}
