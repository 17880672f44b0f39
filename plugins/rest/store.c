/* SPDX-License-Identifier: MIT
 * Members from a service that speaks JSON over HTTP.  A look-up takes an idle
 * connection, asks, reads the answer, and gives the connection back; look-ups wait for
 * nothing else that they share. */
#include "answer.h"
#include "ask.h"
#include "base/clock.h"
#include "check.h"
#include "template.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    IDLE_MS = 60000, /* a connection that was idle for this time is closed */
    LOG_MS = 60000,  /* how often the same thing is logged */
    EARLY_MS = 20    /* we are done before the deadline, not at it */
};

#define PROBE_ID "memberchat-probe"

struct rest_store {
    const struct rest_settings *settings;
    const struct memberchat_services *services;
    struct rest_credentials *credentials;
    struct rest_client *client;
    struct pool *wires;
    _Atomic int64_t next_excerpt, next_warning; /* clock_monotonic_ms() */
};

/* A service, or list of it, that an older host lacks. */
#define HAS(SERVICES, MEMBER)                                                                      \
    ((SERVICES)->size >= offsetof(struct memberchat_services, MEMBER) + sizeof(SERVICES)->MEMBER)

/* Whether all attributes that templates name are in "attributes". */
static bool check_wanted(const struct rest_settings *settings,
                         const struct memberchat_services *services, struct reason *why)
{
    for (size_t i = 0; HAS(services, wanted) && i < services->wanted.count; i++) {
        const char *name = services->wanted.items[i];
        if (!rest_map_value(&settings->attributes, name)) {
            reason_set(why, "{%s} has no pointer: add it to \"attributes\"", name);
            return false;
        }
    }
    return true;
}

static bool rest_check(const void *settings_given, const struct memberchat_services *services,
                       struct memberchat_result *result)
{
    const struct rest_settings *settings = settings_given;
    struct rest_credentials *credentials = NULL;
    struct reason why;
    bool good = rest_check_settings(settings, &why) && check_wanted(settings, services, &why) &&
                (credentials = rest_credentials_new(settings, services, NULL, true, &why));
    if (good && !settings->tls_verify)
        services->log(services, MEMBERCHAT_LOG_WARNING,
                      "\"tls_verify\" is off: anyone on the way can answer in the service's place");
    if (!good)
        services->reason(result, "%s", why.text);
    rest_credentials_free(credentials);
    return good;
}

static void *make_wire(void *client, int64_t deadline, void *why)
{
    (void)deadline;
    (void)why;
    return rest_wire_new(client);
}

static void unmake_wire(void *client, void *wire)
{
    (void)client;
    rest_wire_free(wire);
}

static void rest_close(void *handle)
{
    struct rest_store *store = handle;
    pool_free(store->wires);
    rest_credentials_free(store->credentials);
    rest_client_free(store->client);
    free(store);
}

static void *rest_open(const void *settings, const struct memberchat_services *services,
                       uint32_t how, struct memberchat_result *result)
{
    struct reason why = {"out of memory"};
    struct rest_store *store = calloc(1, sizeof *store);
    (void)how;
    if (!store) {
        services->reason(result, "%s", why.text);
        return NULL;
    }
    store->settings = settings;
    store->services = services;
    store->client = rest_client_new(settings);
    if (store->client)
        store->credentials = rest_credentials_new(settings, services, store->client, false, &why);
    store->wires = pool_new(&(struct pool_kind){.make = make_wire,
                                                .unmake = unmake_wire,
                                                .context = store->client,
                                                .most = (size_t)store->settings->connections,
                                                .idle_ms = IDLE_MS});
    if (store->credentials && store->client && store->wires)
        return store;
    services->reason(result, "%s", why.text);
    rest_close(store);
    return NULL;
}

/* The beginning of an answer that makes no sense, but not with each request. */
static void log_excerpt(struct rest_store *store, const struct rest_exchange *exchange)
{
    struct span body = exchange->reply.body;
    const struct memberchat_services *services = store->services;
    char excerpt[REST_EXCERPT_MAX + 1];
    if (!body.length || !clock_is_due(&store->next_excerpt, LOG_MS))
        return;
    if (rest_proof_is_in(&exchange->proof, store->settings, body)) {
        services->log(services, MEMBERCHAT_LOG_WARNING,
                      "the answer repeats our credentials, and is not shown");
        return;
    }
    rest_answer_excerpt(body, excerpt);
    services->log(services, MEMBERCHAT_LOG_WARNING, "the answer begins: %s", excerpt);
}

/* Whether the service was there, though it did not like the id of the probe. */
static bool probe_is_good(enum memberchat_outcome outcome, const struct rest_reply *reply)
{
    return outcome == MEMBERCHAT_FOUND || outcome == MEMBERCHAT_NOT_FOUND ||
           (reply->end == REST_ANSWERED && (reply->status == 400 || reply->status == 422));
}

/* Warns when the service answers for the id of the probe, which nobody has, as for a member,
 * or in a way that makes each unknown id an error. */
