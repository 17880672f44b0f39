/* SPDX-License-Identifier: MIT
 * The file store: members from a file, CSV or compiled.
 *
 * Look-ups read what is held and nothing else.  reload() watches the file and swaps a new
 * content in whole; whatever is wrong with it, the old one stays. */
#include "encoding.h"
#include "members.h"

#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    SETTLE_MS = 1000,    /* how long a file that is written in place must be unchanged */
    RESTLESS_MS = 10000, /* a file that changes for longer than this is logged */
    OPEN_TRIES = 12,     /* at start, for a file that someone is writing ... */
    OPEN_PAUSE_MS = 100, /* ... with such pauses */
    COLUMN_NAME_MAX = 256
};

#define KEY(MEMBER, NAME, TYPE, DEFAULT, MIN, MAX, HELP)                                           \
    MEMBERCHAT_KEY(struct file_settings, MEMBER, NAME, TYPE, DEFAULT, MIN, MAX, HELP)
#define COLUMN_KEY(COLUMN, NAME, DEFAULT, MIN, HELP)                                               \
    [COLUMN] = {KEY(columns[COLUMN], NAME, STRING, DEFAULT, MIN, COLUMN_NAME_MAX, HELP)}

static const struct memberchat_key keys[] = {
    COLUMN_KEY(COLUMN_ID, "id_column", "appUserId", 1, "the column with the member's id"),
    COLUMN_KEY(COLUMN_NAME, "name_column", "appUserName", 1, "the column with the shown name"),
    COLUMN_KEY(COLUMN_AVATAR, "avatar_column", "appUserProfileImgUrl", 1,
               "the column with the URL of a picture"),
    COLUMN_KEY(COLUMN_ROLE, "role_column", "role", 1, "the column with the role"),
    COLUMN_KEY(COLUMN_STATE, "state_column", "state", 0,
               "the column that says whether a member is active; \"\" for none"),
    {KEY(path, "path", PATH, NULL, 0, 0, "the members file: CSV, or compiled (.cdb)"),
     .flags = MEMBERCHAT_KEY_REQUIRED},
    {KEY(separator, "separator", CHOICE, ",", 0, 0, "what separates the columns"),
     .choices = SEPARATOR_CHOICES},
    {KEY(encoding, "encoding", STRING, "UTF-8", 1, 64, "the encoding of the file")},
    {KEY(active_values, "active_values", LIST, "ACTIVE", 1, 64,
         "states of active members, in any case; no state means active")},
    {KEY(max_bad, "max_bad", INTEGER, "100", 0, 1000000000,
         "a file with more bad lines than this is refused")},
};

struct store {
    const struct file_settings *settings;
    const struct memberchat_services *services;
    struct table_report report;
    enum memberchat_level announce; /* how the log hears what came into use */

    pthread_rwlock_t lock; /* guards the pointer, and against a swap during a look-up */
    struct members *members;

    pthread_mutex_t reloading; /* guards what follows */
    struct file_stamp loaded;  /* what is held */
    struct file_stamp seen;    /* what the last look at the path showed */
    struct file_stamp refused; /* content that is not tried again; or zero */
    int64_t due;               /* when `seen` is to be loaded, on the host's clock */
    int64_t restless_since;    /* since when the file changes in place; 0: it does not */
    bool asked;                /* the operator asked, and no load has come of it yet */
    bool troubled;             /* the log has been told of ... */
    struct reason told;        /* ... this trouble ... */
    struct file_stamp told_of; /* ... with this content */
};

static const struct file_stamp no_stamp;

static bool store_check(const void *given, const struct memberchat_services *services,
                        struct memberchat_result *result)
{
    const struct file_settings *settings = given;
    struct reason why;
    for (size_t i = 0; i < COLUMNS; i++)
        for (size_t j = i + 1; j < COLUMNS; j++)
            if (strcmp(settings->columns[i], settings->columns[j]) == 0) {
                services->reason(result, "%s: \"%s\" is the column of \"%s\", too", keys[j].name,
                                 settings->columns[i], keys[i].name);
                return false;
            }
    bool known = encoding_check(settings->encoding, &why);
    if (known && members_check(settings, services, &why))
        return true;
    services->reason(result, "%s: %s", known ? "path" : "encoding", why.text);
    return false;
}

/* ---- What it holds ---- */

/* Adds to a list in words, as far as there is room. */
static void add_word(char *list, size_t size, const char *format, const char *word, size_t number)
{
    size_t used = strlen(list);
    char text[COLUMN_NAME_MAX + 32];
    snprintf(text, sizeof text, format, word, number);
    if (used + strlen(text) + 2 < size)
        snprintf(list + used, size - used, "%s%s", used ? ", " : "", text);
}

