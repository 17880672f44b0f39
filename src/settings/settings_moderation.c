/* SPDX-License-Identifier: MIT
 * Whom an app denies tokens, and which earlier tokens it accepts. */
#include "settings_private.h"

#include "base/date.h"

struct list_context {
    const struct loading *loading;
    const char *path;
};

static void tell_line(void *context, unsigned line, const char *fault)
{
    const struct list_context *list = context;
    config_line_warning(list->loading->report, list->path, line, fault);
}

/* A list that cannot be read is an error: nobody's ban ends because a file is lost. */
static void read_denied(const struct loading *loading, struct app *app,
                        const struct config_node *group)
{
    const char *path = app->settings.denied_file;
    struct list_context context = {loading, path};
    struct reason why;
    settings_check_folder(loading, group, "denied_file", path);
    app->denied = denied_open(path, app->id, tell_line, &context, &why);
    if (!app->denied)
        config_error(loading->report, group, "denied_file",
                     "%s (an empty file denies nobody; memberchat deny makes one)", why.text);
}

static void read_not_before(const struct loading *loading, struct app *app,
                            const struct config_node *group)
{
    const char *text = app->settings.tokens_not_before;
    bool is_day;
    if (!date_parse(span_of(text), &app->tokens_not_before, &is_day))
        config_error(loading->report, group, "tokens_not_before",
                     "\"%s\" is not a time; write it as \"2026-11-25T18:00:00Z\"", text);
}

void settings_read_moderation(const struct loading *loading, struct app *app,
                              const struct config_node *group)
{
    if (app->settings.denied_file)
        read_denied(loading, app, group);
    if (app->settings.tokens_not_before)
        read_not_before(loading, app, group);
}
