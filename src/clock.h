/* SPDX-License-Identifier: MIT */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

int64_t clock_monotonic_ms(void); /* for deadlines */
int64_t clock_unix_seconds(void); /* for claims and logs */

#endif
