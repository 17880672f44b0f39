/* SPDX-License-Identifier: MIT */
#include "frame.h"

#include <string.h>

#define MANAGEMENT_MAX 16 /* on one connection; web servers send none */
#define OUR_NAME       "MEMBERCHAT"
#define ROLE_RESPONDER 1
#define FLAG_KEEP      1
#define UNKNOWN_ROLE   3
#define RECORD_VERSION 1

enum record_type {
    BEGIN_REQUEST = 1,
    ABORT_REQUEST = 2,
    END_REQUEST = 3,
    PARAMS = 4,
    STDIN = 5,
    GET_VALUES = 9,
    GET_VALUES_RESULT = 10,
    UNKNOWN_TYPE = 11,
};

static void add_header(struct bytes *out, enum record_type type, uint16_t id, size_t length)
{
    const unsigned char header[8] = {RECORD_VERSION,
                                     (unsigned char)type,
                                     (unsigned char)(id >> 8),
                                     (unsigned char)id,
                                     (unsigned char)(length >> 8),
                                     (unsigned char)length,
                                     0,
                                     0};
    bytes_add(out, (const char *)header, sizeof header);
}

static unsigned record_type(const struct frame *frame)
{
    return frame->header[1];
}

static uint16_t record_id(const struct frame *frame)
{
    return (uint16_t)(frame->header[2] << 8 | frame->header[3]);
}

static enum frame_state bad(struct frame *frame, const char *fault)
{
    frame->fault = fault;
    return FRAME_BAD;
}

/* ---- Parameters (section 3.4) ---- */

/* One length of a pair; false when it is cut off. */
static bool take_length(struct span *rest, size_t *length_r)
{
    const unsigned char *p = (const unsigned char *)rest->data;
    size_t bytes = rest->length && p[0] >= 0x80 ? 4 : 1;
    if (rest->length < bytes)
        return false;
    *length_r = bytes == 1
                    ? p[0]
                    : (size_t)(p[0] & 0x7f) << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    rest->data += bytes;
    rest->length -= bytes;
    return true;
}

/* Checks the pairs, and closes ranks over those that nobody wants: libfcgi makes
 * a string of each.  NULL, or what is wrong. */
static const char *sift_params(struct frame *frame)
{
    struct span rest = bytes_span(&frame->params);
    char *kept = frame->params.data;
    while (rest.length) {
        const char *pair = rest.data;
        size_t name, value;
        if (!take_length(&rest, &name) || !take_length(&rest, &value) || name > rest.length ||
            value > rest.length - name)
            return "a parameter is longer than the parameters";
        if (memchr(rest.data, '\0', name + value))
            return "a parameter contains a NUL";
        size_t whole = (size_t)(rest.data - pair) + name + value;
        if (!frame->wants || frame->wants((struct span){rest.data, name})) {
            memmove(kept, pair, whole);
            kept += whole;
        }
        rest.data += name + value;
        rest.length -= name + value;
    }
    if (frame->params.length) { /* what was left behind may be credentials */
        size_t length = (size_t)(kept - frame->params.data);
        explicit_bzero(kept, frame->params.length - length);
        frame->params.length = length;
    }
    return NULL;
}

/* ---- Records as they begin ---- */

/* Whether the record that begins now may stand here. */
static enum frame_state check_header(struct frame *frame)
{
    unsigned type = record_type(frame);
    frame->content_left = (size_t)frame->header[4] << 8 | frame->header[5];
    frame->padding_left = frame->header[6];
    frame->small_length = 0;
    if (frame->header[0] != RECORD_VERSION)
        return bad(frame, "not FastCGI, or another version of it");
    if (record_id(frame) == 0) {
        if (type < GET_VALUES)
            return bad(frame, "an application record without a request id");
        return ++frame->management_records > MANAGEMENT_MAX
                   ? bad(frame, "too many management records")
                   : FRAME_MORE;
    }
    if (type == BEGIN_REQUEST)
        return frame->began ? bad(frame, "a second request while the first is not complete")
               : frame->content_left != 8 ? bad(frame, "a begin record of the wrong size")
                                          : FRAME_MORE;
    if (!frame->began || record_id(frame) != frame->id)
        return bad(frame, "a record of a request that has not begun");
    if (type == PARAMS)
        return frame->params_ended ? bad(frame, "parameters after their end") : FRAME_MORE;
    if (type == STDIN)
        return frame->params_ended ? FRAME_MORE : bad(frame, "a body before the parameters ended");
    return bad(frame, type == ABORT_REQUEST ? "the web server aborted the request"
                                            : "a record that a responder does not expect");
}

/* ---- Content ---- */

static enum frame_state take_content(struct frame *frame, const char *bytes, size_t length)
{
    if (record_id(frame) == 0 || record_type(frame) == BEGIN_REQUEST) {
        size_t room = sizeof frame->small - frame->small_length;
        size_t kept = length < room ? length : room;
        memcpy(frame->small + frame->small_length, bytes, kept);
        frame->small_length += kept;
    } else if (record_type(frame) == PARAMS) {
        if (frame->params.length + length > FRAME_PARAMS_MAX)
            return bad(frame, "more than 60 kB of parameters");
        bytes_add(&frame->params, bytes, length);
    } else {
        size_t room =
            frame->body_limit > frame->body.length ? frame->body_limit - frame->body.length : 0;
        bytes_add(&frame->body, bytes, length < room ? length : room);
        frame->body_total += length;
        if (frame->body_total > (uint64_t)frame->body_limit + FRAME_DRAIN_MAX)
            return bad(frame, "a body far beyond body_limit");
    }
    return frame->params.failed || frame->body.failed ? bad(frame, "out of memory") : FRAME_MORE;
}

