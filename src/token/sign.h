/* SPDX-License-Identifier: MIT
 * The module for public-key signatures, loaded when it is first needed. */
#ifndef SIGN_H
#define SIGN_H

#include "sign_module.h"
#include "base/reason.h"

/* The module of a folder; it stays loaded.  NULL: *why says why, and what to do. */
const struct sign_module *sign_load(const char *folder, struct reason *why);

#endif
