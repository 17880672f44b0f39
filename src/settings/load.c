/* SPDX-License-Identifier: MIT */
#include "load.h"

#include "base/file.h"
#include "figures/figures.h"
#include "writable.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *first_of(const char *option, const char *variable, const char *fallback)
{
    const char *value = option ? option : getenv(variable);
    return value && *value ? value : fallback;
}

const char *load_config_path(const char *option)
{
    return first_of(option, "MEMBERCHAT_CONF", DEFAULT_CONFIG);
}

enum { PATH_ROOM = PATH_MAX + 32 }; /* a path, and a name behind it */

static bool has_plugins(const char *folder)
{
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s/store_file.so", folder);
    return access(path, F_OK) == 0;
}

/* Where the plugins are when a whole installation was moved or copied: ../lib/memberchat from the
 * program.  NULL: not there. */
static const char *find_beside_program(void)
{
    static const char *const places[] = {"../lib/memberchat", "../lib64/memberchat"};
    static _Thread_local char folder[PATH_MAX];
    char program[PATH_MAX], path[PATH_ROOM];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0)
        return NULL;
    program[length] = '\0';
    *strrchr(program, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path, "%s/%s", program, places[i]);
        if (realpath(path, folder) && has_plugins(folder))
            return folder;
    }
    return NULL;
}

const char *load_plugin_folder(const char *option)
{
    const char *named = first_of(option, "MEMBERCHAT_PLUGIN_DIR", NULL);
    if (named)
        return named;
    const char *beside = has_plugins(DEFAULT_PLUGIN_FOLDER) ? NULL : find_beside_program();
    return beside ? beside : DEFAULT_PLUGIN_FOLDER;
}

static void log_line(struct span line, void *context)
{
    struct span place, text;
    (void)context;
    if (config_line_is_warning(line, &place, &text))
        log_warning("%.*s: %.*s", (int)place.length, place.data, (int)text.length, text.data);
    else
        log_error("%.*s", (int)line.length, line.data);
}

static bool set_up_log(const struct settings *settings)
{
    const struct log_settings *log = &settings->log;
    const char *access = log->access && *log->access ? log->access : NULL;
    struct reason why;
    if (!log_configure(log->target, (enum log_level)log->level, (enum log_format)log->format)) {
        file_explain_unwritable(log->target, errno, &why);
        log_error("%s: the log file %s cannot be written: %s", log->place, log->target, why.text);
        return false;
    }
    if (!log_configure_access(access)) {
        file_explain_unwritable(access, errno, &why);
        log_error("%s: the access log %s cannot be written: %s", log->access_place, access,
                  why.text);
        return false;
    }
    return true;
}

/* Logs the report, and gives up settings that are not good. */
static struct settings *conclude(struct settings *settings, bool good, struct config_report *report)
{
    config_report_each(report, log_line, NULL);
    config_report_free(report);
    if (good)
        return settings;
    settings_free(settings);
    return NULL;
}

struct settings *load_resident(const char *path, const char *plugin_folder,
                               const struct settings *previous)
{
    struct config_report report = {0};
    struct settings *settings = settings_read(path, plugin_folder, NULL, &report);
    /* stores log while they open; a log that works is not given up for settings
     * that may not come into force */
    bool good = settings && (previous || set_up_log(settings)) &&
                settings_open(settings, previous, false, &report) &&
                (!previous || set_up_log(settings));
    return conclude(settings, good, &report);
}

struct settings *load_once(const char *path, const char *plugin_folder,
                           const struct settings_choice *choice)
{
    struct config_report report = {0};
    struct settings *settings = settings_read(path, plugin_folder, choice, &report);
    bool good = settings && set_up_log(settings) && settings_open(settings, NULL, true, &report);
    if (good) /* each process would repeat the warnings */
        config_report_free(&report);
    return conclude(settings, good, &report);
}

static bool try_log(struct config_report *report, const char *place, const char *what,
                    const char *path)
{
    struct reason why;
    if (!writable_log(path, &why)) {
        config_tell_file(report, CONFIG_ERROR, place, "%s %s cannot be written: %s", what, path,
                         why.text);
        return false;
    }
    if (writable_is_terminal(path))
        config_tell_file(report, CONFIG_WARNING, place,
                         "%s %s is a terminal, and a service has none: it would not start; use "
                         "\"stderr\" or a file",
                         what, path);
    return true;
}

/* A fault costs no token. */
static void try_figures(struct config_report *report, const struct status_settings *status)
{
    struct reason why;
    if (status->file && !figures_try(status->file, &why))
        config_tell_file(report, CONFIG_WARNING, status->place,
                         "%s (until then each process counts for itself)", why.text);
}

struct settings *load_tried(const char *path, const char *plugin_folder,
                            struct config_report *report)
{
    struct settings *settings = settings_read(path, plugin_folder, NULL, report);
    if (!settings)
        return NULL;
    bool good = settings_open(settings, NULL, false, report);
    const struct log_settings *log = &settings->log;
    const char *access = log->access && *log->access ? log->access : "stderr";
    good = try_log(report, log->place, "the log file", log->target) && good;
    good = try_log(report, log->access_place, "the access log", access) && good;
    try_figures(report, &settings->status);
    if (good)
        return settings;
    settings_free(settings);
    return NULL;
}
