/* SPDX-License-Identifier: MIT
 *
 * store_rest.c: members from a service that speaks JSON over HTTP.
 *
 * A look-up takes a connection that nobody uses, asks, reads the answer, and gives
 * the connection back; look-ups share nothing else that they would wait for.
 */
#include "ask.h"
#include "pool.h"
#include "template.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    IDLE_MS = 60000,    /* a connection that nobody used for so long is closed */
    EXCERPT_MS = 60000, /* one beginning of a strange answer in the log for so long */
    EARLY_MS = 20       /* we are done before the deadline, not at it */
};

#define PROBE_ID "memberchat-probe"

struct rest_store {
    const struct rest_settings *settings;
    const struct memberchat_services *services;
    struct rest_credentials *credentials;
    struct rest_client *client;
    struct rest_pool *wires;
    _Atomic int64_t next_excerpt; /* when, on the host's clock */
};

static bool rest_check(const void *settings_given, const struct memberchat_services *services,
                       struct memberchat_result *result)
{
    const struct rest_settings *settings = settings_given;
    struct rest_reason reason;
    struct rest_credentials *credentials = NULL;
    bool good = rest_settings_check(settings, &reason);
    if (good) {
        credentials = rest_credentials_new(settings, services, true, &reason);
        good = credentials != NULL;
    }
    if (good && !settings->tls_verify)
        services->log(services, MEMBERCHAT_LOG_WARNING,
                      "\"tls_verify\" is off: anybody on the way can answer in the place of the "
                      "service");
    if (!good)
        services->reason(result, "%s", reason.text);
    rest_credentials_free(credentials);
    return good;
}

static void *make_wire(void *client)
{
    return rest_wire_new(client);
}

static void unmake_wire(void *wire)
{
    rest_wire_free(wire);
}

static void rest_close(void *handle)
{
    struct rest_store *store = handle;
    rest_pool_free(store->wires);
    rest_client_free(store->client);
    rest_credentials_free(store->credentials);
    free(store);
}

static void *rest_open(const void *settings, const struct memberchat_services *services,
                       uint32_t how, struct memberchat_result *result)
{
    struct rest_reason reason = {"out of memory"};
    struct rest_store *store = calloc(1, sizeof *store);
    (void)how;
    if (!store) {
        services->reason(result, "%s", reason.text);
        return NULL;
    }
    store->settings = settings;
    store->services = services;
    store->credentials = rest_credentials_new(settings, services, false, &reason);
    store->client = rest_client_new(settings);
    store->wires = rest_pool_new(
        (size_t)store->settings->connections,
        &(struct rest_pool_kind){.make = make_wire, .unmake = unmake_wire, .maker = store->client});
    if (store->credentials && store->client && store->wires)
        return store;
    services->reason(result, "%s", reason.text);
    rest_close(store);
    return NULL;
}

/* The beginning of an answer that makes no sense, but not with each request. */
static void log_excerpt(struct rest_store *store, const struct rest_reply *reply)
{
    const struct memberchat_services *services = store->services;
    int64_t now = services->now(services), due = atomic_load(&store->next_excerpt);
    char excerpt[REST_EXCERPT_MAX + 1];
    if (reply->length == 0 || now < due ||
        !atomic_compare_exchange_strong(&store->next_excerpt, &due, now + EXCERPT_MS))
        return;
    if (rest_credentials_stand_in(store->credentials, reply->body, reply->length)) {
        services->log(services, MEMBERCHAT_LOG_WARNING,
                      "the answer repeats our credentials, and is not shown");
        return;
    }
    rest_answer_excerpt(reply->body, reply->length, excerpt);
    services->log(services, MEMBERCHAT_LOG_WARNING, "the answer begins: %s", excerpt);
}

/* A service that an older host has not. */
#define HAS(SERVICES, MEMBER)                                                                      \
    ((SERVICES)->size >= offsetof(struct memberchat_services, MEMBER) + sizeof(SERVICES)->MEMBER)

