/* SPDX-License-Identifier: MIT */
#include "access_log.h"

#include "client.h"
#include "host/log.h"
#include "reply.h"

#include "base/clock.h"

#include <string.h>
#include <time.h>

enum { METHOD_MAX = 32, FIELD_MAX = 4 * 256, LINE_MAX_BYTES = 8192 };

static const char *const cache_words[] = {
    [DIRECTORY_NOT_ASKED] = NULL,      [DIRECTORY_CACHE_OFF] = "off",
    [DIRECTORY_CACHE_MISS] = "miss",   [DIRECTORY_CACHE_HIT] = "hit",
    [DIRECTORY_CACHE_STALE] = "stale",
};

/* ---- Whom it is about ---- */

void access_log_hash(const uint8_t secret[SHA256_LENGTH], struct span id,
                     char text_r[ACCESS_LOG_HASH_LENGTH + 1])
{
    char memory[SHA256_LENGTH + DENIED_ID_MAX], text[2 * SHA256_LENGTH + 1];
    uint8_t digest[SHA256_LENGTH];
    struct bytes input = bytes_within(memory, sizeof memory), hex = bytes_within(text, sizeof text);
    bytes_add(&input, (const char *)secret, SHA256_LENGTH);
    bytes_add(&input, id.data, id.length < DENIED_ID_MAX ? id.length : DENIED_ID_MAX);
    crypto_sha256(bytes_span(&input), digest);
    explicit_bzero(memory, sizeof memory);
    bytes_add_hex(&hex, (struct span){(const char *)digest, ACCESS_LOG_HASH_LENGTH / 2});
    memcpy(text_r, bytes_string(&hex), ACCESS_LOG_HASH_LENGTH + 1);
}

/* The app whose credentials the caller has, or claims to have; NULL: none. */
static const struct app *app_of(const struct exchange *exchange)
{
    return exchange->app ? exchange->app : exchange->named;
}

/* The id as the log may show it, in `hash` where ids are hashed; SPAN_NONE: there is none. */
static struct span shown_id(const struct exchange *exchange, char hash[ACCESS_LOG_HASH_LENGTH + 1])
{
    const struct exchange_notes *notes = &exchange->notes;
    const struct app *app = app_of(exchange);
    struct span id = {notes->id, notes->id_length};
    if (!id.length && exchange->route.kind == ROUTE_MEMBER)
        id = (struct span){exchange->route.id, exchange->route.id_length};
    if (!id.length || exchange->settings->log.ids == LOG_IDS_OFF ||
        (exchange->settings->log.ids == LOG_IDS_HASHED && !app))
        return SPAN_NONE;
    if (exchange->settings->log.ids == LOG_IDS_PLAIN)
        return id;
    access_log_hash(app->secrets[0], id, hash);
    return (struct span){hash, ACCESS_LOG_HASH_LENGTH};
}

/* ---- Lines ---- */

void access_log_add_text(struct bytes *out, struct span value)
{
    char memory[FIELD_MAX];
    struct bytes clean = bytes_within(memory, sizeof memory);
    log_add_filtered(&clean, value);
    struct span text = bytes_span(&clean);
    bool plain = !span_equal(text, span_of("-"));
    for (size_t i = 0; i < text.length; i++)
        plain = plain && !strchr(" \"\\", text.data[i]);
    if (!text.length)
        bytes_add_string(out, "-");
    else if (plain)
        bytes_add_span(out, text);
    else
        bytes_add_quoted(out, text);
}

/* UTC, to the millisecond. */
static void add_now(struct bytes *out)
{
    struct timespec now = {0};
    struct tm tm = {0};
    char text[64];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    bytes_add(out, text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm));
    bytes_addf(out, ".%03dZ", (int)(now.tv_nsec / 1000000));
}

enum field_kind { FIELD_TEXT, FIELD_NUMBER, FIELD_TIME };

struct field {
    const char *name;
    enum field_kind kind;
    struct span text;
    int64_t number;
};

static void add_field(struct bytes *out, const struct field *field, bool json)
{
    char memory[FIELD_MAX];
    struct bytes clean = bytes_within(memory, sizeof memory);
    if (field->kind == FIELD_TIME) {
        bytes_add_string(out, json ? "\"" : "");
        add_now(out);
        bytes_add_string(out, json ? "\"" : "");
    } else if (field->kind == FIELD_NUMBER) {
        bytes_add_number(out, field->number);
    } else if (!json) {
        access_log_add_text(out, field->text);
    } else {
        log_add_filtered(&clean, field->text);
        bytes_add_json(out, field->text.length ? bytes_span(&clean) : SPAN_NONE);
    }
    out->failed |= clean.failed;
}

/* A line of these fields.  The last one is there only where it has a value. */
static void write_line(const struct field *fields, size_t count)
{
    char memory[LINE_MAX_BYTES];
    struct bytes line = bytes_within(memory, sizeof memory);
    bool json = log_format() == LOG_FORMAT_JSON;
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count && !fields[i].text.length)
            break;
        bytes_add_string(&line, !json ? (i ? " " : "") : i ? "," : "{");
        if (json)
            bytes_addf(&line, "\"%s\":", fields[i].name);
        add_field(&line, &fields[i], json);
    }
    bytes_add_string(&line, json ? "}" : "");
    log_access(&line);
}

