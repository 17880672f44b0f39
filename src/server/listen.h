/* SPDX-License-Identifier: MIT
 * The socket that the web server connects to. */
#ifndef LISTEN_H
#define LISTEN_H

#include "base/reason.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

struct listener {
    int fd;                             /* -1: none */
    bool lasting;                       /* false: a web server starts and ends processes */
    struct sockaddr_un address, beside; /* of an own unix socket; else no path in them */
    bool in_place;                      /* it was renamed from `beside` to `address` */
    dev_t device;                       /* of that socket */
    ino_t inode;
    int64_t look_at; /* when listen_look() looks next */
};

/* Opens "unix:/path", with socket_place.h's options behind it, or "127.0.0.1:9000".  A unix
 * socket is made beside the path, under another name, until listen_take_place().  False: `why`. */
bool listen_open(const char *address, struct listener *listener_r, struct reason *why_r);

/* A socket that was made for us: systemd's (descriptor 3, by LISTEN_PID and LISTEN_FDS,
 * which are unset), or the one that is descriptor 0.  False: there is none. */
bool listen_inherit(struct listener *listener_r);
bool listen_is_inherited(void); /* only looks */

/* Renames a unix socket over its path, so that it takes over from an older memberchat,
 * which finishes what waits in the old one.  A file, and the live socket of another
 * program, stay what they are.  To be called when nothing can go wrong any more.
 * False: `why`; nothing has changed. */
bool listen_take_place(struct listener *listener, struct reason *why_r);

/* Says in the log, once a minute, that the path is gone, as a cleaner of /tmp may remove it: the
 * socket itself lives on, and nothing else tells.  Call it regularly. */
void listen_look(struct listener *listener);

/* Removes the unix socket's path, unless another process has taken it over. */
void listen_remove_path(struct listener *listener);

/* In words, with mode and group, for the log. */
void listen_describe(const struct listener *listener, struct reason *text_r);

#endif
