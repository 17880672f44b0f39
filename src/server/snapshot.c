/* SPDX-License-Identifier: MIT */
#include "snapshot.h"

#include <stdlib.h>

/* Hazard pointers: a reader publishes the pointer that it holds, then checks that it is still
 * current.  The replacing thread frees only settings that no reader has published. */
struct held {
    _Alignas(64) _Atomic(struct settings *) settings;
};

struct retired {
    struct retired *next;
    struct settings *settings;
};

struct snapshots {
    _Atomic(struct settings *) current;
    struct retired *retired; /* only the replacing thread */
    unsigned readers;
    struct held *held;
};

struct snapshots *snapshots_new(struct settings *first, unsigned readers)
{
    struct snapshots *snapshots = calloc(1, sizeof *snapshots);
    if (!snapshots)
        return NULL;
    snapshots->held = aligned_alloc(_Alignof(struct held), readers * sizeof *snapshots->held);
    if (!snapshots->held) {
        free(snapshots);
        return NULL;
    }
    for (unsigned i = 0; i < readers; i++)
        atomic_init(&snapshots->held[i].settings, NULL);
    atomic_init(&snapshots->current, first);
    snapshots->readers = readers;
    return snapshots;
}

const struct settings *snapshots_acquire(struct snapshots *snapshots, unsigned reader)
{
    struct settings *settings;
    do {
        settings = atomic_load(&snapshots->current);
        atomic_store(&snapshots->held[reader].settings, settings);
    } while (settings != atomic_load(&snapshots->current));
    return settings;
}

void snapshots_release(struct snapshots *snapshots, unsigned reader)
{
    atomic_store_explicit(&snapshots->held[reader].settings, NULL, memory_order_release);
}

static bool is_held(struct snapshots *snapshots, const struct settings *settings)
{
    for (unsigned i = 0; i < snapshots->readers; i++)
        if (atomic_load(&snapshots->held[i].settings) == settings)
            return true;
    return false;
}

void snapshots_collect(struct snapshots *snapshots)
{
    struct retired **link = &snapshots->retired;
    while (*link) {
        struct retired *retired = *link;
        if (is_held(snapshots, retired->settings)) {
            link = &retired->next;
            continue;
        }
        *link = retired->next;
        settings_free(retired->settings);
        free(retired);
    }
}

void snapshots_replace(struct snapshots *snapshots, struct settings *next)
{
    struct retired *retired = malloc(sizeof *retired);
    struct settings *old = atomic_exchange(&snapshots->current, next);
    if (retired) { /* without memory they are never freed */
        *retired = (struct retired){.next = snapshots->retired, .settings = old};
        snapshots->retired = retired;
    }
    snapshots_collect(snapshots);
}

void snapshots_free(struct snapshots *snapshots)
{
    if (!snapshots)
        return;
    snapshots_collect(snapshots);
    settings_free(atomic_load(&snapshots->current));
    free(snapshots->held);
    free(snapshots);
}
