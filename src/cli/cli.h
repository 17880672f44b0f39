/* SPDX-License-Identifier: MIT
 * memberchat, the administrator's command: one file a subcommand. */
#ifndef CLI_H
#define CLI_H

#include "settings/settings.h"

#include <stdarg.h>
#include <stdio.h>

/* As in sysexits.h.  EXIT_OUTPUT: all was done, but the result could not be written. */
enum { EXIT_USAGE = 64, EXIT_OUTPUT = 74 };

/* What the common options say. */
struct cli {
    const struct cli_command *command;
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
    const char *help;      /* what it does, and its options: paragraphs */
    const char *examples;  /* lines */
    const char *exits;     /* its exit codes, without those of all */
    /* argv[0] is the first argument after the name.  Returns the exit code. */
    int (*run)(const struct cli *cli, int argc, char **argv);
};

extern const struct cli_command cli_check, cli_doctor, cli_lookup, cli_token, cli_new_app,
    cli_new_secret, cli_new_store, cli_index, cli_verify, cli_keygen, cli_status, cli_deny,
    cli_allow, cli_log;

/* What begins a part of a line in this colour, or ends it (CLI_PLAIN): nothing unless `out`
 * is a terminal that can show it, and NO_COLOR is not set. */
enum cli_colour { CLI_PLAIN, CLI_RED, CLI_GREEN, CLI_YELLOW };
const char *cli_colour(FILE *out, enum cli_colour colour);

/* "memberchat: ..." on standard error, on one line */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_error_list(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* A text as it may be shown: what is not plain is \xNN. */
void cli_put(FILE *out, const char *text);

/* Says that the arguments are wrong, and how they should be; EXIT_USAGE. */
int cli_usage(const struct cli *cli);

/* Sorts arguments into options, which a table names, and at most `max` words.
 * False: one was wrong, which was said. */
bool cli_parse(const struct cli *cli, int argc, char **argv, const struct cli_option *options,
               const char **words, int max);

/* The configuration, checked, its stores not open.  NULL: its mistakes are on
 * standard error. */
struct settings *cli_load(const struct cli *cli);

/* The same with what settings_read_names() can read of one that has mistakes.  They are in the
 * report, also where it is NULL. */
struct settings *cli_load_part(const struct cli *cli, const struct settings_choice *choice,
                               struct config_report *report);

/* Becomes a user for good, with the user's groups.  False: it was said why; `option` is
 * where the name comes from. */
bool cli_become(const char *option, const char *name);

/* False: the name cannot be that of a group in the configuration, which was said, with a hint. */
bool cli_check_group_name(const char *name, const char *hint);

/* The app or store with this name.  NULL: there is none, which was said. */
const struct app *cli_find_app(const struct cli *cli, const struct settings *settings,
                               const char *id);
struct settings_store *cli_find_store(const struct cli *cli, const struct settings *settings,
                                      const char *name);

/* A new API secret and its SHA-256 in hexadecimal; digest_r fails with either. */
void cli_make_secret(struct bytes *secret_r, struct bytes *digest_r);

/* On standard output, with a newline.  What cannot be written, or has failed for want of
 * memory, is told at the end. */
void cli_print(struct bytes *text);

/* The exit code of a command that ended with `code`, once its output is written. */
int cli_finish(int code);

#endif
