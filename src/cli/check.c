/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PROBE_MS 5000

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
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
    enum memberchat_outcome outcome = MEMBERCHAT_MISCONFIGURED;
    if (store_open(entry->store, false, &report))
        outcome = store_probe(entry->store, clock_monotonic_ms() + PROBE_MS, &report);
    printf("store %s: %s, %.1f ms%s%s\n", entry->name, verdicts[outcome], milliseconds() - start,
           report.reason[0] ? ": " : "", report.reason);
    return outcome == MEMBERCHAT_FOUND || outcome == MEMBERCHAT_NOT_FOUND;
}

/* Whether a store that asks no network opens, as a start demands it. */
static bool opens(const char *config, struct settings_store *entry)
{
    struct store_report report;
    if (!store_is_local(entry->store) || store_open(entry->store, false, &report))
        return true;
    fprintf(stderr, "%s: stores.%s: %s\n", config, entry->name, report.reason);
    return false;
}

static int run(const struct cli *cli, int argc, char **argv)
{
    bool online = false;
    const struct cli_option options[] = {{"--online", NULL, &online}, {NULL, NULL, NULL}};
    struct config_report report = {0};
    if (!cli_parse(cli, argc, argv, options, NULL, 0))
        return cli_usage(cli);
    struct settings *settings = settings_read(cli->config, cli->plugins, NULL, &report);
    bool good = settings != NULL;
    config_report_print(&report, stderr);
    config_report_free(&report);
    for (size_t i = 0; settings && i < settings->store_count; i++) {
        struct settings_store *entry = &settings->stores[i];
        good = (online ? probe(entry) : opens(cli->config, entry)) && good;
    }
    if (good)
        printf("%s: ok\n", cli->config);
    settings_free(settings);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct cli_command cli_check = {
    .name = "check",
    .arguments = "[--online]",
    .summary = "Check the configuration",
    .help = "Prints each mistake as FILE:LINE: key: reason, or FILE: ok.\n\n"
            "  --online  also asks every store, and tells how long it took\n\n"
            "Exit: 0 good, 1 not good, 64 wrong arguments.\n",
    .run = run,
};
