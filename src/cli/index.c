/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include "base/text.h"
#include "plugins/file/encoding.h"
#include "plugins/file/index.h"
#include "settings/config_value.h"

#include <errno.h>
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
    cli_error_list(format, args);
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

/* The result is told before the file is put in place, so that the exit status says whether
 * it is. */
static int compile(const struct file_settings *settings, const char *to)
{
    const struct memberchat_services services = {.size = sizeof services, .log = log_line};
    const struct table_report report = {.services = &services, .lines = MEMBERCHAT_LOG_WARNING};
    struct reason why;
    struct index index;
    bool synced = true, good = index_make(settings, &report, to, &index, &why);
    if (good && (printf("%s: %zu member%s\n", to, index.members, text_plural(index.members)) < 0 ||
                 fflush(stdout) != 0)) {
        index_drop(&index);
        reason_set(&why, "standard output: %s", strerror(errno));
        good = false;
    }
    good = good && index_place(&index, &synced, &why);
    if (!good)
        cli_error("%s", why.text);
    else if (!synced)
        cli_error("%s is in place, but a power cut may undo that: %s", to, strerror(errno));
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(const struct cli *cli, int argc, char **argv)
{
    struct file_settings settings = {
        .encoding = "UTF-8",
        .columns = {[COLUMN_ID] = "appUserId",
                    [COLUMN_NAME] = "appUserName",
                    [COLUMN_AVATAR] = "appUserProfileImgUrl",
                    [COLUMN_ROLE] = "role",
                    [COLUMN_STATE] = "state"},
        .max_bad = BAD_LINES_MAX,
    };
    const char *separator = ",", *words[2] = {NULL, NULL};
    const struct cli_option options[] = {{"--id-column", &settings.columns[COLUMN_ID], NULL},
                                         {"--separator", &separator, NULL},
                                         {"--encoding", &settings.encoding, NULL},
                                         {NULL, NULL, NULL}};
    struct bytes target = {0};
    struct reason why;
    if (!cli_parse(cli, argc, argv, options, words, 2) || !words[0])
        return cli_usage(cli);
    settings.separator = value_find_choice(SEPARATOR_CHOICES, separator);
    if (settings.separator < 0)
        return cli_usage(cli);
    if (!encoding_check(settings.encoding, &why)) {
        cli_error("%s", why.text);
        return EXIT_FAILURE;
    }
    settings.path = words[0];
    if (!words[1])
        default_target(words[0], &target);
    const char *to = words[1] ? words[1] : bytes_string(&target);
    if (target.failed)
        cli_error("out of memory");
    int code = target.failed ? EXIT_FAILURE : compile(&settings, to);
    bytes_free(&target);
    return code;
}

const struct cli_command cli_index = {
    .name = "index",
    .arguments = "FILE.csv [FILE.cdb] [--id-column NAME] [--separator X] [--encoding NAME]",
    .summary = "Compile a members file, which is then opened in constant time",
    .help = "Writes FILE.cdb (by default members.cdb for members.csv), which replaces the old one\n"
            "when it is complete.  Name it in the path of the file store.\n\n"
            "  --id-column NAME  the column with the id, if it is not appUserId\n"
            "  --separator X     the character between columns: , (default) ; | or tab\n"
            "  --encoding NAME   the encoding of FILE.csv, if it is not UTF-8\n",
    .examples = "  memberchat index members.csv\n"
                "  memberchat index export.csv /srv/chat/members.cdb --id-column login\n",
    .exits = "0 done, 1 not done: FILE.cdb is unchanged",
    .run = run,
};
