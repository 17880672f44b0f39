/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include "api/status.h"
#include "base/reason.h"

#include <stdlib.h>

enum { EXIT_WRONG = 1, EXIT_NOTHING_TO_READ = 2 };

static int report_of(const struct settings *settings, struct figures_view *view, bool json)
{
    struct status_report report;
    struct bytes text = {0};
    bool good = status_gather(settings, view, &report);
    if (good && json) {
        status_write_json(&report, &text);
        bytes_add_string(&text, "\n");
    } else if (good) {
        status_write_text(&report, &text);
    }
    bool wrong = report.findings != NULL;
    status_free(&report);
    if (!good || text.failed) {
        cli_error("out of memory");
        bytes_free(&text);
        return EXIT_NOTHING_TO_READ;
    }
    (void)fwrite(text.data, 1, text.length, stdout); /* cli_finish() tells when that failed */
    bytes_free(&text);
    return wrong ? EXIT_WRONG : EXIT_SUCCESS;
}

/* Also those of a configuration that what runs has not taken over.  NULL: its mistakes are on
 * standard error. */
static struct settings *load(const struct cli *cli)
{
    struct config_report report = {0};
    struct settings *settings = cli_load_part(cli, NULL, &report);
    if (settings && report.errors && !settings->status.file) {
        settings_free(settings);
        settings = NULL;
    }
    if (!settings)
        config_report_print(&report, stderr);
    config_report_free(&report);
    return settings;
}

static int run(const struct cli *cli, int argc, char **argv)
{
    bool json = false;
    const struct cli_option options[] = {{"--json", NULL, &json}, {NULL, NULL, NULL}};
    struct figures_view view;
    struct reason why;
    if (!cli_parse(cli, argc, argv, options, NULL, 0))
        return cli_usage(cli);
    struct settings *settings = load(cli);
    if (!settings)
        return EXIT_NOTHING_TO_READ;
    int code = EXIT_NOTHING_TO_READ;
    if (!settings->status.file)
        cli_error("%s: status.file is not set, so each process counts in its own memory: name a "
                  "file there, or look at /status",
                  cli->config);
    else if (!figures_view_file(settings->status.file, &view, &why))
        cli_error("%s", why.text);
    else {
        code = report_of(settings, &view, json);
        figures_view_close(&view);
    }
    settings_free(settings);
    return code;
}

const struct cli_command cli_status = {
    .name = "status",
    .arguments = "[--json]",
    .summary = "Show how the running memberchat is doing",
    .help = "Prints what /status shows: first what is wrong now and what to do about it,\n"
            "then a line for each store, app, process and key, and the newest refusals.\n"
            "Reads the file of status.file in the configuration.\n\n"
            "  --json     the same as JSON\n",
    .examples = "  memberchat status || mail -s memberchat admin@example.com\n"
                "  memberchat status --json | jq .stores\n",
    .exits = "0 nothing is wrong, 1 something is, 2 there is nothing to read",
    .run = run,
};
