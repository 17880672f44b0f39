/* SPDX-License-Identifier: MIT */
#include "directory.h"

#include "base/clock.h"
#include "figures/figures.h"
#include "host/log.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_LIFE_MS 1000
#define NEAR_US       250
#define STAYS_NEAR_MS 250 /* answers that are late because of others' load do not count */

struct directory {
    atomic_uint holders;
    struct store *store;
    struct cache *cache;     /* NULL: none */
    atomic_bool near;        /* answers come within NEAR_US */
    _Atomic int64_t near_at; /* when the last did */
    struct breaker breaker;
    pthread_mutex_t probe_lock; /* guards what follows */
    pthread_cond_t probed;
    int64_t probe_until;
    int probe_outcome;      /* the last one; 0: there is none */
    unsigned probe_waiting; /* for what `probing` will bring */
    bool probing;
};

struct directory *directory_new(struct store *store, const struct cache_settings *cache,
                                const struct breaker_settings *breaker)
{
    struct directory *directory = calloc(1, sizeof *directory);
    if (directory && cache)
        directory->cache = cache_new(cache);
    if (!directory || (cache && !directory->cache)) {
        free(directory);
        store_close(store);
        return NULL;
    }
    directory->holders = 1;
    directory->store = store;
    breaker_init(&directory->breaker, breaker);
    pthread_mutex_init(&directory->probe_lock, NULL);
    clock_cond_init(&directory->probed);
    return directory;
}

struct directory *directory_hold(struct directory *directory)
{
    atomic_fetch_add(&directory->holders, 1);
    return directory;
}

void directory_release(struct directory *directory)
{
    if (!directory || atomic_fetch_sub(&directory->holders, 1) > 1)
        return;
    store_close(directory->store);
    cache_free(directory->cache);
    breaker_destroy(&directory->breaker);
    pthread_mutex_destroy(&directory->probe_lock);
    pthread_cond_destroy(&directory->probed);
    free(directory);
}

struct store *directory_store(const struct directory *directory)
{
    return directory->store;
}

/* The gate that a look-up has to pass; NULL: none, since no network is asked. */
static struct gate *gate_of(const struct directory *directory, struct gate *gate)
{
    return store_is_local(directory->store) ? NULL : gate;
}

static bool enter(struct directory *directory, struct gate *gate)
{
    return !gate || gate->enter(gate, atomic_load_explicit(&directory->near, memory_order_relaxed));
}

static void leave(struct gate *gate)
{
    if (gate)
        gate->leave(gate);
}

/* Tells the breaker and the log how a look-up went. */
static void note_outcome(struct directory *directory, int outcome, int64_t now,
                         enum breaker_pass pass, const struct store_report *report)
{
    const char *name = store_name(directory->store);
    const char *reason = report->reason[0] ? report->reason : "no reason given";
    bool down = outcome == MEMBERCHAT_UNAVAILABLE;
    if (outcome == MEMBERCHAT_MISCONFIGURED)
        log_error_limited("store %s: misconfigured: %s", name, reason);
    switch (breaker_report(&directory->breaker, now, pass, down, report->retry_after_ms)) {
    case BREAKER_OPENED:
        figures_note_breaker(name, true);
        log_warning("store %s: does not answer (%s): requests are refused for a while", name,
                    reason);
        break;
    case BREAKER_CLOSED:
        figures_note_breaker(name, false);
        log_info("store %s: answers again", name);
        break;
    case BREAKER_SAME:
        if (down)
            log_error_limited("store %s: unavailable: %s", name, reason);
    }
}

static enum figures_outcome figures_outcome_of(int outcome)
{
    static const enum figures_outcome outcomes[] = {
        [MEMBERCHAT_FOUND] = FIGURES_FOUND,
        [MEMBERCHAT_NOT_FOUND] = FIGURES_NOT_FOUND,
        [MEMBERCHAT_UNAVAILABLE] = FIGURES_UNAVAILABLE,
        [MEMBERCHAT_MISCONFIGURED] = FIGURES_MISCONFIGURED,
    };
    return outcomes[outcome];
}

/* `took`: microseconds; `now`: milliseconds. */
static void note_distance(struct directory *directory, int64_t took, int64_t now)
{
    if (took <= NEAR_US) {
        atomic_store_explicit(&directory->near_at, now, memory_order_relaxed);
        atomic_store_explicit(&directory->near, true, memory_order_relaxed);
    } else if (now - atomic_load_explicit(&directory->near_at, memory_order_relaxed) >
               STAYS_NEAR_MS) {
        atomic_store_explicit(&directory->near, false, memory_order_relaxed);
    }
}

