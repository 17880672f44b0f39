/* SPDX-License-Identifier: MIT
 * What the subcommands share. */
#include "cli.h"

#include "base/reason.h"
#include "base/text.h"
#include "host/log.h"
#include "settings/config_value.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    TEXT_MAX = 16384, /* of a message; what is longer is shortened */
    NAME_LENGTH_MAX = 128
};

static bool out_of_memory; /* for something that was to be printed */

const char *cli_colour(FILE *out, enum cli_colour colour)
{
    static const char *const codes[] = {
        [CLI_PLAIN] = "\033[0m",
        [CLI_RED] = "\033[31m",
        [CLI_GREEN] = "\033[32m",
        [CLI_YELLOW] = "\033[33m",
    };
    const char *unwanted = getenv("NO_COLOR"), *terminal = getenv("TERM");
    bool shown = !(unwanted && unwanted[0]) && terminal && strcmp(terminal, "dumb") != 0 &&
                 isatty(fileno(out));
    return shown ? codes[colour] : "";
}

/* What a directory or a file says must not steer a terminal or make a line of its own. */
void cli_put(FILE *out, const char *text)
{
    log_print_filtered(out, span_of(text));
}

void cli_error_list(const char *format, va_list args)
{
    char text[TEXT_MAX];
    reason_write(text, sizeof text, format, args);
    fprintf(stderr, "%smemberchat:%s ", cli_colour(stderr, CLI_RED), cli_colour(stderr, CLI_PLAIN));
    cli_put(stderr, text);
    fputc('\n', stderr);
}

void cli_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cli_error_list(format, args);
    va_end(args);
}

int cli_usage(const struct cli *cli)
{
    const struct cli_command *command = cli->command;
    cli_error("usage: memberchat %s %s (see memberchat %s --help)", command->name,
              command->arguments, command->name);
    return EXIT_USAGE;
}

/* ---- Arguments ---- */

static bool parse_option(const struct cli *cli, int argc, char **argv, int *at,
                         const struct cli_option *options)
{
    for (const struct cli_option *option = options; option->name; option++) {
        if (strcmp(argv[*at], option->name) != 0)
            continue;
        if (option->given) {
            *option->given = true;
            return true;
        }
        if (*at + 1 == argc) {
            cli_error("%s needs a value", option->name);
            return false;
        }
        *option->value = argv[++*at];
        return true;
    }
    struct value_match match = value_match_start(argv[*at]);
    for (const struct cli_option *option = options; option->name; option++)
        value_match_try(&match, option->name);
    cli_error("memberchat %s has no option %s%s%s%s", cli->command->name, argv[*at],
              VALUE_MATCH_HINT(&match));
    return false;
}

bool cli_parse(const struct cli *cli, int argc, char **argv, const struct cli_option *options,
               const char **words, int max)
{
    int count = 0;
    bool only_words = false;
    for (int i = 0; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && argv[i][0] == '-' && argv[i][1]) {
            if (!parse_option(cli, argc, argv, &i, options))
                return false;
        } else if (count == max) {
            cli_error("\"%s\" is one argument too many", argv[i]);
            return false;
        } else {
            words[count++] = argv[i];
        }
    }
    return true;
}

/* ---- The configuration ---- */

struct settings *cli_load(const struct cli *cli)
{
    struct config_report report = {0};
    struct settings *settings = settings_read(cli->config, cli->plugins, NULL, &report);
    if (!settings)
        config_report_print(&report, stderr);
    config_report_free(&report);
    return settings;
}

struct settings *cli_load_part(const struct cli *cli, const struct settings_choice *choice,
                               struct config_report *report)
{
    struct settings *settings = settings_read(cli->config, cli->plugins, choice, report);
    bool mistaken = !settings && !report->out_of_memory;
    return mistaken ? settings_read_names(cli->config, report) : settings;
}

bool cli_check_group_name(const char *name, const char *hint)
{
    size_t length = 0;
    while (text_is_digit(name[length]) || text_is_letter(name[length]) || name[length] == '-' ||
           name[length] == '_')
        length++;
    bool good = text_is_letter(*name) && !name[length] && length <= NAME_LENGTH_MAX;
    if (!good)
        cli_error("\"%s\" cannot be the name of a group: it must begin with a letter and go on "
                  "with letters, digits, - and _, %d at most%s",
                  name, NAME_LENGTH_MAX, hint);
    return good;
}

const struct app *cli_find_app(const struct cli *cli, const struct settings *settings,
                               const char *id)
{
    const struct app *app = settings_find_app_id(settings, id);
    struct value_match match = value_match_start(id);
    for (size_t i = 0; !app && i < settings->app_count; i++)
        value_match_try(&match, settings->apps[i].id);
    if (!app)
        cli_error("there is no app \"%s\" in %s%s%s%s", id, cli->config, VALUE_MATCH_HINT(&match));
    return app;
}

struct settings_store *cli_find_store(const struct cli *cli, const struct settings *settings,
                                      const char *name)
{
    struct settings_store *store = settings_find_store(settings, name);
    struct value_match match = value_match_start(name);
    for (size_t i = 0; !store && i < settings->store_count; i++)
        value_match_try(&match, settings->stores[i].name);
    if (!store)
        cli_error("there is no store \"%s\" in %s%s%s%s", name, cli->config,
                  VALUE_MATCH_HINT(&match));
    return store;
}

/* ---- The user ---- */

bool cli_become(const char *option, const char *name)
{
    errno = 0;
    const struct passwd *user = getpwnam(name);
    if (!user)
        cli_error("%s %s: %s", option, name, errno ? strerror(errno) : "there is no such user");
    else if (geteuid() != 0 && geteuid() != user->pw_uid)
        cli_error("%s %s: only root can check for another user", option, name);
    else if (geteuid() == 0 && (initgroups(name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
                                setuid(user->pw_uid) != 0))
        cli_error("%s %s: %s", option, name, strerror(errno));
    else
        return true;
    return false;
}

/* ---- Output ---- */

void cli_print(struct bytes *text)
{
    bytes_add_string(text, "\n");
    if (text->failed)
        out_of_memory = true;
    else
        fwrite(text->data, 1, text->length, stdout);
}

int cli_finish(int code)
{
    errno = 0;
    bool written = fflush(stdout) == 0 && !ferror(stdout);
    if (out_of_memory)
        cli_error("not everything was printed: out of memory, or there are no random numbers");
    else if (!written)
        cli_error("standard output cannot be written: %s", errno ? strerror(errno) : "it failed");
    return code == EXIT_SUCCESS && (out_of_memory || !written) ? EXIT_OUTPUT : code;
}
