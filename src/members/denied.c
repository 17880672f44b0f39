/* SPDX-License-Identifier: MIT
 * Who is on the list, and noticing that it has changed.  Whoever asks looks at the file now and
 * then, so that a change counts in time in every process, as CGI, too.  A list that has become
 * shorter may be half written: what it no longer names stays denied until the file is at rest. */
#include "denied.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "host/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (64u << 20)
#define LOOK_MS  200 /* between two looks at the file */
#define REST_MS  500 /* a file that has not changed for so long is at rest */
#define TOLD_MAX 10  /* lines that the log tells of a change */

struct entry {
    uint64_t hash;
    int64_t until;
    size_t start; /* of the id, in `ids` */
    size_t length;
};

/* Immutable once it is in use. */
struct table {
    struct bytes ids;
    struct entry *entries;
    uint32_t *slots; /* number of an entry and one, by its hash; 0: free */
    size_t count, room, mask;
};

struct denied {
    const char *path, *app_id;
    uint64_t seed[2];
    pthread_mutex_t lock; /* guards the next two */
    struct table *current;
    struct table *previous; /* of the file at rest; NULL while it is */
    _Atomic int64_t next_look;
    atomic_bool looking;
    struct file_stamp stamp; /* of what was read; this and the next are the looking thread's */
    bool at_rest;
};

/* ---- Tables ---- */

static void table_free(struct table *table)
{
    if (!table)
        return;
    bytes_free(&table->ids);
    free(table->entries);
    free(table->slots);
    free(table);
}

/* Of the id in lower case. */
static uint64_t hash_id(const uint64_t seed[2], struct span id)
{
    char lower[DENIED_ID_MAX];
    size_t length = id.length < sizeof lower ? id.length : sizeof lower;
    for (size_t i = 0; i < length; i++)
        lower[i] = text_lower(id.data[i]);
    return hash_keyed(seed, lower, length);
}

/* The slot of an id, or the free one where it would be. */
static uint32_t *find_slot(const struct table *table, uint64_t hash, struct span id)
{
    size_t at = hash & table->mask;
    for (; table->slots[at]; at = (at + 1) & table->mask) {
        const struct entry *entry = &table->entries[table->slots[at] - 1];
        struct span own = {table->ids.data + entry->start, entry->length};
        if (entry->hash == hash && denied_same_id(own, id))
            break;
    }
    return &table->slots[at];
}

static bool reserve(struct table *table)
{
    if (table->count < table->room)
        return true;
    size_t room = table->room ? 2 * table->room : 64, slots = 2 * room;
    struct entry *entries = realloc(table->entries, room * sizeof *entries);
    if (entries)
        table->entries = entries;
    uint32_t *fresh = calloc(slots, sizeof *fresh);
    if (!entries || !fresh) {
        free(fresh);
        return false;
    }
    free(table->slots);
    table->slots = fresh;
    table->room = room;
    table->mask = slots - 1;
    for (size_t i = 0; i < table->count; i++) {
        size_t at = table->entries[i].hash & table->mask;
        while (table->slots[at])
            at = (at + 1) & table->mask;
        table->slots[at] = (uint32_t)i + 1;
    }
    return true;
}

/* Of several lines with one id, the one that denies longest counts. */
static bool add(struct table *table, const uint64_t seed[2], const struct denied_line *line)
{
    struct span id = {line->id, line->id_length};
    uint64_t hash = hash_id(seed, id);
    if (!reserve(table))
        return false;
    uint32_t *slot = find_slot(table, hash, id);
    if (*slot) {
        struct entry *entry = &table->entries[*slot - 1];
        entry->until = line->until > entry->until ? line->until : entry->until;
        return true;
    }
    table->entries[table->count] = (struct entry){hash, line->until, table->ids.length, id.length};
    bytes_add_span(&table->ids, id);
    *slot = (uint32_t)++table->count;
    return !table->ids.failed;
}

/* NULL: no memory. */
static struct table *table_parse(struct span text, const uint64_t seed[2], denied_tell tell,
                                 void *context)
{
    struct table *table = calloc(1, sizeof *table);
    bool good = table && reserve(table);
    struct span rest = text, line;
    denied_skip_mark(&rest);
    for (unsigned number = 1; good && span_next_line(&rest, &line); number++) {
        struct denied_line read;
        denied_read_line(line, &read);
        if (read.fault)
            tell(context, number, read.fault);
        good = !read.id_length || add(table, seed, &read);
    }
    if (good)
        return table;
    table_free(table);
    return NULL;
}

static bool table_has(const struct table *table, uint64_t hash, struct span id, int64_t now)
{
    uint32_t slot = table ? *find_slot(table, hash, id) : 0;
    return slot && now < table->entries[slot - 1].until;
}

/* ---- The file ---- */

static struct table *read_table(const struct denied *denied, denied_tell tell, void *context,
                                struct reason *why)
{
    struct bytes text = {0};
    bool exposed;
    struct table *table = NULL;
    if (file_read_secret(denied->path, FILE_MAX, &text, &exposed, why)) {
        table = table_parse(bytes_span(&text), denied->seed, tell, context);
        if (!table)
            reason_set(why, "%s cannot be read: out of memory", denied->path);
    }
    bytes_free(&text);
    return table;
}

