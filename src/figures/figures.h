/* SPDX-License-Identifier: MIT
 * Counters that all processes of an installation share, for /metrics, /status and the throttle.
 * They live in one small file that each process maps (its layout is in layout.h); without a
 * file, in the memory of a resident process.  Counting takes no lock and cannot fail: without
 * figures, every call does nothing.
 *
 * The mapping stays at one address as long as the process
 * lives, but its content may be replaced or zeroed at any moment: when the configuration names
 * another file, when the file was removed, or when someone truncated it (then the handler of
 * SIGBUS puts memory in place of its pages).  So zero is a valid value of everything in it. */
#ifndef FIGURES_H
#define FIGURES_H

#include "base/bytes.h"
#include "base/reason.h"

enum figures_user {
    FIGURES_RESIDENT, /* it serves many requests */
    FIGURES_ONCE      /* it serves one request: without a file it has no figures */
};

/* Maps the file, and creates it if there is none (NULL: memory).  Call this again now and then,
 * and with each new configuration, to check whether the file is still the same.  Faults are
 * logged once, and cost only the figures.  For one thread. */
void figures_use(const char *path, enum figures_user user);

/* Whether a file could be used, as far as can be seen without making or changing it.  False: why
 * not. */
bool figures_try(const char *path, struct reason *why);

/* Gives everything up; for tests. */
void figures_close(void);

/* ---- Memory for the throttle ---- */

#define FIGURES_THROTTLE_SIZE (256u * 1024)

/* FIGURES_THROTTLE_SIZE bytes, aligned to 64, shared by all processes, zero at first; atomic
 * operations on them only.  NULL: there are no figures. */
void *figures_throttle(void);

/* ---- Counting ---- */

/* Called around each request, from when it is complete until its answer is ready. */
void figures_request_begins(void);
void figures_request_ends(void);

/* Called around each period in which a thread works on a request. */
void figures_thread_begins(void);
void figures_thread_ends(void);

/* A request that was answered: its route as in the access log, its status, how long it took. */
void figures_count_request(const char *route, int status, int64_t microseconds);

enum figures_kind { FIGURES_GUEST, FIGURES_MEMBER, FIGURES_KINDS };

void figures_count_token(const char *app, enum figures_kind kind);

/* A token that was refused.  `app` is "" where the credentials name none; `code` is that of the
 * API; `id` is SPAN_NONE if it must not be kept. */
struct figures_refusal {
    const char *app, *code, *request_id;
    struct span id;
};
void figures_count_refusal(const struct figures_refusal *refusal);

void figures_count_throttled(const char *app);

enum figures_outcome {
    FIGURES_FOUND,
    FIGURES_NOT_FOUND,
    FIGURES_UNAVAILABLE,
    FIGURES_MISCONFIGURED,
    FIGURES_OUTCOMES
};

/* Counts a look-up in a store, which also shows whether the store is up. */
void figures_count_lookup(const char *store, enum figures_outcome outcome, int64_t microseconds);

enum figures_cache { FIGURES_HIT, FIGURES_MISS, FIGURES_STALE, FIGURES_CACHES };

void figures_count_cache(const char *store, enum figures_cache what);

/* The same for what is not a look-up. */
void figures_note_store(const char *store, enum figures_outcome outcome);

/* ---- What a process is like now ---- */

void figures_note_threads(unsigned threads);
void figures_note_lasting(void); /* no web server starts and ends it: it is missed when it ends */
void figures_note_reload(bool good);
void figures_note_breaker(const char *store, bool open);
void figures_note_cache(const char *store, size_t entries);
void figures_note_members(const char *store, uint64_t members); /* that a store holds */

#endif
