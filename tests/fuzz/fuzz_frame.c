/* SPDX-License-Identifier: MIT
 * The bytes of a FastCGI connection, whole and in pieces: both ways must agree.  The
 * first byte says how large the pieces are. */
#include "fuzz.h"

#include "server/frame.h"

#include <string.h>

const char fuzz_corpus[] = "frame";

enum { REQUESTS_MAX = 8 };

/* What came of a connection, for comparison. */
struct story {
    struct bytes told;
    const char *fault;
};

static void tell_request(const struct frame *frame, struct story *story)
{
    struct bytes request = {0};
    must(frame->body.length <= frame->body_limit && frame->body.length <= frame->body_total);
    must(frame->params.length <= FRAME_PARAMS_MAX);
    frame_add_request(frame, &request);
    bytes_addf(&story->told, "[%llu %d]", (unsigned long long)frame->body_total, frame->keep);
    bytes_add_span(&story->told, bytes_span(&request));
    bytes_add_span(&story->told, bytes_span(&frame->body));
    bytes_free(&request);
}

static void feed(struct span bytes, size_t piece, struct story *story)
{
    struct frame frame = {.body_limit = 64};
    enum frame_state state = FRAME_MORE;
    int requests = 0;
    while (bytes.length && state != FRAME_BAD && requests < REQUESTS_MAX) {
        size_t length = bytes.length < piece ? bytes.length : piece;
        size_t taken = frame_feed(&frame, bytes.data, length, &state);
        must(taken <= length && (taken == length || state != FRAME_MORE));
        bytes.data += taken;
        bytes.length -= taken;
        if (state == FRAME_COMPLETE) {
            tell_request(&frame, story);
            frame_next(&frame);
            requests++;
        }
    }
    must((state == FRAME_BAD) == (frame.fault != NULL));
    story->fault = frame.fault;
    bytes_add_span(&story->told, bytes_span(&frame.out));
    frame_free(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct story whole = {0}, pieces = {0};
    if (size == 0)
        return 0;
    struct span bytes = {(const char *)data + 1, size - 1};
    feed(bytes, SIZE_MAX, &whole);
    feed(bytes, (size_t)data[0] % 16 + 1, &pieces);
    must(whole.fault == pieces.fault);
    must(span_equal(bytes_span(&whole.told), bytes_span(&pieces.told)));
    frame_is_our_answer(bytes);
    bytes_free(&whole.told);
    bytes_free(&pieces.told);
    return 0;
}
