/* SPDX-License-Identifier: MIT
 * What a plugin may call. */
#include "base/clock.h"
#include "base/reason.h"
#include "host/log.h"
#include "store_private.h"

#include <stdarg.h>
#include <stdio.h>

static void service_log(const struct memberchat_services *services, enum memberchat_level level,
                        const char *format, ...)
{
    static void (*const by_level[])(const char *, ...) = {
        [MEMBERCHAT_LOG_ERROR] = log_error,
        [MEMBERCHAT_LOG_WARNING] = log_warning,
        [MEMBERCHAT_LOG_INFO] = log_info,
        [MEMBERCHAT_LOG_DEBUG] = log_debug,
    };
    const struct store *store = (const struct store *)services;
    bool known = level >= MEMBERCHAT_LOG_ERROR && level <= MEMBERCHAT_LOG_DEBUG;
    if (level == MEMBERCHAT_LOG_DEBUG && !log_enabled(LOG_LEVEL_DEBUG))
        return;
    char message[1800];
    va_list args;
    va_start(args, format);
    reason_write(message, sizeof message, format, args);
    va_end(args);
    by_level[known ? level : MEMBERCHAT_LOG_ERROR]("store %s: %s", store->name, message);
}

static int64_t service_now(const struct memberchat_services *services)
{
    (void)services;
    return clock_monotonic_ms();
}

void store_warn_unusable(const struct memberchat_result *result, const char *what)
{
    char topic[256];
    snprintf(topic, sizeof topic, "%s %s", result->store->name, what);
    log_warning_limited(topic, "store %s: %s, for the member \"%.*s\"", result->store->name, what,
                        (int)result->asked.length, result->asked.data);
}

/* What set() and set_attribute() return. */
static bool note_set(struct memberchat_result *result, enum member_set verdict, const char *what)
{
    if (verdict == MEMBER_UNUSABLE)
        store_warn_unusable(result, what);
    if (verdict == MEMBER_NONSENSE)
        result->nonsense = what;
    if (verdict == MEMBER_NO_MEMORY)
        result->no_memory = true;
    return verdict == MEMBER_SET || verdict == MEMBER_UNUSABLE;
}

static const char not_asked[] = "it described a member where none was asked for";

static bool service_set(struct memberchat_result *result, enum memberchat_field field,
                        const char *value, size_t length)
{
    const char *what = not_asked;
    enum member_set verdict = MEMBER_NONSENSE;
    if (result->member)
        verdict =
            member_set(result->member, field, (struct span){value, value ? length : 0}, &what);
    result->unusable_id =
        result->unusable_id || (field == MEMBERCHAT_ID && verdict == MEMBER_UNUSABLE);
    return note_set(result, verdict, what);
}

static bool service_set_attribute(struct memberchat_result *result, const char *name,
                                  size_t name_length, const char *value, size_t value_length)
{
    const char *what = not_asked;
    enum member_set verdict = MEMBER_NONSENSE;
    if (result->member)
        verdict = member_add_attribute(result->member, (struct span){name, name ? name_length : 0},
                                       (struct span){value, value ? value_length : 0}, &what);
    return note_set(result, verdict, what);
}

static void service_reason(struct memberchat_result *result, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    reason_write(result->report->reason, sizeof result->report->reason, format, args);
    va_end(args);
}

static void service_retry_after(struct memberchat_result *result, int64_t milliseconds)
{
    result->report->retry_after_ms = milliseconds > 0 ? milliseconds : 0;
}

static const char *service_request_id(const struct memberchat_result *result)
{
    const char *id = log_request();
    (void)result;
    return id ? id : "";
}

static const char *service_app_id(const struct memberchat_result *result)
{
    return result->app_id;
}

static const char *service_traceparent(struct memberchat_result *result)
{
    const char *text = trace_next(result->traceparent);
    return text ? text : "";
}

const struct memberchat_services store_services = {
    .size = sizeof(struct memberchat_services),
    .log = service_log,
    .now = service_now,
    .set = service_set,
    .set_attribute = service_set_attribute,
    .reason = service_reason,
    .retry_after = service_retry_after,
    .request_id = service_request_id,
    .app_id = service_app_id,
    .traceparent = service_traceparent,
};
