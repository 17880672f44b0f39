/* SPDX-License-Identifier: MIT
 * The thread for what no request shall wait for: stores that look whether their
 * data changed, and new configurations. */
#ifndef UPKEEP_H
#define UPKEEP_H

#include "snapshot.h"

struct upkeep;

/* It is the reader `reader` of `snapshots`, and the only one that replaces them.
 * NULL: errno says why. */
struct upkeep *upkeep_start(struct snapshots *snapshots, unsigned reader, const char *config_path,
                            const char *plugin_folder);
void upkeep_reload(struct upkeep *upkeep); /* the operator asked for it */
void upkeep_stop(struct upkeep *upkeep);

#endif
