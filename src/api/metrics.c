/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include "figures/read.h"

#include <string.h>

struct metrics {
    struct bytes *out;
    const struct settings *settings;
    struct figures_view view;
    struct figures_sum sum;
};

/* ---- Lines ---- */

static void head(const struct metrics *metrics, const char *name, const char *type,
                 const char *help)
{
    bytes_addf(metrics->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* The beginning of a line: name{label="value".  No value has a line end in it. */
static void begin(const struct metrics *metrics, const char *name, const char *label,
                  const char *value)
{
    bytes_addf(metrics->out, "%s{%s=", name, label);
    bytes_add_quoted(metrics->out, span_of(value));
}

static void also(const struct metrics *metrics, const char *label, const char *value)
{
    bytes_addf(metrics->out, ",%s=", label);
    bytes_add_quoted(metrics->out, span_of(value));
}

static void end(const struct metrics *metrics, uint64_t number)
{
    bytes_addf(metrics->out, "} %llu\n", (unsigned long long)number);
}

static void plain(const struct metrics *metrics, const char *name, uint64_t number)
{
    bytes_addf(metrics->out, "%s %llu\n", name, (unsigned long long)number);
}

static void add_seconds(struct bytes *out, uint64_t microseconds)
{
    bytes_addf(out, "%llu.%06llu", (unsigned long long)(microseconds / 1000000),
               (unsigned long long)(microseconds % 1000000));
}

/* `store` NULL: without a label. */
static void histogram(const struct metrics *metrics, const char *name, const char *store,
                      const struct figures_histogram *durations)
{
    struct bytes labels = {0};
    uint64_t count = 0;
    if (store) {
        bytes_add_string(&labels, "store=");
        bytes_add_quoted(&labels, span_of(store));
    }
    const char *own = bytes_string(&labels);
    for (unsigned i = 0; i < FIGURES_BUCKETS; i++) {
        count += figures_get(&durations->count[i]);
        bytes_addf(metrics->out, "%s_bucket{%s%sle=\"", name, own, store ? "," : "");
        if (i < FIGURES_BUCKETS - 1)
            add_seconds(metrics->out, figures_bounds[i]);
        else
            bytes_add_string(metrics->out, "+Inf");
        bytes_add_string(metrics->out, "\"");
        end(metrics, count);
    }
    const char *open = store ? "{" : "", *close = store ? "}" : "";
    bytes_addf(metrics->out, "%s_sum%s%s%s ", name, open, own, close);
    add_seconds(metrics->out, figures_get(&durations->microseconds));
    bytes_addf(metrics->out, "\n%s_count%s%s%s %llu\n", name, open, own, close,
               (unsigned long long)count);
    metrics->out->failed = metrics->out->failed || labels.failed;
    bytes_free(&labels);
}

/* ---- Requests ---- */

static void add_requests(const struct metrics *metrics)
{
    static const char name[] = "memberchat_http_requests_total";
    struct figures *figures = metrics->view.figures;
    char route[FIGURES_NAME_MAX + 1], code[4] = "";
    head(metrics, name, "counter", "Requests that were answered.");
    for (unsigned i = 0; i <= FIGURES_ROUTES; i++) {
        if (!figures_place_name(figures, FIGURES_OF_ROUTES, i, route))
            continue;
        for (unsigned status = 0; status < FIGURES_STATUSES; status++) {
            uint64_t count = figures_get(&figures->routes[i].counted.statuses[status]);
            if (!count)
                continue;
            code[0] = (char)('1' + status / 100);
            code[1] = (char)('0' + status / 10 % 10);
            code[2] = (char)('0' + status % 10);
            begin(metrics, name, "route", route);
            also(metrics, "code", code);
            end(metrics, count);
        }
    }
    head(metrics, "memberchat_request_duration_seconds", "histogram",
         "From when a request was complete until its answer was made.");
    histogram(metrics, "memberchat_request_duration_seconds", NULL, &figures->durations);
    head(metrics, "memberchat_requests_in_flight", "gauge", "Requests that are being answered.");
    plain(metrics, "memberchat_requests_in_flight", metrics->sum.in_flight);
}

/* ---- Apps ---- */

/* The name of an app that has a line; false: it has none. */
static bool app_name(const struct metrics *metrics, unsigned place,
                     char name_r[FIGURES_NAME_MAX + 1])
{
    return figures_place_name(metrics->view.figures, FIGURES_OF_APPS, place, name_r);
}

/* The places for requests without an app, and for apps without a place, count once they have
 * tokens. */
static bool has_tokens(const struct figures_app *app, const char *name, unsigned place)
{
    return (name[0] && place < FIGURES_APPS) || figures_get(&app->tokens[FIGURES_GUEST]) ||
           figures_get(&app->tokens[FIGURES_MEMBER]);
}

static void add_tokens(const struct metrics *metrics)
{
    static const char name[] = "memberchat_tokens_issued_total";
    static const char *const kinds[] = {[FIGURES_GUEST] = "guest", [FIGURES_MEMBER] = "member"};
    char app[FIGURES_NAME_MAX + 1];
    head(metrics, name, "counter", "Tokens that were issued.");
    for (unsigned i = 0; i <= FIGURES_APPS; i++) {
        const struct figures_app *counted = &metrics->view.figures->apps[i].counted;
        if (!app_name(metrics, i, app) || !has_tokens(counted, app, i))
            continue;
        for (unsigned kind = 0; kind < FIGURES_KINDS; kind++) {
            begin(metrics, name, "app", app);
            also(metrics, "kind", kinds[kind]);
            end(metrics, figures_get(&counted->tokens[kind]));
        }
    }
}

static void add_refusals(const struct metrics *metrics)
{
    static const char name[] = "memberchat_refusals_total";
    struct figures *figures = metrics->view.figures;
    char app[FIGURES_NAME_MAX + 1], code[FIGURES_NAME_MAX + 1];
    head(metrics, name, "counter",
         "Tokens that were refused; app is empty where the credentials named none.");
    for (unsigned i = 0; i <= FIGURES_APPS; i++) {
        if (!app_name(metrics, i, app))
            continue;
        for (unsigned c = 0; c <= FIGURES_CODES; c++) {
            uint64_t count = figures_get(&figures->apps[i].counted.refusals[c]);
            if (!count || !figures_place_name(figures, FIGURES_OF_CODES, c, code))
                continue;
            begin(metrics, name, "app", app);
            also(metrics, "error_code", code);
            end(metrics, count);
        }
    }
}

static void add_throttled(const struct metrics *metrics)
{
    static const char name[] = "memberchat_throttled_total";
    char app[FIGURES_NAME_MAX + 1];
    head(metrics, name, "counter", "Requests that were refused because there were too many.");
    for (unsigned i = 0; i <= FIGURES_APPS; i++) {
        const struct figures_app *counted = &metrics->view.figures->apps[i].counted;
        uint64_t count = figures_get(&counted->throttled);
        if (!app_name(metrics, i, app) || (!count && !has_tokens(counted, app, i)))
            continue;
        begin(metrics, name, "app", app);
        end(metrics, count);
    }
}

/* ---- Stores ---- */

static void add_lookups(const struct metrics *metrics)
{
    static const char name[] = "memberchat_store_lookups_total";
    static const char durations[] = "memberchat_store_lookup_duration_seconds";
    static const char *const outcomes[] = {[FIGURES_FOUND] = "found",
                                           [FIGURES_NOT_FOUND] = "not_found",
                                           [FIGURES_UNAVAILABLE] = "unavailable",
                                           [FIGURES_MISCONFIGURED] = "misconfigured"};
    struct figures *figures = metrics->view.figures;
    char store[FIGURES_NAME_MAX + 1];
    head(metrics, name, "counter", "Look-ups in a store.");
    for (unsigned i = 0; i < FIGURES_STORES; i++)
        for (unsigned o = 0; o < FIGURES_OUTCOMES; o++)
            if (figures_place_name(figures, FIGURES_OF_STORES, i, store)) {
                begin(metrics, name, "store", store);
                also(metrics, "outcome", outcomes[o]);
                end(metrics, figures_get(&figures->stores[i].counted.outcomes[o]));
            }
    head(metrics, durations, "histogram", "How long a store took for a look-up.");
    for (unsigned i = 0; i < FIGURES_STORES; i++)
        if (figures_place_name(figures, FIGURES_OF_STORES, i, store))
            histogram(metrics, durations, store, &figures->stores[i].counted.durations);
}

static uint64_t get_up(const struct metrics *metrics, unsigned store)
{
    uint64_t state = figures_get(&metrics->view.figures->stores[store].counted.state) & 3;
    return state == FIGURES_UNASKED || state == FIGURES_UP;
}

static uint64_t get_members(const struct metrics *metrics, unsigned store)
{
    return figures_get(&metrics->view.figures->stores[store].counted.members) - 1;
}

static uint64_t get_breaker(const struct metrics *metrics, unsigned store)
{
    return metrics->sum.breaker_since[store] != 0;
}

static uint64_t get_hits(const struct metrics *metrics, unsigned store)
{
    return figures_get(&metrics->view.figures->stores[store].counted.cache[FIGURES_HIT]);
}

static uint64_t get_misses(const struct metrics *metrics, unsigned store)
{
    return figures_get(&metrics->view.figures->stores[store].counted.cache[FIGURES_MISS]);
}

static uint64_t get_stale(const struct metrics *metrics, unsigned store)
{
    return figures_get(&metrics->view.figures->stores[store].counted.cache[FIGURES_STALE]);
}

static uint64_t get_entries(const struct metrics *metrics, unsigned store)
{
    return metrics->sum.entries[store];
}

static const struct store_metric {
    const char *name, *type, *help;
    uint64_t (*get)(const struct metrics *metrics, unsigned store);
} store_metrics[] = {
    {"memberchat_store_up", "gauge", "1 unless the last look-up or probe of the store failed.",
     get_up},
    {"memberchat_store_members", "gauge", "Members in a store that counts them.", get_members},
    {"memberchat_store_breaker_open", "gauge",
     "1 while a process asks the store only now and then, since it keeps failing.", get_breaker},
    {"memberchat_cache_hits_total", "counter", "Look-ups that the cache answered.", get_hits},
    {"memberchat_cache_misses_total", "counter", "Look-ups that the cache did not answer.",
     get_misses},
    {"memberchat_cache_stale_total", "counter",
     "Look-ups that the cache answered, though late, since the store did not answer.", get_stale},
    {"memberchat_cache_entries", "gauge", "Answers in the caches of all processes.", get_entries},
};

static void add_stores(const struct metrics *metrics)
{
    struct figures *figures = metrics->view.figures;
    char store[FIGURES_NAME_MAX + 1];
    add_lookups(metrics);
    for (size_t m = 0; m < sizeof store_metrics / sizeof *store_metrics; m++) {
        const struct store_metric *metric = &store_metrics[m];
        head(metrics, metric->name, metric->type, metric->help);
        for (unsigned i = 0; i < FIGURES_STORES; i++) {
            bool untold =
                metric->get == get_members && !figures_get(&figures->stores[i].counted.members);
            if (untold || !figures_place_name(figures, FIGURES_OF_STORES, i, store))
                continue;
            begin(metrics, metric->name, "store", store);
            end(metrics, metric->get(metrics, i));
        }
    }
}

/* ---- The program ---- */

static void add_program(const struct metrics *metrics)
{
    static const char workers[] = "memberchat_workers";
    const struct figures_sum *sum = &metrics->sum;
    head(metrics, "memberchat_build_info", "gauge", "The version, in a label.");
    begin(metrics, "memberchat_build_info", "version", PACKAGE_VERSION);
    end(metrics, 1);
    head(metrics, "process_start_time_seconds", "gauge",
         "When the oldest of the processes that run was started.");
    plain(metrics, "process_start_time_seconds", sum->started);
    head(metrics, workers, "gauge", "Threads that serve requests, of all processes.");
    begin(metrics, workers, "state", "busy");
    end(metrics, sum->busy);
    begin(metrics, workers, "state", "idle");
    end(metrics, sum->threads > sum->busy ? sum->threads - sum->busy : 0);
    head(metrics, "memberchat_config_last_reload_successful", "gauge",
         "0 where a process refused the last configuration.");
    plain(metrics, "memberchat_config_last_reload_successful", sum->reloads_failed == 0);
    head(metrics, "memberchat_config_last_reload_success_timestamp_seconds", "gauge",
         "When a configuration was last loaded.");
    plain(metrics, "memberchat_config_last_reload_success_timestamp_seconds",
          sum->reloaded_at ? sum->reloaded_at : sum->started);
}

static void add_keys(const struct metrics *metrics)
{
    static const char name[] = "memberchat_signing_key_info";
    head(metrics, name, "gauge", "The key that an app signs with, in labels.");
    for (size_t i = 0; i < metrics->settings->app_count; i++) {
        const struct app *app = &metrics->settings->apps[i];
        if (!app->profile.key)
            continue;
        begin(metrics, name, "app", app->id);
        also(metrics, "kid", app->profile.key->id);
        also(metrics, "alg", algorithm_rows[app->profile.key->algorithm].name);
        end(metrics, 1);
    }
}

/* Apps and stores that have not been used yet have zeros. */
static void take_places(const struct metrics *metrics)
{
    const struct settings *settings = metrics->settings;
    for (size_t i = 0; i < settings->app_count; i++)
        figures_place_of(metrics->view.figures, FIGURES_OF_APPS, span_of(settings->apps[i].id));
    for (size_t i = 0; i < settings->store_count; i++)
        figures_place_of(metrics->view.figures, FIGURES_OF_STORES,
                         span_of(settings->stores[i].name));
}

enum outcome metrics_answer(struct exchange *exchange)
{
    struct http_response *response = exchange->response;
    struct metrics metrics = {
        .out = &response->body, .settings = exchange->settings, .view = figures_view_own()};
    response->status = 200;
    response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    if (metrics.view.figures) {
        take_places(&metrics);
        figures_sum_processes(&metrics.view, &metrics.sum);
        add_program(&metrics);
        add_requests(&metrics);
        add_tokens(&metrics);
        add_refusals(&metrics);
        add_throttled(&metrics);
        add_stores(&metrics);
    }
    add_keys(&metrics);
    return response->body.failed ? OUTCOME_INTERNAL_SERVER_ERROR : OUTCOME_ANSWERED;
}
