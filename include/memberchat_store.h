/* SPDX-License-Identifier: MIT
 * The interface between memberchat and a member store.
 *
 * A store is a shared object, store_NAME.so, that answers one question: who is
 * the member with this id?  It exports one symbol, memberchat_store_plugin(),
 * and calls no function of memberchat by name: the host passes a table of services.
 * memberchat-store(3) is the manual, plugins/file/store.c an example.  Build with: cc -shared -fPIC
 * -fvisibility=hidden -o store_NAME.so NAME.c */
#ifndef MEMBERCHAT_STORE_H
#define MEMBERCHAT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes only when old plugins can no longer work.  Additions go to the end of a
 * struct, and its size tells whether they are there. */
#define MEMBERCHAT_STORE_ABI 1u

/* The outcome of a look-up or a probe.  Anything else counts as MISCONFIGURED. */
enum memberchat_outcome {
    MEMBERCHAT_FOUND = 1,        /* the member exists and is active; for a probe: all is well */
    MEMBERCHAT_NOT_FOUND = 2,    /* the directory was asked and has no such active member */
    MEMBERCHAT_UNAVAILABLE = 3,  /* the directory does not answer: try again later */
    MEMBERCHAT_MISCONFIGURED = 4 /* something must be fixed first: set a reason */
};

enum memberchat_level {
    MEMBERCHAT_LOG_ERROR = 1,
    MEMBERCHAT_LOG_WARNING = 2,
    MEMBERCHAT_LOG_INFO = 3,
    MEMBERCHAT_LOG_DEBUG = 4
};

/* ---- Configuration: a table of keys, from which the host fills a struct ---- */

/* The type of a key, and what the host writes at its offset. */
enum memberchat_type {
    MEMBERCHAT_STRING = 1, /* const char *; NULL where absent and without default */
    MEMBERCHAT_PATH = 2, /* const char *, absolute: relative ones start at the configuration file */
    MEMBERCHAT_BOOL = 3, /* bool */
    MEMBERCHAT_INTEGER = 4,  /* int64_t */
    MEMBERCHAT_DURATION = 5, /* int64_t, milliseconds; written "500ms", "5s", "10m", "1h", "7d" */
    MEMBERCHAT_SIZE = 6,     /* int64_t, bytes; written "512", "16k", "1M", "1G" */
    MEMBERCHAT_CHOICE = 7,   /* int64_t, index in choices */
    MEMBERCHAT_LIST = 8,     /* struct memberchat_list; one string stands for a list of one */
    MEMBERCHAT_MAP = 9       /* struct memberchat_map, a group of name = "string" */
};

struct memberchat_list {
    const char *const *items;
    size_t count;
};

struct memberchat_map {
    const char *const *names, *const *values;
    size_t count;
};

enum {
    MEMBERCHAT_KEY_REQUIRED = 1u, /* absent is an error */
    MEMBERCHAT_KEY_SECRET = 2u,   /* the value is never printed */
    MEMBERCHAT_KEY_NUMBERS = 4u,  /* a list or map may hold whole numbers, too: they come as text */
    MEMBERCHAT_KEY_PATHS = 8u     /* values of a map that are named *_file are as PATH */
};

struct memberchat_key {
    const char *name;
    const char *fallback; /* the default, as it would be written; NULL: none (zero, empty) */
    const char *choices;  /* MEMBERCHAT_CHOICE: the words, a blank between them */
    const char *help;     /* one line for people, no full stop */
    size_t offset;        /* offsetof(struct your_settings, member) */
    int64_t min, max;     /* numbers: the value; strings, lists, maps: the length; 0, 0: any */
    uint32_t type;        /* enum memberchat_type */
    uint32_t flags;       /* MEMBERCHAT_KEY_... */
};

