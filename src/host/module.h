/* SPDX-License-Identifier: MIT
 * Shared objects that are loaded while the program runs: store plugins, signatures. */
#ifndef MODULE_H
#define MODULE_H

#include "base/reason.h"

/* A function without parameters that returns a table of a module. */
typedef const void *(*module_entry)(void);

/* Loads the shared object at `path`, for good, and finds the function `name` in it.
 * What is loaded already costs nothing.  NULL: with the reason. */
module_entry module_find(const char *path, const char *name, struct reason *why);

#endif
