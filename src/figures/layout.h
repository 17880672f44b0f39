/* SPDX-License-Identifier: MIT
 * The layout of the figures, in a file or in memory.  If you change it, increase
 * FIGURES_VERSION: a process replaces a file of an older version, and leaves one of a newer
 * version alone.
 *
 * A file never has another size; it is completed under another name, then linked
 * to its own.  Bytes behind its end are locked (fcntl(2), locks of an open file): FIGURES_SIZE +
 * n by the process that has process slot n, as long as it lives, and FIGURES_REPLACING by the
 * one that removes a broken file.
 *
 * Things are found by name.  The search for a name's hash begins
 * at hash modulo the number of places; writing a hash over 0 takes a place.  Names that find no
 * place, or are too long, share one more place, called "other". */
#ifndef LAYOUT_H
#define LAYOUT_H

#include "figures.h"

#include <stdatomic.h>

#define FIGURES_MAGIC   "mchatfig"
#define FIGURES_VERSION 2u

#define FIGURES_HOUR_SHIFT 40 /* in `hours` of an app */

enum {
    FIGURES_APPS = 256,
    FIGURES_STORES = 64,
    FIGURES_ROUTES = 32,
    FIGURES_CODES = 48,
    FIGURES_STATUSES = 500, /* 100 to 599 */
    FIGURES_BUCKETS = 17,   /* the last one counts what took longer */
    FIGURES_HOURS = 48,
    FIGURES_PROCESSES = 256,
    FIGURES_RECENT = 64,
    FIGURES_NAME_MAX = 128
};

typedef _Atomic uint64_t figure;

static inline uint64_t figures_get(const figure *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

struct figures_header {
    char magic[8];
    uint32_t version, size;
    int64_t created; /* Unix time */
    figure zero[5];
};

/* A text as atomic words, so that others can read it while one writes it. */
struct figures_name {
    figure length; /* and 1; 0: not yet written */
    figure text[FIGURES_NAME_MAX / sizeof(uint64_t)];
};

struct figures_histogram {
    figure count[FIGURES_BUCKETS]; /* not cumulative */
    figure microseconds;           /* sum */
};

struct figures_app {
    figure tokens[FIGURES_KINDS];
    figure throttled;
    figure refusals[FIGURES_CODES + 1];
    /* hour since 1970 << FIGURES_HOUR_SHIFT | tokens in it */
    figure hours[FIGURES_KINDS][FIGURES_HOURS];
};

enum figures_state { FIGURES_UNASKED, FIGURES_UP, FIGURES_DOWN, FIGURES_WRONG };

struct figures_store {
    figure outcomes[FIGURES_OUTCOMES];
    figure cache[FIGURES_CACHES];
    figure state;   /* since when << 2 | enum figures_state */
    figure members; /* and 1; 0: it does not tell */
    struct figures_histogram durations;
};

enum figures_resident {
    FIGURES_FOR_ONE,    /* it serves one request */
    FIGURES_FOR_MANY,   /* as long as the web server wants it */
    FIGURES_FOR_ALWAYS, /* no web server starts it */
};

struct figures_process {
    figure pid; /* 0: the place is free */
    figure started;
    figure resident; /* enum figures_resident */
    figure threads;
    figure in_flight, busy;
    figure reloads, reload_failed, reloaded_at; /* the last one that was good */
    figure version;                             /* of the program: 8 bytes of it */
    figure entries[FIGURES_STORES + 1], breaker_since[FIGURES_STORES + 1];
};

/* One of the newest refusals.  It is being written while `sequence` is odd. */
struct figures_recent {
    figure sequence; /* twice its number */
    figure time;
    struct figures_name app, code, request_id, id;
};

struct figures_route {
    figure statuses[FIGURES_STATUSES];
};

/* Each name stands right before its figures, and all hashes are on the first page, so that a
 * process with one request touches as few pages as possible. */
#define FIGURES_NAMED(kind, table, places)                                                         \
    struct {                                                                                       \
        struct figures_name name;                                                                  \
        struct kind counted;                                                                       \
    } table[(places) + 1]

struct figures {
    struct figures_header header;
    figure route_hashes[FIGURES_ROUTES], code_hashes[FIGURES_CODES];
    figure store_hashes[FIGURES_STORES], app_hashes[FIGURES_APPS];
    struct figures_histogram durations;
    figure recent_count;
    struct figures_name codes[FIGURES_CODES];
    FIGURES_NAMED(figures_store, stores, FIGURES_STORES);
    FIGURES_NAMED(figures_app, apps, FIGURES_APPS);
    FIGURES_NAMED(figures_route, routes, FIGURES_ROUTES);
    struct figures_process processes[FIGURES_PROCESSES];
    struct figures_recent recent[FIGURES_RECENT];
    _Alignas(64) char throttle[FIGURES_THROTTLE_SIZE];
};

#define FIGURES_SIZE      sizeof(struct figures)
#define FIGURES_REPLACING (FIGURES_SIZE + FIGURES_PROCESSES)

/* Upper ends of all buckets but the last, in microseconds. */
extern const uint32_t figures_bounds[FIGURES_BUCKETS - 1];

/* ---- file.c ---- */

struct reason;

/* Opens a file of this layout, making or replacing it.  False: `why`. */
bool figures_open_file(const char *path, int *fd_r, struct reason *why);

/* Whether the path still leads to this file, and its size is unchanged. */
bool figures_file_is(const char *path, int fd);

/* ---- process.c ---- */

/* Takes a place for this process in a file, or in memory (fd -1).  NULL: all are taken. */
struct figures_process *figures_take_place(struct figures *figures, int fd, bool resident);

/* Whether the process of a place lives. */
bool figures_place_lives(int fd, unsigned place);

/* ---- names.c ---- */

enum figures_table { FIGURES_OF_ROUTES, FIGURES_OF_CODES, FIGURES_OF_STORES, FIGURES_OF_APPS };

/* How many places a table has, not counting "other". */
unsigned figures_places(struct figures *figures, enum figures_table which);

/* The name of a place. */
struct figures_name *figures_name_of(struct figures *figures, enum figures_table which,
                                     unsigned place);

/* The place of a name, taken if need be. */
unsigned figures_place_of(struct figures *figures, enum figures_table table, struct span name);

/* Whether a place is where a name is counted, which no other place then is. */
bool figures_is_place_of(struct figures *figures, enum figures_table table, unsigned place,
                         struct span name);

void figures_name_set(struct figures_name *name, struct span text); /* cut at FIGURES_NAME_MAX */

/* Its length; the text, of FIGURES_NAME_MAX bytes, has no NUL behind it. */
size_t figures_name_get(const struct figures_name *name, char text_r[FIGURES_NAME_MAX]);

/* ---- count.c ---- */

/* The figures in use; NULL: none.  figures_put_in_use() returns the old ones. */
struct figures *figures_in_use(void);
struct figures *figures_put_in_use(struct figures *figures);

/* Called when the mapping has new content: takes a place for this process in it.  `fd`: of its
 * file; -1: it has none. */
void figures_moved(int fd, bool resident);

/* Updates the place of this process. */
void figures_show_process(void);

/* The place of this process; NULL: none. */
struct figures_process *figures_own_process(void);

/* ---- figures.c ---- */

int figures_in_use_fd(void); /* -1: the figures have no file */

#endif
