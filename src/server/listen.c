/* SPDX-License-Identifier: MIT */
#include "listen.h"

#include "base/networks.h"
#include "frame.h"
#include "host/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG       4096 /* the kernel cuts it to its own limit */
#define SOCKET_MODE   0660
#define PROBE_SECONDS 2
#define SYSTEMD_FIRST 3

static bool fill_address(const char *path, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address->sun_path)
        return false;
    strcpy(address->sun_path, path);
    return true;
}

/* ---- Who is there already ---- */

enum occupant { NOBODY, MEMBERCHAT, STRANGER };

/* Asks the program behind a live socket whether it is one of us. */
static enum occupant ask(int fd)
{
    const struct timeval patience = {.tv_sec = PROBE_SECONDS};
    struct bytes query = {0};
    char answer[256];
    frame_add_query(&query);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ssize_t got = -1;
    if (send(fd, query.data, query.length, MSG_NOSIGNAL) == (ssize_t)query.length)
        got = recv(fd, answer, sizeof answer, 0);
    bytes_free(&query);
    return got > 0 && frame_is_our_answer((struct span){answer, (size_t)got}) ? MEMBERCHAT
                                                                              : STRANGER;
}

static enum occupant probe(const struct sockaddr_un *address)
{
    const struct timeval patience = {.tv_sec = PROBE_SECONDS};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return STRANGER;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    enum occupant occupant = STRANGER;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
        occupant = ask(fd);
    else if (errno == ECONNREFUSED || errno == ENOENT)
        occupant = NOBODY;
    close(fd);
    return occupant;
}

/* Whether the path may be taken. */
static bool may_take(const char *path, const struct sockaddr_un *address, struct bytes *why_r)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return true;
    if (!S_ISSOCK(st.st_mode))
        bytes_addf(why_r, "%s exists and is not a socket; move it away or choose another path",
                   path);
    else if (probe(address) == STRANGER)
        bytes_addf(why_r,
                   "%s is the socket of another program that is running; stop it or choose "
                   "another path",
                   path);
    return why_r->length == 0;
}

/* ---- Opening ---- */

static bool bind_beside(int fd, const struct sockaddr_un *address)
{
    mode_t mask = umask(0777 & ~SOCKET_MODE);
    unlink(address->sun_path);
    int rc = bind(fd, (const struct sockaddr *)address, sizeof *address);
    umask(mask);
    return rc == 0 && listen(fd, BACKLOG) == 0;
}

static bool open_unix(const char *path, struct listener *listener_r, struct bytes *why_r)
{
    struct sockaddr_un address, beside;
    struct bytes temporary = {0};
    struct stat st;
    int fd = -1;
    bytes_addf(&temporary, "%s.%d", path, (int)getpid());
    if (!fill_address(path, &address) || !fill_address(bytes_string(&temporary), &beside)) {
        bytes_addf(why_r, "%s is too long for a socket's path (at most %zu bytes)", path,
                   sizeof address.sun_path - 12);
        goto out;
    }
    if (!may_take(path, &address, why_r))
        goto out;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* it listens before anybody can see it, so no connection is refused */
    if (fd < 0 || !bind_beside(fd, &beside) || lstat(beside.sun_path, &st) != 0 ||
        rename(beside.sun_path, path) != 0) {
        bytes_addf(why_r, "cannot listen on %s: %s", path, strerror(errno));
        unlink(beside.sun_path);
        goto out;
    }
    *listener_r =
        (struct listener){.fd = fd, .path = path, .device = st.st_dev, .inode = st.st_ino};
out:
    if (why_r->length && fd >= 0)
        close(fd);
    bytes_free(&temporary);
    return why_r->length == 0;
}

/* "127.0.0.1:9000" or "[::1]:9000" */
static bool parse_inet(const char *text, struct sockaddr_storage *address_r, socklen_t *length_r)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)address_r;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address_r;
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN + 2], *end;
    if (!colon || colon == text || (size_t)(colon - text) >= sizeof host)
        return false;
    long port = strtol(colon + 1, &end, 10);
    if (*end || end == colon + 1 || port < 1 || port > 65535)
        return false;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    memset(address_r, 0, sizeof *address_r);
    size_t length = strlen(host);
    if (host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        *length_r = sizeof *v6;
        return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1;
    }
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)port);
    *length_r = sizeof *v4;
    return inet_pton(AF_INET, host, &v4->sin_addr) == 1;
}

static bool open_inet(const char *text, struct listener *listener_r, struct bytes *why_r)
{
    struct sockaddr_storage address;
    socklen_t length;
    int yes = 1;
    if (!parse_inet(text, &address, &length)) {
        bytes_addf(why_r,
                   "\"%s\" is no address; write unix:/path/to/socket, 127.0.0.1:9000 or "
                   "[::1]:9000",
                   text);
        return false;
    }
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, BACKLOG) != 0) {
        bytes_addf(why_r, "cannot listen on %s: %s", text, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    if (!network_address_is_loopback((struct sockaddr *)&address))
        log_warning("%s: whoever can reach this address can pass for the web server; a unix "
                    "socket or 127.0.0.1 is safer",
                    text);
    *listener_r = (struct listener){.fd = fd};
    return true;
}

/* Whoever accepts waits in accept(); who passed the socket may have had other plans. */
static void set_blocking(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

bool listen_open(const char *address, struct listener *listener_r, struct bytes *why_r)
{
    bool is_unix = strncmp(address, "unix:", 5) == 0;
    return is_unix ? open_unix(address + 5, listener_r, why_r)
                   : open_inet(address, listener_r, why_r);
}

/* ---- Inheriting ---- */

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
        *listener_r = (struct listener){.fd = SYSTEMD_FIRST};
    } else if (is_listening(STDIN_FILENO)) {
        *listener_r = (struct listener){.fd = STDIN_FILENO};
    } else {
        return false;
    }
    set_blocking(listener_r->fd);
    return true;
}

void listen_remove_path(struct listener *listener)
{
    struct stat st;
    if (listener->path && lstat(listener->path, &st) == 0 && st.st_dev == listener->device &&
        st.st_ino == listener->inode)
        unlink(listener->path);
    listener->path = NULL;
}
