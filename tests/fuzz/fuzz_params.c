/* SPDX-License-Identifier: MIT
 * Parameters of all sizes, of which some are wanted, against what a plain filter keeps of them.
 * An input is a byte for the size of the records, and four for each parameter: flags, and lengths.
 */
#include "fuzz.h"

#include "server/intake.h"
#include "server/record.h"

#include <fastcgi.h>
#include <string.h>

const char fuzz_corpus[] = "params";

enum { PAIRS_MAX = 40, ID = 1 };

enum flag { WANTED = 1, LONG_NAME = 2, LONG_VALUE = 4, WITH_NUL = 8, CUT_OFF = 16 };

static char text[65536 * 32];

static bool wants(struct span name)
{
    return name.length && name.length < 64 && *name.data == 'W';
}

static void add_length(struct bytes *out, size_t length)
{
    const unsigned char four[] = {(unsigned char)(length >> 24 | 0x80),
                                  (unsigned char)(length >> 16), (unsigned char)(length >> 8),
                                  (unsigned char)length};
    bytes_add(out, length < 128 ? (const char *)four + 3 : (const char *)four,
              length < 128 ? 1 : 4);
}

/* What is sent, and what should be kept of it. */
struct plan {
    struct bytes sent, kept;
    bool large, cut;
};

static void add_pair(struct plan *plan, const uint8_t *bytes)
{
    unsigned flags = bytes[0];
    bool wanted = flags & WANTED;
    size_t name = wanted ? 1 + bytes[1] % 60u : bytes[1] * (flags & LONG_NAME ? 600u : 1u);
    size_t value = (bytes[2] | (size_t)bytes[3] << 8) * (flags & LONG_VALUE ? 31u : 1u);
    size_t start = plan->sent.length;
    add_length(&plan->sent, name);
    add_length(&plan->sent, value);
    bytes_add(&plan->sent, wanted ? "W" : "", wanted);
    bytes_add(&plan->sent, text, name - wanted);
    bytes_add(&plan->sent, text, value);
    must(!plan->sent.failed);
    struct span pair = {plan->sent.data + start, plan->sent.length - start};
    plan->cut = flags & CUT_OFF && value;
    if (plan->cut)
        plan->sent.length -= 1 + bytes[1] % value;
    else if (wanted && pair.length > INTAKE_PARAMS_MAX - plan->kept.length)
        plan->large = true;
    else if (wanted)
        bytes_add_span(&plan->kept, pair);
    else if (flags & WITH_NUL && pair.length > 10)
        plan->sent.data[plan->sent.length - 1] = '\0';
}

static enum intake_state feed(struct intake *intake, const struct bytes *bytes)
{
    enum intake_state state = INTAKE_MORE;
    size_t taken = intake_feed(intake, bytes->data, bytes->length, &state);
    must(taken == bytes->length || state == INTAKE_BAD);
    return state;
}

static void check(const struct plan *plan, size_t record)
{
    static const char begin[8] = {0, FCGI_RESPONDER, FCGI_KEEP_CONN};
    struct intake intake = {.body_limit = 64, .wants = wants};
    struct bytes stream = {0};
    record_append(&stream, FCGI_BEGIN_REQUEST, ID, (struct span){begin, sizeof begin});
    for (struct span rest = bytes_span(&plan->sent); rest.length;) {
        size_t length = rest.length < record ? rest.length : record;
        record_append(&stream, FCGI_PARAMS, ID, (struct span){rest.data, length});
        rest = (struct span){rest.data + length, rest.length - length};
    }
    record_append(&stream, FCGI_PARAMS, ID, SPAN_NONE);
    record_append(&stream, FCGI_STDIN, ID, SPAN_NONE);
    must(!stream.failed);
    enum intake_state state = feed(&intake, &stream);
    must(state ==
         (plan->cut || plan->sent.length > INTAKE_SIFT_MAX ? INTAKE_BAD : INTAKE_COMPLETE));
    if (state == INTAKE_COMPLETE) {
        must(span_equal(bytes_span(&intake.params), bytes_span(&plan->kept)));
        must(intake.params_too_large == plan->large);
    }
    must(intake.params.capacity <= 65536);
    bytes_free(&stream);
    intake_free(&intake);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plan plan = {.large = false};
    if (!*text)
        memset(text, 'x', sizeof text);
    for (size_t at = 1; at + 4 <= size && at < 4 * PAIRS_MAX && !plan.cut; at += 4)
        add_pair(&plan, data + at);
    if (size)
        check(&plan, data[0] * 256u + 255);
    bytes_free(&plan.sent);
    bytes_free(&plan.kept);
    return 0;
}
