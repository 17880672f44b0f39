/* SPDX-License-Identifier: MIT
 * What is wrong now, and what to do about it: the worst first. */
#include "status.h"

#include "base/reason.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RECENTLY      600 /* seconds */
#define WRONG_SECRETS 8   /* of the newest refusals */
#define FINDING_MAX   400
#define EXPIRES_SOON  (14 * 86400)

__attribute__((format(printf, 2, 3))) static struct status_finding *add(
    struct status_report *report, const char *format, ...)
{
    char text[FINDING_MAX];
    va_list args;
    va_start(args, format);
    reason_write(text, sizeof text, format, args);
    va_end(args);
    struct status_finding *finding = arena_alloc(&report->arena, sizeof *finding);
    static struct status_finding nowhere; /* the arena has failed: the report ends here */
    if (!finding)
        return &nowhere;
    *finding = (struct status_finding){.what = arena_string(&report->arena, span_of(text))};
    *report->last_finding = finding;
    report->last_finding = &finding->next;
    return finding;
}

static const char *age(const struct status_report *report, int64_t since, char text_r[40])
{
    struct bytes text = bytes_within(text_r, 40);
    status_add_age(&text, report->now - since);
    return bytes_string(&text);
}

static void find_in_store(struct status_report *report, const struct status_store *store)
{
    char text[40];
    if (store->state == FIGURES_DOWN)
        add(report, "Store %s has not answered for %s.", store->name,
            age(report, store->since, text))
            ->remedy =
            "See whether the directory runs and can be reached from here; the log has its "
            "words, and \"memberchat check --online\" asks it again.";
    if (store->state == FIGURES_WRONG)
        add(report, "Store %s has been misconfigured for %s: members get no token.", store->name,
            age(report, store->since, text))
            ->remedy =
            "The log says what must be mended; then reload. \"memberchat check --online\" "
            "asks the store.";
    if (store->breaker_since && store->state != FIGURES_DOWN)
        add(report, "Store %s keeps failing and is asked only now and then.", store->name)->remedy =
            "The log says why. It is asked as usual again after one look-up that works.";
    if (store->members == 0)
        add(report, "Store %s has no member.", store->name)->remedy =
            "Look at its file: is it the right one, and whole?";
}

static void find_in_processes(struct status_report *report)
{
    const char *version = NULL;
    char text[40];
    if (report->gone)
        add(report, "No memberchat runs: process %lld, which began %s ago, has ended.",
            (long long)report->gone->pid, age(report, report->gone->started, text))
            ->remedy = "Start it again. Its log says why it ended, unless it was killed.";
    for (size_t i = 0; i < report->process_count; i++) {
        const struct status_process *process = &report->processes[i];
        if (process->reload_failed)
            add(report, "Process %lld refused the configuration and serves with the previous one.",
                (long long)process->pid)
                ->remedy = "\"memberchat check\" names every mistake; mend them and reload.";
        if (process->resident && process->threads && process->busy >= process->threads)
            add(report, "All %llu threads of process %lld are busy.",
                (unsigned long long)process->threads, (long long)process->pid)
                ->remedy =
                "A slow store may hold them: look at its p99. Or more requests come than "
                "this machine can serve.";
        if (version && strcmp(version, process->version) != 0)
            add(report, "Processes of versions %s and %s run side by side.", version,
                process->version)
                ->remedy =
                "Restart the service, or wait until the web server has replaced the old ones.";
        version = process->version;
    }
}

static void find_in_certificate(struct status_report *report, const struct status_file *file)
{
    char text[40];
    if (!file->expires || file->expires - report->now > EXPIRES_SOON)
        return;
    struct status_finding *finding;
    if (file->expires <= report->now)
        finding = add(report, "The certificate %s (%s of %s) expired %s ago.", file->path,
                      file->what, file->owner, age(report, file->expires, text));
    else
        finding = add(report, "The certificate %s (%s of %s) expires in %s.", file->path,
                      file->what, file->owner, age(report, 2 * report->now - file->expires, text));
    finding->remedy =
        file->authority
            ? "Put the authority's present certificate there, beside the old one, and "
              "reload: without one the store's server cannot be trusted."
            : "Have it renewed, put the new one there with its key, and reload: the store's "
              "server refuses an expired one.";
}

static void find_in_files(struct status_report *report)
{
    for (size_t i = 0; i < report->file_count; i++) {
        const struct status_file *file = &report->files[i];
        if (file->error == ENOENT || file->error == ENOTDIR)
            add(report, "The file %s (%s of %s) cannot be found.", file->path, file->what,
                file->owner)
                ->remedy = "Put it back: without it the next reload or start fails.";
        else if (file->error)
            add(report, "The file %s (%s of %s) cannot be examined: %s.", file->path, file->what,
                file->owner, strerror(file->error))
                ->remedy = "See that this user may enter each folder above it, and read it.";
        else
            find_in_certificate(report, file);
    }
}

/* Someone is guessing secrets, or a changed secret was not updated everywhere. */
static void find_in_refusals(struct status_report *report)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < report->recent_count; i++)
        wrong += strcmp(report->recent[i].code, "INVALID_APP_CREDENTIALS") == 0 &&
                 report->now - report->recent[i].time <= RECENTLY;
    if (wrong >= WRONG_SECRETS)
        add(report,
            "Of the newest %zu refusals, %u within ten minutes had a wrong API key or secret.",
            report->recent_count, wrong)
            ->remedy = "The log names the addresses. One of yours: give it the right secret. "
                       "Another: block it, for instance with fail2ban.";
}

static void find_in_sharing(const struct settings *settings, struct status_report *report)
{
    if (!report->stores)
        add(report, "There are no figures: this process serves one request and shares no file.")
            ->remedy = "Name a file that the program may write in status.file.";
    else if (settings->status.file && !report->shared)
        add(report, "The file %s cannot be used: these figures are of this process only.",
            settings->status.file)
            ->remedy =
            "The log says why: mostly its folder is missing, or not the program's to write.";
}

static void find_in_configuration(const struct settings *settings, struct status_report *report)
{
    if (settings->mistake)
        add(report, "The configuration has a mistake: %s", settings->mistake)->remedy =
            "What runs serves with the previous one, but a reload fails, as a start would. "
            "\"memberchat check\" names every mistake.";
}

void status_find(const struct settings *settings, struct status_report *report)
{
    find_in_configuration(settings, report);
    for (size_t i = 0; i < report->store_count; i++)
        find_in_store(report, &report->stores[i]);
    find_in_processes(report);
    find_in_files(report);
    find_in_sharing(settings, report);
    find_in_refusals(report);
}
