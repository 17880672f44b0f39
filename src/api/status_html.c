/* SPDX-License-Identifier: MIT
 * The report as a page: no script, nothing from elsewhere, light and dark, also for phones. */
#include "status.h"

#include "base/date.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

#define BAR        8  /* width of an hour in the chart, with its gap */
#define BAR_HEIGHT 40 /* of the chart */

static const char style[] =
    ":root{color-scheme:light dark;--text:#1d2733;--soft:#556270;--back:#f6f7f9;--card:#fff;"
    "--line:#d9dee5;--good:#146c43;--bad:#a61b29;--badback:#fdecee;--one:#2456a6;--two:#c05c00}"
    "@media(prefers-color-scheme:dark){:root{--text:#e4e9ef;--soft:#9aa8b7;--back:#12171d;"
    "--card:#1b222b;--line:#323d49;--good:#5fd39a;--bad:#ff8f97;--badback:#3a1d22;--one:#7fb0ff;"
    "--two:#ffb066}}"
    "*{box-sizing:border-box}body{margin:0 "
    "auto;max-width:78rem;padding:1rem;background:var(--back);"
    "color:var(--text);font:16px/1.5 system-ui,sans-serif}"
    "h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:1.6rem 0 .5rem}"
    "p{margin:.3rem 0}.soft{color:var(--soft)}a{color:var(--one)}"
    ".card{background:var(--card);border:1px solid var(--line);border-radius:.5rem}"
    ".wrong,.fine{margin-top:.6rem;padding:.6rem 1rem;border-left:.35rem solid var(--good)}"
    ".wrong{border-left-color:var(--bad);background:var(--badback)}"
    ".wrong ul{margin:.3rem 0;padding-left:1.2rem}.wrong li{margin:.4rem 0}"
    ".scroll{overflow-x:auto}.scroll:focus-visible,a:focus-visible{outline:3px solid var(--one)}"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}"
    "th,td{padding:.4rem .7rem;text-align:left;vertical-align:top;border-top:1px solid var(--line)}"
    "thead th{border-top:0;color:var(--soft);font-weight:600;font-size:.85rem;white-space:nowrap}"
    "tbody th{font-weight:600}.n{text-align:right;white-space:nowrap}.good{color:var(--good)}"
    ".bad{color:var(--bad);font-weight:600}.time{white-space:nowrap}.id{overflow-wrap:anywhere;"
    "min-width:9rem}svg{display:block}.one{fill:var(--one)}.two{fill:var(--two)}"
    ".base{fill:var(--line)}ul.plain{list-style:none;margin:0;padding:0}"
    "ul.plain li{white-space:nowrap}.since{white-space:nowrap}"
    "@media(max-width:40rem){body{padding:.6rem}th,td{padding:.35rem .5rem}}";

/* ---- Text ---- */

static void add_text(struct bytes *out, const char *text)
{
    for (; *text; text++) {
        const char *entity = *text == '&'   ? "&amp;"
                             : *text == '<' ? "&lt;"
                             : *text == '>' ? "&gt;"
                             : *text == '"' ? "&quot;"
                                            : NULL;
        if (entity)
            bytes_add_string(out, entity);
        else
            bytes_add(out, text, 1);
    }
}

/* "12 345 678", with spaces that do not break */
static void add_number(struct bytes *out, uint64_t number)
{
    struct bytes digits = {0};
    bytes_addf(&digits, "%llu", (unsigned long long)number);
    for (size_t i = 0; i < digits.length; i++) {
        if (i && (digits.length - i) % 3 == 0)
            bytes_add_string(out, "\xe2\x80\xaf");
        bytes_add(out, digits.data + i, 1);
    }
    out->failed = out->failed || digits.failed;
    bytes_free(&digits);
}

static void number_cell(struct bytes *out, uint64_t number)
{
    bytes_add_string(out, "<td class=\"n\">");
    add_number(out, number);
    bytes_add_string(out, "</td>");
}

static void text_cell(struct bytes *out, const char *class, const char *text)
{
    bytes_addf(out, "<td%s%s%s>", class ? " class=\"" : "", class ? class : "", class ? "\"" : "");
    add_text(out, text);
    bytes_add_string(out, "</td>");
}

static void head_cell(struct bytes *out, const char *text)
{
    bytes_add_string(out, "<th scope=\"row\">");
    add_text(out, text);
    bytes_add_string(out, "</th>");
}

