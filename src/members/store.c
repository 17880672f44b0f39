/* SPDX-License-Identifier: MIT */
#include "store_private.h"

#include "base/clock.h"
#include "host/log.h"

#include <stdlib.h>
#include <string.h>

#define RELOAD_PATIENCE_MS 500 /* for its turn; it is asked again a second later */

struct wanting {
    struct store *store;
    bool good;
};

static void want(void *context, struct span name)
{
    struct wanting *wanting = context;
    wanting->good = wanting->good && store_want(wanting->store, name);
}

struct store *store_new(const char *name, const struct memberchat_store_plugin *plugin,
                        const void *settings, const struct mapping *mapping, struct arena *arena)
{
    struct store *store = calloc(1, sizeof *store);
    if (!store) {
        arena_free(arena);
        return NULL;
    }
    store->arena = *arena;
    *arena = (struct arena){0};
    store->services = store_services;
    store->name = name;
    store->plugin = plugin;
    store->settings = settings;
    store->mapping = mapping;
    store->first_app = "";
    pthread_mutex_init(&store->lock, NULL);
    clock_cond_init(&store->left);
    struct wanting wanting = {store, true};
    if (mapping)
        mapping_each_attribute(mapping, want, &wanting);
    if (wanting.good)
        return store;
    store_close(store);
    return NULL;
}

bool store_want(struct store *store, struct span attribute)
{
    struct memberchat_list *wanted = &store->services.wanted;
    for (size_t i = 0; i < wanted->count; i++)
        if (span_equal(attribute, span_of(wanted->items[i])))
            return true;
    const char **items = arena_alloc(&store->arena, (wanted->count + 1) * sizeof *items);
    const char *name = arena_string(&store->arena, attribute);
    if (!items || !name)
        return false;
    if (wanted->count)
        memcpy(items, wanted->items, wanted->count * sizeof *items);
    items[wanted->count] = name;
    *wanted = (struct memberchat_list){items, wanted->count + 1};
    return true;
}

bool store_wants_same(const struct store *a, const struct store *b)
{
    const struct memberchat_list *one = &a->services.wanted, *other = &b->services.wanted;
    size_t same = 0;
    for (size_t i = 0; i < one->count; i++)
        for (size_t j = 0; j < other->count; j++)
            same += strcmp(one->items[i], other->items[j]) == 0;
    return one->count == other->count && same == one->count; /* none is in a list twice */
}

const char *store_name(const struct store *store)
{
    return store->name;
}

bool store_has_mapping(const struct store *store)
{
    return store->mapping != NULL;
}

bool store_is_local(const struct store *store)
{
    return store->plugin->flags & MEMBERCHAT_STORE_LOCAL;
}

bool store_is_per_app(const struct store *store)
{
    return store->per_app;
}

const char *store_app(const struct store *store, const struct store_question *question)
{
    return question->app_id ? question->app_id : store->first_app;
}

void store_note_app(struct store *store, const char *app_id)
{
    const char *copy = *store->first_app ? NULL : arena_string(&store->arena, span_of(app_id));
    if (copy)
        store->first_app = copy;
}

static struct memberchat_result begin(const struct store *store, struct member *member,
                                      struct store_report *report)
{
    *report = (struct store_report){0};
    return (struct memberchat_result){
        .store = store, .app_id = store->first_app, .member = member, .report = report};
}

/* Takes the turn of a plugin that is called by one thread at a time; false when
 * it did not come before the deadline. */
static bool enter(struct store *store, int64_t deadline)
{
    const struct timespec until = clock_deadline(deadline);
    int rc = 0;
    if (store->plugin->flags & MEMBERCHAT_STORE_THREAD_SAFE)
        return true;
    pthread_mutex_lock(&store->lock);
    while (store->inside && rc == 0)
        rc = pthread_cond_timedwait(&store->left, &store->lock, &until);
    bool free_now = !store->inside;
    store->inside = true;
    pthread_mutex_unlock(&store->lock);
    return free_now;
}

static void leave(struct store *store)
{
    if (store->plugin->flags & MEMBERCHAT_STORE_THREAD_SAFE)
        return;
    pthread_mutex_lock(&store->lock);
    store->inside = false;
    pthread_cond_signal(&store->left);
    pthread_mutex_unlock(&store->lock);
}

bool store_check(struct store *store, struct store_report *report_r)
{
    struct memberchat_result result = begin(store, NULL, report_r);
    return !store->plugin->check ||
           store->plugin->check(store->settings, &store->services, &result);
}

bool store_open(struct store *store, uint32_t how, struct store_report *report_r)
{
    struct memberchat_result result = begin(store, NULL, report_r);
    store->per_app = store->plugin->per_app && store->plugin->per_app(store->settings);
    store->handle = store->plugin->open(store->settings, &store->services, how, &result);
    if (!store->handle && !report_r->reason[0])
        store_services.reason(&result, "the store plugin \"%s\" refused to open, without a reason",
                              store->plugin->name);
    return store->handle != NULL;
}

/* Whether the member is the one that was asked for.  If not, the member is not found: no token
 * of another member is issued, and callers cannot provoke errors. */
static bool is_the_one(const struct memberchat_result *result)
{
    const char *name = result->store->name;
    struct span id = member_field(result->member, MEMBERCHAT_ID), asked = result->asked;
    if (result->unusable_id) /* the log knows it already */
        return false;
    if (result->store->plugin->flags & MEMBERCHAT_STORE_MATCHES || span_matches(id, asked))
        return true;
    log_warning_limited(
        name, "store %s: asked for \"%.*s\", it answered with \"%.*s\": the member is not found",
        name, (int)asked.length, asked.data, (int)id.length, id.data);
    return false;
}