/* Asks the plugin, if the breaker lets it. */
static struct directory_answer look_up(struct directory *directory,
                                       const struct store_question *question,
                                       struct member *member_r)
{
    struct directory_answer answer = {.outcome = MEMBERCHAT_UNAVAILABLE};
    struct store_report report;
    int64_t began = clock_monotonic_us();
    struct store_question asked = *question;
    enum breaker_pass pass =
        breaker_admit(&directory->breaker, began / 1000, &answer.retry_after_ms);
    if (pass == BREAKER_REFUSED)
        return answer;
    if (pass == BREAKER_GLANCE)
        asked.deadline = clock_earlier(question->deadline, BREAKER_GLANCE_MS);
    answer.outcome = (int)store_lookup(directory->store, &asked, member_r, &report);
    answer.retry_after_ms = report.retry_after_ms;
    int64_t now = clock_monotonic_us();
    figures_count_lookup(store_name(directory->store), figures_outcome_of(answer.outcome),
                         now - began);
    note_distance(directory, now - began, now / 1000);
    now /= 1000;
    note_outcome(directory, answer.outcome, now, pass, &report);
    return answer;
}

/* The whole policy.  `key` is the id as the cache knows it. */
static struct directory_answer find_by_key(struct directory *directory, struct span key,
                                           const struct store_question *question,
                                           struct member *member_r)
{
    struct cache *cache = directory->cache;
    struct directory_answer answer = {.outcome = MEMBERCHAT_UNAVAILABLE};
    int64_t now = clock_monotonic_ms();
    int known = cache ? (int)cache_find(cache, key, now, member_r) : 0;
    if (known) {
        figures_count_cache(store_name(directory->store), FIGURES_HIT);
        return (struct directory_answer){.outcome = known, .cache = DIRECTORY_CACHE_HIT};
    }
    answer.cache = cache ? DIRECTORY_CACHE_MISS : DIRECTORY_CACHE_OFF;

    if (now < question->deadline &&
        !breaker_refuses(&directory->breaker, now, &answer.retry_after_ms)) {
        struct gate *gate = gate_of(directory, question->gate);
        if (!enter(directory, gate))
            return (struct directory_answer){.outcome = DIRECTORY_BUSY};
        if (cache)
            known =
                (int)cache_join(cache, key, question->deadline, member_r, &answer.retry_after_ms);
        if (known) {
            answer.outcome = known;
        } else {
            enum directory_cache state = answer.cache;
            answer = look_up(directory, question, member_r);
            answer.cache = state;
            if (cache)
                cache_finish(cache, key, (enum memberchat_outcome)answer.outcome, member_r,
                             answer.retry_after_ms);
        }
        leave(gate);
    }
    bool stale = answer.outcome == MEMBERCHAT_UNAVAILABLE && cache &&
                 cache_find_stale(cache, key, clock_monotonic_ms(), member_r);
    if (cache)
        figures_count_cache(store_name(directory->store), stale ? FIGURES_STALE : FIGURES_MISS);
    if (stale) {
        answer.outcome = MEMBERCHAT_FOUND;
        answer.cache = DIRECTORY_CACHE_STALE;
        log_error_limited("store %s: unavailable: known members are answered from the cache",
                          store_name(directory->store));
    }
    return answer;
}

static struct directory_answer find_in(struct directory *directory,
                                       const struct store_question *question,
                                       struct member *member_r)
{
    char room[MEMBERCHAT_ID_MAX];
    struct store_question asked = *question;
    struct bytes key = {0};
    asked.id = store_translate(directory->store, question->id, room);
    if (!asked.id.data)
        return (struct directory_answer){.outcome = MEMBERCHAT_NOT_FOUND};
    if (!directory->cache || !store_is_per_app(directory->store))
        return find_by_key(directory, asked.id, &asked, member_r);
    bytes_add_string(&key, store_app(directory->store, question));
    bytes_add(&key, "", 1); /* in no app's name, nor in an id */
    bytes_add_span(&key, asked.id);
    struct directory_answer answer = {.outcome = MEMBERCHAT_UNAVAILABLE};
    if (!key.failed)
        answer = find_by_key(directory, bytes_span(&key), &asked, member_r);
    bytes_free(&key);
    return answer;
}