static struct span method_of(const struct http_request *request)
{
    struct span method = request->method;
    method.length = method.length < METHOD_MAX ? method.length : METHOD_MAX;
    return method;
}

/* The trace with the caller's span, as traceparent has it. */
static struct span trace_text(const struct trace *trace, char text[TRACE_TEXT_SIZE])
{
    struct bytes out = bytes_within(text, TRACE_TEXT_SIZE);
    if (!trace)
        return SPAN_NONE;
    bytes_add(&out, trace->id, TRACE_ID_LENGTH);
    bytes_add_string(&out, "-");
    bytes_add(&out, trace->parent, TRACE_PARENT_LENGTH);
    return bytes_span(&out);
}

static void tell_access(const struct exchange *exchange, enum outcome outcome, const char *client,
                        const char *request_id, const struct trace *trace)
{
    const struct http_request *request = exchange->request;
    const struct app *app = app_of(exchange);
    enum route_kind kind = exchange->route.kind;
    bool head = span_equal(request->method, span_of("HEAD"));
    char hash[ACCESS_LOG_HASH_LENGTH + 1], traced[TRACE_TEXT_SIZE];
    const struct field fields[] = {
        {.name = "time", .kind = FIELD_TIME},
        {.name = "level", .text = span_of("info")},
        {.name = "requestId", .text = span_of(request_id)},
        {.name = "client", .text = span_of(client)},
        {.name = "method", .text = method_of(request)},
        {.name = "route", .text = kind == ROUTE_NONE ? SPAN_NONE : span_of(route_name(kind))},
        {.name = "app", .text = span_of(app ? app->id : NULL)},
        {.name = "memberId", .text = shown_id(exchange, hash)},
        {.name = "status", .kind = FIELD_NUMBER, .number = exchange->response->status},
        {.name = "outcome", .text = span_of(reply_code(exchange, outcome))},
        {.name = "store", .text = span_of(exchange->notes.store)},
        {.name = "cache", .text = span_of(cache_words[exchange->notes.cache])},
        {.name = "us",
         .kind = FIELD_NUMBER,
         .number = request->began_us ? clock_monotonic_us() - request->began_us : 0},
        {.name = "bytes",
         .kind = FIELD_NUMBER,
         .number = head ? 0 : (int64_t)exchange->response->body.length},
        {.name = "trace", .text = trace_text(trace, traced)},
    };
    write_line(fields, sizeof fields / sizeof *fields);
}

/* ---- Refusals ---- */

/* "no token for member 4711", "no token for a guest". */
static void add_whom(struct bytes *out, const struct exchange *exchange)
{
    char hash[ACCESS_LOG_HASH_LENGTH + 1];
    struct span id = shown_id(exchange, hash);
    const char *what = exchange->route.kind == ROUTE_MEMBER ? "member" : "guest";
    bytes_addf(out, "no token for %s%s", id.length ? "" : "a ", what);
    if (id.length) {
        bytes_add_string(out, " ");
        access_log_add_text(out, id);
    }
}

static void tell_refusal(const struct exchange *exchange, enum outcome outcome, const char *client)
{
    char memory[FIELD_MAX];
    struct bytes whom = bytes_within(memory, sizeof memory);
    const struct app *named = exchange->named;
    add_whom(&whom, exchange);
    const char *text = bytes_string(&whom), *store = exchange->notes.store;
    bool throttled = outcome == OUTCOME_TOO_MANY_REQUESTS && !exchange->app;
    if (outcome == OUTCOME_INVALID_APP_CREDENTIALS || throttled)
        log_info("client %s: wrong API key or secret%s%s; %s%s", client,
                 named ? ": the key is that of app " : "", named ? named->id : "", text,
                 throttled ? ": TOO_MANY_REQUESTS" : "");
    else if (!exchange->app)
        log_info("client %s: %s: %s", client, text, reply_code(exchange, outcome));
    else
        log_info("app %s: %s: %s%s%s%s", exchange->app->id, text, reply_code(exchange, outcome),
                 store ? " (store " : "", store ? store : "", store ? ")" : "");
}

void access_log_tell(const struct exchange *exchange, enum outcome outcome, const char *request_id,
                     const struct trace *trace)
{
    char buffer[CLIENT_ADDRESS_SIZE];
    enum route_kind kind = exchange->route.kind;
    bool refused = (kind == ROUTE_GUEST || kind == ROUTE_MEMBER) && outcome != OUTCOME_ANSWERED;
    bool access = exchange->settings->log.access != NULL;
    if (!access && !refused && !log_enabled(LOG_LEVEL_DEBUG))
        return;
    const char *client = client_address(exchange->settings, exchange->request, buffer);
    if (access)
        tell_access(exchange, outcome, client, request_id, trace);
    if (refused && log_enabled(LOG_LEVEL_INFO))
        tell_refusal(exchange, outcome, client);
    if (log_enabled(LOG_LEVEL_DEBUG))
        log_debug("client %s: %.*s, app %s: %d", client, (int)exchange->request->method.length,
                  exchange->request->method.data, exchange->app ? exchange->app->id : "-",
                  exchange->response->status);
}
