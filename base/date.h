/* SPDX-License-Identifier: MIT
 * Dates and times as ISO 8601 writes them, in seconds since 1970. */
#ifndef DATE_H
#define DATE_H

#include "bytes.h"

#define DATE_EARLIEST (-62135596800) /* 0001-01-01T00:00:00Z */
#define DATE_LATEST   253402300799   /* 9999-12-31T23:59:59Z */

/* Reads "2026-11-25", "2026-11-25T08:30", "2026-11-25T08:30:00Z" or "2026-11-25T08:30:00.5+01:00";
 * without an offset it is UTC.  *is_day_r: there is no time of day in it, and *seconds_r is the
 * beginning of the day. */
bool date_parse(struct span text, int64_t *seconds_r, bool *is_day_r);

/* Adds a time in UTC, as RFC 3339 has it: of the years 1 to 9999, or the nearest to it. */
void date_add(struct bytes *out, int64_t seconds);

#endif