struct directory_answer directory_find(struct directory *const *chain, size_t count,
                                       const struct store_question *question,
                                       struct member *member_r)
{
    struct directory_answer answer = {.outcome = MEMBERCHAT_NOT_FOUND};
    for (size_t i = 0; i < count && answer.outcome == MEMBERCHAT_NOT_FOUND; i++) {
        answer = find_in(chain[i], question, member_r);
        answer.store = store_name(chain[i]->store);
    }
    return answer;
}

void directory_show(struct directory *directory)
{
    struct memberchat_holdings holdings;
    const char *name = store_name(directory->store);
    if (directory->cache)
        figures_note_cache(name, cache_count(directory->cache));
    figures_note_breaker(name, breaker_is_open(&directory->breaker));
    if (store_describe(directory->store, &holdings) && holdings.counted)
        figures_note_members(name, holdings.members);
}

/* Whether no probe is needed, nor one to wait for: it was a moment ago; or a thread is at it, and
 * the last outcome was good, or `most` wait for this one already.  To be called with the lock. */
static bool is_probed(const struct directory *directory, unsigned most, int *outcome_r)
{
    bool good = directory->probe_outcome == MEMBERCHAT_FOUND;
    *outcome_r = directory->probe_outcome ? directory->probe_outcome : MEMBERCHAT_UNAVAILABLE;
    return clock_monotonic_ms() < directory->probe_until ||
           (directory->probing && (good || directory->probe_waiting >= most));
}

/* Waits for the probe that another thread makes; lets go of the lock meanwhile. */
static int wait_for_probe(struct directory *directory, int64_t deadline)
{
    const struct timespec until = clock_deadline(deadline);
    int rc = 0;
    directory->probe_waiting++;
    while (directory->probing && rc == 0)
        rc = pthread_cond_timedwait(&directory->probed, &directory->probe_lock, &until);
    directory->probe_waiting--;
    return directory->probing ? MEMBERCHAT_UNAVAILABLE : directory->probe_outcome;
}

static int ask_for_probe(struct directory *directory, int64_t deadline)
{
    struct store_report report;
    int outcome = (int)store_probe(directory->store, deadline, &report);
    figures_note_store(store_name(directory->store), figures_outcome_of(outcome));
    if (outcome != MEMBERCHAT_FOUND)
        log_error_limited("store %s: not ready: %s", store_name(directory->store),
                          report.reason[0] ? report.reason : "no reason given");
    return outcome;
}

/* Anyone may ask, so that many who ask must not be many probes, nor many threads that wait. */
static int probe(struct directory *directory, int64_t deadline, int64_t least_ms, unsigned most)
{
    int outcome;
    pthread_mutex_lock(&directory->probe_lock);
    bool known = is_probed(directory, most, &outcome);
    if (!known && directory->probing) {
        outcome = wait_for_probe(directory, deadline);
    } else if (!known) {
        directory->probing = true;
        pthread_mutex_unlock(&directory->probe_lock);
        int64_t least = clock_monotonic_ms() + least_ms;
        outcome = ask_for_probe(directory, deadline > least ? deadline : least);
        pthread_mutex_lock(&directory->probe_lock);
        directory->probe_outcome = outcome;
        directory->probe_until = clock_monotonic_ms() + PROBE_LIFE_MS;
        directory->probing = false;
        pthread_cond_broadcast(&directory->probed);
    }
    pthread_mutex_unlock(&directory->probe_lock);
    return outcome;
}

struct directory_answer directory_probe(struct directory *directory, int64_t deadline,
                                        int64_t least_ms, struct gate *gate, unsigned may_wait)
{
    struct directory_answer answer = {.outcome = MEMBERCHAT_UNAVAILABLE};
    unsigned most = store_is_local(directory->store) ? UINT_MAX : may_wait;
    int outcome;
    pthread_mutex_lock(&directory->probe_lock);
    bool known = is_probed(directory, most, &outcome);
    pthread_mutex_unlock(&directory->probe_lock);
    answer.outcome = outcome;
    if (known || clock_monotonic_ms() >= deadline)
        return answer;
    gate = gate_of(directory, gate);
    if (!enter(directory, gate)) {
        answer.outcome = DIRECTORY_BUSY;
        return answer;
    }
    answer.outcome = probe(directory, deadline, least_ms, most);
    leave(gate);
    return answer;
}
