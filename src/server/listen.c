/* SPDX-License-Identifier: MIT */
#include "listen.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/networks.h"
#include "base/random.h"
#include "host/log.h"
#include "record.h"
#include "socket_place.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG       4096 /* the kernel cuts it to its own limit */
#define PROBE_SECONDS 2

#define LOCK_TRIES 200 /* of a millisecond each */
#define LOOK_MS    1000

/* ---- Who is there already ---- */

enum occupant { NOBODY, MEMBERCHAT, STRANGER, UNKNOWN };

/* Asks the program behind a live socket whether it is one of us. */
static enum occupant ask_occupant(int fd)
{
    const struct timeval patience = {.tv_sec = PROBE_SECONDS};
    struct bytes query = {0};
    char answer[256];
    record_append_query(&query);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ssize_t got = -1;
    if (send(fd, query.data, query.length, MSG_NOSIGNAL) == (ssize_t)query.length)
        got = recv(fd, answer, sizeof answer, 0);
    bytes_free(&query);
    return got > 0 && record_is_our_answer((struct span){answer, (size_t)got}) ? MEMBERCHAT
                                                                               : STRANGER;
}

static enum occupant probe(const struct sockaddr_un *address)
{
    const struct timeval patience = {.tv_sec = PROBE_SECONDS};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return UNKNOWN;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    enum occupant occupant = STRANGER;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
        occupant = ask_occupant(fd);
    else if (errno == ECONNREFUSED || errno == ENOENT)
        occupant = NOBODY;
    close(fd);
    return occupant;
}

/* Whether the path may be taken. */
static bool may_take(const struct sockaddr_un *address, struct reason *why_r)
{
    struct stat st;
    if (lstat(address->sun_path, &st) != 0)
        return true;
    if (!S_ISSOCK(st.st_mode)) {
        reason_set(why_r, "%s exists and is not a socket: move it away or choose another path",
                   address->sun_path);
        return false;
    }
    switch (probe(address)) {
    case STRANGER:
        reason_set(why_r,
                   "%s is the socket of another program that is running: stop it or choose "
                   "another path",
                   address->sun_path);
        return false;
    case UNKNOWN:
        reason_set(why_r, "cannot ask which program listens on %s: %s", address->sun_path,
                   strerror(errno));
        return false;
    default:
        return true;
    }
}

/* ---- Opening ---- */

static bool fill_addresses(const char *path, struct listener *listener)
{
    unsigned unique;
    size_t room = sizeof listener->beside.sun_path;
    if (!random_fill(&unique, sizeof unique))
        unique = (unsigned)getpid(); /* it is only there so that two processes differ */
    listener->address.sun_family = listener->beside.sun_family = AF_UNIX;
    if ((size_t)snprintf(listener->beside.sun_path, room, "%s.%08x", path, unique) >= room)
        return false;
    strcpy(listener->address.sun_path, path);
    return true;
}

/* Until the group is set, it is the owner's alone. */
static bool bind_beside(int fd, const struct sockaddr_un *address)
{
    mode_t mask = umask(0177);
    int rc = bind(fd, (const struct sockaddr *)address, sizeof *address);
    umask(mask);
    return rc == 0;
}

/* It listens before any client can see it, so no connection is refused. */
static bool make_socket(int fd, const struct socket_place *place, struct listener *listener,
                        struct reason *why_r)
{
    const char *beside = listener->beside.sun_path;
    struct stat st;
    bool bound = fd >= 0 && bind_beside(fd, &listener->beside);
    if (bound && !socket_place_apply(place, beside, why_r)) {
        unlink(beside);
        return false;
    }
    if (!bound || listen(fd, BACKLOG) != 0 || lstat(beside, &st) != 0) {
        reason_set(why_r, "cannot listen on %s: %s", place->path, strerror(errno));
        if (bound)
            unlink(beside);
        return false;
    }
    listener->fd = fd;
    listener->device = st.st_dev;
    listener->inode = st.st_ino;
    return true;
}

static void warn_of_mode(const struct socket_place *place)
{
    if (place->mode & S_IWOTH)
        log_warning("%s: mode %04o lets every user of this host pass for the web server; "
                    "mode=0660,group=NAME with the web server's group is safer",
                    place->path, (unsigned)place->mode);
}

