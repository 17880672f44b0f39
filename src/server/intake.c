/* SPDX-License-Identifier: MIT */
#include "intake.h"

#include "record.h"

#include <fastcgi.h>
#include <string.h>

#define MANAGEMENT_MAX 16 /* on one connection; web servers send none */

/* What is kept, and of the next pair its lengths and a name that may be wanted. */
#define PARAMS_ROOM (INTAKE_PARAMS_MAX + 256u)

static unsigned record_type(const struct intake *intake)
{
    return intake->header[1];
}

static uint16_t record_id(const struct intake *intake)
{
    return (uint16_t)(intake->header[2] << 8 | intake->header[3]);
}

static enum intake_state bad(struct intake *intake, const char *fault)
{
    intake->fault = fault;
    return INTAKE_BAD;
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

/* False at the end, and at a pair that reaches beyond it: then `rest` is not empty. */
bool intake_take_pair(struct span *rest, struct span *name_r, struct span *value_r)
{
    struct span after = *rest;
    size_t name, value;
    if (!rest->length || !take_length(&after, &name) || !take_length(&after, &value) ||
        name > after.length || value > after.length - name)
        return false;
    *name_r = (struct span){after.data, name};
    *value_r = (struct span){after.data + name, value};
    *rest = (struct span){after.data + name + value, after.length - name - value};
    return true;
}

static struct span unsifted(const struct intake *intake)
{
    const struct bytes *params = &intake->params;
    return params->length == intake->params_sifted
               ? SPAN_NONE
               : (struct span){params->data + intake->params_sifted,
                               params->length - intake->params_sifted};
}

static bool wants(const struct intake *intake, struct span name)
{
    return !intake->wants || intake->wants(name);
}

/* Puts these bytes, which are among those not sifted yet, behind what is sifted, and wipes what is
 * left behind: it may be credentials. */
static void close_ranks(struct intake *intake, struct span rest)
{
    struct bytes *params = &intake->params;
    size_t length = intake->params_sifted + rest.length;
    if (rest.length)
        memmove(params->data + intake->params_sifted, rest.data, rest.length);
    if (length < params->length)
        explicit_bzero(params->data + length, params->length - length);
    params->length = length;
}

/* Checks the whole pairs, and drops those that are not wanted or too many.  NULL, or what is
 * wrong. */
static const char *sift_params(struct intake *intake)
{
    struct span rest = unsifted(intake), name, value;
    for (const char *pair = rest.data; intake_take_pair(&rest, &name, &value); pair = rest.data) {
        size_t whole = (size_t)(rest.data - pair);
        if (!wants(intake, name))
            continue; /* also if a client has put a NUL into it, as nginx decodes REMOTE_USER */
        if (memchr(name.data, '\0', name.length + value.length))
            return "a parameter contains a NUL";
        if (whole > INTAKE_PARAMS_MAX - intake->params_sifted) {
            intake->params_too_large = true;
            continue;
        }
        memmove(intake->params.data + intake->params_sifted, pair, whole);
        intake->params_sifted += whole;
    }
    close_ranks(intake, rest);
    return NULL;
}

/* Drops the pair that has begun, with what is still to come of it. */
static void skip_pair(struct intake *intake)
{
    struct span rest = unsifted(intake);
    size_t name, value;
    if (!take_length(&rest, &name) || !take_length(&rest, &value))
        return;                       /* there is room for them */
    bool known = name <= rest.length; /* else it is longer than any that is wanted */
    if (!intake->wants || (known && wants(intake, (struct span){rest.data, name})))
        intake->params_too_large = true;
    intake->params_skip = (uint64_t)name + value - rest.length;
    close_ranks(intake, SPAN_NONE);
}

/* NULL, or what is wrong. */
static const char *take_params(struct intake *intake, const char *bytes, size_t length)
{
    const char *fault = NULL;
    intake->params_total += length;
    if (intake->params_total > INTAKE_SIFT_MAX)
        return "more than 16 MB of parameters";
    while (length && !fault) {
        bool skip = intake->params_skip > 0;
        uint64_t room = skip ? intake->params_skip : PARAMS_ROOM - intake->params.length;
        size_t taken = length < room ? length : (size_t)room;
        if (skip)
            intake->params_skip -= taken;
        else
            bytes_add(&intake->params, bytes, taken);
        if (intake->params.length == PARAMS_ROOM)
            fault = sift_params(intake);
        if (!fault && intake->params.length == PARAMS_ROOM)
            skip_pair(intake);
        bytes += taken;
        length -= taken;
    }
    return fault;
}

static const char *end_params(struct intake *intake)
{
    const char *fault = sift_params(intake);
    bool whole = !intake->params_skip && intake->params.length == intake->params_sifted;
    return fault || whole ? fault : "a parameter is longer than the parameters";
}

/* ---- Records as they begin ---- */

/* Whether the record that begins now may stand here. */
static enum intake_state check_header(struct intake *intake)
{
    unsigned type = record_type(intake);
    intake->content_left = (size_t)intake->header[4] << 8 | intake->header[5];
    intake->padding_left = intake->header[6];
    intake->small_length = 0;
    if (intake->header[0] != FCGI_VERSION_1)
        return bad(intake, "not FastCGI, or another version of it");
    if (record_id(intake) == 0) {
        if (type < FCGI_GET_VALUES)
            return bad(intake, "an application record without a request id");
        return ++intake->management_records > MANAGEMENT_MAX
                   ? bad(intake, "too many management records")
                   : INTAKE_MORE;
    }
    if (type == FCGI_BEGIN_REQUEST)
        return intake->began ? bad(intake, "a second request while the first is not complete")
               : intake->content_left != 8 ? bad(intake, "a begin record of the wrong size")
                                           : INTAKE_MORE;
    if (!intake->began || record_id(intake) != intake->id)
        return bad(intake, "a record of a request that has not begun");
    if (type == FCGI_PARAMS)
        return intake->params_ended ? bad(intake, "parameters after their end") : INTAKE_MORE;
    if (type == FCGI_STDIN)
        return !intake->params_ended ? bad(intake, "a body before the parameters ended")
               : intake->body_fate == INTAKE_BODY_UNJUDGED &&
                       intake->body.length + intake->content_left > INTAKE_SMALL_BODY
                   ? INTAKE_HEAD
                   : INTAKE_MORE;
    return bad(intake, type == FCGI_ABORT_REQUEST ? "the web server aborted the request"
                                                  : "a record that a responder does not expect");
}

/* ---- Content ---- */

static enum intake_state take_content(struct intake *intake, const char *bytes, size_t length)
{
    if (record_id(intake) == 0 || record_type(intake) == FCGI_BEGIN_REQUEST) {
        size_t room = sizeof intake->small - intake->small_length;
        size_t kept = length < room ? length : room;
        memcpy(intake->small + intake->small_length, bytes, kept);
        intake->small_length += kept;
    } else if (record_type(intake) == FCGI_PARAMS) {
        const char *fault = take_params(intake, bytes, length);
        if (fault)
            return bad(intake, fault);
    } else {
        bool keep = intake->body_fate != INTAKE_BODY_DROPPED;
        size_t room = keep && intake->body_limit > intake->body.length
                          ? intake->body_limit - intake->body.length
                          : 0;
        bytes_add(&intake->body, bytes, length < room ? length : room);
        intake->body_total += length;
        if (intake->body_total > (uint64_t)intake->body_limit + INTAKE_DRAIN_MAX) {
            intake->keep = false; /* its rest is not read */
            return INTAKE_COMPLETE;
        }
    }
    return intake->params.failed || intake->body.failed ? bad(intake, "out of memory")
                                                        : INTAKE_MORE;
}

/* ---- Records as they end ---- */

static enum intake_state end_begin(struct intake *intake)
{
    const FCGI_BeginRequestBody *content = (const FCGI_BeginRequestBody *)intake->small;
    intake->id = record_id(intake);
    intake->began = true;
    intake->keep = content->flags & FCGI_KEEP_CONN;
    if (content->roleB1 != 0 || content->roleB0 != FCGI_RESPONDER) {
        static const FCGI_EndRequestBody refusal = {.protocolStatus = FCGI_UNKNOWN_ROLE};
        record_append(&intake->replies, FCGI_END_REQUEST, intake->id,
                      (struct span){(const char *)&refusal, sizeof refusal});
        return bad(intake, "a role other than responder is wanted");
    }
    return INTAKE_MORE;
}

/* Section 4.1: of the variables that were asked for, the one that we know. */
static enum intake_state end_management(struct intake *intake)
{
    if (record_type(intake) == FCGI_GET_VALUES) {
        record_append_query_answer(&intake->replies,
                                   (struct span){intake->small, intake->small_length});
    } else {
        const FCGI_UnknownTypeBody unknown = {.type = intake->header[1]};
        record_append(&intake->replies, FCGI_UNKNOWN_TYPE, FCGI_NULL_REQUEST_ID,
                      (struct span){(const char *)&unknown, sizeof unknown});
    }
    return intake->replies.failed ? bad(intake, "out of memory") : INTAKE_MORE;
}

static enum intake_state end_record(struct intake *intake)
{
    bool empty = intake->header[4] == 0 && intake->header[5] == 0;
    intake->header_length = 0;
    if (record_id(intake) == 0)
        return end_management(intake);
    if (record_type(intake) == FCGI_BEGIN_REQUEST)
        return end_begin(intake);
    if (!empty)
        return INTAKE_MORE;
    if (record_type(intake) == FCGI_STDIN)
        return INTAKE_COMPLETE;
    intake->params_ended = true;
    const char *fault = end_params(intake);
    return fault ? bad(intake, fault) : INTAKE_MORE;
}

/* ---- The stream ---- */

/* Takes some bytes of the current record; returns how many. */
static size_t step(struct intake *intake, const char *bytes, size_t length,
                   enum intake_state *state_r)
{
    size_t taken;
    if (intake->header_length < sizeof intake->header) {
        taken = sizeof intake->header - intake->header_length;
        taken = taken < length ? taken : length;
        memcpy(intake->header + intake->header_length, bytes, taken);
        intake->header_length += taken;
        if (intake->header_length < sizeof intake->header)
            return taken;
        *state_r = check_header(intake);
    } else if (intake->content_left) {
        taken = intake->content_left < length ? intake->content_left : length;
        intake->content_left -= taken;
        *state_r = take_content(intake, bytes, taken);
    } else {
        taken = intake->padding_left < length ? intake->padding_left : length;
        intake->padding_left -= taken;
    }
    if (*state_r == INTAKE_MORE && intake->content_left == 0 && intake->padding_left == 0)
        *state_r = end_record(intake);
    return taken;
}

size_t intake_feed(struct intake *intake, const char *bytes, size_t length,
                   enum intake_state *state_r)
{
    size_t taken = 0;
    *state_r = INTAKE_MORE;
    while (*state_r == INTAKE_MORE && taken < length)
        taken += step(intake, bytes + taken, length - taken, state_r);
    return taken;
}

void intake_judge(struct intake *intake, bool keep_body)
{
    intake->body_fate = keep_body ? INTAKE_BODY_KEPT : INTAKE_BODY_DROPPED;
}

bool intake_in_request(const struct intake *intake)
{
    return intake->began || intake->header_length > 0;
}

void intake_next(struct intake *intake)
{
    bytes_reset(&intake->params);
    bytes_reset(&intake->body);
    intake->body_total = 0;
    intake->body_fate = INTAKE_BODY_UNJUDGED;
    intake->keep = intake->began = intake->params_ended = intake->params_too_large = false;
    intake->params_total = intake->params_sifted = 0;
    intake->params_skip = 0;
}

void intake_restart(struct intake *intake)
{
    intake_next(intake);
    bytes_reset(&intake->replies);
    *intake =
        (struct intake){.params = intake->params, .body = intake->body, .replies = intake->replies};
}

void intake_free(struct intake *intake)
{
    bytes_free(&intake->params);
    bytes_free(&intake->body);
    bytes_free(&intake->replies);
}
