/* SPDX-License-Identifier: MIT
 * The report in lines, for the command; and words that all forms share. */
#include "status.h"

#include "base/date.h"
#include "base/text.h"

#include <errno.h>

const char *status_state_name(enum figures_state state)
{
    static const char *const names[] = {[FIGURES_UNASKED] = "not asked yet",
                                        [FIGURES_UP] = "up",
                                        [FIGURES_DOWN] = "down",
                                        [FIGURES_WRONG] = "misconfigured"};
    return names[state];
}

void status_add_age(struct bytes *out, int64_t seconds)
{
    static const struct {
        int64_t length;
        const char *one, *many;
    } units[] = {{86400, "day", "days"},
                 {3600, "hour", "hours"},
                 {60, "minute", "minutes"},
                 {1, "second", "seconds"}};
    size_t i = 0;
    if (seconds < 0)
        seconds = 0;
    while (i < 3 && seconds < 2 * units[i].length)
        i++;
    int64_t count = seconds / units[i].length;
    bytes_addf(out, "%lld %s", (long long)count, count == 1 ? units[i].one : units[i].many);
}

static unsigned long long big(uint64_t number)
{
    return number;
}

static void add_store(const struct status_store *store, struct bytes *out)
{
    bytes_addf(out, "store %s: %s", store->name, status_state_name(store->state));
    if (store->since > 0) {
        bytes_add_string(out, " since ");
        date_add(out, store->since);
    }
    bytes_addf(out,
               "; look-ups %llu: %llu found, %llu not found, %llu unavailable, %llu misconfigured; "
               "median %.2f ms, p99 %.2f ms",
               big(store->lookups), big(store->outcomes[FIGURES_FOUND]),
               big(store->outcomes[FIGURES_NOT_FOUND]), big(store->outcomes[FIGURES_UNAVAILABLE]),
               big(store->outcomes[FIGURES_MISCONFIGURED]), store->median_ms, store->p99_ms);
    bytes_addf(out, "; cache: hits %llu, misses %llu, stale %llu, entries %llu; breaker %s",
               big(store->cache[FIGURES_HIT]), big(store->cache[FIGURES_MISS]),
               big(store->cache[FIGURES_STALE]), big(store->entries),
               store->breaker_since ? "open" : "closed");
    if (store->members >= 0)
        bytes_addf(out, "; %lld member%s", (long long)store->members,
                   text_plural((uint64_t)store->members));
    bytes_add_string(out, "\n");
}

static void add_app(const struct status_app *app, struct bytes *out)
{
    if (app->name[0])
        bytes_addf(out, "app %s: tokens today: %llu member%s, %llu guest%s; in all: %llu, %llu",
                   app->name, big(app->today[FIGURES_MEMBER]),
                   text_plural(app->today[FIGURES_MEMBER]), big(app->today[FIGURES_GUEST]),
                   text_plural(app->today[FIGURES_GUEST]), big(app->tokens[FIGURES_MEMBER]),
                   big(app->tokens[FIGURES_GUEST]));
    else
        bytes_add_string(out, "no app");
    bytes_addf(out, "; refused: %llu", big(app->refused));
    for (size_t i = 0; i < app->reason_count; i++)
        bytes_addf(out, "%s%s %llu", i ? ", " : " (", app->reasons[i].code,
                   big(app->reasons[i].count));
    bytes_addf(out, "%s; throttled: %llu\n", app->reason_count ? ")" : "", big(app->throttled));
}

static void add_process(const struct status_process *process, int64_t now, struct bytes *out)
{
    bytes_addf(out, "process %lld: version %s, for ", (long long)process->pid, process->version);
    status_add_age(out, now - process->started);
    bytes_addf(out, "; %llu thread%s, %llu busy; %llu request%s in flight; %llu reload%s%s\n",
               big(process->threads), text_plural(process->threads), big(process->busy),
               big(process->in_flight), text_plural(process->in_flight), big(process->reloads),
               text_plural(process->reloads),
               process->reload_failed ? ", the last one failed" : "");
}

static void add_file(const struct status_file *file, int64_t now, struct bytes *out)
{
    bytes_addf(out, "%s: %s: ", file->owner, file->what);
    if (file->error) {
        bytes_add_string(out, file->error == ENOENT ? "not there" : "not known");
    } else {
        status_add_age(out, now - file->changed);
        bytes_add_string(out, " old");
    }
    if (file->expires) {
        bytes_add_string(out, file->expires <= now ? ", expired " : ", valid until ");
        date_add(out, file->expires);
    }
    bytes_add_string(out, "\n");
}

static void add_refusal(const struct figures_past *past, bool show_ids, struct bytes *out)
{
    bytes_add_string(out, "refused ");
    date_add(out, past->time);
    bytes_addf(out, " app %s: %s, request %s", past->app[0] ? past->app : "-", past->code,
               past->request_id);
    if (show_ids && past->id[0])
        bytes_addf(out, ", id %s", past->id);
    bytes_add_string(out, "\n");
}

void status_write_text(const struct status_report *report, struct bytes *out)
{
    for (const struct status_finding *f = report->findings; f; f = f->next)
        bytes_addf(out, "wrong: %s\n  %s\n", f->what, f->remedy);
    if (!report->findings)
        bytes_add_string(out, "nothing is wrong\n");
    for (size_t i = 0; i < report->store_count; i++)
        add_store(&report->stores[i], out);
    for (size_t i = 0; i < report->app_count; i++)
        add_app(&report->apps[i], out);
    if (!report->process_count)
        bytes_add_string(out, "no process runs now\n");
    for (size_t i = 0; i < report->process_count; i++)
        add_process(&report->processes[i], report->now, out);
    for (size_t i = 0; i < report->file_count; i++)
        add_file(&report->files[i], report->now, out);
    for (size_t i = 0; i < report->recent_count; i++)
        add_refusal(&report->recent[i], report->show_ids, out);
}
