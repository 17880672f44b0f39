/* SPDX-License-Identifier: MIT
 * Edits the list of ids that get no token. */
#include "cli.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST_MAX (64u << 20)

/* One list being edited: nobody else edits one in its folder meanwhile. */
struct edit {
    char path[PATH_MAX], folder[PATH_MAX];
    int folder_fd; /* locked */
    struct stat status;
    bool exists;
    struct bytes before, after;
};

/* ---- The file ---- */

/* The file itself where the name is a link to it. */
static bool find_file(struct edit *edit, const char *path)
{
    char real[PATH_MAX];
    snprintf(edit->path, sizeof edit->path, "%s", realpath(path, real) ? real : path);
    span_copy(file_folder(edit->path), edit->folder, sizeof edit->folder);
    return strlen(path) < sizeof edit->path;
}

static bool read_list(struct edit *edit)
{
    struct reason why;
    bool exposed;
    edit->exists = lstat(edit->path, &edit->status) == 0;
    if (!edit->exists && errno == ENOENT)
        return true;
    if (file_read_secret(edit->path, LIST_MAX, &edit->before, &exposed, &why))
        return true;
    cli_error("%s", why.text);
    return false;
}

static bool begin(struct edit *edit, const char *path)
{
    if (!find_file(edit, path)) {
        cli_error("%s: the path is too long", path);
        return false;
    }
    edit->folder_fd = open(edit->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (edit->folder_fd < 0 || flock(edit->folder_fd, LOCK_EX) != 0) {
        cli_error("the folder %s cannot be opened: %s", edit->folder, strerror(errno));
        return false;
    }
    return read_list(edit);
}

/* Owner, group and mode stay as they are: who could read the list still can.  A new one belongs
 * to the group of its folder, as far as we may say so. */
static bool set_owner(const struct edit *edit, int fd)
{
    struct stat own, folder;
    if (fstat(fd, &own) != 0 || fstat(edit->folder_fd, &folder) != 0)
        return false;
    if (!edit->exists)
        return (fchown(fd, (uid_t)-1, folder.st_gid) == 0 || errno == EPERM) &&
               fchmod(fd, 0640) == 0;
    bool same = own.st_uid == edit->status.st_uid && own.st_gid == edit->status.st_gid;
    return (same || fchown(fd, edit->status.st_uid, edit->status.st_gid) == 0) &&
           fchmod(fd, edit->status.st_mode & 07777) == 0;
}

static bool fill(const struct edit *edit, int fd)
{
    if (!set_owner(edit, fd)) {
        cli_error("%s: its owner, group or mode cannot be kept: %s; do it as its owner or as root",
                  edit->path, strerror(errno));
        return false;
    }
    if (file_write_all(fd, bytes_span(&edit->after)) && fsync(fd) == 0)
        return true;
    cli_error("%s cannot be written: %s", edit->path, strerror(errno));
    return false;
}

/* Under a temporary name, then renamed: a reader sees the old list or the new one. */
static bool replace(const struct edit *edit)
{
    char fresh[PATH_MAX + 16];
    snprintf(fresh, sizeof fresh, "%s.XXXXXX", edit->path);
    int fd = mkostemp(fresh, O_CLOEXEC);
    if (fd < 0) {
        cli_error("%s cannot be written: %s%s", edit->path, strerror(errno),
                  file_making_remedy(errno));
        return false;
    }
    bool good = fill(edit, fd);
    close(fd);
    if (good && rename(fresh, edit->path) != 0) {
        cli_error("%s cannot be replaced: %s", edit->path, strerror(errno));
        good = false;
    }
    if (!good)
        unlink(fresh);
    else
        fsync(edit->folder_fd);
    return good;
}

static void end(struct edit *edit)
{
    bytes_free(&edit->before);
    bytes_free(&edit->after);
    if (edit->folder_fd >= 0)
        close(edit->folder_fd);
}

static int change_list(const struct app *app, struct span id, const int64_t *until)
{
    struct edit edit = {.folder_fd = -1};
    int code = EXIT_FAILURE;
    if (begin(&edit, app->settings.denied_file)) {
        bool found = denied_rewrite(bytes_span(&edit.before), id, until, &edit.after);
        if (edit.after.failed)
            cli_error("out of memory");
        else if (!found && !until)
            cli_error("%s does not name \"%.*s\"", edit.path, (int)id.length, id.data);
        else if (replace(&edit))
            code = EXIT_SUCCESS;
    }
    end(&edit);
    return code;
}

/* ---- The commands ---- */

static bool is_id(const char *id)
{
    struct span text = span_of(id);
    bool good = text.length > 0 && text.length <= DENIED_ID_MAX && text_is_plain(text);
    if (!good)
        cli_error("\"%s\" cannot be an id: it is 1 to %d bytes of UTF-8 without control characters",
                  id, DENIED_ID_MAX);
    return good;
}

/* Stores and keys are not read: a moderator need not be able to. */
static int change(const struct cli *cli, const char *words[2], const int64_t *until)
{
    static const struct settings_choice choice = {.parts = SETTINGS_APPS};
    struct config_report report = {0};
    struct settings *settings = cli_load_part(cli, &choice, &report);
    const struct app *app = NULL;
    int code = EXIT_FAILURE;
    if (report.errors)
        config_report_print(&report, stderr);
    if (settings && settings->app_count)
        app = cli_find_app(cli, settings, words[0]);
    if (app && !app->settings.denied_file)
        cli_error("the app \"%s\" has no denied_file: add denied_file = \"denied.txt\" to its "
                  "group in %s, and reload",
                  app->id, cli->config);
    else if (app && is_id(words[1]))
        code = change_list(app, span_of(words[1]), until);
    if (code == EXIT_SUCCESS && report.errors)
        cli_error("%s is changed all the same: what runs reads it, unless its denied_file was "
                  "another at the last reload",
                  app->settings.denied_file);
    config_report_free(&report);
    settings_free(settings);
    return code;
}

static int run_deny(const struct cli *cli, int argc, char **argv)
{
    const char *words[2] = {NULL, NULL}, *time = NULL;
    int64_t until = DENIED_FOREVER, now;
    const struct cli_option options[] = {{"--until", &time, NULL}, {NULL, NULL, NULL}};
    if (!cli_parse(cli, argc, argv, options, words, 2) || !words[1])
        return cli_usage(cli);
    if (time && !denied_parse_until(span_of(time), &until)) {
        cli_error("--until %s: write a date as 2026-11-25, which is denied to its end, or a time "
                  "as 2026-11-25T18:00Z",
                  time);
        return EXIT_USAGE;
    }
    if (clock_unix_seconds(&now) && until <= now) {
        cli_error("--until %s is over: nobody would be denied", time);
        return EXIT_USAGE;
    }
    return change(cli, words, &until);
}

static int run_allow(const struct cli *cli, int argc, char **argv)
{
    const char *words[2] = {NULL, NULL};
    const struct cli_option options[] = {{NULL, NULL, NULL}};
    if (!cli_parse(cli, argc, argv, options, words, 2) || !words[1])
        return cli_usage(cli);
    return change(cli, words, NULL);
}

const struct cli_command cli_deny = {
    .name = "deny",
    .arguments = "APP ID [--until TIME]",
    .summary = "Deny a member or guest tokens",
    .help = "Puts the id into the app's denied_file, or changes the end of its ban.  This takes\n"
            "effect within a second.  --until takes a date, 2026-11-25, which is included, or a\n"
            "time, 2026-11-25T18:00Z; without it, the ban has no end.  Tokens that were issued\n"
            "earlier stay good until they expire.\n",
    .examples = "  memberchat deny my-app 4711\n"
                "  memberchat deny my-app 4711 --until 2026-12-01\n",
    .exits = "0 denied, 1 not done",
    .run = run_deny,
};

const struct cli_command cli_allow = {
    .name = "allow",
    .arguments = "APP ID",
    .summary = "Let a denied member or guest have tokens again",
    .help = "Removes the id from the app's denied_file.  This takes effect within a second.\n",
    .examples = "  memberchat allow my-app 4711\n",
    .exits = "0 allowed, 1 not done: also when the id was not denied",
    .run = run_allow,
};
