/* SPDX-License-Identifier: MIT */
#include "layout.h"

#include "base/clock.h"

#include <string.h>

const uint32_t figures_bounds[FIGURES_BUCKETS - 1] = {
    50,    100,   250,    500,    1000,   2500,    5000,    10000,
    25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000};

static void add(figure *counter, uint64_t number)
{
    atomic_fetch_add_explicit(counter, number, memory_order_relaxed);
}

static void set(figure *counter, uint64_t number)
{
    if (figures_get(counter) != number)
        atomic_store_explicit(counter, number, memory_order_relaxed);
}

static uint64_t unix_now(void)
{
    int64_t now;
    return clock_unix_seconds(&now) && now > 0 ? (uint64_t)now : 0;
}

static void add_duration(struct figures_histogram *histogram, int64_t microseconds)
{
    unsigned bucket = 0;
    if (microseconds < 0)
        microseconds = 0;
    while (bucket < FIGURES_BUCKETS - 1 && microseconds > figures_bounds[bucket])
        bucket++;
    add(&histogram->count[bucket], 1);
    add(&histogram->microseconds, (uint64_t)microseconds);
}

static _Atomic(struct figures *) in_use; /* never another address, once there is one */

struct figures *figures_in_use(void)
{
    return atomic_load_explicit(&in_use, memory_order_acquire);
}

struct figures *figures_put_in_use(struct figures *figures)
{
    return atomic_exchange_explicit(&in_use, figures, memory_order_acq_rel);
}

/* ---- This process ---- */

/* What the place of this process shows.  The original is here, so it stays right when the
 * figures are replaced: then it is shown again. */
static struct {
    _Atomic(struct figures_process *) place;
    atomic_uint in_flight, busy, threads;
    atomic_bool reload_failed, lasting;
    figure reloads, reloaded_at;
} own;

struct figures_process *figures_own_process(void)
{
    return atomic_load_explicit(&own.place, memory_order_relaxed);
}

void figures_show_process(void)
{
    struct figures_process *place = figures_own_process();
    if (!place)
        return;
    set(&place->in_flight, atomic_load(&own.in_flight));
    set(&place->busy, atomic_load(&own.busy));
    set(&place->threads, atomic_load(&own.threads));
    if (atomic_load(&own.lasting))
        set(&place->resident, FIGURES_FOR_ALWAYS);
    set(&place->reloads, atomic_load(&own.reloads));
    set(&place->reload_failed, atomic_load(&own.reload_failed));
    if (atomic_load(&own.reloaded_at))
        set(&place->reloaded_at, atomic_load(&own.reloaded_at));
}

void figures_moved(int fd, bool resident)
{
    struct figures *figures = figures_in_use();
    atomic_store(&own.place, figures ? figures_take_place(figures, fd, resident) : NULL);
    figures_show_process();
}

/* Two threads may show their values in the wrong order; the next one corrects that. */
static void change(atomic_uint *counter, unsigned by, size_t offset)
{
    struct figures_process *place = figures_own_process();
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
    if (place)
        atomic_store_explicit((figure *)((char *)place + offset),
                              atomic_load_explicit(counter, memory_order_relaxed),
                              memory_order_relaxed);
}

void figures_request_begins(void)
{
    change(&own.in_flight, 1, offsetof(struct figures_process, in_flight));
}

void figures_request_ends(void)
{
    change(&own.in_flight, -1u, offsetof(struct figures_process, in_flight));
}

void figures_thread_begins(void)
{
    change(&own.busy, 1, offsetof(struct figures_process, busy));
}

void figures_thread_ends(void)
{
    change(&own.busy, -1u, offsetof(struct figures_process, busy));
}

void figures_note_threads(unsigned threads)
{
    atomic_store(&own.threads, threads);
    figures_show_process();
}

void figures_note_lasting(void)
{
    atomic_store(&own.lasting, true);
    figures_show_process();
}

void figures_note_reload(bool good)
{
    atomic_store(&own.reload_failed, !good);
    if (good) {
        add(&own.reloads, 1);
        atomic_store(&own.reloaded_at, unix_now());
    }
    figures_show_process();
}

/* ---- Requests and tokens ---- */

void figures_count_request(const char *route, int status, int64_t microseconds)
{
    struct figures *figures = figures_in_use();
    if (!figures || status < 100 || status - 100 >= FIGURES_STATUSES)
        return;
    unsigned place = figures_place_of(figures, FIGURES_OF_ROUTES, span_of(route));
    add(&figures->routes[place].counted.statuses[status - 100], 1);
    add_duration(&figures->durations, microseconds);
}

static struct figures_app *app_of(struct figures *figures, const char *app)
{
    return &figures->apps[figures_place_of(figures, FIGURES_OF_APPS, span_of(app))].counted;
}

