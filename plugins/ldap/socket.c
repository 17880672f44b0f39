/* SPDX-License-Identifier: MIT */
#include "socket.h"

#include "base/clock.h"
#include "base/networks.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* Lets TCP notice dead peers on idle connections, as behind a firewall that forgets them. */
static void set_options(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},          {SOL_SOCKET, SO_KEEPALIVE, 1},
#ifdef TCP_KEEPIDLE
        {IPPROTO_TCP, TCP_KEEPIDLE, 60},        {IPPROTO_TCP, TCP_KEEPINTVL, 5},
        {IPPROTO_TCP, TCP_KEEPCNT, 3},
#endif
#ifdef TCP_USER_TIMEOUT
        {IPPROTO_TCP, TCP_USER_TIMEOUT, 10000},
#endif
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                   sizeof options[i].value);
}

/* 0, or the errno with which the connection failed. */
static int await_connection(int fd, int64_t ms)
{
    struct pollfd waiting = {.fd = fd, .events = POLLOUT};
    socklen_t length = sizeof(int);
    int error = ETIMEDOUT;
    if (poll(&waiting, 1, (int)ms) > 0 &&
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        error = errno;
    return error;
}

/* -1 with errno. */
static int connect_one(const struct sockaddr *address, socklen_t length, int64_t ms)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0;
    if (fd < 0)
        return -1;
    if (address->sa_family != AF_UNIX)
        set_options(fd);
    if (connect(fd, address, length) != 0)
        error = errno == EINPROGRESS ? await_connection(fd, ms) : errno;
    if (error == 0)
        return fd;
    close(fd);
    errno = error;
    return -1;
}

int ldap_socket_connect(const struct addresses *addresses, bool local_only, int64_t deadline,
                        struct ldap_fault *fault)
{
    int error = 0;
    for (size_t i = 0; i < addresses->count; i++) {
        const struct sockaddr *address = (const struct sockaddr *)&addresses->items[i];
        if (local_only && !network_address_is_loopback(address))
            continue;
        int fd = connect_one(address, addresses->lengths[i],
                             clock_left_ms(deadline) / (int64_t)(addresses->count - i));
        if (fd >= 0)
            return fd;
        error = errno;
    }
    if (error == 0)
        ldap_fault_set(fault, VERDICT_UNTRUSTED,
                       "this would be in clear text to another machine: set \"starttls\", or use "
                       "ldaps://");
    else
        ldap_fault_set(fault, error == ETIMEDOUT ? VERDICT_LATE : VERDICT_LOST,
                       "cannot connect: %s", strerror(error));
    return -1;
}

int ldap_socket_connect_path(const char *path, int64_t deadline, struct ldap_fault *fault)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd =
        connect_one((const struct sockaddr *)&address, sizeof address, clock_left_ms(deadline));
    if (fd >= 0)
        return fd;
    if (errno == EACCES)
        ldap_fault_set(fault, VERDICT_WRONG,
                       "cannot connect to %s: permission denied: let user %ld write to it", path,
                       (long)geteuid());
    else
        ldap_fault_set(fault, VERDICT_LOST, "cannot connect to %s: %s", path, strerror(errno));
    return -1;
}
