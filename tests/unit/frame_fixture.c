/* SPDX-License-Identifier: MIT */
#include "frame_fixture.h"

#include "support.h"

#include <stdlib.h>

struct frame frame;
struct bytes stream;

int frame_start(void **state)
{
    (void)state;
    frame = (struct frame){.body_limit = 100};
    return 0;
}

int frame_stop(void **state)
{
    (void)state;
    frame_free(&frame);
    bytes_free(&stream);
    return 0;
}

enum frame_state frame_feed_stream(size_t piece)
{
    enum frame_state state = FRAME_MORE;
    size_t at = 0;
    while (state == FRAME_MORE && at < stream.length) {
        size_t length = stream.length - at < piece ? stream.length - at : piece;
        char *copy = exact_copy((struct span){stream.data + at, length});
        at += frame_feed(&frame, copy, length, &state);
        free(copy);
    }
    if (state == FRAME_COMPLETE)
        assert_int_equal(at, stream.length);
    return state;
}
