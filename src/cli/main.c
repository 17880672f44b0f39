/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include "base/sanitized.h"
#include "settings/config_value.h"
#include "settings/load.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cli_command *const commands[] = {
    &cli_check,  &cli_doctor,  &cli_lookup,     &cli_token,     &cli_verify,
    &cli_keygen, &cli_new_app, &cli_new_secret, &cli_new_store, &cli_deny,
    &cli_allow,  &cli_status,  &cli_log,
#ifdef HAVE_STORE_FILE
    &cli_index,
#endif
};

#define COMMANDS (sizeof commands / sizeof *commands)

static const struct cli_command *find_command(const char *name)
{
    struct value_match match = value_match_start(name);
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
        value_match_try(&match, commands[i]->name);
    }
    value_match_try(&match, "help");
    cli_error("there is no command \"%s\"%s%s%s: \"memberchat help\" lists them", name,
              VALUE_MATCH_HINT(&match));
    return NULL;
}

static void print_overview(FILE *out)
{
    fputs("usage: memberchat [-c FILE] [-L PLUGINDIR] COMMAND [ARGUMENTS]\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(
        out,
        "\n  -c FILE       configuration (by default %s)\n"
        "  -L PLUGINDIR  folder of the store plugins\n"
        "\"memberchat help COMMAND\" describes one command; memberchat(1) describes them all.\n",
        load_config_path(NULL));
}

static void print_help(const struct cli_command *command)
{
    printf("usage: memberchat %s [-c FILE] [-L PLUGINDIR] %s\n\n%s.\n%s", command->name,
           command->arguments, command->summary, command->help);
    printf("\nExamples:\n%s\nExit: %s,\n64 wrong arguments, 74 the output could not be written.\n",
           command->examples, command->exits);
}

/* Of one command, or of all of them (NULL). */
static int show_help(const char *name)
{
    const struct cli_command *command = name ? find_command(name) : NULL;
    if (command)
        print_help(command);
    else if (!name)
        print_overview(stdout);
    return command || !name ? EXIT_SUCCESS : EXIT_USAGE;
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

/* "--help" anywhere before "--"; "-h", which may be an id, only in front. */
static bool wants_help(int argc, char **argv)
{
    bool wanted = argc > 0 && strcmp(argv[0], "-h") == 0;
    for (int i = 0; !wanted && i < argc && strcmp(argv[i], "--") != 0; i++)
        wanted = strcmp(argv[i], "--help") == 0;
    return wanted;
}

/* A file that is opened must not become standard output, nor be read as standard input.
 * What is missing fails when it is used. */
static void hold_standard_descriptors(void)
{
    int fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open("/dev/null", O_RDONLY);
    if (fd > STDERR_FILENO)
        close(fd);
}

static int run_command(struct cli *cli, int argc, char **argv)
{
    if (argc == 0) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[0], "help") == 0 || wants_help(1, argv))
        return show_help(argc > 1 ? argv[1] : NULL);
    if (strcmp(argv[0], "--version") == 0) {
        puts("memberchat " PACKAGE_VERSION);
        return 0;
    }
    cli->command = find_command(argv[0]);
    if (!cli->command)
        return EXIT_USAGE;
    if (wants_help(argc - 1, argv + 1))
        return show_help(cli->command->name);
    return cli->command->run(cli, argc - 1, argv + 1);
}

/* Whether a web server runs this program for a request: then its arguments may be the query (RFC
 * 3875, section 4.4), which anyone can choose.  A CGI script of the administrator's may run it. */
static bool is_exposed(const char *program)
{
    static const char *const variables[] = {"SCRIPT_FILENAME", "SCRIPT_NAME"};
    const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;
    for (size_t i = 0; getenv("GATEWAY_INTERFACE") && i < sizeof variables / sizeof *variables;
         i++) {
        const char *script = getenv(variables[i]), *last = script ? strrchr(script, '/') : NULL;
        if (script && strcmp(last ? last + 1 : script, name) == 0)
            return true;
    }
    return false;
}

static int refuse_request(void)
{
    fputs("Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\nThere is nothing here\n",
          stdout);
    cli_error("a web server runs this command for requests: take it out of the folder of programs, "
              "and put memberchat.cgi or memberchat.fcgi there");
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct cli cli = {0};
    hold_standard_descriptors();
    log_configure("stderr", LOG_LEVEL_WARNING, LOG_FORMAT_COMMAND);
    signal(SIGPIPE, SIG_IGN); /* as the responder does: plugins count on it */
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a failed write */
    if (argc > 0 && is_exposed(argv[0]))
        return cli_finish(refuse_request());
    int left = take_common(&cli, argc - 1, argv + 1);
    int code = left < 0 ? EXIT_USAGE : cli_finish(run_command(&cli, left, argv + 1));
    log_flush(1000); /* a pipe that is read slowly */
#ifndef IS_SANITIZED /* which looks for leaks at the end */
    _Exit(code);     /* how libraries end themselves may need memory, and abort without it */
#endif
    return code;
}
