/* SPDX-License-Identifier: MIT */
#include "upkeep.h"

#include "base/clock.h"
#include "figures/figures.h"
#include "settings/load.h"
#include "threads.h"
#include "watch.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define INTERVAL_MS 1000

struct upkeep {
    struct snapshots *snapshots;
    unsigned reader;
    const char *config_path, *plugin_folder;
    pthread_t thread;
    bool threaded;
    int64_t polled_at; /* without a thread */
    struct watch watch;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t called;
    bool reload, stop;
};

static void reload_config(struct upkeep *upkeep, const struct settings *current)
{
    struct settings *next = load_resident(upkeep->config_path, upkeep->plugin_folder, current);
    figures_note_reload(next != NULL);
    if (!next) {
        log_error("%s: not loaded; the previous configuration stays in force", upkeep->config_path);
        return;
    }
    if (next->top.threads != current->top.threads)
        log_warning("%s: the new value of \"threads\" takes effect when you restart memberchat",
                    upkeep->config_path);
    snapshots_replace(upkeep->snapshots, next);
    log_info("%s: loaded", upkeep->config_path);
}

/* On a shared host: what a signal asks for elsewhere.  True: a reload is wanted. */
static bool watch_kit(struct upkeep *upkeep)
{
    enum watch_change change = watch_look(&upkeep->watch);
    if (change == WATCH_PROGRAM) {
        log_info("the program has been replaced: stopping");
        kill(getpid(), SIGTERM);
        upkeep->watch = (struct watch){0};
    }
    return change == WATCH_CONFIG;
}

static void look_after(struct upkeep *upkeep, bool asked)
{
    asked = watch_kit(upkeep) || asked;
    const struct settings *settings = snapshots_acquire(upkeep->snapshots, upkeep->reader);
    if (asked) {
        log_reopen();
        reload_config(upkeep, settings);
        settings = snapshots_acquire(upkeep->snapshots, upkeep->reader);
    }
    figures_use(settings->status.file, FIGURES_RESIDENT);
    for (size_t i = 0; i < settings->store_count; i++) {
        store_reload(directory_store(settings->stores[i].directory), asked);
        directory_show(settings->stores[i].directory);
    }
    snapshots_release(upkeep->snapshots, upkeep->reader);
    snapshots_collect(upkeep->snapshots);
    log_flush(0);
}

/* Waits until `deadline`, or until called; false: stop.  *asked_r: a reload is wanted. */
static bool wait_for_call(struct upkeep *upkeep, int64_t deadline, bool *asked_r)
{
    struct timespec until = clock_deadline(deadline);
    int rc = 0;
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
    while (wait_for_call(upkeep, clock_monotonic_ms() + INTERVAL_MS, &asked))
        look_after(upkeep, asked);
    return NULL;
}

void upkeep_poll(struct upkeep *upkeep)
{
    int64_t now = clock_monotonic_ms();
    bool asked = false;
    if (upkeep->threaded)
        return;
    wait_for_call(upkeep, now, &asked);
    if (asked || now >= upkeep->polled_at + INTERVAL_MS) {
        look_after(upkeep, asked);
        upkeep->polled_at = now;
    }
}

struct upkeep *upkeep_new(struct snapshots *snapshots, unsigned reader, const char *config_path,
                          const char *plugin_folder)
{
    struct upkeep *upkeep = calloc(1, sizeof *upkeep);
    if (!upkeep)
        return NULL;
    upkeep->snapshots = snapshots;
    upkeep->reader = reader;
    upkeep->config_path = config_path;
    upkeep->plugin_folder = plugin_folder;
    watch_begin(&upkeep->watch, config_path);
    pthread_mutex_init(&upkeep->lock, NULL);
    clock_cond_init(&upkeep->called);
    return upkeep;
}

void upkeep_start(struct upkeep *upkeep)
{
    upkeep->threaded = threads_start(&upkeep->thread, run, upkeep);
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
    if (!upkeep)
        return;
    call(upkeep, &upkeep->stop);
    if (upkeep->threaded)
        pthread_join(upkeep->thread, NULL);
    pthread_cond_destroy(&upkeep->called);
    pthread_mutex_destroy(&upkeep->lock);
    free(upkeep);
}
