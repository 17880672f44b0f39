/* SPDX-License-Identifier: MIT */
#include "members_host.h"

#include <string.h>

/* The first is the one that is filled now; the id is kept beside it. */
struct memberchat_result {
    struct bytes fields;
    struct bytes id;
};

static void log_nothing(const struct memberchat_services *services, enum memberchat_level level,
                        const char *format, ...)
{
    (void)services;
    (void)level;
    must(format && *format);
}

static int64_t stand_still(const struct memberchat_services *services)
{
    (void)services;
    return 0;
}

static bool take(struct memberchat_result *result, enum memberchat_field field, const char *value,
                 size_t length)
{
    bytes_addf(&result->fields, "%d:%zu:", (int)field, length);
    bytes_add(&result->fields, value, length);
    if (field == MEMBERCHAT_ID)
        bytes_add(&result->id, value, length);
    return true;
}

static bool take_attribute(struct memberchat_result *result, const char *name, size_t name_length,
                           const char *value, size_t value_length)
{
    bytes_addf(&result->fields, "%zu:%zu:", name_length, value_length);
    bytes_add(&result->fields, name, name_length);
    bytes_add(&result->fields, value, value_length);
    return true;
}

static void take_reason(struct memberchat_result *result, const char *format, ...)
{
    (void)result;
    must(format && *format);
}

static const char *nothing(const struct memberchat_result *result)
{
    (void)result;
    return "";
}

const struct memberchat_services host_services = {.size = sizeof host_services,
                                                  .log = log_nothing,
                                                  .now = stand_still,
                                                  .set = take,
                                                  .set_attribute = take_attribute,
                                                  .reason = take_reason,
                                                  .request_id = nothing,
                                                  .app_id = nothing};
const struct table_report host_report = {&host_services, MEMBERCHAT_LOG_DEBUG};

struct file_settings host_settings(const char *path)
{
    static const char *const active[] = {"ACTIVE"};
    return (struct file_settings){
        .path = path,
        .encoding = "UTF-8",
        .columns = {"appUserId", "appUserName", "appUserProfileImgUrl", "role", "state"},
        .active_values = {active, 1},
        .max_bad = 100};
}

struct told host_ask(const struct members *members, const struct file_settings *settings,
                     struct span id)
{
    struct memberchat_result result = {0};
    struct told told = {members_lookup(members, settings, id, &host_services, &result), {0}};
    must(told.outcome == MEMBERCHAT_FOUND || told.outcome == MEMBERCHAT_NOT_FOUND ||
         told.outcome == MEMBERCHAT_UNAVAILABLE || told.outcome == MEMBERCHAT_MISCONFIGURED);
    if (told.outcome == MEMBERCHAT_FOUND)
        must(span_equal(bytes_span(&result.id), id));
    told.fields = result.fields;
    bytes_free(&result.id);
    return told;
}