static void add_time(struct bytes *out, int64_t seconds)
{
    bytes_add_string(out, "<time class=\"time\" datetime=\"");
    date_add(out, seconds);
    bytes_add_string(out, "\">");
    date_add(out, seconds);
    bytes_add_string(out, "</time>");
}

/* A table that scrolls by itself if it is too wide, also with the keyboard. */
static void begin_table(struct bytes *out, const char *title, const char *const *columns)
{
    bytes_addf(out,
               "<h2>%s</h2><div class=\"card scroll\" tabindex=\"0\" role=\"region\" "
               "aria-label=\"%s\"><table><thead><tr>",
               title, title);
    for (; *columns; columns++) {
        bool is_number = **columns == '#';
        bytes_addf(out, "<th scope=\"col\"%s>%s</th>", is_number ? " class=\"n\"" : "",
                   *columns + is_number);
    }
    bytes_add_string(out, "</tr></thead><tbody>");
}

static void end_table(struct bytes *out)
{
    bytes_add_string(out, "</tbody></table></div>");
}

/* ---- What is wrong ---- */

static void add_findings(const struct status_report *report, struct bytes *out)
{
    if (!report->findings) {
        bytes_add_string(out, "<div class=\"card fine\"><p class=\"good\"><strong>Nothing is wrong."
                              "</strong></p></div>");
        return;
    }
    bytes_add_string(out, "<div class=\"card wrong\"><p class=\"bad\">Wrong now</p><ul>");
    for (const struct status_finding *f = report->findings; f; f = f->next) {
        bytes_add_string(out, "<li><strong>");
        add_text(out, f->what);
        bytes_add_string(out, "</strong><br>");
        add_text(out, f->remedy);
        bytes_add_string(out, "</li>");
    }
    bytes_add_string(out, "</ul></div>");
}

/* ---- Stores ---- */

static void add_state(const struct status_store *store, struct bytes *out)
{
    bool bad = store->state == FIGURES_DOWN || store->state == FIGURES_WRONG;
    bytes_addf(out, "<td><span class=\"%s\">%s</span>",
               bad                          ? "bad"
               : store->state == FIGURES_UP ? "good"
                                            : "soft",
               status_state_name(store->state));
    if (store->since > 0) {
        bytes_add_string(out, "<br><span class=\"soft since\">since ");
        add_time(out, store->since);
        bytes_add_string(out, "</span>");
    }
    bytes_add_string(out, "</td>");
}

/* "found 160" of each count that is not zero; `none` where all are. */
static void list_cell(struct bytes *out, const struct status_reason *counts, size_t count,
                      const char *none)
{
    bool any = false;
    bytes_add_string(out, "<td><ul class=\"plain\">");
    for (size_t i = 0; i < count; i++) {
        if (!counts[i].count)
            continue;
        bytes_add_string(out, "<li>");
        add_text(out, counts[i].code);
        bytes_add_string(out, " ");
        add_number(out, counts[i].count);
        bytes_add_string(out, "</li>");
        any = true;
    }
    if (!any)
        bytes_addf(out, "<li class=\"soft\">%s</li>", none);
    bytes_add_string(out, "</ul></td>");
}

static void add_store(const struct status_store *store, struct bytes *out)
{
    const struct status_reason outcomes[] = {
        {"found", store->outcomes[FIGURES_FOUND]},
        {"not found", store->outcomes[FIGURES_NOT_FOUND]},
        {"unavailable", store->outcomes[FIGURES_UNAVAILABLE]},
        {"misconfigured", store->outcomes[FIGURES_MISCONFIGURED]}};
    const struct status_reason cache[] = {{"hits", store->cache[FIGURES_HIT]},
                                          {"misses", store->cache[FIGURES_MISS]},
                                          {"stale", store->cache[FIGURES_STALE]},
                                          {"entries", store->entries}};
    bytes_add_string(out, "<tr>");
    head_cell(out, store->name);
    add_state(store, out);
    number_cell(out, store->lookups);
    list_cell(out, outcomes, 4, "none");
    bytes_addf(out, "<td class=\"n\">%.2f ms</td><td class=\"n\">%.2f ms</td>", store->median_ms,
               store->p99_ms);
    list_cell(out, cache, 4, "not used");
    text_cell(out, store->breaker_since ? "bad" : NULL, store->breaker_since ? "open" : "closed");
    if (store->members >= 0)
        number_cell(out, (uint64_t)store->members);
    else
        text_cell(out, "n soft", "not told");
    bytes_add_string(out, "</tr>");
}

