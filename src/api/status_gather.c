/* SPDX-License-Identifier: MIT
 * Makes the report from the figures and the configuration. */
#include "status.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HOUR 3600
#define DAY  86400

/* ---- Stores ---- */

static void gather_store(struct figures *figures, const struct figures_sum *sum, unsigned place,
                         struct status_store *store)
{
    const struct figures_store *counted = &figures->stores[place].counted;
    uint64_t state = figures_get(&counted->state);
    store->state = (enum figures_state)(state & 3);
    store->since = figures_time(state >> 2);
    for (unsigned i = 0; i < FIGURES_OUTCOMES; i++) {
        store->outcomes[i] = figures_get(&counted->outcomes[i]);
        store->lookups += store->outcomes[i];
    }
    for (unsigned i = 0; i < FIGURES_CACHES; i++)
        store->cache[i] = figures_get(&counted->cache[i]);
    store->entries = sum->entries[place];
    store->median_ms = figures_quantile(&counted->durations, 0.5) / 1000;
    store->p99_ms = figures_quantile(&counted->durations, 0.99) / 1000;
    store->members = (int64_t)(figures_get(&counted->members) - 1);
    store->breaker_since = figures_time(sum->breaker_since[place]);
}

static void gather_stores(const struct settings *settings, struct figures *figures,
                          const struct figures_sum *sum, struct status_report *report)
{
    report->stores =
        arena_alloc(&report->arena, (settings->store_count + 1) * sizeof *report->stores);
    for (size_t i = 0; report->stores && i < settings->store_count; i++) {
        struct status_store *store = &report->stores[report->store_count++];
        store->name = settings->stores[i].name;
        gather_store(figures, sum,
                     figures_place_of(figures, FIGURES_OF_STORES, span_of(store->name)), store);
    }
}

/* ---- Apps ---- */

static int more_frequent(const void *a, const void *b)
{
    const struct status_reason *one = a, *other = b;
    return (one->count < other->count) - (one->count > other->count);
}

static void gather_reasons(struct figures *figures, const struct figures_app *counted,
                           struct status_app *app, struct arena *arena)
{
    char code[FIGURES_NAME_MAX + 1];
    app->reasons = arena_alloc(arena, STATUS_REASONS * sizeof *app->reasons);
    for (unsigned i = 0; app->reasons && i < STATUS_REASONS; i++) {
        uint64_t count = figures_get(&counted->refusals[i]);
        if (!count || !figures_place_name(figures, FIGURES_OF_CODES, i, code))
            continue;
        app->reasons[app->reason_count].code = arena_string(arena, span_of(code));
        app->reasons[app->reason_count++].count = count;
        app->refused += count;
    }
    if (app->reasons)
        qsort(app->reasons, app->reason_count, sizeof *app->reasons, more_frequent);
}

static void gather_hours(const struct figures_app *counted, int64_t now, struct status_app *app)
{
    uint64_t hour = now > 0 ? (uint64_t)now / HOUR : 0, midnight = hour - hour % (DAY / HOUR);
    for (unsigned kind = 0; kind < FIGURES_KINDS; kind++) {
        app->tokens[kind] = figures_get(&counted->tokens[kind]);
        for (unsigned i = 0; i < STATUS_HOURS && hour >= STATUS_HOURS; i++) {
            uint64_t then = hour - (STATUS_HOURS - 1) + i;
            app->hours[i][kind] = figures_of_hour(counted, (enum figures_kind)kind, then);
            app->today[kind] += then >= midnight ? app->hours[i][kind] : 0;
        }
    }
}

static void add_app(struct figures *figures, unsigned place, const char *name,
                    struct status_report *report)
{
    const struct figures_app *counted = &figures->apps[place].counted;
    struct status_app *app = &report->apps[report->app_count];
    *app = (struct status_app){.name = name, .throttled = figures_get(&counted->throttled)};
    gather_hours(counted, report->now, app);
    gather_reasons(figures, counted, app, &report->arena);
    report->app_count++;
}

/* The configured apps, and the line for requests that named none. */
static void gather_apps(const struct settings *settings, struct figures *figures,
                        struct status_report *report)
{
    report->apps = arena_alloc(&report->arena, (settings->app_count + 1) * sizeof *report->apps);
    for (size_t i = 0; report->apps && i < settings->app_count; i++) {
        const char *id = settings->apps[i].id;
        add_app(figures, figures_place_of(figures, FIGURES_OF_APPS, span_of(id)), id, report);
    }
    if (!report->apps)
        return;
    add_app(figures, figures_place_of(figures, FIGURES_OF_APPS, (struct span){"", 0}), "", report);
    if (!report->apps[report->app_count - 1].refused)
        report->app_count--;
}

/* ---- Processes ---- */

