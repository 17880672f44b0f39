/* SPDX-License-Identifier: MIT
 * What a harness needs that works on files: a folder in memory, and settings to serve with. */
#ifndef SCENE_H
#define SCENE_H

#include "fuzz.h"

#include "base/bytes.h"
#include "memberchat_store.h"
#include "settings/settings.h"

#define SCENE_SECRET "demo-secret-of-length"
#define SCENE_KEY    "q7Zt2VbX9mLs4RfWc8Hn3DgPy6KeJ5Au" /* signs */

/* The path of a file in a folder of this process, which is removed with all in it at the end. */
const char *scene_path(const char *name);

/* Writes it whole; returns its path. */
const char *scene_write(const char *name, struct span content);

/* The folder of the store plugins. */
const char *scene_plugins(void);

/* The configuration "memberchat.conf" of one app "demo" (key "demo-key", SCENE_SECRET) with Ann
 * (1), Bob (2, only the id) and Cleo (3, not active) in "members.csv"; loaded and open. */
struct settings *scene_settings(void);

/* The same with more lines at its top. */
struct settings *scene_settings_with(const char *lines);

#endif