static void add_stores(const struct status_report *report, struct bytes *out)
{
    static const char *const columns[] = {"store", "state", "#look-ups", "outcomes", "#median",
                                          "#p99",  "cache", "breaker",   "#members", NULL};
    begin_table(out, "Stores", columns);
    for (size_t i = 0; i < report->store_count; i++)
        add_store(&report->stores[i], out);
    end_table(out);
}

/* ---- Apps ---- */

/* Tokens of the last 24 hours: one bar per hour, members below, guests on top. */
static void add_chart(const struct status_app *app, struct bytes *out)
{
    uint64_t most = 1;
    for (unsigned i = 0; i < STATUS_HOURS; i++) {
        uint64_t sum = app->hours[i][FIGURES_MEMBER] + app->hours[i][FIGURES_GUEST];
        most = sum > most ? sum : most;
    }
    bytes_addf(out,
               "<svg width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" "
               "aria-label=\"Tokens by hour, the last 24 hours; at most %llu in one\">",
               STATUS_HOURS * BAR, BAR_HEIGHT + 1, STATUS_HOURS * BAR, BAR_HEIGHT + 1,
               (unsigned long long)most);
    for (unsigned i = 0; i < STATUS_HOURS; i++) {
        const uint64_t *hour = app->hours[i];
        double members = (double)hour[FIGURES_MEMBER] * BAR_HEIGHT / (double)most;
        double guests = (double)hour[FIGURES_GUEST] * BAR_HEIGHT / (double)most;
        bytes_addf(out, "<g><title>%u h ago: %llu member%s, %llu guest%s</title>",
                   STATUS_HOURS - 1 - i, (unsigned long long)hour[FIGURES_MEMBER],
                   text_plural(hour[FIGURES_MEMBER]), (unsigned long long)hour[FIGURES_GUEST],
                   text_plural(hour[FIGURES_GUEST]));
        bytes_addf(out, "<rect class=\"base\" x=\"%u\" y=\"%d\" width=\"%d\" height=\"1\"/>",
                   i * BAR, BAR_HEIGHT, BAR - 2);
        if (hour[FIGURES_MEMBER])
            bytes_addf(out,
                       "<rect class=\"one\" x=\"%u\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>",
                       i * BAR, BAR_HEIGHT - members, BAR - 2, members);
        if (hour[FIGURES_GUEST])
            bytes_addf(out,
                       "<rect class=\"two\" x=\"%u\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>",
                       i * BAR, BAR_HEIGHT - members - guests, BAR - 2, guests);
        bytes_add_string(out, "</g>");
    }
    bytes_add_string(out, "</svg>");
}

static void add_app(const struct status_app *app, struct bytes *out)
{
    bytes_add_string(out, "<tr>");
    head_cell(out, app->name[0] ? app->name : "(credentials of no app)");
    number_cell(out, app->today[FIGURES_MEMBER]);
    number_cell(out, app->today[FIGURES_GUEST]);
    bytes_add_string(out, "<td>");
    if (app->name[0])
        add_chart(app, out);
    bytes_add_string(out, "</td>");
    number_cell(out, app->tokens[FIGURES_MEMBER]);
    number_cell(out, app->tokens[FIGURES_GUEST]);
    list_cell(out, app->reasons, app->reason_count, "none");
    number_cell(out, app->throttled);
    bytes_add_string(out, "</tr>");
}

static void add_apps(const struct status_report *report, struct bytes *out)
{
    static const char *const columns[] = {"app",           "#members today", "#guests today",
                                          "last 24 hours", "#members",       "#guests",
                                          "refusals",      "#throttled",     NULL};
    begin_table(out, "Apps", columns);
    for (size_t i = 0; i < report->app_count; i++)
        add_app(&report->apps[i], out);
    end_table(out);
    bytes_add_string(out, "<p class=\"soft\">Tokens; the day begins at 0:00 UTC. In the chart: "
                          "<svg width=\"10\" height=\"10\" style=\"display:inline\"><rect class="
                          "\"one\" width=\"10\" height=\"10\"/></svg> members, <svg width=\"10\" "
                          "height=\"10\" style=\"display:inline\"><rect class=\"two\" width=\"10\" "
                          "height=\"10\"/></svg> guests.</p>");
}

