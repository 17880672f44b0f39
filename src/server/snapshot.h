/* SPDX-License-Identifier: MIT
 * The settings that are in force.  A reader holds on to those it began with; what
 * was replaced is freed when nobody holds it any more.  Readers take no lock. */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "settings/settings.h"

#include <stdatomic.h>

struct snapshots;

/* For so many readers, numbered from 0.  Takes over `first`.  NULL: no memory. */
struct snapshots *snapshots_new(struct settings *first, unsigned readers);
void snapshots_free(struct snapshots *snapshots); /* no reader holds anything */

/* The settings in force, until the reader releases them. */
const struct settings *snapshots_acquire(struct snapshots *snapshots, unsigned reader);
void snapshots_release(struct snapshots *snapshots, unsigned reader);

/* For one thread: replaces the settings, and frees replaced ones that nobody
 * holds. */
void snapshots_replace(struct snapshots *snapshots, struct settings *next);
void snapshots_collect(struct snapshots *snapshots);

#endif
