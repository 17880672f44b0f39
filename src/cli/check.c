/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include "base/clock.h"
#include "settings/load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PROBE_MS 5000

static double milliseconds(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* What a store holds, as far as it can tell. */
static void describe(const struct settings_store *entry)
{
    struct memberchat_holdings holdings;
    struct store_report report;
    if (store_survey(directory_store(entry->directory), clock_monotonic_ms() + PROBE_MS, &holdings,
                     &report) != MEMBERCHAT_FOUND) {
        cli_error("warning: store %s: its members could not be counted: %s", entry->name,
                  report.reason);
        return;
    }
    const char *at_least = holdings.limited ? "at least " : "";
    if (holdings.counted)
        printf("store %s: members: %s%" PRIu64 ", active: %s%" PRIu64 "\n", entry->name, at_least,
               holdings.members, at_least, holdings.active);
    if (holdings.states[0]) {
        printf("store %s: states: ", entry->name);
        cli_put(stdout, holdings.states);
        puts("");
    }
    if (holdings.missing[0])
        cli_error("warning: store %s: it lacks %s", entry->name, holdings.missing);
    if (holdings.counted && !holdings.active && !holdings.limited)
        cli_error("warning: store %s: no member is active", entry->name);
}

/* Opens a store and asks whether it answers. */
static bool probe(struct settings_store *entry)
{
    static const char *const verdicts[] = {
        [MEMBERCHAT_FOUND] = "ok",
        [MEMBERCHAT_NOT_FOUND] = "ok",
        [MEMBERCHAT_UNAVAILABLE] = "unavailable",
        [MEMBERCHAT_MISCONFIGURED] = "misconfigured",
    };
    struct store_report report;
    double start = milliseconds();
    enum memberchat_outcome outcome =
        store_probe(directory_store(entry->directory), clock_monotonic_ms() + PROBE_MS, &report);
    bool works = outcome == MEMBERCHAT_FOUND || outcome == MEMBERCHAT_NOT_FOUND;
    printf("store %s: %s%s%s, %.1f ms%s", entry->name,
           cli_colour(stdout, works ? CLI_GREEN : CLI_RED), verdicts[outcome],
           cli_colour(stdout, CLI_PLAIN), milliseconds() - start, report.reason[0] ? ": " : "");
    cli_put(stdout, report.reason);
    puts("");
    if (works)
        describe(entry);
    return works;
}

/* How long the secrets are of which a line end, or a character, may count or not. */
static void print_secrets(const struct app *app, const struct key_ring *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        if (keys->keys[i]->length_is_unclear)
            printf("app %s: key %s, %s: a secret of %zu bytes\n", app->id, keys->keys[i]->id,
                   algorithm_rows[keys->keys[i]->algorithm].name, keys->keys[i]->secret_length);
}

static int run(const struct cli *cli, int argc, char **argv)
{
    bool online = false;
    const char *user = NULL;
    const struct cli_option options[] = {
        {"--online", NULL, &online}, {"--as", &user, NULL}, {NULL, NULL, NULL}};
    struct config_report report = {0};
    if (!cli_parse(cli, argc, argv, options, NULL, 0))
        return cli_usage(cli);
    if (user && !cli_become("--as", user))
        return EXIT_FAILURE;
    struct settings *settings = load_tried(cli->config, cli->plugins, &report);
    bool good = settings != NULL;
    config_report_print(&report, stderr);
    config_report_free(&report);
    for (size_t i = 0; settings && online && i < settings->store_count; i++)
        good = probe(&settings->stores[i]) && good;
    for (size_t i = 0; good && i < settings->app_count; i++) {
        print_secrets(&settings->apps[i], &settings->apps[i].keys);
        print_secrets(&settings->apps[i], &settings->apps[i].access_keys);
    }
    if (good)
        printf("%s: %sok%s\n", cli->config, cli_colour(stdout, CLI_GREEN),
               cli_colour(stdout, CLI_PLAIN));
    if (geteuid() == 0)
        cli_error("checked as root, who may read and write every file; --as NAME checks for the "
                  "user that memberchat.fcgi runs as, such as www-data");
    settings_free(settings);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct cli_command cli_check = {
    .name = "check",
    .arguments = "[--online] [--as USER]",
    .summary = "Check the configuration",
    .help = "Does everything that happens at start, short of serving.  Prints each mistake as\n"
            "FILE:LINE: key: reason, or else FILE: ok.  Also prints how many bytes a secret\n"
            "has if you cannot see that in its file.\n\n"
            "  --online   also asks every store, and prints how long that took\n"
            "  --as USER  as root: checks what this user may read and write; name the user\n"
            "             that memberchat.fcgi runs as\n",
    .examples = "  memberchat check --as www-data && systemctl reload memberchat\n",
    .exits = "0 good, 1 not good",
    .run = run,
};
