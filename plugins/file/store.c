/* SPDX-License-Identifier: MIT
 *
 * store_file.c: members from a file, CSV or compiled.
 *
 * Look-ups read what is held and nothing else.  reload() watches the file and
 * swaps a new content in whole; whatever is wrong with it, the old one stays.
 */
#include "load.h"
#include "memberchat_store.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SETTLE_MS = 1000,    /* a file that is written in place has to be still for so long */
    RESTLESS_MS = 10000, /* after so long of that, the log says so */
    OPEN_TRIES = 12,     /* at start, for a file that someone is writing ... */
    OPEN_PAUSE_MS = 100  /* ... with such pauses */
};

#define COLUMN_KEY(KIND, KEY, DEFAULT, HELP)                                                       \
    [COLUMN_KEYS + KIND] = {.name = KEY,                                                           \
                            .fallback = DEFAULT,                                                   \
                            .help = HELP,                                                          \
                            .type = MEMBERCHAT_STRING,                                             \
                            .min = 1,                                                              \
                            .max = FILE_COLUMN_NAME_MAX,                                           \
                            .offset = offsetof(struct file_settings, columns[KIND])}

enum { COLUMN_KEYS = 1 }; /* where the keys that name columns begin, in the order of their kinds */

static const struct memberchat_key file_keys[] = {
    {.name = "path",
     .help = "the members file: CSV in UTF-8, or one compiled by memberchat index (.cdb)",
     .type = MEMBERCHAT_PATH,
     .flags = MEMBERCHAT_KEY_REQUIRED,
     .offset = offsetof(struct file_settings, path)},
    COLUMN_KEY(FILE_ID, "id_column", "appUserId", "the column with the member's id"),
    COLUMN_KEY(FILE_NAME, "name_column", "appUserName", "the column with the shown name"),
    COLUMN_KEY(FILE_AVATAR, "avatar_column", "appUserProfileImgUrl",
               "the column with the URL of a picture"),
    COLUMN_KEY(FILE_ROLE, "role_column", "role", "the column with the role"),
    COLUMN_KEY(FILE_STATE, "state_column", "state",
               "the column that says whether a member is active"),
    {.name = "active_values",
     .fallback = "ACTIVE",
     .help = "states of active members, in any case; no state means active",
     .type = MEMBERCHAT_LIST,
     .min = 1,
     .max = 64,
     .offset = offsetof(struct file_settings, active_values)},
    {.name = "max_bad",
     .fallback = "100",
     .help = "a file with more bad lines than this is refused",
     .type = MEMBERCHAT_INTEGER,
     .min = 0,
     .max = 1000000000,
     .offset = offsetof(struct file_settings, max_bad)},
};

struct file_store {
    const struct file_settings *settings;
    const struct memberchat_services *services;
    struct file_report report;
    enum memberchat_level announce; /* how the log hears what came into use */

    pthread_rwlock_t lock; /* for the pointer, and against a swap during a look-up */
    struct file_members *members;

    pthread_mutex_t reloading; /* for all that follows */
    struct file_stamp loaded;  /* what is held */
    struct file_stamp seen;    /* what the last look at the path showed */
    struct file_stamp refused; /* content that is not tried again; or zero */
    int64_t due;               /* when `seen` is to be loaded, on the host's clock */
    int64_t restless_since;    /* since when the file changes in place; 0: it does not */
    bool asked;                /* the operator asked, and no load has come of it yet */
    struct file_stamp told_of; /* the trouble that the log has been told ... */
    struct file_reason told;   /* ... and of which content; empty: there is none */
};

static const struct file_stamp no_stamp;

static bool file_check(const void *settings_given, const struct memberchat_services *services,
                       struct memberchat_result *result)
{
    const struct file_settings *settings = settings_given;
    struct file_reason reason;
    size_t i, j;

    for (i = 0; i < FILE_MAPPED; i++)
        for (j = i + 1; j < FILE_MAPPED; j++)
            if (strcmp(settings->columns[i], settings->columns[j]) == 0) {
                services->reason(result, "two keys name the same column \"%s\"",
                                 settings->columns[i]);
                return false;
            }
    if (file_load_check(settings, &reason))
        return true;
    services->reason(result, "%s", reason.text);
    return false;
}

/* Says what came into use, and warns of columns that the configuration asks for
 * and the file has not. */
