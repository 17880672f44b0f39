/* SPDX-License-Identifier: MIT
 * A store and a call into its plugin, as store.c and store_services.c share them. */
#ifndef STORE_PRIVATE_H
#define STORE_PRIVATE_H

#include "host/trace.h"
#include "store.h"

#include <pthread.h>

struct store {
    struct memberchat_services services; /* first: the plugin hands it back to us */
    const char *name;
    const struct memberchat_store_plugin *plugin;
    const void *settings;
    const struct mapping *mapping; /* or NULL */
    struct arena arena;            /* all of these */
    const char *first_app;         /* that uses it; "" until one is noted */
    bool per_app;                  /* an open store: what its answers depend on */
    void *handle;                  /* of the plugin; NULL: not open */
    pthread_mutex_t lock;          /* guards what follows */
    pthread_cond_t left;
    bool inside; /* a thread is in a plugin that takes one at a time */
};

struct memberchat_result {
    const struct store *store;
    const char *app_id;
    struct span asked;     /* the id; SPAN_NONE: no member was asked for */
    struct member *member; /* NULL: nothing may be set */
    struct store_report *report;
    const char *nonsense; /* what a call said that cannot be; NULL: none did */
    bool no_memory, unusable_id;
    char traceparent[TRACE_TEXT_SIZE];
};

/* ---- store_services.c ---- */

extern const struct memberchat_services store_services;

/* Logs that a value of a member is left out: the member gets a token without it. */
void store_warn_unusable(const struct memberchat_result *result, const char *what);

#endif