/* Counts one in this hour.  A count of another hour is dropped, also if the clock was set back. */
static void add_to_hour(figure hours[FIGURES_HOURS], uint64_t hour)
{
    figure *place = &hours[hour % FIGURES_HOURS];
    uint64_t there = figures_get(place), next;
    do
        next = there >> FIGURES_HOUR_SHIFT == hour ? there + 1 : (hour << FIGURES_HOUR_SHIFT) + 1;
    while (!atomic_compare_exchange_weak_explicit(place, &there, next, memory_order_relaxed,
                                                  memory_order_relaxed));
}

void figures_count_token(const char *app, enum figures_kind kind)
{
    struct figures *figures = figures_in_use();
    if (!figures)
        return;
    struct figures_app *counted = app_of(figures, app);
    add(&counted->tokens[kind], 1);
    add_to_hour(counted->hours[kind], unix_now() / 3600);
}

void figures_count_throttled(const char *app)
{
    struct figures *figures = figures_in_use();
    if (figures)
        add(&app_of(figures, app)->throttled, 1);
}

/* Writes one of the newest, unless another thread is still writing to its place.  A thread
 * killed while writing keeps it for two rounds. */
static void keep_refusal(struct figures *figures, const struct figures_refusal *refusal)
{
    uint64_t number = 1 + atomic_fetch_add(&figures->recent_count, 1);
    struct figures_recent *recent = &figures->recent[number % FIGURES_RECENT];
    uint64_t there = atomic_load(&recent->sequence);
    bool busy = there % 2 != 0 && there / 2 + 2 * FIGURES_RECENT > number;
    if (busy || !atomic_compare_exchange_strong(&recent->sequence, &there, 2 * number + 1))
        return;
    atomic_store_explicit(&recent->time, unix_now(), memory_order_relaxed);
    figures_name_set(&recent->app, span_of(refusal->app));
    figures_name_set(&recent->code, span_of(refusal->code));
    figures_name_set(&recent->request_id, span_of(refusal->request_id));
    figures_name_set(&recent->id, refusal->id);
    atomic_store_explicit(&recent->sequence, 2 * number, memory_order_release);
}

void figures_count_refusal(const struct figures_refusal *refusal)
{
    struct figures *figures = figures_in_use();
    if (!figures)
        return;
    unsigned code = figures_place_of(figures, FIGURES_OF_CODES, span_of(refusal->code));
    add(&app_of(figures, refusal->app)->refusals[code], 1);
    keep_refusal(figures, refusal);
}

/* ---- Stores ---- */

static unsigned store_place(struct figures *figures, const char *store)
{
    return figures_place_of(figures, FIGURES_OF_STORES, span_of(store));
}

/* Sets the state of a store, and since when, if that has changed. */
static void note_state(figure *state, enum figures_outcome outcome)
{
    static const uint64_t words[] = {[FIGURES_FOUND] = FIGURES_UP,
                                     [FIGURES_NOT_FOUND] = FIGURES_UP,
                                     [FIGURES_UNAVAILABLE] = FIGURES_DOWN,
                                     [FIGURES_MISCONFIGURED] = FIGURES_WRONG};
    uint64_t there = figures_get(state);
    if ((there & 3) != words[outcome])
        atomic_compare_exchange_strong(state, &there, unix_now() << 2 | words[outcome]);
}

void figures_note_store(const char *store, enum figures_outcome outcome)
{
    struct figures *figures = figures_in_use();
    if (figures)
        note_state(&figures->stores[store_place(figures, store)].counted.state, outcome);
}

void figures_count_lookup(const char *store, enum figures_outcome outcome, int64_t microseconds)
{
    struct figures *figures = figures_in_use();
    if (!figures)
        return;
    struct figures_store *counted = &figures->stores[store_place(figures, store)].counted;
    add(&counted->outcomes[outcome], 1);
    add_duration(&counted->durations, microseconds);
    note_state(&counted->state, outcome);
}

void figures_count_cache(const char *store, enum figures_cache what)
{
    struct figures *figures = figures_in_use();
    if (figures)
        add(&figures->stores[store_place(figures, store)].counted.cache[what], 1);
}

void figures_note_members(const char *store, uint64_t members)
{
    struct figures *figures = figures_in_use();
    if (figures)
        set(&figures->stores[store_place(figures, store)].counted.members, members + 1);
}

void figures_note_breaker(const char *store, bool open)
{
    struct figures *figures = figures_in_use();
    struct figures_process *place = figures_own_process();
    if (!figures || !place)
        return;
    figure *since = &place->breaker_since[store_place(figures, store)];
    if (!open || !figures_get(since))
        set(since, open ? unix_now() : 0);
}

void figures_note_cache(const char *store, size_t entries)
{
    struct figures *figures = figures_in_use();
    struct figures_process *place = figures_own_process();
    if (figures && place)
        set(&place->entries[store_place(figures, store)], entries);
}
