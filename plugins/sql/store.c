/* SPDX-License-Identifier: MIT
 * What the SQL stores share: a look-up takes an idle connection, asks, and gives
 * it back. */
#include "backend.h"

#include "base/clock.h"
#include "base/pool.h"
#include "base/random.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EARLY_MS  20  /* we are done before the deadline, not at it */
#define GRACE_MS  200 /* in which the server ends a query by itself */
#define CANCEL_MS 300 /* to end a late one at the server */
#define TRIES     3   /* on a reused connection, on a new one, and on one to another server */

struct sql_store {
    const struct sql_backend *backend;
    struct sql_client client;
    struct pool *connections;
    uint64_t key[2]; /* of hashes */
};

bool sql_fault_set(struct sql_fault *fault, enum sql_verdict verdict, const char *format, ...)
{
    va_list arguments;
    fault->verdict = verdict;
    va_start(arguments, format);
    reason_write(fault->why.text, sizeof fault->why.text, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- Opening ---- */

bool sql_store_check(const struct sql_backend *backend, const struct sql_settings *settings,
                     const struct memberchat_services *services, struct memberchat_result *result)
{
    struct sql_client client = {.settings = settings, .services = services};
    struct reason why;
    bool good = query_read(settings->query, backend->dialect, &client.query, &why) &&
                backend->check(&client, &why);
    query_free(&client.query);
    if (!good)
        services->reason(result, "%s", why.text);
    return good;
}

bool sql_store_per_app(const void *settings)
{
    const struct sql_settings *own = settings;
    return strstr(own->query, "{appId}") != NULL;
}

static void *make_connection(void *context, int64_t deadline, void *fault)
{
    struct sql_store *store = context;
    return store->backend->connect(&store->client, deadline, fault);
}

static void unmake_connection(void *context, void *connection)
{
    struct sql_store *store = context;
    store->backend->disconnect(&store->client, connection);
}

static bool is_good(void *context, const void *connection)
{
    struct sql_store *store = context;
    return store->backend->is_good(&store->client, connection);
}

struct sql_store *sql_store_open(const struct sql_backend *backend,
                                 const struct sql_settings *settings,
                                 const struct memberchat_services *services,
                                 struct memberchat_result *result)
{
    struct sql_store *store = calloc(1, sizeof *store);
    struct reason why = {"out of memory"};
    if (!store) {
        services->reason(result, "%s", why.text);
        return NULL;
    }
    store->backend = backend;
    store->client = (struct sql_client){.settings = settings, .services = services};
    store->connections = pool_new(&(struct pool_kind){.make = make_connection,
                                                      .unmake = unmake_connection,
                                                      .is_good = is_good,
                                                      .context = store,
                                                      .most = (size_t)settings->connections,
                                                      .idle_ms = settings->idle_timeout,
                                                      .life_ms = settings->max_age});
    random_seed(store->key, sizeof store->key);
    if (store->connections &&
        query_read(settings->query, backend->dialect, &store->client.query, &why) &&
        (!backend->open || backend->open(&store->client, &why)))
        return store;
    services->reason(result, "%s", why.text);
    sql_store_close(store);
    return NULL;
}

void sql_store_close(void *handle)
{
    struct sql_store *store = handle;
    pool_free(store->connections);
    if (store->backend->close)
        store->backend->close(&store->client);
    query_free(&store->client.query);
    free(store);
}

/* ---- Asking ---- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How long a query may take.  On a reused connection to a server, half of the time is kept for a
 * new one; on a new one, some is kept to cancel the query. */
static int64_t time_for(const struct sql_store *store, bool reused, int64_t deadline)
{
    int64_t left = clock_left_ms(deadline);
    if (store->backend->cancel)
        left -= reused ? left / 2 : least(left / 8, CANCEL_MS);
    return least(left, store->client.settings->timeout + GRACE_MS);
}

static void cancel(struct sql_store *store, const void *connection, bool reused, int64_t deadline)
{
    int64_t left = clock_left_ms(deadline);
    if (store->backend->cancel)
        store->backend->cancel(&store->client, connection,
                               clock_earlier(deadline, least(reused ? left / 4 : left, CANCEL_MS)));
}

/* Notes what became of a question on a new connection.  A server that ends no query when its time
 * is over hangs; if there was less time for it, nobody knows.  True: another server is asked next.
 */
static bool note(struct sql_store *store, const struct pool_loan *loan, enum sql_verdict verdict,
                 int64_t time, const struct sql_fault *fault)
{
    bool whole = time == store->client.settings->timeout + GRACE_MS;
    bool hangs = verdict == SQL_LOST || (verdict == SQL_LATE && whole);
    bool answers = verdict != SQL_LOST && verdict != SQL_LATE && verdict != SQL_REFUSED;
    return store->backend->note && (hangs || answers) &&
           store->backend->note(&store->client, loan->thing, hangs ? fault : NULL);
}

/* One try.  *again_r: a reused connection may have failed rather than the database, or another
 * server is asked next. */
static enum sql_verdict try_once(struct sql_store *store, const struct sql_question *question,
                                 struct sql_answer *answer, int64_t deadline, bool *again_r,
                                 struct sql_fault *fault)
{
    struct pool_loan *loan;
    *again_r = false;
    sql_fault_set(fault, SQL_BUSY, "out of memory");
    enum pool_result taken = pool_take(store->connections, deadline, fault, &loan);
    if (taken == POOL_BUSY)
        sql_fault_set(fault, SQL_BUSY,
                      "every connection was in use until the deadline (connections = %lld)",
                      (long long)store->client.settings->connections);
    if (taken != POOL_GOOD)
        return fault->verdict;
    int64_t time = time_for(store, loan->reused, deadline);
    enum sql_verdict verdict =
        store->backend->ask(loan->thing, question, answer, clock_earlier(deadline, time), fault);
    if (verdict == SQL_LATE)
        cancel(store, loan->thing, loan->reused, deadline);
    bool lost = verdict == SQL_LOST || verdict == SQL_LATE || verdict == SQL_REFUSED;
    if (lost && loan->reused) {
        pool_flush_before(store->connections, loan);
        *again_r = true;
    } else if (!loan->reused) {
        *again_r = note(store, loan, verdict, time, fault);
    }
    pool_give(store->connections, loan, !lost && !answer->unread);
    return verdict;
}

static enum memberchat_outcome outcome_of(enum sql_verdict verdict)
{
    switch (verdict) {
    case SQL_GOOD:
        return MEMBERCHAT_FOUND;
    case SQL_ABSENT:
        return MEMBERCHAT_NOT_FOUND;
    case SQL_BUSY:
    case SQL_LOST:
    case SQL_LATE:
        return MEMBERCHAT_UNAVAILABLE;
    case SQL_REFUSED:
    case SQL_WRONG:
        break;
    }
    return MEMBERCHAT_MISCONFIGURED;
}

static enum memberchat_outcome ask_again(struct sql_store *store,
                                         const struct sql_question *question, bool probe,
                                         int64_t deadline, struct memberchat_result *result)
{
    const struct sql_settings *settings = store->client.settings;
    struct sql_answer answer;
    struct sql_fault fault;
    enum sql_verdict verdict = SQL_WRONG;
    bool again = true;
    for (int tries = 0; again && tries < TRIES; tries++) {
        answer.rows = answer.empty_rows = answer.value_count = 0;
        answer.unread = false;
        answer.settings = settings;
        answer.services = store->client.services;
        answer.result = result;
        answer.asked = question->id;
        answer.key[0] = store->key[0];
        answer.key[1] = store->key[1];
        answer.outcome = MEMBERCHAT_NOT_FOUND;
        verdict = try_once(store, question, &answer, deadline, &again, &fault);
        again = again && !answer.rows && clock_left_ms(deadline) > 0;
    }
    if (verdict == SQL_GOOD)
        return probe ? MEMBERCHAT_FOUND : answer.outcome;
    if (probe && verdict == SQL_ABSENT)
        return MEMBERCHAT_FOUND;
    store->client.services->reason(result, "%s", fault.why.text);
    return outcome_of(verdict);
}

enum memberchat_outcome sql_store_lookup(void *handle, const char *id, size_t id_length,
                                         int64_t deadline, struct memberchat_result *result)
{
    struct sql_store *store = handle;
    const struct memberchat_services *services = store->client.services;
    struct sql_question question = {.id = {id, id_length}};
    if (!sql_id_fits(question.id, (enum sql_id_type)store->client.settings->id_type,
                     &question.number))
        return MEMBERCHAT_NOT_FOUND;
    if (store->client.query.per_app) {
        question.app_id = span_of(services->app_id(result));
        if (!question.app_id.length) {
            services->reason(result, "no app uses this store, so {appId} has no value");
            return MEMBERCHAT_MISCONFIGURED;
        }
    }
    return ask_again(store, &question, false, deadline - EARLY_MS, result);
}

enum memberchat_outcome sql_store_probe(void *handle, int64_t deadline,
                                        struct memberchat_result *result)
{
    static const char *const ids[] = {[SQL_TEXT] = "memberchat-probe",
                                      [SQL_INTEGER] = "-1",
                                      [SQL_UUID] = "00000000-0000-0000-0000-000000000000"};
    struct sql_store *store = handle;
    struct sql_question question = {.id = span_of(ids[store->client.settings->id_type]),
                                    .app_id = span_of(store->client.services->app_id(result)),
                                    .number = -1};
    return ask_again(store, &question, true, deadline - EARLY_MS, result);
}

/* Reports what templates name and the query does not return; a query cannot count members. */
static void list_missing(const struct sql_shape *shape, const struct memberchat_list *wanted,
                         char *list, size_t size)
{
    for (size_t i = 0, used = 0; i < wanted->count && used < size; i++)
        if (!sql_shape_has(shape, wanted->items[i]))
            used += (size_t)snprintf(list + used, size - used, "%s%s", used ? ", " : "",
                                     wanted->items[i]);
}

enum memberchat_outcome sql_store_survey(void *handle, int64_t deadline,
                                         struct memberchat_holdings *holdings_r,
                                         struct memberchat_result *result)
{
    struct sql_store *store = handle;
    const struct memberchat_services *services = store->client.services;
    struct pool_loan *loan;
    struct sql_fault fault;
    sql_fault_set(&fault, SQL_BUSY, "out of memory, or no connection was free");
    if (pool_take(store->connections, deadline - EARLY_MS, &fault, &loan) != POOL_GOOD) {
        services->reason(result, "%s", fault.why.text);
        return outcome_of(fault.verdict);
    }
    const void *shape = (const char *)loan->thing + store->backend->shape_at;
    list_missing(shape, &services->wanted, holdings_r->missing, sizeof holdings_r->missing);
    pool_give(store->connections, loan, true);
    return MEMBERCHAT_FOUND;
}

void sql_store_reload(void *handle, bool asked)
{
    struct sql_store *store = handle;
    if (asked && store->backend->forgive)
        store->backend->forgive(&store->client);
    if (asked)
        pool_flush(store->connections);
    pool_trim(store->connections);
}