static void check_stranger(struct rest_store *store, struct span body)
{
    struct reason why = {""};
    enum memberchat_outcome outcome =
        rest_answer_read(store->settings, body, span_of(PROBE_ID), NULL, NULL, &why);
    if (outcome == MEMBERCHAT_FOUND && clock_is_due(&store->next_warning, LOG_MS))
        store->services->log(store->services, MEMBERCHAT_LOG_WARNING,
                             "the service answers with a member for \"" PROBE_ID
                             "\", an id that nobody has: does it look for the id at all?");
    else if (outcome == MEMBERCHAT_MISCONFIGURED && clock_is_due(&store->next_warning, LOG_MS))
        store->services->log(store->services, MEMBERCHAT_LOG_WARNING,
                             "the answer for \"" PROBE_ID "\", an id that nobody has, does not "
                             "say that there is no such member (%s): set \"member_pointer\", "
                             "\"not_found_when\" or \"not_found_statuses\"",
                             why.text);
}

/* `probe`: only whether the service answers. */
static enum memberchat_outcome ask_service(struct rest_store *store,
                                           const struct rest_question *question, bool probe,
                                           struct memberchat_result *result)
{
    struct rest_exchange exchange = {0};
    struct reason why = {""};
    enum memberchat_outcome outcome = rest_ask(question, &exchange, &why);
    if (outcome == MEMBERCHAT_UNAVAILABLE && exchange.reply.retry_after)
        store->services->retry_after(result, exchange.reply.retry_after);
    if (probe && probe_is_good(outcome, &exchange.reply)) {
        if (outcome == MEMBERCHAT_FOUND)
            check_stranger(store, exchange.reply.body);
        outcome = MEMBERCHAT_FOUND;
    } else {
        if (outcome == MEMBERCHAT_FOUND)
            outcome = rest_answer_read(store->settings, exchange.reply.body, question->id,
                                       store->services, result, &why);
        if (outcome == MEMBERCHAT_MISCONFIGURED)
            log_excerpt(store, &exchange);
    }
    rest_exchange_end(&exchange, question->wires);
    if (outcome != MEMBERCHAT_FOUND && why.text[0])
        store->services->reason(result, "%s", why.text);
    return outcome;
}

static enum memberchat_outcome ask_for(struct rest_store *store, struct span id, int64_t deadline,
                                       bool probe, struct memberchat_result *result)
{
    const struct memberchat_services *services = store->services;
    struct rest_question question = {
        .settings = store->settings,
        .credentials = store->credentials,
        .wires = store->wires,
        .id = id,
        .app_id = span_of(HAS(services, app_id) ? services->app_id(result) : ""),
        .request_id = HAS(services, request_id) ? services->request_id(result) : "",
        .traceparent = HAS(services, traceparent) ? services->traceparent(result) : "",
        .deadline = deadline - EARLY_MS,
    };
    if (!question.app_id.length && rest_check_per_app(store->settings)) {
        services->reason(result, "no app uses this store, so {appId} has no value");
        return MEMBERCHAT_MISCONFIGURED;
    }
    return ask_service(store, &question, probe, result);
}

static enum memberchat_outcome rest_lookup(void *handle, const char *id, size_t id_length,
                                           int64_t deadline, struct memberchat_result *result)
{
    struct rest_store *store = handle;
    struct span asked = {id, id_length};
    if (!rest_template_takes_id(store->settings->url, asked))
        return MEMBERCHAT_NOT_FOUND;
    return ask_for(store, asked, deadline, false, result);
}

static enum memberchat_outcome rest_probe(void *handle, int64_t deadline,
                                          struct memberchat_result *result)
{
    return ask_for(handle, span_of(PROBE_ID), deadline, true, result);
}

/* Takes changed files in, and closes connections that are not needed. */
static void rest_reload(void *handle, bool asked)
{
    struct rest_store *store = handle;
    rest_credentials_refresh(store->credentials);
    if (rest_credentials_tls_changed(store->credentials) || asked)
        pool_flush(store->wires);
    pool_trim(store->wires);
}

static bool rest_per_app(const void *settings)
{
    return rest_check_per_app(settings);
}

static const struct memberchat_store_plugin rest_plugin = {
    .abi = MEMBERCHAT_STORE_ABI,
    .size = sizeof(struct memberchat_store_plugin),
    .name = "rest",
    .version = "1.0",
    .summary = "members from a service that speaks JSON over HTTP",
    .flags = MEMBERCHAT_STORE_THREAD_SAFE,
    .key_count = REST_KEY_COUNT,
    .keys = rest_keys,
    .settings_size = sizeof(struct rest_settings),
    .check = rest_check,
    .open = rest_open,
    .lookup = rest_lookup,
    .reload = rest_reload,
    .probe = rest_probe,
    .close = rest_close,
    .per_app = rest_per_app,
};

const struct memberchat_store_plugin *memberchat_store_plugin(void)
{
    return &rest_plugin;
}
