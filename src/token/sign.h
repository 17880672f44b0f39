/* SPDX-License-Identifier: MIT
 * The module for public-key signatures, loaded when it is first wanted. */
#ifndef SIGN_H
#define SIGN_H

#include "sign_module.h"
#include "base/bytes.h"

/* The module of a folder; it stays loaded.  NULL: *why_r says why, and what to do. */
const struct sign_module *sign_load(const char *folder, struct bytes *why_r);

#endif
