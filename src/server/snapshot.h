/* SPDX-License-Identifier: MIT
 * The settings that are in force.  A reader keeps those it began with; replaced
 * settings are freed when no reader holds them any more.  Readers take no lock. */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "settings/settings.h"

#include <stdatomic.h>

struct snapshots;

/* For this number of readers, numbered from 0.  Takes over `first`.  NULL: no memory. */
struct snapshots *snapshots_new(struct settings *first, unsigned readers);
void snapshots_free(struct snapshots *snapshots); /* no reader holds anything */

/* The settings in force, until the reader releases them. */
const struct settings *snapshots_acquire(struct snapshots *snapshots, unsigned reader);
void snapshots_release(struct snapshots *snapshots, unsigned reader);

/* For one thread: replaces the settings, and frees the replaced ones that no reader
 * holds. */
void snapshots_replace(struct snapshots *snapshots, struct settings *next);
void snapshots_collect(struct snapshots *snapshots);

#endif
