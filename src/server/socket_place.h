/* SPDX-License-Identifier: MIT
 * Where a unix socket goes and who may connect to it: "/path,mode=0660,group=www-data". */
#ifndef SOCKET_PLACE_H
#define SOCKET_PLACE_H

#include "base/reason.h"

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

struct socket_place {
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    mode_t mode; /* SOCKET_MODE if the text names none */
    bool has_group;
    gid_t group;
    char group_name[256]; /* as it was written */
};

enum { SOCKET_MODE = 0660 };

/* Reads what stands behind "unix:".  The path ends at the first comma.  False: `why`. */
bool socket_place_parse(const char *text, struct socket_place *place_r, struct reason *why_r);

/* Gives the socket at `path` the group and the mode.  False: `why`. */
bool socket_place_apply(const struct socket_place *place, const char *path, struct reason *why_r);

#endif
