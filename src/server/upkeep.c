/* SPDX-License-Identifier: MIT */
#include "upkeep.h"

#include "settings/load.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct upkeep {
    struct snapshots *snapshots;
    unsigned reader;
    const char *config_path, *plugin_folder;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t called;
    bool reload, stop;
};

static void reload_config(struct upkeep *upkeep, const struct settings *current)
{
    struct settings *next =
        load_resident(upkeep->config_path, upkeep->plugin_folder, current);
    if (!next) {
        log_error("%s: not taken over; the configuration of before stays in force",
                  upkeep->config_path);
        return;
    }
    if (next->top.threads != current->top.threads)
        log_warning("%s: threads takes effect when memberchat is started anew",
                    upkeep->config_path);
    snapshots_replace(upkeep->snapshots, next);
    log_info("%s: taken over", upkeep->config_path);
}

static void look_after(struct upkeep *upkeep, bool asked)
{
    const struct settings *settings = snapshots_acquire(upkeep->snapshots, upkeep->reader);
    if (asked) {
        log_reopen();
        reload_config(upkeep, settings);
        settings = snapshots_acquire(upkeep->snapshots, upkeep->reader);
    }
    for (size_t i = 0; i < settings->store_count; i++)
        store_reload(directory_store(settings->stores[i].directory), asked);
    snapshots_release(upkeep->snapshots, upkeep->reader);
    snapshots_collect(upkeep->snapshots);
}

/* Waits a second, or until called; false: stop.  *asked_r: a reload is wanted. */
static bool wait_for_call(struct upkeep *upkeep, bool *asked_r)
{
    struct timespec until;
    int rc = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    pthread_mutex_lock(&upkeep->lock);
    while (!upkeep->reload && !upkeep->stop && rc == 0)
        rc = pthread_cond_timedwait(&upkeep->called, &upkeep->lock, &until);
    *asked_r = upkeep->reload;
    upkeep->reload = false;
    bool go_on = !upkeep->stop;
    pthread_mutex_unlock(&upkeep->lock);
    return go_on;
}

static void *run(void *argument)
{
    struct upkeep *upkeep = argument;
    bool asked;
    while (wait_for_call(upkeep, &asked))
        look_after(upkeep, asked);
    return NULL;
}

struct upkeep *upkeep_start(struct snapshots *snapshots, unsigned reader, const char *config_path,
                            const char *plugin_folder)
{
    pthread_condattr_t monotonic;
    struct upkeep *upkeep = calloc(1, sizeof *upkeep);
    if (!upkeep)
        return NULL;
    upkeep->snapshots = snapshots;
    upkeep->reader = reader;
    upkeep->config_path = config_path;
    upkeep->plugin_folder = plugin_folder;
    pthread_mutex_init(&upkeep->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&upkeep->called, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&upkeep->thread, NULL, run, upkeep) != 0) {
        free(upkeep);
        return NULL;
    }
    return upkeep;
}

static void call(struct upkeep *upkeep, bool *what)
{
    pthread_mutex_lock(&upkeep->lock);
    *what = true;
    pthread_cond_signal(&upkeep->called);
    pthread_mutex_unlock(&upkeep->lock);
}

void upkeep_reload(struct upkeep *upkeep)
{
    call(upkeep, &upkeep->reload);
}

void upkeep_stop(struct upkeep *upkeep)
{
    call(upkeep, &upkeep->stop);
    pthread_join(upkeep->thread, NULL);
    pthread_cond_destroy(&upkeep->called);
    pthread_mutex_destroy(&upkeep->lock);
    free(upkeep);
}