/* Fills in what the settings name and the header lacks. */
static void list_missing(const struct store *store, char *list, size_t size)
{
    const struct columns *columns = members_columns(store->members);
    for (size_t i = 0; i < COLUMNS; i++)
        if (columns->at[i] == SIZE_MAX &&
            strcmp(store->settings->columns[i], keys[i].fallback) != 0 &&
            *store->settings->columns[i])
            add_word(list, size, "%s", store->settings->columns[i], 0);
}

static void describe(const struct store *store, struct memberchat_holdings *holdings)
{
    struct census census;
    holdings->counted = members_census(store->members, store->settings, &census);
    holdings->members = census.members;
    holdings->active = holdings->counted ? census.active : 0;
    for (size_t i = 0; holdings->counted && i < census.state_count; i++)
        if (census.states[i].count)
            add_word(holdings->states, sizeof holdings->states, "%s %zu", census.states[i].name,
                     census.states[i].count);
    list_missing(store, holdings->missing, sizeof holdings->missing);
}

static void store_describe(void *handle, struct memberchat_holdings *holdings_r)
{
    struct store *store = handle;
    pthread_rwlock_rdlock(&store->lock);
    describe(store, holdings_r);
    pthread_rwlock_unlock(&store->lock);
}

/* Whoever can write the file can be any member, with any role. */
static void warn_of_writers(const struct store *store)
{
    struct stat status;
    const char *path = store->settings->path;
    if (stat(path, &status) == 0 && file_mode_refused(status.st_mode))
        store->services->log(store->services, store->report.lines,
                             "%s: any user of this machine can write to it (mode %04o), and so "
                             "become any member: chmod o-w it",
                             path, (unsigned)status.st_mode & 07777u);
}

/* Says what came into use, and warns of what is probably a mistake. */
static void announce(const struct store *store)
{
    const struct memberchat_services *services = store->services;
    const char *path = store->settings->path;
    struct memberchat_holdings holdings = {.size = sizeof holdings};
    describe(store, &holdings);
    const char *many = text_plural(holdings.members);
    if (holdings.counted)
        services->log(services, store->announce, "%s: %llu member%s, %llu active%s%s%s", path,
                      (unsigned long long)holdings.members, many,
                      (unsigned long long)holdings.active, *holdings.states ? " (states: " : "",
                      holdings.states, *holdings.states ? ")" : "");
    else
        services->log(services, store->announce, "%s: %llu member%s", path,
                      (unsigned long long)holdings.members, many);
    if (*holdings.missing)
        services->log(services, MEMBERCHAT_LOG_WARNING, "%s: the header has no column for: %s",
                      path, holdings.missing);
    if (holdings.counted && holdings.members && !holdings.active)
        services->log(services, MEMBERCHAT_LOG_WARNING,
                      "%s: no member is active: check state_column and active_values", path);
    warn_of_writers(store);
}

/* ---- Opening and asking ---- */