static bool open_unix(const char *text, struct listener *listener, struct reason *why_r)
{
    struct socket_place place;
    if (!socket_place_parse(text, &place, why_r))
        return false;
    if (!fill_addresses(place.path, listener)) {
        reason_set(why_r, "%s is too long for a socket's path (at most %zu bytes)", place.path,
                   sizeof listener->address.sun_path - sizeof ".12345678");
        return false;
    }
    if (!may_take(&listener->address, why_r))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (make_socket(fd, &place, listener, why_r)) {
        warn_of_mode(&place);
        return true;
    }
    if (fd >= 0)
        close(fd);
    return false;
}

/* One process at a time changes the path, so that no other takes it between the check and the
 * removal.  -1: the lock could not be had; the caller goes on without it. */
static int lock_folder(const char *path)
{
    char folder[sizeof(struct sockaddr_un)];
    span_copy(file_folder(path), folder, sizeof folder);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; fd >= 0 && i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB) != 0; i++)
        usleep(1000);
    return fd;
}

bool listen_take_place(struct listener *listener, struct reason *why_r)
{
    const char *path = listener->address.sun_path;
    struct stat st;
    if (!*path)
        return true;
    int lock = lock_folder(path);
    if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
        reason_set(why_r, "%s is not a socket any more: another program made it", path);
    else if (rename(listener->beside.sun_path, path) != 0)
        reason_set(why_r, "cannot put the socket at %s: %s", path, strerror(errno));
    else
        listener->in_place = true;
    if (lock >= 0)
        close(lock);
    return listener->in_place;
}

void listen_look(struct listener *listener)
{
    struct stat st;
    int64_t now = clock_monotonic_ms();
    if (!listener->in_place || now < listener->look_at)
        return;
    listener->look_at = now + LOOK_MS;
    if (lstat(listener->address.sun_path, &st) != 0 && errno == ENOENT)
        log_error_limited("%s has been removed: the web server cannot connect any more; restart "
                          "memberchat, and see what removes files there",
                          listener->address.sun_path);
}

void listen_remove_path(struct listener *listener)
{
    const char *path = listener->in_place ? listener->address.sun_path : listener->beside.sun_path;
    struct stat st;
    if (!*path)
        return;
    int lock = lock_folder(path);
    if (lstat(path, &st) == 0 && st.st_dev == listener->device && st.st_ino == listener->inode)
        unlink(path);
    if (lock >= 0)
        close(lock);
    listener->address.sun_path[0] = listener->beside.sun_path[0] = '\0';
}

void listen_describe(const struct listener *listener, struct reason *text_r)
{
    const char *path = listener->address.sun_path;
    struct stat st;
    if (!*path) {
        reason_set(text_r, "descriptor %d", listener->fd);
    } else if (lstat(listener->in_place ? path : listener->beside.sun_path, &st) != 0) {
        reason_set(text_r, "%s", path);
    } else {
        const struct group *group = getgrgid(st.st_gid);
        reason_set(text_r, "%s (mode %04o, group %s)", path, (unsigned)st.st_mode & 07777,
                   group ? group->gr_name : "without a name");
    }
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

static bool open_inet(const char *text, struct listener *listener, struct reason *why_r)
{
    struct sockaddr_storage address;
    socklen_t length;
    int yes = 1;
    if (!parse_inet(text, &address, &length)) {
        reason_set(why_r,
                   "\"%s\" is not an address: write unix:/path/to/socket, 127.0.0.1:9000 or "
                   "[::1]:9000",
                   text);
        return false;
    }
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, BACKLOG) != 0) {
        reason_set(why_r, "cannot listen on %s: %s", text, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    if (!network_address_is_loopback((struct sockaddr *)&address))
        log_warning("%s: anyone who can reach this address can pass for the web server; a unix "
                    "socket or 127.0.0.1 is safer",
                    text);
    listener->fd = fd;
    return true;
}

bool listen_open(const char *address, struct listener *listener_r, struct reason *why_r)
{
    *listener_r = (struct listener){.fd = -1, .lasting = true};
    return strncmp(address, "unix:", 5) == 0 && address[5]
               ? open_unix(address + 5, listener_r, why_r)
               : open_inet(address, listener_r, why_r);
}
