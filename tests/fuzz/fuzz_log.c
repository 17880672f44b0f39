/* SPDX-License-Identifier: MIT
 * A log as `memberchat log` reads it.  An input is a line, and a member's id in lines as they are
 * written. */
#include "fuzz.h"

#include "api/access_log.h"
#include "cli/log_line.h"
#include "host/log.h"

#include <string.h>

const char fuzz_corpus[] = "log";

#define PRINTED(field) must(memchr((field), '\0', sizeof(field)))

static void check_any(struct span text)
{
    static struct log_line line;
    if (!log_line_read(text, &line))
        return;
    PRINTED(line.time);
    PRINTED(line.request);
    PRINTED(line.client);
    PRINTED(line.app);
    PRINTED(line.id);
    PRINTED(line.outcome);
    PRINTED(line.store);
    PRINTED(line.cache);
    PRINTED(line.status);
    PRINTED(line.microseconds);
    PRINTED(line.message);
    must(line.is_answer || !line.is_access);
}

/* A text as the log shows it. */
static void filter(struct span text, struct bytes *out)
{
    log_add_filtered(out, text);
    must(!out->failed);
}

static void check_same(const char *read, const struct bytes *written)
{
    must(span_equal(span_of(read), bytes_span(written)));
}

/* What was written of a request is read as it was, and no part of it becomes another one. */
static void check_access(struct span raw, const struct bytes *id, bool json)
{
    static struct log_line line;
    struct bytes text = {0};
    if (json) {
        bytes_add_string(&text, "{\"time\":\"t\",\"requestId\":\"r1\",\"client\":\"::1\",\"route\":"
                                "\"member\",\"app\":\"demo\",\"memberId\":");
        bytes_add_json(&text, bytes_span(id));
        bytes_add_string(&text, ",\"status\":404,\"outcome\":\"MEMBER_NOT_FOUND\",\"us\":12}");
    } else {
        bytes_add_string(&text, "2026-11-26T01:02:03.004Z info r1 ::1 POST member demo ");
        access_log_add_text(&text, raw);
        bytes_add_string(&text, " 404 MEMBER_NOT_FOUND members miss 12 345");
    }
    must(!text.failed && !memchr(text.data, '\n', text.length));
    must(log_line_read(bytes_span(&text), &line));
    must(line.is_access && line.is_member && strcmp(line.request, "r1") == 0);
    must(strcmp(line.app, "demo") == 0 && strcmp(line.status, "404") == 0);
    must(strcmp(line.outcome, "MEMBER_NOT_FOUND") == 0 && strcmp(line.microseconds, "12") == 0);
    check_same(line.id, id);
    bytes_free(&text);
}

static void check_refusal(struct span raw, const struct bytes *id, const char *behind,
                          const char *outcome)
{
    static struct log_line line;
    struct bytes text = {0};
    bytes_add_string(&text, "2026-11-26T01:02:03Z memberchat[12] info: [r1] app demo: no token for "
                            "member ");
    access_log_add_text(&text, raw);
    bytes_add_string(&text, behind);
    must(!text.failed && !memchr(text.data, '\n', text.length));
    must(log_line_read(bytes_span(&text), &line));
    must(line.is_answer && line.is_member && strcmp(line.app, "demo") == 0);
    must(strcmp(line.outcome, outcome) == 0);
    check_same(line.id, id);
    bytes_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {(const char *)data, size};
    struct bytes id = {0};
    check_any(text);
    if (size == 0 || size > MEMBERCHAT_ID_MAX)
        return 0;
    filter(text, &id);
    check_access(text, &id, false);
    check_access(text, &id, true);
    check_refusal(text, &id, ": MEMBER_NOT_FOUND (store members)", "MEMBER_NOT_FOUND");
    check_refusal(text, &id, "", "INVALID_APP_CREDENTIALS");
    bytes_free(&id);
    return 0;
}