static struct rest_question new_question(struct rest_store *store, struct rest_id id,
                                         int64_t deadline, const struct memberchat_result *result)
{
    const struct memberchat_services *services = store->services;
    return (struct rest_question){
        .settings = store->settings,
        .services = services,
        .credentials = store->credentials,
        .id = id,
        .app_id = HAS(services, app_id) ? services->app_id(result) : "",
        .request_id = HAS(services, request_id) ? services->request_id(result) : "",
        .deadline = deadline - EARLY_MS,
    };
}

/* Whether the service was there, though it did not like the id of the probe. */
static bool probe_is_good(enum memberchat_outcome outcome, const struct rest_reply *reply)
{
    return outcome == MEMBERCHAT_FOUND || outcome == MEMBERCHAT_NOT_FOUND ||
           (reply->end == REST_ANSWERED && (reply->status == 400 || reply->status == 422));
}

/* Asks on a wire; `probe`: only whether there is somebody to answer. */
static enum memberchat_outcome ask_on(struct rest_store *store, struct rest_wire *wire,
                                      const struct rest_question *question, bool probe,
                                      struct memberchat_result *result, struct rest_reason *reason)
{
    struct rest_reply reply;
    enum memberchat_outcome outcome = rest_ask(question, wire, &reply, reason);
    if (outcome == MEMBERCHAT_UNAVAILABLE && reply.retry_after)
        store->services->retry_after(result, reply.retry_after);
    if (probe && probe_is_good(outcome, &reply))
        return MEMBERCHAT_FOUND;
    if (outcome == MEMBERCHAT_FOUND)
        outcome = rest_answer_read(store->settings, reply.body, reply.length, question->id,
                                   store->services, result, reason);
    if (outcome == MEMBERCHAT_MISCONFIGURED)
        log_excerpt(store, &reply);
    return outcome;
}

static bool rest_per_app(const void *settings_given)
{
    const struct rest_settings *settings = settings_given;
    bool found = rest_template_has_app(settings->url) ||
                 (settings->body && rest_template_has_app(settings->body));
    for (size_t i = 0; i < settings->headers.count; i++)
        found |= rest_template_has_app(settings->headers.items[i]);
    return found;
}

static enum memberchat_outcome ask(struct rest_store *store, struct rest_id id, int64_t deadline,
                                   bool probe, struct memberchat_result *result)
{
    const struct memberchat_services *services = store->services;
    const struct rest_question question = new_question(store, id, deadline, result);
    if (!*question.app_id && rest_per_app(store->settings)) {
        services->reason(result, "no app uses this store: {appId} stands for none");
        return MEMBERCHAT_MISCONFIGURED;
    }
    int64_t left = question.deadline - services->now(services);
    enum memberchat_outcome outcome = MEMBERCHAT_UNAVAILABLE;
    struct rest_reason reason = {"no time is left"};
    struct rest_loan loan;
    if (left > 0 && !rest_pool_take(store->wires, left, &loan)) {
        rest_reason_set(&reason, "all %lld \"connections\" were in use until the deadline",
                        (long long)store->settings->connections);
    } else if (left > 0) {
        outcome = ask_on(store, loan.thing, &question, probe, result, &reason);
        rest_pool_give(store->wires, &loan);
    }
    if (outcome == MEMBERCHAT_UNAVAILABLE || outcome == MEMBERCHAT_MISCONFIGURED)
        services->reason(result, "%s", reason.text);
    return outcome;
}

static enum memberchat_outcome rest_lookup(void *handle, const char *id, size_t id_length,
                                           int64_t deadline, struct memberchat_result *result)
{
    struct rest_store *store = handle;
    if (!rest_template_takes_id(store->settings->url, id, id_length))
        return MEMBERCHAT_NOT_FOUND;
    return ask(store, (struct rest_id){id, id_length}, deadline, false, result);
}

static enum memberchat_outcome rest_probe(void *handle, int64_t deadline,
                                          struct memberchat_result *result)
{
    return ask(handle, (struct rest_id){PROBE_ID, strlen(PROBE_ID)}, deadline, true, result);
}

/* Changed files are taken in, and connections that nobody needs are closed. */
static void rest_reload(void *handle, bool asked)
{
    struct rest_store *store = handle;
    rest_credentials_refresh(store->credentials);
    if (rest_credentials_tls_changed(store->credentials) || asked)
        rest_pool_renew(store->wires);
    rest_pool_trim(store->wires, IDLE_MS);
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
