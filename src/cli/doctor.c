/* SPDX-License-Identifier: MIT
 * What is wrong on this host: a table of examinations, each of which prints findings. */
#include "doctor_private.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "figures/figures.h"
#include "settings/writable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROBE_MS = 5000, SECRET_FILE_MAX = 4096 };

static void look_at_user(struct doctor *doctor)
{
    if (geteuid() == 0)
        doctor_say(doctor, DOCTOR_WARNING,
                   "this ran as root, who may read every file; add --user NAME with the user that "
                   "memberchat runs as, such as www-data");
}

static void say_line(struct span line, void *context)
{
    struct span place, text;
    if (config_line_is_warning(line, &place, &text))
        doctor_say(context, DOCTOR_WARNING, "%.*s: %.*s", (int)place.length, place.data,
                   (int)text.length, text.data);
    else
        doctor_say(context, DOCTOR_FAULT, "%.*s", (int)line.length, line.data);
}

static void look_at_configuration(struct doctor *doctor)
{
    struct config_report report = {0};
    doctor->settings = settings_read(doctor->cli->config, doctor->cli->plugins, NULL, &report);
    doctor->stores_are_open =
        doctor->settings && settings_open(doctor->settings, NULL, false, &report);
    config_report_each(&report, say_line, doctor);
    config_report_free(&report);
    if (doctor->stores_are_open)
        doctor_say(doctor, DOCTOR_OK, "%s: the configuration can be used", doctor->cli->config);
    else
        doctor_say(doctor, DOCTOR_FAULT,
                   "%s: memberchat does not start with this configuration; correct the lines above",
                   doctor->cli->config);
}

static void look_at_target(struct doctor *doctor, const char *place, const char *what,
                           const char *path)
{
    struct stat status;
    struct reason why;
    if (writable_log(path, &why)) {
        doctor_say(doctor, DOCTOR_OK, "%s goes to %s", what, path);
        if (writable_is_terminal(path))
            doctor_say(doctor, DOCTOR_WARNING,
                       "%s: %s is a terminal, which memberchat does not have behind a web server; "
                       "use \"stderr\" or a file",
                       place, path);
    } else if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0 && errno == EACCES &&
               stat(path, &status) == 0 && status.st_uid != geteuid()) {
        doctor_say(doctor, DOCTOR_WARNING,
                   "%s: the file %s belongs to user %u, and only that one writes it: right if "
                   "the web server runs memberchat as that user, else chown it",
                   place, path, (unsigned)status.st_uid);
    } else {
        doctor_say(doctor, DOCTOR_FAULT, "%s: %s cannot be written: %s", place, path, why.text);
    }
}

static void look_at_figures(struct doctor *doctor, const struct status_settings *status)
{
    struct reason why;
    if (figures_try(status->file, &why))
        doctor_say(doctor, DOCTOR_OK, "what is counted goes to %s", status->file);
    else
        doctor_say(doctor, DOCTOR_WARNING, "%s: %s (until then each process counts for itself)",
                   status->place, why.text);
}

static void look_at_log(struct doctor *doctor)
{
    if (!doctor->settings)
        return;
    const struct log_settings *log = &doctor->settings->log;
    const struct status_settings *status = &doctor->settings->status;
    look_at_target(doctor, log->place, "the log", log->target);
    if (log->access && *log->access)
        look_at_target(doctor, log->access_place, "the access log", log->access);
    if (status->file)
        look_at_figures(doctor, status);
}

/* ---- The stores ---- */

static void say_outcome(struct doctor *doctor, const struct settings_store *entry,
                        enum memberchat_outcome outcome, const char *reason)
{
    const char *colon = *reason ? ": " : "";
    switch (outcome) {
    case MEMBERCHAT_FOUND:
        doctor_say(doctor, DOCTOR_OK, "store %s: it answers", entry->name);
        return;
    case MEMBERCHAT_NOT_FOUND:
        if (doctor->member)
            doctor_say(doctor, DOCTOR_WARNING,
                       "store %s: there is no active member \"%s\"%s%s; name one with --member "
                       "that there is",
                       entry->name, doctor->member, colon, reason);
        else
            doctor_say(doctor, DOCTOR_OK, "store %s: it answers", entry->name);
        return;
    case MEMBERCHAT_UNAVAILABLE:
        doctor_say(doctor, DOCTOR_FAULT,
                   "store %s: unavailable%s%s; see that its server runs, and that this host may "
                   "connect to it",
                   entry->name, colon, reason);
        return;
    case MEMBERCHAT_MISCONFIGURED:
        break;
    }
    doctor_say(doctor, DOCTOR_FAULT, "store %s: misconfigured%s%s; correct %s", entry->name, colon,
               reason, entry->place);
}

