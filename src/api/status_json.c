/* SPDX-License-Identifier: MIT */
#include "status.h"

#include "base/date.h"

/* ---- Members of objects ---- */

static void name(struct bytes *out, const char *key)
{
    if (out->length && out->data[out->length - 1] != '{')
        bytes_add_string(out, ",");
    bytes_add_json(out, span_of(key));
    bytes_add_string(out, ":");
}

static void item(struct bytes *out, char bracket)
{
    if (out->length && out->data[out->length - 1] != '[')
        bytes_add_string(out, ",");
    bytes_add(out, &bracket, 1);
}

static void text(struct bytes *out, const char *key, const char *value)
{
    name(out, key);
    bytes_add_json(out, span_of(value));
}

static void number(struct bytes *out, const char *key, uint64_t value)
{
    name(out, key);
    bytes_addf(out, "%llu", (unsigned long long)value);
}

static void decimal(struct bytes *out, const char *key, double value)
{
    uint64_t micro = value > 0 ? (uint64_t)(value * 1000 + 0.5) : 0;
    name(out, key);
    bytes_addf(out, "%llu.%03llu", (unsigned long long)(micro / 1000),
               (unsigned long long)(micro % 1000));
}

static void truth(struct bytes *out, const char *key, bool value)
{
    name(out, key);
    bytes_add_string(out, value ? "true" : "false");
}

/* null for 0 and less */
static void moment(struct bytes *out, const char *key, int64_t seconds)
{
    name(out, key);
    if (seconds <= 0) {
        bytes_add_string(out, "null");
        return;
    }
    bytes_add_string(out, "\"");
    date_add(out, seconds);
    bytes_add_string(out, "\"");
}

/* ---- Parts ---- */

static void add_findings(const struct status_report *report, struct bytes *out)
{
    name(out, "wrong");
    bytes_add_string(out, "[");
    for (const struct status_finding *f = report->findings; f; f = f->next) {
        item(out, '{');
        text(out, "what", f->what);
        text(out, "remedy", f->remedy);
        bytes_add_string(out, "}");
    }
    bytes_add_string(out, "]");
}

static void add_store(const struct status_store *store, struct bytes *out)
{
    item(out, '{');
    text(out, "name", store->name);
    text(out, "state", status_state_name(store->state));
    moment(out, "since", store->since);
    number(out, "lookups", store->lookups);
    number(out, "found", store->outcomes[FIGURES_FOUND]);
    number(out, "notFound", store->outcomes[FIGURES_NOT_FOUND]);
    number(out, "unavailable", store->outcomes[FIGURES_UNAVAILABLE]);
    number(out, "misconfigured", store->outcomes[FIGURES_MISCONFIGURED]);
    decimal(out, "medianMs", store->median_ms);
    decimal(out, "p99Ms", store->p99_ms);
    number(out, "cacheHits", store->cache[FIGURES_HIT]);
    number(out, "cacheMisses", store->cache[FIGURES_MISS]);
    number(out, "cacheStale", store->cache[FIGURES_STALE]);
    number(out, "cacheEntries", store->entries);
    moment(out, "breakerOpenSince", store->breaker_since);
    name(out, "members");
    if (store->members < 0)
        bytes_add_string(out, "null");
    else
        bytes_add_number(out, store->members);
    bytes_add_string(out, "}");
}

static void add_hours(const struct status_app *app, enum figures_kind kind, const char *key,
                      struct bytes *out)
{
    name(out, key);
    bytes_add_string(out, "[");
    for (unsigned i = 0; i < STATUS_HOURS; i++)
        bytes_addf(out, "%s%llu", i ? "," : "", (unsigned long long)app->hours[i][kind]);
    bytes_add_string(out, "]");
}

static void add_app(const struct status_app *app, struct bytes *out)
{
    item(out, '{');
    text(out, "name", app->name);
    number(out, "guests", app->tokens[FIGURES_GUEST]);
    number(out, "members", app->tokens[FIGURES_MEMBER]);
    number(out, "guestsToday", app->today[FIGURES_GUEST]);
    number(out, "membersToday", app->today[FIGURES_MEMBER]);
    add_hours(app, FIGURES_GUEST, "guestsByHour", out);
    add_hours(app, FIGURES_MEMBER, "membersByHour", out);
    number(out, "throttled", app->throttled);
    name(out, "refusals");
    bytes_add_string(out, "{");
    for (size_t i = 0; i < app->reason_count; i++)
        number(out, app->reasons[i].code, app->reasons[i].count);
    bytes_add_string(out, "}}");
}

static void add_process(const struct status_process *process, struct bytes *out)
{
    item(out, '{');
    number(out, "pid", (uint64_t)process->pid);
    text(out, "version", process->version);
    moment(out, "since", process->started);
    truth(out, "resident", process->resident);
    number(out, "threads", process->threads);
    number(out, "busy", process->busy);
    number(out, "inFlight", process->in_flight);
    number(out, "reloads", process->reloads);
    truth(out, "lastReloadSuccessful", !process->reload_failed);
    moment(out, "loaded", process->reloaded_at);
    bytes_add_string(out, "}");
}

static void add_file(const struct status_file *file, struct bytes *out)
{
    item(out, '{');
    text(out, "owner", file->owner);
    text(out, "what", file->what);
    moment(out, "changed", file->changed);
    moment(out, "expires", file->expires);
    bytes_add_string(out, "}");
}

static void add_refusal(const struct figures_past *past, bool show_ids, struct bytes *out)
{
    item(out, '{');
    moment(out, "time", past->time);
    text(out, "app", past->app);
    text(out, "reason", past->code);
    text(out, "requestId", past->request_id);
    if (show_ids)
        text(out, "id", past->id[0] ? past->id : NULL);
    bytes_add_string(out, "}");
}

#define ADD_ALL(out, key, count, call)                                                             \
    do {                                                                                           \
        name(out, key);                                                                            \
        bytes_add_string(out, "[");                                                                \
        for (size_t i = 0; i < (count); i++)                                                       \
            call;                                                                                  \
        bytes_add_string(out, "]");                                                                \
    } while (0)

void status_write_json(const struct status_report *report, struct bytes *out)
{
    bytes_add_string(out, "{");
    text(out, "version", PACKAGE_VERSION);
    moment(out, "time", report->now);
    add_findings(report, out);
    ADD_ALL(out, "stores", report->store_count, add_store(&report->stores[i], out));
    ADD_ALL(out, "apps", report->app_count, add_app(&report->apps[i], out));
    ADD_ALL(out, "processes", report->process_count, add_process(&report->processes[i], out));
    ADD_ALL(out, "files", report->file_count, add_file(&report->files[i], out));
    ADD_ALL(out, "refusals", report->recent_count,
            add_refusal(&report->recent[i], report->show_ids, out));
    bytes_add_string(out, "}");
}
