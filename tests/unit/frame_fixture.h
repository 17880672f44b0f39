/* SPDX-License-Identifier: MIT
 * A frame, and the stream of records that it is fed with. */
#ifndef FRAME_FIXTURE_H
#define FRAME_FIXTURE_H

#include "server/frame.h"

extern struct frame frame; /* takes bodies of up to 100 bytes */
extern struct bytes stream;

int frame_start(void **state);
int frame_stop(void **state);

/* Feeds the stream in pieces of so many bytes, each from memory of its own. */
enum frame_state frame_feed_stream(size_t piece);

#endif
