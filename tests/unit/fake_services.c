/* SPDX-License-Identifier: MIT
 *
 * fake_services.c: see fake_services.h.
 */
#include "fake_services.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* Services are const for the plugin; the fake one behind them is not. */
static struct fake_services *fake_of(const struct memberchat_services *services)
{
    return (struct fake_services *)(uintptr_t)services;
}

static void fake_log(const struct memberchat_services *services, enum memberchat_level level,
                     const char *format, ...)
{
    struct fake_services *fake = fake_of(services);
    char line[2048];
    size_t length;
    va_list arguments;
    int used = snprintf(line, sizeof line, "%c ", "?EWID"[level]);

    va_start(arguments, format);
    vsnprintf(line + used, sizeof line - (size_t)used - 1, format, arguments);
    va_end(arguments);
    length = strlen(line);
    line[length++] = '\n';
    pthread_mutex_lock(&fake->lock);
    fake->log = realloc(fake->log, fake->log_length + length + 1);
    if (fake->log == NULL)
        abort();
    memcpy(fake->log + fake->log_length, line, length);
    fake->log_length += length;
    fake->log[fake->log_length] = '\0';
    pthread_mutex_unlock(&fake->lock);
}

static int64_t fake_now(const struct memberchat_services *services)
{
    struct timespec now;

    if (!fake_of(services)->real_clock)
        return atomic_load(&fake_of(services)->clock);
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool fake_set(struct memberchat_result *given, enum memberchat_field field,
                     const char *value, size_t length)
{
    static const size_t limits[FAKE_FIELDS] = {0, 128, 256, 2048, 64};
    struct fake_result *result = (struct fake_result *)(void *)given;

    if (field < MEMBERCHAT_ID || field > MEMBERCHAT_ROLE || length > limits[field]) {
        result->refused = true;
        return false;
    }
    memcpy(result->fields[field], value, length);
    result->fields[field][length] = '\0';
    result->lengths[field] = length;
    return true;
}

static bool fake_set_attribute(struct memberchat_result *given, const char *name,
                               size_t name_length, const char *value, size_t value_length)
{
    struct fake_result *result = (struct fake_result *)(void *)given;

    if (result->attributes == FAKE_ATTRIBUTES || name_length > 64 || value_length > 4096) {
        result->refused = true;
        return false;
    }
    memcpy(result->names[result->attributes], name, name_length);
    memcpy(result->values[result->attributes], value, value_length);
    result->attributes++;
    return true;
}

static void fake_reason(struct memberchat_result *given, const char *format, ...)
{
    struct fake_result *result = (struct fake_result *)(void *)given;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(result->reason, sizeof result->reason, format, arguments);
    va_end(arguments);
}

static void fake_retry_after(struct memberchat_result *given, int64_t milliseconds)
{
    ((struct fake_result *)(void *)given)->retry_after = milliseconds;
}

static const char *fake_request_id(const struct memberchat_result *given)
{
    (void)given;
    return "request-1";
}

static const char *fake_app_id(const struct memberchat_result *given)
{
    (void)given;
    return "app-1";
}

void fake_services_start(struct fake_services *fake)
{
    memset(fake, 0, sizeof *fake);
    fake->table = (struct memberchat_services){.size = sizeof fake->table,
                                               .log = fake_log,
                                               .now = fake_now,
                                               .set = fake_set,
                                               .set_attribute = fake_set_attribute,
                                               .reason = fake_reason,
                                               .retry_after = fake_retry_after,
                                               .request_id = fake_request_id,
                                               .app_id = fake_app_id};
    atomic_store(&fake->clock, 1000000);
    pthread_mutex_init(&fake->lock, NULL);
}

void fake_services_stop(struct fake_services *fake)
{
    pthread_mutex_destroy(&fake->lock);
    free(fake->log);
}

void fake_services_forget(struct fake_services *fake)
{
    pthread_mutex_lock(&fake->lock);
    free(fake->log);
    fake->log = NULL;
    fake->log_length = 0;
    pthread_mutex_unlock(&fake->lock);
}

size_t fake_services_count(struct fake_services *fake, const char *text)
{
    const char *at;
    size_t count = 0;

    pthread_mutex_lock(&fake->lock);
    for (at = fake->log; at != NULL && (at = strstr(at, text)) != NULL; at++)
        count++;
    pthread_mutex_unlock(&fake->lock);
    return count;
}

struct memberchat_result *fake_result_start(struct fake_result *result)
{
    memset(result, 0, sizeof *result);
    return (struct memberchat_result *)(void *)result;
}

const char *fake_result_attribute(const struct fake_result *result, const char *name)
{
    size_t i;

    for (i = 0; i < result->attributes; i++)
        if (strcmp(result->names[i], name) == 0)
            return result->values[i];
    return NULL;
}

static int64_t fallback_number(const char *text)
{
    char *unit;
    int64_t number = strtoll(text, &unit, 10);

    return strcmp(unit, "s") == 0 ? number * 1000 : number;
}

void *fake_settings_new(const struct memberchat_store_plugin *plugin)
{
    char *settings = calloc(1, plugin->settings_size + 1);
    uint32_t i;

    assert_non_null(settings);
    for (i = 0; i < plugin->key_count; i++) {
        const struct memberchat_key *key = &plugin->keys[i];
        void *at = settings + key->offset;

        if (key->fallback == NULL)
            continue;
        switch (key->type) {
        case MEMBERCHAT_STRING:
        case MEMBERCHAT_PATH:
            *(const char **)at = key->fallback;
            break;
        case MEMBERCHAT_LIST:
            *(struct memberchat_list *)at = (struct memberchat_list){&key->fallback, 1};
            break;
        case MEMBERCHAT_BOOL:
            *(bool *)at = strcmp(key->fallback, "true") == 0;
            break;
        default:
            *(int64_t *)at = fallback_number(key->fallback);
        }
    }
    return settings;
}

void *fake_settings_at(const struct memberchat_store_plugin *plugin, void *settings,
                       const char *key)
{
    uint32_t i;

    for (i = 0; i < plugin->key_count; i++)
        if (strcmp(plugin->keys[i].name, key) == 0)
            return (char *)settings + plugin->keys[i].offset;
    fail_msg("the plugin has no key \"%s\"", key);
    return NULL;
}
