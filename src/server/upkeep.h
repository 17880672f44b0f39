/* SPDX-License-Identifier: MIT
 * The thread for what no request shall wait for: stores that look whether their
 * data changed, and new configurations. */
#ifndef UPKEEP_H
#define UPKEEP_H

#include "snapshot.h"

struct upkeep;

/* It is the reader `reader` of `snapshots`, and the only one that replaces them.
 * NULL: no memory. */
struct upkeep *upkeep_new(struct snapshots *snapshots, unsigned reader, const char *config_path,
                          const char *plugin_folder);

/* Starts the thread.  Where there cannot be one, upkeep_poll() does its work. */
void upkeep_start(struct upkeep *upkeep);
void upkeep_poll(struct upkeep *upkeep);

void upkeep_reload(struct upkeep *upkeep); /* the operator asked for it */
void upkeep_stop(struct upkeep *upkeep);   /* and frees it; NULL is allowed */

#endif
