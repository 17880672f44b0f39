/* SPDX-License-Identifier: MIT */
#include "intake_fixture.h"

#include "support.h"

#include <stdlib.h>

struct intake intake;
struct bytes stream;
bool fixture_judges;

int intake_start(void **state)
{
    (void)state;
    intake = (struct intake){.body_limit = 100};
    fixture_judges = true;
    return 0;
}

int intake_stop(void **state)
{
    (void)state;
    intake_free(&intake);
    bytes_free(&stream);
    return 0;
}

enum intake_state intake_feed_stream(size_t piece)
{
    enum intake_state state = INTAKE_MORE;
    size_t at = 0;
    while (state == INTAKE_MORE && at < stream.length) {
        size_t length = stream.length - at < piece ? stream.length - at : piece;
        char *copy = exact_copy((struct span){stream.data + at, length});
        at += intake_feed(&intake, copy, length, &state);
        free(copy);
        if (state == INTAKE_HEAD && fixture_judges) {
            intake_judge(&intake, true);
            state = INTAKE_MORE;
        }
    }
    if (state == INTAKE_COMPLETE)
        assert_int_equal(at, stream.length);
    return state;
}