/* Its time has no finer steps than the clock of the file system. */
static bool is_at_rest(const struct file_stamp *stamp)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return false;
    return (now.tv_sec - stamp->changed.tv_sec) * 1000LL +
               (now.tv_nsec - stamp->changed.tv_nsec) / 1000000 >=
           REST_MS;
}

struct denied *denied_open(const char *path, const char *app_id, denied_tell tell, void *context,
                           struct reason *why)
{
    struct denied *denied = calloc(1, sizeof *denied);
    if (!denied || !hash_seed(denied->seed)) {
        reason_set(why, "%s cannot be read: no memory, or no random numbers", path);
        free(denied);
        return NULL;
    }
    denied->path = path;
    denied->app_id = app_id;
    file_stamp_read(path, &denied->stamp); /* before: a later change is seen then */
    denied->current = read_table(denied, tell, context, why);
    if (!denied->current) {
        free(denied);
        return NULL;
    }
    denied->at_rest = is_at_rest(&denied->stamp);
    denied->next_look = clock_monotonic_ms() + LOOK_MS;
    pthread_mutex_init(&denied->lock, NULL);
    return denied;
}

void denied_free(struct denied *denied)
{
    if (!denied)
        return;
    table_free(denied->current);
    table_free(denied->previous);
    pthread_mutex_destroy(&denied->lock);
    free(denied);
}

/* ---- Looking whether it has changed ---- */

struct telling {
    const struct denied *denied;
    unsigned count;
};

static void log_line(void *context, unsigned line, const char *fault)
{
    struct telling *telling = context;
    if (telling->count++ < TOLD_MAX)
        log_warning("%s:%u: %s", telling->denied->path, line, fault);
}

/* Puts tables in place, and frees those that nobody needs any more. */
static void replace(struct denied *denied, struct table *current, bool at_rest)
{
    pthread_mutex_lock(&denied->lock);
    struct table *replaced = denied->current, *before = denied->previous, *useless = NULL;
    denied->current = current;
    if (at_rest) {
        denied->previous = NULL;
        useless = before;
    } else if (!before) {
        denied->previous = replaced;
        replaced = NULL;
    }
    pthread_mutex_unlock(&denied->lock);
    table_free(replaced);
    table_free(useless);
}

static void reread(struct denied *denied, const struct file_stamp *stamp, bool same)
{
    struct reason why;
    struct telling telling = {denied, same ? TOLD_MAX : 0};
    struct table *table = read_table(denied, log_line, &telling, &why);
    if (!table) {
        log_error_limited("app %s: denied_file: %s; the last list stays in force", denied->app_id,
                          why.text);
        return;
    }
    if (!same) {
        if (telling.count > TOLD_MAX)
            log_warning("%s: %u more line%s with something wrong", denied->path,
                        telling.count - TOLD_MAX, text_plural(telling.count - TOLD_MAX));
        log_info("app %s: denied_file: %zu id%s in %s", denied->app_id, table->count,
                 text_plural(table->count), denied->path);
    }
    denied->stamp = *stamp;
    denied->at_rest = same || is_at_rest(stamp);
    replace(denied, table, denied->at_rest);
}

static void look(struct denied *denied)
{
    struct file_stamp stamp;
    if (!file_stamp_read(denied->path, &stamp)) {
        log_error_limited(
            "app %s: denied_file: %s cannot be read: %s; the last list stays in force",
            denied->app_id, denied->path, strerror(errno));
        return;
    }
    bool same = file_stamp_equal(&stamp, &denied->stamp);
    if (!same || !denied->at_rest)
        reread(denied, &stamp, same);
}

/* One thread at a time: where the file's disk hangs, the others go on. */
static void look_if_due(struct denied *denied)
{
    bool no = false;
    int64_t now = clock_monotonic_ms();
    if (now < atomic_load_explicit(&denied->next_look, memory_order_relaxed) ||
        !atomic_compare_exchange_strong(&denied->looking, &no, true))
        return;
    const char *request = log_request(); /* which has nothing to do with it */
    log_set_request(NULL);
    look(denied);
    log_set_request(request);
    atomic_store(&denied->next_look, clock_monotonic_ms() + LOOK_MS);
    atomic_store(&denied->looking, false);
}

bool denied_has(struct denied *denied, struct span id)
{
    int64_t now;
    if (!denied || !id.length || id.length > DENIED_ID_MAX)
        return false;
    look_if_due(denied);
    if (!clock_unix_seconds(&now))
        now = INT64_MIN; /* no end has come */
    uint64_t hash = hash_id(denied->seed, id);
    pthread_mutex_lock(&denied->lock);
    bool has =
        table_has(denied->current, hash, id, now) || table_has(denied->previous, hash, id, now);
    pthread_mutex_unlock(&denied->lock);
    return has;
}
