/* SPDX-License-Identifier: MIT
 * What doctor sees on this host: folders, files, programs, clock and limits. */
#include "doctor_private.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { START_MAX = 64 * 1024 }; /* as much of a file as is looked at */

/* Calls `look` for each folder above a path, the root first, until it says false; the
 * path is made absolute.  False: it was stopped, or memory ran out. */
static bool each_folder(const char *path, bool (*look)(const char *folder, void *context),
                        void *context)
{
    struct bytes whole = {0};
    char *here = *path == '/' ? NULL : getcwd(NULL, 0);
    if (here)
        bytes_addf(&whole, "%s/", here);
    bytes_add_string(&whole, path);
    bytes_string(&whole);
    bool good = !whole.failed && (*path == '/' || here);
    for (size_t i = 0; good && i < whole.length; i++) {
        if (whole.data[i] != '/')
            continue;
        whole.data[i] = '\0';
        good = look(i ? whole.data : "/", context);
        whole.data[i] = '/';
    }
    free(here);
    bytes_free(&whole);
    return good;
}

/* ---- The way to the configuration ---- */

static bool look_at_folder(const char *folder, void *context)
{
    struct doctor *doctor = context;
    struct stat status;
    if (stat(folder, &status) != 0 || faccessat(AT_FDCWD, folder, X_OK, AT_EACCESS) != 0) {
        doctor_say(doctor, DOCTOR_FAULT, "%s: user %u cannot enter this folder: %s; %s", folder,
                   (unsigned)geteuid(), strerror(errno),
                   errno == EACCES ? "chmod o+x it, or give it to a group that the user is in"
                                   : "is the path after -c right?");
        return false;
    }
    if (file_mode_refused(status.st_mode) && !(status.st_mode & S_ISVTX))
        doctor_say(doctor, DOCTOR_FAULT,
                   "%s: every user of this host may replace what is in this folder; chmod o-w it",
                   folder);
    return true;
}

void doctor_look_at_path(struct doctor *doctor)
{
    struct stat status;
    if (!each_folder(doctor->cli->config, look_at_folder, doctor))
        return;
    if (stat(doctor->cli->config, &status) == 0 && status.st_uid != 0 &&
        status.st_uid != geteuid() && geteuid() != 0)
        doctor_say(doctor, DOCTOR_WARNING,
                   "%s: belongs to user %u, who is neither root nor the user that runs memberchat; "
                   "chown it, unless that is the administrator",
                   doctor->cli->config, (unsigned)status.st_uid);
}

/* ---- Secrets below a document root ---- */

struct exposure {
    char root[1024]; /* the uppermost folder that looks like a document root; "": none */
    bool denied;     /* a .htaccess in it or below keeps everybody out */
};

/* Of an absolute path. */
static bool is_named_like_root(const char *folder)
{
    static const char *const names[] = {"public_html", "htdocs", "httpdocs", "www", "html", NULL};
    const char *slash = strrchr(folder, '/');
    if (strncmp(folder, "/home/", 6) == 0 && slash == folder + 5) /* a user's name */
        return false;
    return span_is_one_of(span_of(slash + 1), names);
}

static bool has_file(const char *folder, const char *name, struct bytes *content)
{
    struct bytes path = {0};
    bytes_addf(&path, "%s/%s", folder, name);
    bool good = !path.failed && file_read_path(bytes_string(&path), O_NONBLOCK, START_MAX, content);
    bytes_free(&path);
    return good;
}

static bool note_root(const char *folder, void *context)
{
    static const char *const starts[] = {"index.html", "index.php"};
    struct exposure *exposure = context;
    struct bytes rules = {0}, page = {0};
    bool looks = is_named_like_root(folder);
    if (has_file(folder, ".htaccess", &rules)) {
        const char *text = bytes_string(&rules);
        bool denied = strcasestr(text, "all denied") || strcasestr(text, "deny from all");
        exposure->denied = exposure->denied || denied;
        looks = looks || !denied;
    }
    for (size_t i = 0; !looks && i < sizeof starts / sizeof *starts; i++)
        looks = has_file(folder, starts[i], &page);
    if (looks && !exposure->root[0])
        snprintf(exposure->root, sizeof exposure->root, "%s", folder);
    bytes_free(&rules);
    bytes_free(&page);
    return true;
}