/* A lock that a stream of readers cannot keep the writer from. */
static void make_lock(struct store *store)
{
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
#ifdef __GLIBC__
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    pthread_rwlock_init(&store->lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
}

static void *store_open(const void *settings, const struct memberchat_services *services,
                        uint32_t how, struct memberchat_result *result)
{
    const struct timespec pause = {0, OPEN_PAUSE_MS * 1000000L};
    struct store *store = calloc(1, sizeof *store);
    enum load outcome = LOAD_CHANGING;
    struct reason why;
    if (!store) {
        services->reason(result, "out of memory");
        return NULL;
    }
    store->settings = settings;
    store->services = services;
    /* a process for one look-up counts bad lines but does not name them, or it would each time */
    bool once = how & MEMBERCHAT_OPEN_ONCE;
    store->report =
        (struct table_report){services, once ? MEMBERCHAT_LOG_DEBUG : MEMBERCHAT_LOG_WARNING};
    store->announce = once ? MEMBERCHAT_LOG_DEBUG : MEMBERCHAT_LOG_INFO;
    for (int tries = 0; outcome == LOAD_CHANGING && tries < OPEN_TRIES; tries++) {
        if (tries > 0)
            nanosleep(&pause, NULL);
        outcome =
            members_load(store->settings, &store->report, &store->loaded, &store->members, &why);
    }
    if (outcome != LOAD_DONE) {
        services->reason(result, "%s", why.text);
        free(store);
        return NULL;
    }
    store->seen = store->loaded;
    make_lock(store);
    pthread_mutex_init(&store->reloading, NULL);
    announce(store);
    return store;
}

static enum memberchat_outcome store_lookup(void *handle, const char *id, size_t id_length,
                                            int64_t deadline, struct memberchat_result *result)
{
    struct store *store = handle;
    (void)deadline;
    pthread_rwlock_rdlock(&store->lock);
    enum memberchat_outcome outcome = members_lookup(
        store->members, store->settings, (struct span){id, id_length}, store->services, result);
    pthread_rwlock_unlock(&store->lock);
    return outcome;
}

/* What is held answers, whatever became of the file since. */
static enum memberchat_outcome store_probe(void *handle, int64_t deadline,
                                           struct memberchat_result *result)
{
    (void)handle;
    (void)deadline;
    (void)result;
    return MEMBERCHAT_FOUND;
}

/* ---- Reloading ---- */

/* Logs a trouble with the file once for each content, or with no_stamp once as long as
 * it lasts. */
static void complain(struct store *store, const struct file_stamp *stamp, const struct reason *why)
{
    if (store->troubled && strcmp(store->told.text, why->text) == 0 &&
        file_stamp_equal(&store->told_of, stamp))
        return;
    store->troubled = true;
    store->told = *why;
    store->told_of = *stamp;
    store->services->log(store->services, MEMBERCHAT_LOG_WARNING,
                         "%s; the old content with %zu member%s stays in use", why->text,
                         members_count(store->members), text_plural(members_count(store->members)));
}

static void stop_complaining(struct store *store)
{
    if (!store->troubled)
        return;
    store->troubled = false;
    store->services->log(store->services, MEMBERCHAT_LOG_INFO, "%s: the file is good again",
                         store->settings->path);
}

/* Whether the path shows a content that should be loaded now. */
static bool look(struct store *store)
{
    struct reason why;
    struct file_stamp stamp;
    int64_t now = store->services->now(store->services);
    if (!file_stamp_read(store->settings->path, &stamp)) {
        file_explain_unreadable(store->settings->path, errno, &why);
        complain(store, &no_stamp, &why);
        store->asked = false;
        return false;
    }
    if (!file_stamp_equal(&stamp, &store->seen)) {
        bool in_place = stamp.device == store->seen.device && stamp.inode == store->seen.inode;
        store->due = in_place ? now + SETTLE_MS : now;
        if (!in_place || !store->restless_since)
            store->restless_since = now;
        store->seen = stamp;
    }
    if (store->asked)
        return true;
    if (file_stamp_equal(&stamp, &store->loaded)) {
        store->restless_since = 0;
        stop_complaining(store);
        return false;
    }
    if (now < store->due && now - store->restless_since >= RESTLESS_MS) {
        reason_set(&why, "%s: it has been changing for 10 seconds", store->settings->path);
        complain(store, &no_stamp, &why);
    }
    return now >= store->due && !file_stamp_equal(&stamp, &store->refused);
}

/* Replaces the old content by a new one, unless it has suddenly lost half of the members
 * and the operator did not ask for it. */
static void swap(struct store *store, const struct file_stamp *stamp, struct members *members)
{
    struct members *old = store->members;
    size_t now = members_count(members), before = members_count(old);
    if (!store->asked && now < before && now <= before / 2) {
        struct reason why;
        reason_set(&why, "%s: it has only %zu member%s now: if that is right, send SIGHUP",
                   store->settings->path, now, text_plural(now));
        complain(store, stamp, &why);
        store->refused = *stamp;
        members_free(members);
        return;
    }
    pthread_rwlock_wrlock(&store->lock);
    store->members = members;
    pthread_rwlock_unlock(&store->lock);
    members_free(old);
    store->loaded = *stamp;
    stop_complaining(store);
    announce(store);
}

static void store_reload(void *handle, bool asked)
{
    struct store *store = handle;
    struct members *members;
    struct reason why;
    struct file_stamp stamp;
    pthread_mutex_lock(&store->reloading);
    store->asked |= asked;
    if (look(store)) {
        store->restless_since = 0;
        enum load outcome = members_load(store->settings, &store->report, &stamp, &members, &why);
        if (outcome == LOAD_DONE) {
            swap(store, &stamp, members);
        } else {
            store->refused = stamp;
            complain(store, &stamp, &why);
        }
        store->asked = store->asked && (outcome == LOAD_CHANGING || outcome == LOAD_FAILED);
    }
    pthread_mutex_unlock(&store->reloading);
}

static void store_close(void *handle)
{
    struct store *store = handle;
    members_free(store->members);
    pthread_rwlock_destroy(&store->lock);
    pthread_mutex_destroy(&store->reloading);
    free(store);
}

static const struct memberchat_store_plugin plugin = {
    .abi = MEMBERCHAT_STORE_ABI,
    .size = sizeof(struct memberchat_store_plugin),
    .name = "file",
    .version = "1.0",
    .summary = "members from a file",
    .flags = MEMBERCHAT_STORE_THREAD_SAFE | MEMBERCHAT_STORE_LOCAL,
    .key_count = sizeof keys / sizeof keys[0],
    .keys = keys,
    .settings_size = sizeof(struct file_settings),
    .check = store_check,
    .open = store_open,
    .lookup = store_lookup,
    .reload = store_reload,
    .probe = store_probe,
    .close = store_close,
    .describe = store_describe,
};

const struct memberchat_store_plugin *memberchat_store_plugin(void)
{
    return &plugin;
}