/* The inside of a row: {MEMBERCHAT_KEY(struct yours, path, "path", PATH, NULL, 0, 0, "a file")} */
#define MEMBERCHAT_KEY(struct_, member_, name_, type_, fallback_, min_, max_, help_)               \
    .name = (name_), .fallback = (fallback_), .help = (help_),                                     \
    .offset = offsetof(struct_, member_), .min = (min_), .max = (max_), .type = MEMBERCHAT_##type_

/* ---- What the host offers ---- */

/* One member being described by a look-up: see set() and set_attribute(). */
struct memberchat_result;

enum memberchat_field {
    MEMBERCHAT_ID = 1,     /* required; the directory's own spelling */
    MEMBERCHAT_NAME = 2,   /* shown name */
    MEMBERCHAT_AVATAR = 3, /* URL of a picture */
    MEMBERCHAT_ROLE = 4    /* "member" where not set */
};

/* How long these may be, in bytes, and how many attributes and values of them there may be. */
enum {
    MEMBERCHAT_ID_MAX = 128,
    MEMBERCHAT_NAME_MAX = 256,
    MEMBERCHAT_AVATAR_MAX = 2048,
    MEMBERCHAT_ROLE_MAX = 64,
    MEMBERCHAT_ATTRIBUTE_NAME_MAX = 64,
    MEMBERCHAT_ATTRIBUTE_VALUE_MAX = 4096,
    MEMBERCHAT_ATTRIBUTES_MAX = 32,
    MEMBERCHAT_VALUES_MAX = 1024
};

/* The service table of one store.  Valid from check() or open() until close()
 * returns.  Every function may be called from any thread that is inside a
 * callback.  `services` is the table itself. */
struct memberchat_services {
    uint32_t size; /* sizeof(struct memberchat_services) of the host */

    /* One line for the log; the host adds time, store and request, and escapes
     * bytes that are not printable.  Never put a secret in it. */
    void (*log)(const struct memberchat_services *services, enum memberchat_level level,
                const char *format, ...);

    /* Monotonic clock, milliseconds: the clock of every deadline. */
    int64_t (*now)(const struct memberchat_services *services);

    /* Sets a field of the member, a copy of `length` bytes; empty is none.  What is too long,
     * not UTF-8, or has control characters is left out, with a warning; line ends and tabs at
     * the end are trimmed, a long name is cut, and such an id makes it NOT_FOUND.
     * False: memory ran out, or the call makes no sense; then the look-up fails. */
    bool (*set)(struct memberchat_result *result, enum memberchat_field field, const char *value,
                size_t length);

    /* Adds a value to an attribute, for claims and templates.  Several values of one
     * name keep their order; a host without `wanted` takes the first.  Otherwise as set(). */
    bool (*set_attribute)(struct memberchat_result *result, const char *name, size_t name_length,
                          const char *value, size_t value_length);

    /* Why it went wrong, for the log, with the directory's own words; cut at 1000 bytes.
     * With NOT_FOUND: why a member who exists is not active. */
    void (*reason)(struct memberchat_result *result, const char *format, ...);

    /* How long the directory asked to be left alone (UNAVAILABLE only). */
    void (*retry_after)(struct memberchat_result *result, int64_t milliseconds);

    /* The request's id, for the directory's log; "" where there is none.  Visible
     * ASCII, valid as long as `result`. */
    const char *(*request_id)(const struct memberchat_result *result);

    /* The appId on whose behalf the host asks (for a probe: of one that uses the store); ""
     * where there is none.  Valid as long as `result`.  See per_app(). */
    const char *(*app_id)(const struct memberchat_result *result);

    /* Attributes that templates name (in check(): those of the group `member`).  The store sets
     * them by these names, if the directory has them; check() refuses what it never can have. */
    struct memberchat_list wanted;
    /* The header traceparent (W3C) for a request to the directory; "": there is no trace. */
    const char *(*traceparent)(struct memberchat_result *result);
};

/* ---- What the plugin offers ---- */