static void look_at_secret(struct doctor *doctor, const char *path)
{
    struct exposure exposure = {0};
    if (!path || !each_folder(path, note_root, &exposure) || !exposure.root[0])
        return;
    if (exposure.denied)
        doctor_say(doctor, DOCTOR_WARNING,
                   "%s: lies below %s, which looks like a document root, and only a .htaccess "
                   "protects it; move it out of there",
                   path, exposure.root);
    else
        doctor_say(doctor, DOCTOR_FAULT,
                   "%s: lies below %s, which looks like a document root: the web server may hand "
                   "it to everybody; move it out of there, and make new keys and secrets",
                   path, exposure.root);
}

void doctor_look_at_secrets(struct doctor *doctor)
{
    look_at_secret(doctor, doctor->cli->config);
    for (size_t i = 0; doctor->settings && i < doctor->settings->app_count; i++) {
        const struct app *app = &doctor->settings->apps[i];
        look_at_secret(doctor, app->token.key_file);
        look_at_secret(doctor, app->access.key_file);
        look_at_secret(doctor, app->settings.secret_file);
        for (size_t k = 0; k < app->token.next_keys.count; k++)
            look_at_secret(doctor, app->token.next_keys.items[k]);
        for (size_t k = 0; k < app->token.previous_keys.count; k++)
            look_at_secret(doctor, app->token.previous_keys.items[k]);
    }
}

/* ---- Programs that a web server runs ---- */

/* suEXEC looks at the program and at the folder that it is in; `folder_told`: of another program in
 * it, already. */
static void look_at_suexec(struct doctor *doctor, const char *path, const struct stat *program,
                           bool *folder_told)
{
    char folder[PATH_MAX];
    struct stat status = *program; /* of a folder that cannot be looked at, nothing is said */
    span_copy(file_folder(path), folder, sizeof folder);
    stat(folder, &status);
    if (program->st_mode & (S_IWGRP | S_IWOTH))
        doctor_say(doctor, DOCTOR_FAULT,
                   "%s: group or others may write it, so suEXEC refuses it; chmod 755 it", path);
    bool writable = status.st_mode & (S_IWGRP | S_IWOTH);
    if (writable && !*folder_told)
        doctor_say(doctor, DOCTOR_FAULT,
                   "%s: group or others may write this folder, so suEXEC refuses what is in it; "
                   "chmod 755 it",
                   folder);
    *folder_told = *folder_told || writable;
    if (status.st_uid != program->st_uid || status.st_gid != program->st_gid)
        doctor_say(doctor, status.st_uid != program->st_uid ? DOCTOR_FAULT : DOCTOR_WARNING,
                   "%s: belongs to another user or group than its folder, so suEXEC refuses it; "
                   "chown both to the account's user and group",
                   path);
}

static void look_at_content(struct doctor *doctor, const char *path)
{
    struct bytes start = {0};
    bool readable = file_read_path(path, O_NONBLOCK, START_MAX, &start);
    if (!readable)
        doctor_say(doctor, DOCTOR_WARNING, "%s: cannot be read: %s; chmod 755 it", path,
                   strerror(errno));
    const char *text = bytes_string(&start);
    const char *line = strchr(text, '\n');
    if (strncmp(text, "#!", 2) == 0 && line && line[-1] == '\r')
        doctor_say(doctor, DOCTOR_FAULT,
                   "%s: its lines end with CRLF, so the kernel looks for an interpreter with a "
                   "carriage return in its name; upload it in binary mode",
                   path);
    else if (readable && strncmp(text, "#!", 2) != 0 && strncmp(text, "\177ELF", 4) != 0)
        doctor_say(doctor, DOCTOR_FAULT,
                   "%s: is neither a program nor a script; upload it again, in binary mode", path);
    bytes_free(&start);
}

