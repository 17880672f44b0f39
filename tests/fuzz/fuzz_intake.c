/* SPDX-License-Identifier: MIT
 * The bytes of a FastCGI connection, whole and in pieces: both ways must agree.  The
 * first byte says how large the pieces are. */
#include "fuzz.h"

#include "server/intake.h"
#include "server/record.h"

#include <string.h>

const char fuzz_corpus[] = "intake";

enum { REQUESTS_MAX = 8 };

/* What came of a connection, for comparison. */
struct story {
    struct bytes told;
    const char *fault;
};

static void tell_request(const struct intake *intake, struct story *story)
{
    struct span rest = bytes_span(&intake->params), name, value;
    must(intake->body.length <= intake->body_limit && intake->body.length <= intake->body_total);
    must(intake->params.length <= INTAKE_PARAMS_MAX);
    bytes_addf(&story->told, "[%llu %d %d]", (unsigned long long)intake->body_total, intake->keep,
               intake->id);
    while (intake_take_pair(&rest, &name, &value)) {
        bytes_addf(&story->told, "%zu %zu ", name.length, value.length);
        bytes_add(&story->told, name.data, name.length + value.length);
    }
    must(rest.length == 0);
    bytes_add_span(&story->told, bytes_span(&intake->body));
}

static void feed(struct span bytes, size_t piece, struct story *story)
{
    struct intake intake = {.body_limit = 64};
    enum intake_state state = INTAKE_MORE;
    int requests = 0;
    while (bytes.length && state != INTAKE_BAD && requests < REQUESTS_MAX) {
        size_t length = bytes.length < piece ? bytes.length : piece;
        size_t taken = intake_feed(&intake, bytes.data, length, &state);
        must(taken <= length && (taken == length || state != INTAKE_MORE));
        bytes.data += taken;
        bytes.length -= taken;
        if (state == INTAKE_HEAD)
            intake_judge(&intake, intake.id % 2);
        if (state == INTAKE_COMPLETE) {
            tell_request(&intake, story);
            intake_next(&intake);
            requests++;
        }
    }
    must((state == INTAKE_BAD) == (intake.fault != NULL));
    story->fault = intake.fault;
    bytes_add_span(&story->told, bytes_span(&intake.replies));
    intake_free(&intake);
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
    record_is_our_answer(bytes);
    bytes_free(&whole.told);
    bytes_free(&pieces.told);
    return 0;
}