/* ---- Processes and files ---- */

static void add_process(const struct status_process *process, int64_t now, struct bytes *out)
{
    bytes_addf(out, "<tr><th scope=\"row\">%lld</th>", (long long)process->pid);
    text_cell(out, NULL, process->version);
    bytes_add_string(out, "<td>");
    add_time(out, process->started);
    bytes_add_string(out, "<br><span class=\"soft\">");
    status_add_age(out, now - process->started);
    bytes_add_string(out, "</span></td>");
    number_cell(out, process->threads);
    number_cell(out, process->busy);
    number_cell(out, process->in_flight);
    number_cell(out, process->reloads);
    bytes_add_string(out, process->reload_failed ? "<td><span class=\"bad\">refused</span><br>"
                                                   "<span class=\"soft\">good: "
                                                 : "<td><span class=\"soft\">");
    add_time(out, process->reloaded_at);
    bytes_add_string(out, "</span></td></tr>");
}

static void add_processes(const struct status_report *report, struct bytes *out)
{
    static const char *const columns[] = {"process",  "version",       "since",
                                          "#threads", "#busy",         "#in flight",
                                          "#reloads", "configuration", NULL};
    begin_table(out, "Processes", columns);
    for (size_t i = 0; i < report->process_count; i++)
        add_process(&report->processes[i], report->now, out);
    end_table(out);
}

static void add_files(const struct status_report *report, struct bytes *out)
{
    static const char *const columns[] = {"of", "file", "changed", "age", "valid until", NULL};
    begin_table(out, "Keys and certificates", columns);
    for (size_t i = 0; i < report->file_count; i++) {
        const struct status_file *file = &report->files[i];
        bytes_add_string(out, "<tr>");
        head_cell(out, file->owner);
        text_cell(out, NULL, file->what);
        if (file->changed < 0) {
            text_cell(out, "bad", file->error == ENOENT ? "not there" : "not known");
            bytes_add_string(out, "<td></td><td></td></tr>");
            continue;
        }
        bytes_add_string(out, "<td>");
        add_time(out, file->changed);
        bytes_add_string(out, "</td><td>");
        status_add_age(out, report->now - file->changed);
        bytes_add_string(out, "</td><td>");
        if (file->expires)
            add_time(out, file->expires);
        bytes_add_string(out, "</td></tr>");
    }
    end_table(out);
}

/* ---- Refusals ---- */

static void add_recent(const struct status_report *report, struct bytes *out)
{
    static const char *const columns[] = {"time", "app", "reason", "request", NULL, NULL};
    static const char *const with_ids[] = {"time", "app", "reason", "request", "id", NULL};
    begin_table(out, "Newest refusals", report->show_ids ? with_ids : columns);
    for (size_t i = 0; i < report->recent_count; i++) {
        const struct figures_past *past = &report->recent[i];
        bytes_add_string(out, "<tr><td>");
        add_time(out, past->time);
        bytes_add_string(out, "</td>");
        text_cell(out, NULL, past->app[0] ? past->app : "-");
        text_cell(out, NULL, past->code);
        text_cell(out, "id", past->request_id);
        if (report->show_ids)
            text_cell(out, "id", past->id[0] ? past->id : "-");
        bytes_add_string(out, "</tr>");
    }
    if (!report->recent_count)
        bytes_add_string(out, "<tr><td colspan=\"5\">None yet.</td></tr>");
    end_table(out);
}

/* ---- The page ---- */

void status_write_html(const struct status_report *report, struct bytes *out)
{
    bytes_addf(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
        "name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>%smemberchat"
        "</title><style>%s</style></head><body><main><h1>memberchat %s</h1>"
        "<p class=\"soft\">",
        report->findings ? "Wrong: " : "", style, PACKAGE_VERSION);
    add_time(out, report->now);
    bytes_add_string(out, report->shared ? ", all processes together"
                                         : ", this process only: no file is shared");
    bytes_add_string(out, " · <a href=\"?\">Refresh</a> · <a href=\"?json\">JSON</a></p>");
    add_findings(report, out);
    add_stores(report, out);
    add_apps(report, out);
    add_processes(report, out);
    add_files(report, out);
    add_recent(report, out);
    bytes_add_string(out, "</main></body></html>\n");
}
