/* SPDX-License-Identifier: MIT */
#include "kit.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOADER    "ld-linux-x86-64.so.2"
#define ARGUMENTS 64 /* of a program that is started with the loader */

static char program[PATH_MAX]; /* the running one, resolved */
static char home[PATH_MAX];    /* the kit; empty: none */

/* False: it does not fit. */
static bool join(char out[PATH_MAX], const char *folder, const char *name)
{
    return (size_t)snprintf(out, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

/* Takes the last name off a path, down to "", the root.  False: it was the root. */
static bool go_up(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash)
        return false;
    *slash = '\0';
    return true;
}

/* By /proc, or where that is not mounted by the path that the kernel was given. */
static bool find_program(void)
{
    const char *given = (const char *)getauxval(AT_EXECFN);
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length > 0)
        program[length] = '\0';
    else if (!given || !realpath(given, program))
        program[0] = '\0';
    return program[0] == '/';
}

const char *kit_program_name(void)
{
    const char *slash = strrchr(program, '/');
    return slash ? slash + 1 : program;
}

/* ---- Where the kit is ---- */

static bool is_kit(const char *folder)
{
    char path[PATH_MAX];
    return join(path, folder, "memberchat.conf") && access(path, F_OK) == 0;
}

/* The folder that a file memberchat.home names; relative ones start at the file's folder. */
static bool read_home_file(const char *folder)
{
    char path[PATH_MAX], line[PATH_MAX];
    struct bytes text = {0};
    bool found = false;
    if (join(path, folder, "memberchat.home") && file_read_path(path, 0, PATH_MAX, &text)) {
        size_t length = strcspn(bytes_string(&text), "\r\n");
        if (length > 0 && length < sizeof line) {
            memcpy(line, text.data, length);
            line[length] = '\0';
            found = *line == '/' ? realpath(line, home) != NULL
                                 : join(path, folder, line) && realpath(path, home) != NULL;
        }
    }
    bytes_free(&text);
    return found;
}

/* Upwards from the program.  A folder that belongs to another user is skipped: on a shared host it
 * may lie in wait. */
static bool search_upwards(const char *folder)
{
    char at[PATH_MAX];
    struct stat ours, theirs;
    strcpy(at, folder);
    if (stat(program, &ours) != 0)
        return false;
    do {
        if (join(home, at, "memberchat") && is_kit(home) && stat(home, &theirs) == 0 &&
            (theirs.st_uid == ours.st_uid || theirs.st_uid == 0))
            return true;
    } while (go_up(at));
    return false;
}

void kit_find(void)
{
    char folder[PATH_MAX];
    const char *named = getenv("MEMBERCHAT_HOME");
    bool known = find_program();
    strcpy(folder, program);
    known = known && go_up(folder);
    bool found = named && *named ? realpath(named, home) != NULL
                                 : known && (read_home_file(folder) || search_upwards(folder));
    if (!found)
        home[0] = '\0';
}

void kit_keep_errors(void)
{
    char path[PATH_MAX];
    if (!*home || !join(path, home, "log/memberchat.log"))
        return;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd >= 0)
        dup2(fd, STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

/* ---- Starting a program of it ---- */

/* Sets a variable that is not set to a path of the kit. */
static bool offer_path(const char *variable, const char *name)
{
    char path[PATH_MAX];
    return join(path, home, name) && setenv(variable, path, 0) == 0;
}

bool kit_offer_paths(void)
{
    return !*home || (setenv("MEMBERCHAT_HOME", home, 1) == 0 &&
                      offer_path("MEMBERCHAT_CONF", "memberchat.conf") &&
                      offer_path("MEMBERCHAT_PLUGIN_DIR", "lib"));
}

/* OpenSSL's libraries look where Debian has its certificates; other systems have other places. */
static bool offer_certificates(void)
{
    const char *bundle = file_system_certificates();
    return !bundle || setenv("SSL_CERT_FILE", bundle, 0) == 0;
}

static void start_with_loader(const char *name, char *const *argv)
{
    static char option[] = "--library-path";
    char loader[PATH_MAX], library[PATH_MAX], path[PATH_MAX];
    char *arguments[ARGUMENTS] = {loader, option, library, path};
    size_t count = 4;
    if (!join(library, home, "lib") || !join(loader, library, LOADER) ||
        !join(path, library, name)) {
        errno = ENAMETOOLONG;
        return;
    }
    for (size_t i = 1; argv[0] && argv[i] && count < ARGUMENTS - 1; i++)
        arguments[count++] = argv[i];
    execv(loader, arguments);
    if (errno == EACCES && chmod(loader, 0755) == 0) /* an upload may lose the x bit */
        execv(loader, arguments);
}

void kit_exec(const char *name, char *const *argv, struct reason *why)
{
    bool ready = kit_offer_paths() &&
                 (!*home || (offer_path("GCONV_PATH", "lib/gconv") &&
                             offer_path("MARIADB_PLUGIN_DIR", "lib") && offer_certificates()));
    if (ready && *home)
        start_with_loader(name, argv);
    else if (ready)
        execv(DEFAULT_RESPONDER, argv);
    reason_set(why, "%s%s cannot be started: %s", *home ? home : DEFAULT_RESPONDER,
               *home ? "/lib/" LOADER : "", strerror(errno));
}
