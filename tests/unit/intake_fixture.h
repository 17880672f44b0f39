/* SPDX-License-Identifier: MIT
 * A intake, and the stream of records that it is fed with. */
#ifndef INTAKE_FIXTURE_H
#define INTAKE_FIXTURE_H

#include "server/intake.h"

extern struct intake intake; /* takes bodies of up to 100 bytes */
extern struct bytes stream;
extern bool fixture_judges; /* large bodies are kept; else INTAKE_HEAD ends a feed */

int intake_start(void **state);
int intake_stop(void **state);

/* Feeds the stream in pieces of so many bytes, each from memory of its own. */
enum intake_state intake_feed_stream(size_t piece);

#endif