/* One of the four, whatever the plugin returned. */
static enum memberchat_outcome believe(enum memberchat_outcome outcome,
                                       struct memberchat_result *result)
{
    unsigned value = (unsigned)outcome;
    if (result->no_memory) {
        store_services.reason(result, "out of memory");
        return MEMBERCHAT_UNAVAILABLE;
    }
    if (result->nonsense) {
        store_services.reason(result, "the answer was refused: %s", result->nonsense);
        return MEMBERCHAT_MISCONFIGURED;
    }
    if (value < MEMBERCHAT_FOUND || value > MEMBERCHAT_MISCONFIGURED) {
        store_services.reason(
            result, "the store plugin returned the outcome %u, which does not exist", value);
        return MEMBERCHAT_MISCONFIGURED;
    }
    if (outcome != MEMBERCHAT_FOUND || !result->member)
        return outcome;
    if (!result->unusable_id && !member_field(result->member, MEMBERCHAT_ID).data) {
        store_services.reason(result, "the answer was refused: it has no id");
        return MEMBERCHAT_MISCONFIGURED;
    }
    return is_the_one(result) ? MEMBERCHAT_FOUND : MEMBERCHAT_NOT_FOUND;
}

struct span store_translate(const struct store *store, struct span id, char room[MEMBERCHAT_ID_MAX])
{
    return store->mapping ? mapping_ask(store->mapping, id, room) : id;
}

bool store_describe(struct store *store, struct memberchat_holdings *holdings_r)
{
    *holdings_r = (struct memberchat_holdings){.size = sizeof *holdings_r};
    if (!store->plugin->describe)
        return false;
    if (!enter(store, clock_monotonic_ms() + RELOAD_PATIENCE_MS))
        return false;
    store->plugin->describe(store->handle, holdings_r);
    leave(store);
    return true;
}

enum memberchat_outcome store_survey(struct store *store, int64_t deadline,
                                     struct memberchat_holdings *holdings_r,
                                     struct store_report *report_r)
{
    struct memberchat_result result = begin(store, NULL, report_r);
    if (!store->plugin->survey) {
        store_describe(store, holdings_r);
        return MEMBERCHAT_FOUND;
    }
    *holdings_r = (struct memberchat_holdings){.size = sizeof *holdings_r};
    if (!enter(store, deadline))
        return MEMBERCHAT_UNAVAILABLE;
    enum memberchat_outcome outcome =
        store->plugin->survey(store->handle, deadline, holdings_r, &result);
    leave(store);
    return believe(outcome, &result);
}

bool store_next_file(const struct store *store, size_t *index, struct store_file *file_r)
{
    static const char *const names[] = {"ca_file", "cert_file", "key_file", NULL};
    for (; *index < store->plugin->key_count; ++*index) {
        const struct memberchat_key *key = &store->plugin->keys[*index];
        if (!span_is_one_of(span_of(key->name), names) || key->type != MEMBERCHAT_PATH)
            continue;
        const char *path = *(const char *const *)((const char *)store->settings + key->offset);
        if (!path)
            continue;
        *file_r = (struct store_file){key->name, path};
        ++*index;
        return true;
    }
    return false;
}

static void tell_unusable(void *result, const char *what)
{
    store_warn_unusable(result, what);
}

/* Applies the mapping to a member that was found. */
static enum memberchat_outcome map_member(struct memberchat_result *result,
                                          const struct store_question *question)
{
    const struct mapping *mapping = result->store->mapping;
    if ((!question->delivered_r || member_copy(question->delivered_r, result->member)) &&
        (!mapping || mapping_apply(mapping, result->member, tell_unusable, result)))
        return MEMBERCHAT_FOUND;
    store_services.reason(result, "out of memory");
    return MEMBERCHAT_UNAVAILABLE;
}

enum memberchat_outcome store_lookup(struct store *store, const struct store_question *question,
                                     struct member *member_r, struct store_report *report_r)
{
    struct memberchat_result result = begin(store, member_r, report_r);
    result.app_id = store_app(store, question);
    result.asked = question->id;
    member_reset(member_r);
    if (!enter(store, question->deadline)) {
        store_services.reason(&result,
                              "its turn did not come in time: the plugin takes one call at a time");
        return MEMBERCHAT_UNAVAILABLE;
    }
    enum memberchat_outcome outcome = store->plugin->lookup(
        store->handle, question->id.data, question->id.length, question->deadline, &result);
    leave(store);
    outcome = believe(outcome, &result);
    return outcome == MEMBERCHAT_FOUND ? map_member(&result, question) : outcome;
}

enum memberchat_outcome store_probe(struct store *store, int64_t deadline,
                                    struct store_report *report_r)
{
    struct memberchat_result result = begin(store, NULL, report_r);
    if (!store->plugin->probe)
        return MEMBERCHAT_FOUND;
    if (!enter(store, deadline))
        return MEMBERCHAT_UNAVAILABLE;
    enum memberchat_outcome outcome = store->plugin->probe(store->handle, deadline, &result);
    leave(store);
    return believe(outcome, &result);
}

void store_reload(struct store *store, bool asked)
{
    if (!store->plugin->reload || !enter(store, clock_monotonic_ms() + RELOAD_PATIENCE_MS))
        return;
    store->plugin->reload(store->handle, asked);
    leave(store);
}

void store_close(struct store *store)
{
    if (!store)
        return;
    if (store->handle)
        store->plugin->close(store->handle);
    pthread_cond_destroy(&store->left);
    pthread_mutex_destroy(&store->lock);
    arena_free(&store->arena);
    free(store);
}
