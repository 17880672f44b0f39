/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *first_of(const char *option, const char *variable, const char *fallback)
{
    const char *value = option ? option : getenv(variable);
    return value && *value ? value : fallback;
}

const char *load_config_path(const char *option)
{
    return first_of(option, "MEMBERCHAT_CONF", DEFAULT_CONFIG);
}

const char *load_plugin_folder(const char *option)
{
    return first_of(option, "MEMBERCHAT_PLUGIN_DIR", DEFAULT_PLUGIN_FOLDER);
}

/* A line of the log for each line of the report. */
static void log_report(struct config_report *report)
{
    static const char mark[] = ": warning: ";
    char *rest = NULL;
    char *text = strdup(bytes_string(&report->text));
    for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *warning = strstr(line, mark);
        if (warning)
            log_warning("%.*s: %s", (int)(warning - line), line, warning + sizeof mark - 1);
        else
            log_error("%s", line);
    }
    free(text);
}

static bool set_up_log(const struct settings *settings)
{
    const struct log_settings *log = &settings->log;
    if (log_configure(log->target, (enum log_level)log->level, (enum log_format)log->format))
        return true;
    log_error("the log file %s cannot be written: %s", log->target, strerror(errno));
    return false;
}

static bool conclude(bool good, struct config_report *report)
{
    if (!good)
        log_report(report);
    config_report_free(report);
    return good;
}

bool load_app(const struct app *app)
{
    struct config_report report = {0};
    return conclude(settings_finish_app(app, &report), &report);
}

bool load_jwks(const struct settings *settings)
{
    struct config_report report = {0};
    return conclude(settings_finish_jwks(settings, &report), &report);
}

struct settings *load_settings(const char *path, const char *plugin_folder,
                               const struct settings *previous, enum load_how how)
{
    struct config_report report = {0};
    bool once = how == LOAD_ONCE;
    struct settings *settings = once ? settings_load_once(path, plugin_folder, &report)
                                     : settings_load(path, plugin_folder, &report);
    /* stores log while they open; a log that works is not given up for settings
     * that may not come into force */
    bool good = settings && (previous || set_up_log(settings)) &&
                settings_open(settings, previous, once, &report) &&
                (!previous || set_up_log(settings));
    /* a CGI process would repeat the warnings with each request */
    if (!good || !once)
        log_report(&report);
    config_report_free(&report);
    if (good)
        return settings;
    settings_free(settings);
    return NULL;
}