static struct status_process read_process(const struct figures_process *from)
{
    uint64_t version = figures_get(&from->version);
    struct status_process process = {
        .pid = (int64_t)figures_get(&from->pid),
        .started = figures_time(figures_get(&from->started)),
        .reloaded_at = figures_time(figures_get(&from->reloaded_at)),
        .threads = figures_get(&from->threads),
        .busy = figures_get(&from->busy),
        .in_flight = figures_get(&from->in_flight),
        .reloads = figures_get(&from->reloads),
        .resident = figures_get(&from->resident) != FIGURES_FOR_ONE,
        .reload_failed = figures_get(&from->reload_failed) != 0,
    };
    memcpy(process.version, &version, sizeof version);
    if (!text_is_plain(span_of(process.version)))
        process.version[0] = '\0';
    return process;
}

/* Those that live; where there is none, the last one may be missed. */
static void gather_processes(const struct figures_view *view, struct status_report *report)
{
    const struct figures_process *all = view->figures->processes, *last = &all[0];
    report->processes =
        arena_alloc(&report->arena, (FIGURES_PROCESSES + 1) * sizeof *report->processes);
    for (unsigned i = 0; report->processes && i < FIGURES_PROCESSES; i++) {
        if (figures_get(&all[i].started) > figures_get(&last->started))
            last = &all[i];
        if (figures_process_lives(view, i))
            report->processes[report->process_count++] = read_process(&all[i]);
    }
    if (!report->processes || report->process_count ||
        figures_get(&last->resident) != FIGURES_FOR_ALWAYS)
        return;
    report->gone = &report->processes[0];
    *report->gone = read_process(last);
}

/* ---- Files ---- */

static void add_file(struct status_report *report, const char *owner, const char *what,
                     const char *path)
{
    struct stat st;
    struct status_file *file = &report->files[report->file_count++];
    bool seen = stat(path, &st) == 0;
    *file = (struct status_file){owner,
                                 what,
                                 path,
                                 seen ? (int64_t)st.st_mtim.tv_sec : -1,
                                 seen ? 0 : errno,
                                 strcmp(what, "ca_file") == 0,
                                 0};
    if (seen && (file->authority || strcmp(what, "cert_file") == 0))
        status_read_expiry(path, file->authority ? STATUS_LAST : STATUS_FIRST, &file->expires);
}

/* The command does not open its stores. */
static const struct store *store_of(const struct settings_store *entry)
{
    return entry->directory ? directory_store(entry->directory) : entry->store;
}

static size_t count_files(const struct store *store)
{
    struct store_file file;
    size_t count = 0, index = 0;
    while (store_next_file(store, &index, &file))
        count++;
    return count;
}

static void gather_files(const struct settings *settings, struct status_report *report)
{
    struct arena *arena = &report->arena;
    size_t most = settings->app_count;
    for (size_t i = 0; i < settings->store_count; i++)
        most += count_files(store_of(&settings->stores[i]));
    report->files = arena_alloc(arena, (most + 1) * sizeof *report->files);
    for (size_t i = 0; report->files && i < settings->app_count; i++) {
        const struct app *app = &settings->apps[i];
        if (app->profile.key && app->token.key_file)
            add_file(report, arena_format(arena, "app %s", app->id),
                     arena_format(arena, "key %s, %s", app->profile.key->id,
                                  algorithm_rows[app->profile.key->algorithm].name),
                     app->token.key_file);
    }
    for (size_t i = 0; report->files && i < settings->store_count; i++) {
        const struct store *store = store_of(&settings->stores[i]);
        struct store_file file;
        for (size_t f = 0; store_next_file(store, &f, &file);)
            add_file(report, arena_format(arena, "store %s", settings->stores[i].name), file.key,
                     file.path);
    }
}

/* ---- All of it ---- */

static void gather_recent(const struct figures *figures, struct status_report *report)
{
    report->recent = arena_alloc(&report->arena, STATUS_RECENT * sizeof *report->recent);
    for (unsigned i = 0; report->recent && i < STATUS_RECENT; i++)
        if (figures_read_recent(figures, i, &report->recent[report->recent_count]))
            report->recent_count++;
}

bool status_gather(const struct settings *settings, const struct figures_view *view,
                   struct status_report *report_r)
{
    *report_r =
        (struct status_report){.shared = view->fd >= 0, .show_ids = settings->status.show_ids};
    report_r->last_finding = &report_r->findings;
    clock_unix_seconds(&report_r->now);
    struct figures_sum *sum = arena_alloc(&report_r->arena, sizeof *sum);
    if (sum && view->figures) {
        figures_sum_processes(view, sum);
        gather_stores(settings, view->figures, sum, report_r);
        gather_apps(settings, view->figures, report_r);
        gather_processes(view, report_r);
        gather_recent(view->figures, report_r);
    }
    if (!settings->mistake) /* else there are only names */
        gather_files(settings, report_r);
    if (!report_r->arena.failed)
        status_find(settings, report_r);
    return !report_r->arena.failed;
}

void status_free(struct status_report *report)
{
    arena_free(&report->arena);
}
