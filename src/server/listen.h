/* SPDX-License-Identifier: MIT
 * The socket that the web server connects to. */
#ifndef LISTEN_H
#define LISTEN_H

#include "base/bytes.h"

#include <sys/types.h>

struct listener {
    int fd;           /* -1: none */
    const char *path; /* of a unix socket that this process made; NULL: none */
    dev_t device;     /* of that socket */
    ino_t inode;
};

/* Opens "unix:/path" or "127.0.0.1:9000".  A unix socket is made with mode 0660
 * beside the path and renamed over it, so that it takes over from an older
 * memberchat, which finishes what waits in the old one.  A file, and the live
 * socket of another program, stay what they are.  False: *why_r says why. */
bool listen_open(const char *address, struct listener *listener_r, struct bytes *why_r);

/* A socket that somebody has made for us: systemd's (descriptor 3, by LISTEN_PID
 * and LISTEN_FDS, which are unset), or the one that is descriptor 0.  False: there
 * is none. */
bool listen_inherit(struct listener *listener_r);
bool listen_is_inherited(void); /* only looks */

/* Removes the path, unless another process has taken it over. */
void listen_remove_path(struct listener *listener);

#endif
