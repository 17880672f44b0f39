/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include "settings/load.h"

#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_command *const commands[] = {
    &cli_check, &cli_lookup, &cli_token, &cli_verify, &cli_keygen, &cli_new_app,
#ifdef HAVE_STORE_FILE
    &cli_index,
#endif
};

#define COMMANDS (sizeof commands / sizeof *commands)

void cli_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("memberchat: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

static const struct cli_command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

int cli_usage(const struct cli *cli)
{
    const struct cli_command *command = find_command(cli->command);
    cli_error("usage: memberchat %s %s (see memberchat %s --help)", command->name,
              command->arguments, command->name);
    return EXIT_USAGE;
}

static void print_overview(FILE *out)
{
    fputs("usage: memberchat [-c FILE] [-L PLUGINDIR] COMMAND [ARGUMENTS]\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n  -c FILE       configuration (else $MEMBERCHAT_CONF, else " DEFAULT_CONFIG ")\n"
          "  -L PLUGINDIR  folder of the store plugins\n"
          "memberchat COMMAND --help tells more of one; so does memberchat(1).\n",
          out);
}

static void print_help(const struct cli_command *command)
{
    printf("usage: memberchat %s [-c FILE] [-L PLUGINDIR] %s\n\n%s.\n%s", command->name,
           command->arguments, command->summary, command->help);
}

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
    cli_error("there is no option %s of memberchat %s", argv[*at], cli->command);
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

struct settings *cli_load(const struct cli *cli)
{
    struct config_report report = {0};
    struct settings *settings = settings_read(cli->config, cli->plugins, NULL, &report);
    if (!settings)
        config_report_print(&report, stderr);
    config_report_free(&report);
    return settings;
}

void cli_print(struct bytes *text)
{
    puts(bytes_string(text));
}

/* Takes -c and -L and their values out of the arguments, wherever they stand
 * before "--"; returns how many are left, or -1. */
static int take_common(struct cli *cli, int argc, char **argv)
{
    const char *config = NULL, *plugins = NULL;
    int left = 0, i = 0;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        bool is_config = strcmp(argv[i], "-c") == 0;
        if (!is_config && strcmp(argv[i], "-L") != 0) {
            argv[left++] = argv[i];
            continue;
        }
        if (i + 1 == argc) {
            cli_error("%s needs a value", argv[i]);
            return -1;
        }
        *(is_config ? &config : &plugins) = argv[++i];
    }
    while (i < argc)
        argv[left++] = argv[i++];
    cli->config = load_config_path(config);
    cli->plugins = load_plugin_folder(plugins);
    return left;
}

static bool wants_help(int argc, char **argv)
{
    return argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0);
}

int main(int argc, char **argv)
{
    struct cli cli = {0};
    log_configure("stderr", LOG_LEVEL_WARNING, LOG_FORMAT_COMMAND);
    argc = take_common(&cli, argc - 1, argv + 1);
    argv++;
    if (argc < 0)
        return EXIT_USAGE;
    if (wants_help(argc, argv)) {
        print_overview(stdout);
        return EXIT_SUCCESS;
    }
    if (argc > 0 && strcmp(argv[0], "--version") == 0) {
        puts("memberchat " PACKAGE_VERSION);
        return EXIT_SUCCESS;
    }
    const struct cli_command *command = argc > 0 ? find_command(argv[0]) : NULL;
    if (!command) {
        if (argc > 0)
            cli_error("there is no command \"%s\"", argv[0]);
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (wants_help(argc - 1, argv + 1)) {
        print_help(command);
        return EXIT_SUCCESS;
    }
    cli.command = command->name;
    signal(SIGPIPE, SIG_IGN); /* as the responder does: plugins count on it */
    return command->run(&cli, argc - 1, argv + 1);
}