static void store_announce(const struct file_store *store)
{
    size_t kind;

    store->services->log(store->services, store->announce, "%s: %zu members", store->settings->path,
                         file_members_count(store->members));

    for (kind = 0; kind < FILE_MAPPED; kind++) {
        const char *name = store->settings->columns[kind];

        if (strcmp(name, file_keys[COLUMN_KEYS + kind].fallback) != 0 &&
            !file_header_has(file_members_header(store->members), (enum file_kind)kind))
            store->services->log(store->services, MEMBERCHAT_LOG_WARNING,
                                 "%s: no column \"%s\" in the header", store->settings->path, name);
    }
}

/* A lock that readers, one after the other for ever, do not keep the writer from. */
static void store_make_lock(struct file_store *store)
{
    pthread_rwlockattr_t attributes;

    pthread_rwlockattr_init(&attributes);
#ifdef __GLIBC__
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    pthread_rwlock_init(&store->lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
}

static void *file_open(const void *settings, const struct memberchat_services *services,
                       uint32_t how, struct memberchat_result *result)
{
    const struct timespec pause = {0, OPEN_PAUSE_MS * 1000000L};
    struct file_store *store = calloc(1, sizeof *store);
    enum file_load outcome = FILE_CHANGING;
    struct file_reason reason;
    int tries;

    if (store == NULL) {
        services->reason(result, "out of memory");
        return NULL;
    }
    store->settings = settings;
    store->services = services;
    /* A process for one look-up says how many lines are bad, but not which: it would each time. */
    store->report = (struct file_report){
        .services = services,
        .lines = how & MEMBERCHAT_OPEN_ONCE ? MEMBERCHAT_LOG_DEBUG : MEMBERCHAT_LOG_WARNING};
    store->announce = how & MEMBERCHAT_OPEN_ONCE ? MEMBERCHAT_LOG_DEBUG : MEMBERCHAT_LOG_INFO;
    for (tries = 0; outcome == FILE_CHANGING && tries < OPEN_TRIES; tries++) {
        if (tries > 0)
            nanosleep(&pause, NULL);
        outcome =
            file_load(store->settings, &store->report, &store->loaded, &store->members, &reason);
    }
    if (outcome != FILE_LOADED) {
        services->reason(result, "%s", reason.text);
        free(store);
        return NULL;
    }
    store->seen = store->loaded;
    store_make_lock(store);
    pthread_mutex_init(&store->reloading, NULL);
    store_announce(store);
    return store;
}

/* What the members file says; the caller holds the lock. */
static enum memberchat_outcome find(const struct file_store *store, struct file_csv *csv,
                                    const char *id, size_t id_length,
                                    struct memberchat_result *result)
{
    const struct memberchat_services *services = store->services;
    struct file_twin twin;
    struct file_row row;

    switch (file_members_find(store->members, csv, id, id_length, &row, &twin)) {
    case FILE_HERE:
        return file_members_tell(store->members, store->settings, &row, services, result);
    case FILE_ABSENT:
        return MEMBERCHAT_NOT_FOUND;
    case FILE_TWICE:
        services->reason(result, "lines %zu and %zu have the same id in %s", twin.first, twin.line,
                         store->settings->path);
        break;
    case FILE_BROKEN:
        services->reason(result, "%s is damaged: make it anew with memberchat index",
                         store->settings->path);
    }
    return MEMBERCHAT_MISCONFIGURED;
}

static enum memberchat_outcome file_lookup(void *handle, const char *id, size_t id_length,
                                           int64_t deadline, struct memberchat_result *result)
{
    struct file_store *store = handle;
    enum memberchat_outcome outcome = MEMBERCHAT_UNAVAILABLE;
    struct file_csv *csv;

    (void)deadline;
    pthread_rwlock_rdlock(&store->lock);
    csv = file_csv_new(file_members_longest(store->members));
    if (csv != NULL)
        outcome = find(store, csv, id, id_length, result);
    else
        store->services->reason(result, "out of memory");
    file_csv_free(csv);
    pthread_rwlock_unlock(&store->lock);
    return outcome;
}

/* Logs a trouble with the file once for each content, or with no_stamp once as long as it lasts. */
static void store_complain(struct file_store *store, const struct file_stamp *stamp,
                           const struct file_reason *reason)
{
    if (strcmp(store->told.text, reason->text) == 0 && file_stamp_equal(&store->told_of, stamp))
        return;
    store->told = *reason;
    store->told_of = *stamp;
    store->services->log(store->services, MEMBERCHAT_LOG_WARNING,
                         "%s; the old content with %zu members stays in use", reason->text,
                         file_members_count(store->members));
}

static void store_stop_complaining(struct file_store *store)
{
    if (store->told.text[0] == '\0')
        return;
    store->told.text[0] = '\0';
    store->services->log(store->services, MEMBERCHAT_LOG_INFO, "%s: the file is good again",
                         store->settings->path);
}

/* Whether the path shows a content that should be loaded now. */
static bool store_look(struct file_store *store)
{
    struct file_reason reason;
    struct file_stamp stamp;
    int64_t now = store->services->now(store->services);

    if (!file_stamp_read(store->settings->path, &stamp)) {
        file_reason_errno(store->settings->path, errno, &reason);
        store_complain(store, &no_stamp, &reason);
        store->asked = false;
        return false;
    }
    if (!file_stamp_equal(&stamp, &store->seen)) {
        bool in_place = stamp.device == store->seen.device && stamp.inode == store->seen.inode;

        store->due = in_place ? now + SETTLE_MS : now;
        if (!in_place || store->restless_since == 0)
            store->restless_since = now;
        store->seen = stamp;
    }
    if (store->asked)
        return true;
    if (file_stamp_equal(&stamp, &store->loaded)) {
        store->restless_since = 0;
        store_stop_complaining(store);
        return false;
    }
    if (now < store->due && now - store->restless_since >= RESTLESS_MS) {
        file_reason_set(&reason, "%s: it has been changing for 10 seconds", store->settings->path);
        store_complain(store, &no_stamp, &reason);
    }
    return now >= store->due && !file_stamp_equal(&stamp, &store->refused);
}

/* Puts a new content in the place of the old one, unless it has suddenly lost
 * half of the members and the operator did not ask for it. */
static void store_swap(struct file_store *store, const struct file_stamp *stamp,
                       struct file_members *members)
{
    struct file_members *old = store->members;
    size_t now = file_members_count(members), before = file_members_count(old);
    struct file_reason reason;

    if (!store->asked && now < before && now <= before / 2) {
        file_reason_set(&reason, "%s: it has only %zu members now: if that is right, send SIGHUP",
                        store->settings->path, now);
        store_complain(store, stamp, &reason);
        store->refused = *stamp;
        file_members_free(members);
        return;
    }
    pthread_rwlock_wrlock(&store->lock);
    store->members = members;
    pthread_rwlock_unlock(&store->lock);
    file_members_free(old);
    store->loaded = *stamp;
    store_stop_complaining(store);
    store_announce(store);
}

static void file_reload(void *handle, bool asked)
{
    struct file_store *store = handle;
    struct file_members *members;
    struct file_reason reason;
    struct file_stamp stamp;
    enum file_load outcome;

    pthread_mutex_lock(&store->reloading);
    store->asked |= asked;
    if (store_look(store)) {
        store->restless_since = 0;
        outcome = file_load(store->settings, &store->report, &stamp, &members, &reason);
        if (outcome == FILE_LOADED) {
            store_swap(store, &stamp, members);
        } else {
            store->refused = stamp;
            store_complain(store, &stamp, &reason);
        }
        if (outcome != FILE_CHANGING)
            store->asked = false;
    }
    pthread_mutex_unlock(&store->reloading);
}

/* What is held answers, whatever became of the file since. */
static enum memberchat_outcome file_probe(void *handle, int64_t deadline,
                                          struct memberchat_result *result)
{
    (void)handle;
    (void)deadline;
    (void)result;
    return MEMBERCHAT_FOUND;
}

static void file_close(void *handle)
{
    struct file_store *store = handle;

    file_members_free(store->members);
    pthread_rwlock_destroy(&store->lock);
    pthread_mutex_destroy(&store->reloading);
    free(store);
}

static const struct memberchat_store_plugin file_plugin = {
    .abi = MEMBERCHAT_STORE_ABI,
    .size = sizeof(struct memberchat_store_plugin),
    .name = "file",
    .version = "1.0",
    .summary = "members from a file",
    .flags = MEMBERCHAT_STORE_THREAD_SAFE | MEMBERCHAT_STORE_LOCAL,
    .key_count = sizeof file_keys / sizeof file_keys[0],
    .keys = file_keys,
    .settings_size = sizeof(struct file_settings),
    .check = file_check,
    .open = file_open,
    .lookup = file_lookup,
    .reload = file_reload,
    .probe = file_probe,
    .close = file_close,
};

const struct memberchat_store_plugin *memberchat_store_plugin(void)
{
    return &file_plugin;
}
