/* SPDX-License-Identifier: MIT
 * Sockets that the program was started with: by systemd or by a web server. */
#include "listen.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SYSTEMD_FIRST 3 /* sd_listen_fds(3) */

/* Acceptors wait in accept(); the process that passed the socket may use it otherwise. */
static void set_blocking(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

static bool is_listening(int fd)
{
    int yes = 0;
    socklen_t length = sizeof yes;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &length) == 0 && yes;
}

/* The protocol of sd_listen_fds(3). */
static bool systemd_passed(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    return pid && count && strtol(pid, NULL, 10) == (long)getpid() &&
           strtol(count, NULL, 10) >= 1 && is_listening(SYSTEMD_FIRST);
}

bool listen_is_inherited(void)
{
    return systemd_passed() || is_listening(STDIN_FILENO);
}

bool listen_inherit(struct listener *listener_r)
{
    if (systemd_passed()) {
        unsetenv("LISTEN_PID");
        unsetenv("LISTEN_FDS");
        unsetenv("LISTEN_FDNAMES");
        fcntl(SYSTEMD_FIRST, F_SETFD, FD_CLOEXEC);
        *listener_r = (struct listener){.fd = SYSTEMD_FIRST, .lasting = true};
    } else if (is_listening(STDIN_FILENO)) {
        *listener_r = (struct listener){.fd = STDIN_FILENO};
    } else {
        return false;
    }
    set_blocking(listener_r->fd);
    return true;
}
