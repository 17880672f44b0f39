/* SPDX-License-Identifier: MIT
 * memberchat, the administrator's command: one file a subcommand. */
#ifndef CLI_H
#define CLI_H

#include "settings/settings.h"

#define EXIT_USAGE 64 /* sysexits.h */

/* What the common options say. */
struct cli {
    const char *command;
    const char *config, *plugins; /* resolved */
};

/* A word, or an option of a subcommand with its value. */
struct cli_option {
    const char *name;   /* "--member"; NULL ends a table */
    const char **value; /* set to the value that follows; NULL: a switch */
    bool *given;        /* set for a switch; NULL: an option with a value */
};

struct cli_command {
    const char *name;
    const char *arguments; /* for the usage line */
    const char *summary;   /* one line */
    const char *help;      /* the rest of --help */
    /* argv[0] is the first argument behind the name.  Returns the exit code. */
    int (*run)(const struct cli *cli, int argc, char **argv);
};

extern const struct cli_command cli_check, cli_lookup, cli_token, cli_new_app, cli_index,
    cli_verify, cli_keygen;

/* "memberchat: ..." on standard error */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says that the arguments are wrong, and how they should be; EXIT_USAGE. */
int cli_usage(const struct cli *cli);

/* Sorts arguments into options, which a table names, and at most `max` words.
 * False: one was wrong, which was said. */
bool cli_parse(const struct cli *cli, int argc, char **argv, const struct cli_option *options,
               const char **words, int max);

/* The configuration, checked, its stores not open.  NULL: its mistakes are on
 * standard error. */
struct settings *cli_load(const struct cli *cli);

void cli_print(struct bytes *text); /* on standard output, with a newline */

#endif
