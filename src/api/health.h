/* SPDX-License-Identifier: MIT
 * Whether this process lives, and whether it can do its work. */
#ifndef HEALTH_H
#define HEALTH_H

#include "exchange.h"

enum outcome health_live(struct exchange *exchange);
enum outcome health_ready(struct exchange *exchange); /* asks every store */

#endif
