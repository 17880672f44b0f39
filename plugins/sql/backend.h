/* SPDX-License-Identifier: MIT
 * A client library behind a few functions, and the store that all of them share. */
#ifndef BACKEND_H
#define BACKEND_H

#include "answer.h"
#include "query.h"

enum sql_verdict {
    SQL_GOOD = 1,
    SQL_ABSENT,  /* the database says that such an id cannot be there */
    SQL_BUSY,    /* it cannot answer now; the connection is good */
    SQL_LOST,    /* the connection broke, or was closed */
    SQL_LATE,    /* no answer in time, and the connection cannot be used again */
    SQL_REFUSED, /* the password or our rights are not enough */
    SQL_WRONG    /* someone must mend something; the connection is good */
};

struct sql_fault {
    enum sql_verdict verdict;
    struct reason why;
};

/* `false`, so that a function can return it. */
bool sql_fault_set(struct sql_fault *fault, enum sql_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct sql_question {
    struct span id, app_id;
    int64_t number; /* the id, if ids are integers */
};

/* What the connections of a store have in common. */
struct sql_client {
    const struct sql_settings *settings;
    const struct memberchat_services *services;
    struct query query;
    void *own; /* of the backend */
};

struct sql_backend {
    enum query_dialect dialect;
    size_t shape_at; /* where in a connection its struct sql_shape is */
    /* Checks the settings that only its library can judge; uses no network. */
    bool (*check)(const struct sql_client *client, struct reason *why);
    /* Optional: makes and frees client->own. */
    bool (*open)(struct sql_client *client, struct reason *why);
    void (*close)(struct sql_client *client);
    /* A connection on which the query is prepared, by a deadline.  NULL: with a fault. */
    void *(*connect)(struct sql_client *client, int64_t deadline, struct sql_fault *fault);
    void (*disconnect)(void *client, void *connection);
    /* Whether an idle connection is still good; does not wait. */
    bool (*is_good)(void *client, const void *connection);
    /* SQL_GOOD: all rows were given to `answer`. */
    enum sql_verdict (*ask)(void *connection, const struct sql_question *question,
                            struct sql_answer *answer, int64_t deadline, struct sql_fault *fault);
    /* Optional: cancels at the server, over another connection, what a late one is still doing. */
    void (*cancel)(void *client, const void *connection, int64_t deadline);
    /* Optional: what became of a question on a new connection.  NULL: its server answers; else it
     * has lost the question.  True: another one is asked next. */
    bool (*note)(void *client, const void *connection, const struct sql_fault *fault);
    /* Optional, when the configuration was loaded again: forgets what went wrong. */
    void (*forgive)(struct sql_client *client);
};

struct sql_store;

/* The callbacks of the plugin interface. */
bool sql_store_check(const struct sql_backend *backend, const struct sql_settings *settings,
                     const struct memberchat_services *services, struct memberchat_result *result);
struct sql_store *sql_store_open(const struct sql_backend *backend,
                                 const struct sql_settings *settings,
                                 const struct memberchat_services *services,
                                 struct memberchat_result *result);
enum memberchat_outcome sql_store_lookup(void *store, const char *id, size_t id_length,
                                         int64_t deadline, struct memberchat_result *result);
enum memberchat_outcome sql_store_probe(void *store, int64_t deadline,
                                        struct memberchat_result *result);
enum memberchat_outcome sql_store_survey(void *store, int64_t deadline,
                                         struct memberchat_holdings *holdings_r,
                                         struct memberchat_result *result);
void sql_store_reload(void *store, bool asked);
void sql_store_close(void *store);

/* Whether the query has {appId}, if only in a comment. */
bool sql_store_per_app(const void *settings);

/* Defines the plugin NAME of a backend, with its keys. */
#define SQL_PLUGIN(NAME, SUMMARY, FLAGS, BACKEND, KEYS)                                            \
    static bool plugin_check(const void *settings, const struct memberchat_services *services,     \
                             struct memberchat_result *result)                                     \
    {                                                                                              \
        return sql_store_check(BACKEND, settings, services, result);                               \
    }                                                                                              \
    static void *plugin_open(const void *settings, const struct memberchat_services *services,     \
                             uint32_t how, struct memberchat_result *result)                       \
    {                                                                                              \
        (void)how;                                                                                 \
        return sql_store_open(BACKEND, settings, services, result);                                \
    }                                                                                              \
    static const struct memberchat_store_plugin plugin = {                                         \
        .abi = MEMBERCHAT_STORE_ABI,                                                               \
        .size = sizeof(struct memberchat_store_plugin),                                            \
        .name = NAME,                                                                              \
        .version = "1.0",                                                                          \
        .summary = SUMMARY,                                                                        \
        .flags = (FLAGS) | MEMBERCHAT_STORE_MATCHES,                                               \
        .key_count = sizeof KEYS / sizeof *KEYS,                                                   \
        .keys = KEYS,                                                                              \
        .settings_size = sizeof(struct sql_settings),                                              \
        .check = plugin_check,                                                                     \
        .open = plugin_open,                                                                       \
        .lookup = sql_store_lookup,                                                                \
        .reload = sql_store_reload,                                                                \
        .probe = sql_store_probe,                                                                  \
        .close = sql_store_close,                                                                  \
        .per_app = sql_store_per_app,                                                              \
        .survey = sql_store_survey,                                                                \
    };                                                                                             \
    const struct memberchat_store_plugin *memberchat_store_plugin(void)                            \
    {                                                                                              \
        return &plugin;                                                                            \
    }

#endif