static void look_at_program(struct doctor *doctor, const char *path, bool *folder_told)
{
    struct stat status;
    unsigned before = doctor->faults;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return;
    if (!(status.st_mode & S_IXUSR))
        doctor_say(doctor, DOCTOR_FAULT,
                   "%s: is not executable: uploading has lost the x bit; chmod 755 it", path);
    look_at_content(doctor, path);
    look_at_suexec(doctor, path, &status, folder_told);
    if (doctor->faults == before && !*folder_told)
        doctor_say(doctor, DOCTOR_OK, "%s: a web server can run it", path);
}

/* The places beside the folder of the configuration that a kit's programs are put into. */
void doctor_look_at_programs(struct doctor *doctor)
{
    static const char *const roots[] = {"", "public_html/", "htdocs/", "www/"};
    static const char *const folders[] = {"chat-api/", "cgi-bin/"};
    static const char *const names[] = {"memberchat.cgi", "memberchat.fcgi"};
    const char *slash = strrchr(doctor->cli->config, '/');
    int length = slash ? (int)(slash - doctor->cli->config) : 0;
    struct bytes path = {0};
    bool folder_told = false;
    for (size_t i = 0; i < 4 * 2 * 2; i++) {
        folder_told = folder_told && i % 2; /* for the first name of a folder it is a new one */
        bytes_reset(&path);
        bytes_addf(&path, "%.*s%s../%s%s%s", length, doctor->cli->config, slash ? "/" : "./",
                   roots[i / 4], folders[i / 2 % 2], names[i % 2]);
        char *real = path.failed ? NULL : realpath(bytes_string(&path), NULL);
        if (real) /* most places have none */
            look_at_program(doctor, real, &folder_told);
        free(real);
    }
    bytes_free(&path);
}

/* ---- Clock and limits ---- */

void doctor_look_at_clock(struct doctor *doctor)
{
    enum { YEAR_2025 = 1735689600, SLACK = 60 };
    int64_t now;
    struct stat status;
    if (!clock_unix_seconds(&now) || now < YEAR_2025)
        doctor_say(doctor, DOCTOR_FAULT,
                   "the clock of this host is wrong, so every token is long expired; set it (NTP)");
    else if (stat(doctor->cli->config, &status) == 0 && status.st_mtime > now + SLACK)
        doctor_say(doctor, DOCTOR_WARNING,
                   "%s: was changed in the future, by the clock of this host; see that the clock "
                   "is right (NTP), else tokens are not valid",
                   doctor->cli->config);
}

static void look_at_limit(struct doctor *doctor, __rlimit_resource_t resource, rlim_t needed,
                          const char *what)
{
    struct rlimit limit = {.rlim_cur = RLIM_INFINITY}; /* which is more than anything */
    getrlimit(resource, &limit);
    if (limit.rlim_cur < needed)
        doctor_say(doctor, DOCTOR_WARNING,
                   "the limit of %s is %" PRIuMAX ", and memberchat may need %" PRIuMAX
                   "; raise it (ulimit, the panel of the host), or lower \"threads\"",
                   what, (uintmax_t)limit.rlim_cur, (uintmax_t)needed);
}

void doctor_look_at_limits(struct doctor *doctor)
{
    rlim_t threads = doctor->settings ? (rlim_t)doctor->settings->top.threads : 0;
    look_at_limit(doctor, RLIMIT_NOFILE, 64 + 2 * threads, "open files");
    look_at_limit(doctor, RLIMIT_NPROC, 8 + threads, "processes");
    look_at_limit(doctor, RLIMIT_AS, 64u << 20, "memory in bytes");
}