enum {
    /* lookup, probe and reload may be called by many threads at once. */
    MEMBERCHAT_STORE_THREAD_SAFE = 1u,
    /* A look-up waits for memory and local files only: it is not cached unless the
     * configuration says so, and not counted against the workers. */
    MEMBERCHAT_STORE_LOCAL = 2u,
    /* The store compares ids by rules of its own, and vouches for the id that it sets.
     * Otherwise the host takes only the id that was asked for, in any ASCII case. */
    MEMBERCHAT_STORE_MATCHES = 4u
};

/* What a store holds.  The host sets size, and all else to zero. */
struct memberchat_holdings {
    uint32_t size;
    bool counted; /* members and active are known */
    uint64_t members, active;
    char states[256];  /* those that were seen, as "ACTIVE 4711, LEFT 12"; or empty */
    char missing[256]; /* what the settings name and the directory lacks; or empty */
    bool limited;      /* counting ended at a limit: there may be more of both */
};

/* How open() is called. */
enum {
    MEMBERCHAT_OPEN_ONCE = 1u,   /* for one look-up, after which the process ends (CGI, command) */
    MEMBERCHAT_OPEN_EXPLAIN = 2u /* a person asks: NOT_FOUND may take another question for its
                                  * reason */
};

struct memberchat_store_plugin {
    uint32_t abi;     /* MEMBERCHAT_STORE_ABI */
    uint32_t size;    /* sizeof(struct memberchat_store_plugin) */
    const char *name; /* as in store_NAME.so */
    const char *version;
    const char *summary; /* one line */
    uint32_t flags;      /* MEMBERCHAT_STORE_... */
    uint32_t key_count;
    const struct memberchat_key *keys;
    size_t settings_size; /* of the struct that the keys fill */

    /* Optional.  Whether settings whose keys are valid fit together; no network,
     * nothing kept.  False: with a reason; the host adds file, line and store, and where
     * the reason begins with one of the keys and a colon, takes the line of that one. */
    bool (*check)(const void *settings, const struct memberchat_services *services,
                  struct memberchat_result *result);

    /* Makes a store; settings and services outlive it.  It succeeds even when the directory
     * is down.  NULL: with a reason. */
    void *(*open)(const void *settings, const struct memberchat_services *services, uint32_t how,
                  struct memberchat_result *result);

    /* Who is this?  `id` is not a C string: 1 to 128 bytes of UTF-8 without control
     * characters.  Returns by the deadline (services->now), whatever the directory
     * does: FOUND with the fields set, or another outcome and a reason. */
    enum memberchat_outcome (*lookup)(void *store, const char *id, size_t id_length,
                                      int64_t deadline, struct memberchat_result *result);

    /* Optional.  Called about once a second, and with `asked` on a reload (SIGHUP):
     * take in what has changed, close what idles. */
    void (*reload)(void *store, bool asked);

    /* Optional.  Whether the directory answers, by the deadline. */
    enum memberchat_outcome (*probe)(void *store, int64_t deadline,
                                     struct memberchat_result *result);

    /* No other call is under way, and none follows. */
    void (*close)(void *store);

    /* Optional.  Whether answers depend on app_id(); then they are cached for each app.  Asked
     * before open(). */
    bool (*per_app)(const void *settings);

    /* Optional, asks no network. */
    void (*describe)(void *store, struct memberchat_holdings *holdings_r);

    /* Optional.  As describe(), for a person who waits: asks the directory, by the deadline, for
     * what it can tell without harm.  Not FOUND: with a reason. */
    enum memberchat_outcome (*survey)(void *store, int64_t deadline,
                                      struct memberchat_holdings *holdings_r,
                                      struct memberchat_result *result);
};

/* The only exported symbol.  The struct lives as long as the plugin. */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const struct memberchat_store_plugin *
memberchat_store_plugin(void);

#ifdef __cplusplus
}
#endif

#endif
