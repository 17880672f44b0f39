/* SPDX-License-Identifier: MIT */
#include "socket_place.h"

#include "base/text.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A connection takes permission to write. */
static bool read_mode(const char *value, struct socket_place *place, struct reason *why_r)
{
    size_t length = strlen(value);
    bool octal = length >= 3 && length <= 4 && strspn(value, "01234567") == length;
    unsigned long mode = octal ? strtoul(value, NULL, 8) : 0;
    if (!octal || mode > 0777) {
        reason_set(why_r,
                   "mode=%s is not a mode for a socket: write three or four octal digits up to "
                   "0777, such as mode=0660",
                   value);
        return false;
    }
    if (!(mode & (S_IWUSR | S_IWGRP | S_IWOTH))) {
        reason_set(why_r,
                   "mode=%s lets nobody connect, which takes permission to write: write mode=0660",
                   value);
        return false;
    }
    place->mode = (mode_t)mode;
    return true;
}

static bool read_group(const char *value, struct socket_place *place, struct reason *why_r)
{
    int64_t number;
    const struct group *group = *value ? getgrnam(value) : NULL;
    if (group)
        place->group = group->gr_gid;
    else if (text_is_digit(*value) && text_parse_integer(value, &number) && number < UINT32_MAX)
        place->group = (gid_t)number;
    else {
        reason_set(why_r,
                   "group=%s: this host has no such group; name the group that the web server "
                   "runs with (ls /etc/group, or a number), such as www-data, nginx or apache",
                   value);
        return false;
    }
    place->has_group = true;
    snprintf(place->group_name, sizeof place->group_name, "%s", value);
    return true;
}

static const struct option {
    const char *name;
    bool (*read)(const char *value, struct socket_place *place, struct reason *why_r);
} options[] = {{"mode", read_mode}, {"group", read_group}};

enum { OPTIONS = sizeof options / sizeof *options };

/* One "name=value"; `seen` has a bit for each option that came before. */
static bool read_option(char *text, unsigned *seen, struct socket_place *place,
                        struct reason *why_r)
{
    char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : strlen(text);
    for (unsigned i = 0; equals && i < OPTIONS; i++) {
        if (strlen(options[i].name) != length || memcmp(options[i].name, text, length) != 0)
            continue;
        if (*seen & (1u << i)) {
            reason_set(why_r, "%s= is given twice: give it once", options[i].name);
            return false;
        }
        *seen |= 1u << i;
        return options[i].read(equals + 1, place, why_r);
    }
    reason_set(why_r,
               "\"%s\" is not an option of a socket: behind the path, write ,mode=0660 or "
               ",group=NAME (the path itself must not contain a comma)",
               text);
    return false;
}

bool socket_place_parse(const char *text, struct socket_place *place_r, struct reason *why_r)
{
    char rest[1024];
    unsigned seen = 0;
    size_t length = strcspn(text, ",");
    *place_r = (struct socket_place){.mode = SOCKET_MODE};
    if (length == 0 || length >= sizeof place_r->path) {
        reason_set(why_r,
                   length ? "%.200s is too long for a socket's path (at most %zu bytes)"
                          : "%.200s: there is no path in front of the comma: write "
                            "unix:/path/to/socket,mode=0660",
                   text, sizeof place_r->path - 1);
        return false;
    }
    if (strlen(text + length) >= sizeof rest) {
        reason_set(why_r, "what follows %.*s is too long for the options of a socket", (int)length,
                   text);
        return false;
    }
    memcpy(place_r->path, text, length);
    strcpy(rest, text + length);
    for (char *option = *rest ? rest + 1 : NULL, *next; option; option = next) {
        next = strchr(option, ',');
        if (next)
            *next++ = '\0';
        if (!read_option(option, &seen, place_r, why_r))
            return false;
    }
    return true;
}

bool socket_place_apply(const struct socket_place *place, const char *path, struct reason *why_r)
{
    if (place->has_group && lchown(path, (uid_t)-1, place->group) != 0) {
        reason_set(why_r, "group=%s: cannot give the socket to this group: %s%s", place->group_name,
                   strerror(errno),
                   errno == EPERM ? "; the user that runs memberchat must be in it (usermod -aG)"
                                  : "");
        return false;
    }
    /* the file's mode is what bind() and the umask made of it; chown() may have taken bits */
    if (chmod(path, place->mode) != 0) {
        reason_set(why_r, "%s: cannot set mode %04o: %s", path, (unsigned)place->mode,
                   strerror(errno));
        return false;
    }
    return true;
}