/* ---- Records as they end ---- */

static enum frame_state end_begin(struct frame *frame)
{
    const unsigned char *content = (const unsigned char *)frame->small;
    frame->id = record_id(frame);
    frame->began = true;
    frame->keep = content[2] & FLAG_KEEP;
    if (content[0] != 0 || content[1] != ROLE_RESPONDER) {
        static const char refusal[8] = {0, 0, 0, 0, UNKNOWN_ROLE, 0, 0, 0};
        add_header(&frame->out, END_REQUEST, frame->id, sizeof refusal);
        bytes_add(&frame->out, refusal, sizeof refusal);
        return bad(frame, "a role other than responder is wanted");
    }
    return FRAME_MORE;
}

/* Section 4.1: of the variables that were asked for, the one that we know. */
static enum frame_state end_management(struct frame *frame)
{
    bool query = record_type(frame) == GET_VALUES;
    bool ours =
        query && memmem(frame->small, frame->small_length, OUR_NAME, strlen(OUR_NAME)) != NULL;
    struct bytes values = {0};
    if (ours) {
        bytes_addf(&values, "%c%c%s%s", (int)strlen(OUR_NAME), (int)strlen(PACKAGE_VERSION),
                   OUR_NAME, PACKAGE_VERSION);
    } else if (!query) {
        char content[8] = {(char)record_type(frame)};
        bytes_add(&values, content, sizeof content);
    }
    add_header(&frame->out, query ? GET_VALUES_RESULT : UNKNOWN_TYPE, 0, values.length);
    bytes_add_span(&frame->out, bytes_span(&values));
    bytes_free(&values);
    return FRAME_MORE;
}

static enum frame_state end_record(struct frame *frame)
{
    bool empty = frame->header[4] == 0 && frame->header[5] == 0;
    frame->header_length = 0;
    if (record_id(frame) == 0)
        return end_management(frame);
    if (record_type(frame) == BEGIN_REQUEST)
        return end_begin(frame);
    if (!empty)
        return FRAME_MORE;
    if (record_type(frame) == STDIN)
        return FRAME_COMPLETE;
    frame->params_ended = true;
    const char *fault = sift_params(frame);
    return fault ? bad(frame, fault) : FRAME_MORE;
}

/* ---- The stream ---- */

/* Takes some bytes of the current record; returns how many. */
static size_t step(struct frame *frame, const char *bytes, size_t length, enum frame_state *state_r)
{
    size_t taken;
    if (frame->header_length < sizeof frame->header) {
        taken = sizeof frame->header - frame->header_length;
        taken = taken < length ? taken : length;
        memcpy(frame->header + frame->header_length, bytes, taken);
        frame->header_length += taken;
        if (frame->header_length < sizeof frame->header)
            return taken;
        *state_r = check_header(frame);
    } else if (frame->content_left) {
        taken = frame->content_left < length ? frame->content_left : length;
        frame->content_left -= taken;
        *state_r = take_content(frame, bytes, taken);
    } else {
        taken = frame->padding_left < length ? frame->padding_left : length;
        frame->padding_left -= taken;
    }
    if (*state_r == FRAME_MORE && frame->content_left == 0 && frame->padding_left == 0)
        *state_r = end_record(frame);
    return taken;
}

size_t frame_feed(struct frame *frame, const char *bytes, size_t length, enum frame_state *state_r)
{
    size_t taken = 0;
    *state_r = FRAME_MORE;
    while (*state_r == FRAME_MORE && taken < length)
        taken += step(frame, bytes + taken, length - taken, state_r);
    return taken;
}

bool frame_in_request(const struct frame *frame)
{
    return frame->began || frame->header_length > 0;
}

void frame_next(struct frame *frame)
{
    bytes_reset(&frame->params);
    bytes_reset(&frame->body);
    frame->body_total = 0;
    frame->keep = frame->began = frame->params_ended = false;
}

void frame_restart(struct frame *frame)
{
    frame_next(frame);
    bytes_reset(&frame->out);
    *frame = (struct frame){.params = frame->params, .body = frame->body, .out = frame->out};
}

void frame_free(struct frame *frame)
{
    bytes_free(&frame->params);
    bytes_free(&frame->body);
    bytes_free(&frame->out);
}

void frame_add_query(struct bytes *out)
{
    add_header(out, GET_VALUES, 0, 2 + strlen(OUR_NAME));
    bytes_addf(out, "%c", (int)strlen(OUR_NAME));
    bytes_add(out, "\0", 1);
    bytes_add_string(out, OUR_NAME);
}

bool frame_is_our_answer(struct span bytes)
{
    return bytes.length > 8 && bytes.data[1] == GET_VALUES_RESULT &&
           memmem(bytes.data + 8, bytes.length - 8, OUR_NAME, strlen(OUR_NAME));
}

void frame_add_request(const struct frame *frame, struct bytes *out)
{
    static const char begin[8] = {0, ROLE_RESPONDER, FLAG_KEEP, 0, 0, 0, 0, 0};
    add_header(out, BEGIN_REQUEST, frame->id, sizeof begin);
    bytes_add(out, begin, sizeof begin);
    if (frame->params.length) {
        add_header(out, PARAMS, frame->id, frame->params.length);
        bytes_add_span(out, bytes_span(&frame->params));
    }
    add_header(out, PARAMS, frame->id, 0);
}
