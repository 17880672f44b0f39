/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include "plugins/file/index.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAD_LINES_MAX 100 /* as the default of max_bad */

/* What the file store would log, on standard error. */
static void log_line(const struct memberchat_services *services, enum memberchat_level level,
                     const char *format, ...)
{
    va_list args;
    (void)services;
    (void)level;
    va_start(args, format);
    fputs("memberchat: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

/* members.csv gives members.cdb */
static void default_target(const char *from, struct bytes *out)
{
    size_t length = strlen(from);
    bool csv = length > 4 && strcmp(from + length - 4, ".csv") == 0;
    bytes_add(out, from, csv ? length - 4 : length);
    bytes_add_string(out, ".cdb");
}

static int compile(const struct file_settings *settings, const char *to)
{
    const struct memberchat_services services = {.size = sizeof services, .log = log_line};
    const struct file_report report = {.services = &services, .lines = MEMBERCHAT_LOG_WARNING};
    struct file_reason reason;
    size_t members = 0;
    if (!file_index(settings, &report, to, &members, &reason)) {
        cli_error("%s", reason.text);
        return EXIT_FAILURE;
    }
    printf("%s: %zu members\n", to, members);
    return EXIT_SUCCESS;
}

static int run(const struct cli *cli, int argc, char **argv)
{
    struct file_settings settings = {
        .columns = {[FILE_ID] = "appUserId",
                    [FILE_NAME] = "appUserName",
                    [FILE_AVATAR] = "appUserProfileImgUrl",
                    [FILE_ROLE] = "role",
                    [FILE_STATE] = "state"},
        .max_bad = BAD_LINES_MAX,
    };
    const struct cli_option options[] = {{"--id-column", &settings.columns[FILE_ID], NULL},
                                         {NULL, NULL, NULL}};
    const char *words[2] = {NULL, NULL};
    struct bytes target = {0};
    if (!cli_parse(cli, argc, argv, options, words, 2) || !words[0])
        return cli_usage(cli);
    settings.path = words[0];
    if (!words[1])
        default_target(words[0], &target);
    int code = compile(&settings, words[1] ? words[1] : bytes_string(&target));
    bytes_free(&target);
    return code;
}

const struct cli_command cli_index = {
    .name = "index",
    .arguments = "FILE.csv [FILE.cdb] [--id-column NAME]",
    .summary = "Compile a members file, which is then opened in constant time",
    .help = "Writes FILE.cdb (from members.csv: members.cdb), replaced at once when it is\n"
            "complete.  Set the file store's path to it.\n\n"
            "  --id-column NAME  the column with the id, where it is not appUserId\n\n"
            "Exit: 0 done, 1 not, and FILE.cdb is what it was, 64 wrong arguments.\n",
    .run = run,
};
