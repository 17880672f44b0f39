/* SPDX-License-Identifier: MIT
 *
 * store_slow.c: a good store with a directory far away, whose state a file
 * tells, for tests of what the host does about waiting and failing.
 */
#include "memberchat_store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct slow_settings {
    int64_t delay;
    const char *log_path, *state_path;
};

struct slow_store {
    const struct slow_settings *settings;
    const struct memberchat_services *services;
};

static const struct memberchat_key slow_keys[] = {
    {.name = "delay",
     .fallback = "100ms",
     .help = "how long each look-up takes",
     .type = MEMBERCHAT_DURATION,
     .min = 0,
     .max = 60000,
     .offset = offsetof(struct slow_settings, delay)},
    {.name = "log_path",
     .help = "gets a line with the id at each look-up",
     .type = MEMBERCHAT_PATH,
     .offset = offsetof(struct slow_settings, log_path)},
    {.name = "state_path",
     .help = "a file that says up, down, broken, hang, mute, empty, lost or vast; no file means up",
     .type = MEMBERCHAT_PATH,
     .offset = offsetof(struct slow_settings, state_path)},
};

static void *slow_open(const void *settings, const struct memberchat_services *services,
                       uint32_t how, struct memberchat_result *result)
{
    struct slow_store *store = malloc(sizeof *store);

    (void)how;
    if (store == NULL) {
        services->reason(result, "out of memory");
        return NULL;
    }
    store->settings = settings;
    store->services = services;
    return store;
}

/* Waits until `then`, on the clock of the host. */
static void slow_wait(const struct slow_store *store, int64_t then)
{
    int64_t left;

    while ((left = then - store->services->now(store->services)) > 0) {
        struct timespec pause = {(time_t)(left / 1000), (long)(left % 1000) * 1000000};

        nanosleep(&pause, NULL);
    }
}

/* Whether the state file begins with this word. */
static bool slow_is(const struct slow_store *store, const char *word)
{
    char state[16] = "up";
    int fd = -1;

    if (store->settings->state_path != NULL)
        fd = open(store->settings->state_path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t got = read(fd, state, sizeof state - 1);

        state[got > 0 ? got : 0] = '\0';
        close(fd);
    }
    return strncmp(state, word, strlen(word)) == 0;
}

/* One write a line, so that lines of many threads and processes do not mix. */
static void slow_record(const struct slow_store *store, const char *id, size_t id_length)
{
    char line[129];
    int fd;

    if (store->settings->log_path == NULL || id_length >= sizeof line)
        return;
    memcpy(line, id, id_length);
    line[id_length] = '\n';
    fd = open(store->settings->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (write(fd, line, id_length + 1) < 0)
        store->services->log(store->services, MEMBERCHAT_LOG_ERROR, "%s: cannot be written",
                             store->settings->log_path);
    close(fd);
}

static enum memberchat_outcome slow_probe(void *handle, int64_t deadline,
                                          struct memberchat_result *result)
{
    const struct slow_store *store = handle;
    int64_t then = store->services->now(store->services) + store->settings->delay;

    if (slow_is(store, "hang"))
        then = deadline;
    slow_wait(store, then < deadline ? then : deadline);
    if (slow_is(store, "broken")) {
        store->services->reason(result, "the directory refuses our password");
        return MEMBERCHAT_MISCONFIGURED;
    }
    if (slow_is(store, "mute")) /* and says nothing of it */
        return MEMBERCHAT_UNAVAILABLE;
    if (slow_is(store, "empty"))
        return MEMBERCHAT_NOT_FOUND;
    if (then >= deadline || slow_is(store, "down")) {
        store->services->reason(result, "the directory does not answer");
        return MEMBERCHAT_UNAVAILABLE;
    }
    return MEMBERCHAT_FOUND;
}

static enum memberchat_outcome slow_survey(void *handle, int64_t deadline,
                                           struct memberchat_holdings *holdings,
                                           struct memberchat_result *result)
{
    const struct slow_store *store = handle;

    (void)deadline;
    holdings->counted = holdings->limited = slow_is(store, "vast");
    if (!slow_is(store, "lost"))
        return MEMBERCHAT_FOUND;
    store->services->reason(result, "the directory has gone away");
    return MEMBERCHAT_UNAVAILABLE;
}

static enum memberchat_outcome slow_lookup(void *handle, const char *id, size_t id_length,
                                           int64_t deadline, struct memberchat_result *result)
{
    const struct slow_store *store = handle;
    enum memberchat_outcome outcome;
    char name[256] = "Slow ";

    slow_record(store, id, id_length);
    outcome = slow_probe(handle, deadline, result);
    if (outcome != MEMBERCHAT_FOUND)
        return outcome;
    if (id_length >= 2 && memcmp(id, "no", 2) == 0)
        return MEMBERCHAT_NOT_FOUND;
    memcpy(name + 5, id, id_length);
    store->services->set(result, MEMBERCHAT_ID, id, id_length);
    store->services->set(result, MEMBERCHAT_NAME, name, id_length + 5);
    return MEMBERCHAT_FOUND;
}

static const struct memberchat_store_plugin slow_plugin = {
    .abi = MEMBERCHAT_STORE_ABI,
    .size = sizeof(struct memberchat_store_plugin),
    .name = "slow",
    .version = "1",
    .summary = "a slow directory, for tests",
    .flags = MEMBERCHAT_STORE_THREAD_SAFE,
    .key_count = sizeof slow_keys / sizeof slow_keys[0],
    .keys = slow_keys,
    .settings_size = sizeof(struct slow_settings),
    .open = slow_open,
    .lookup = slow_lookup,
    .probe = slow_probe,
    .survey = slow_survey,
    .close = free,
};

const struct memberchat_store_plugin *memberchat_store_plugin(void)
{
    return &slow_plugin;
}