static void ask_store(struct doctor *doctor, const struct settings_store *entry)
{
    struct store *store = directory_store(entry->directory);
    struct store_report report = {0};
    struct member member = {0};
    char room[MEMBERCHAT_ID_MAX];
    const int64_t deadline = clock_monotonic_ms() + PROBE_MS;
    enum memberchat_outcome outcome = MEMBERCHAT_NOT_FOUND;
    if (doctor->member) {
        const struct store_question question = {
            .id = store_translate(store, span_of(doctor->member), room), .deadline = deadline};
        if (question.id.data)
            outcome = store_lookup(store, &question, &member, &report);
    } else {
        outcome = store_probe(store, deadline, &report);
    }
    say_outcome(doctor, entry, outcome, report.reason);
    member_free(&member);
}

static void look_at_stores(struct doctor *doctor)
{
    for (size_t i = 0; doctor->stores_are_open && i < doctor->settings->store_count; i++)
        ask_store(doctor, &doctor->settings->stores[i]);
}

/* ---- The command ---- */

/* In this order: what explains a finding stands before it. */
static void (*const examinations[])(struct doctor *) = {
    look_at_user,         doctor_look_at_path,    look_at_configuration,
    look_at_log,          doctor_look_at_secrets, doctor_look_at_programs,
    doctor_look_at_clock, doctor_look_at_limits,  look_at_stores,
    doctor_call,
};

static bool member_is_possible(const char *member)
{
    struct span id = span_of(member);
    if (!member || (id.length > 0 && id.length <= MEMBERCHAT_ID_MAX && text_is_plain(id)))
        return true;
    cli_error("--member: no member has such an id: it must be 1 to %d bytes of UTF-8 without "
              "control characters",
              MEMBERCHAT_ID_MAX);
    return false;
}

/* A control character would end the header that carries it. */
static bool can_be_sent(const char *option, struct span value)
{
    for (size_t i = 0; i < value.length; i++)
        if ((unsigned char)value.data[i] < ' ' || value.data[i] == 0x7f) {
            cli_error("%s: there is a control character in it, which no HTTP header can carry",
                      option);
            return false;
        }
    return true;
}

static bool read_secret(struct doctor *doctor)
{
    struct reason why = {0};
    bool exposed = false;
    if (!doctor->secret_file)
        return true;
    if (!file_read_line(doctor->secret_file, SECRET_FILE_MAX, &doctor->secret, &exposed, &why)) {
        cli_error("--secret-file: %s", why.text);
        return false;
    }
    return can_be_sent("--key", span_of(doctor->key)) &&
           can_be_sent("--secret-file", bytes_span(&doctor->secret));
}

static int run(const struct cli *cli, int argc, char **argv)
{
    struct doctor doctor = {.cli = cli};
    const struct cli_option options[] = {
        {"--user", &doctor.user, NULL},     {"--url", &doctor.url, NULL},
        {"--key", &doctor.key, NULL},       {"--secret-file", &doctor.secret_file, NULL},
        {"--member", &doctor.member, NULL}, {NULL, NULL, NULL},
    };
    if (!cli_parse(cli, argc, argv, options, NULL, 0) || !doctor.key != !doctor.secret_file ||
        (doctor.key && !doctor.url))
        return cli_usage(cli);
    bool ready = member_is_possible(doctor.member) && read_secret(&doctor) &&
                 (!doctor.user || cli_become("--user", doctor.user));
    for (size_t i = 0; ready && i < sizeof examinations / sizeof *examinations; i++)
        examinations[i](&doctor);
    settings_free(doctor.settings);
    bytes_free(&doctor.secret);
    return ready && doctor.faults == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct cli_command cli_doctor = {
    .name = "doctor",
    .arguments = "[--user NAME] [--url URL] [--key KEY --secret-file FILE] [--member ID]",
    .summary = "Find out what is wrong on this host",
    .help =
        "Examines the configuration, the files around it, the limits of the host and the\n"
        "stores; with --url, also the API from outside.  Each finding is a line that begins\n"
        "with \"ok:\", \"warning:\" or \"fault:\" and ends with the remedy.\n\n"
        "  --user NAME         as root: become this user first; name the one memberchat runs as\n"
        "  --url URL           call the API that is mounted there\n"
        "  --key KEY           with --url: the API key of an app ...\n"
        "  --secret-file FILE  ... and the file with its API secret: asks for tokens, too\n"
        "  --member ID         the member to ask the stores and the API for\n",
    .examples =
        "  memberchat doctor --user www-data --url https://www.example.com/chat-api\n"
        "  memberchat doctor --url https://www.example.com/chat-api --key my-app-ua9VwPeg \\\n"
        "      --secret-file secret.txt --member 4711\n",
    .exits = "0 no fault was found, 1 a fault",
    .run = run,
};
