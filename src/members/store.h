/* SPDX-License-Identifier: MIT
 * One store: a plugin with the settings of one group of the configuration, and
 * what the host offers to it. */
#ifndef STORE_H
#define STORE_H

#include "base/arena.h"
#include "gate.h"
#include "mapping.h"

#include <stdint.h>

/* What came of a call into a plugin, beside the outcome. */
struct store_report {
    char reason[1001];      /* "" when it gave none */
    int64_t retry_after_ms; /* 0: it did not say */
};

/* Who is it? */
struct store_question {
    struct span id;     /* as store_translate() gave it */
    const char *app_id; /* that asks; NULL: the first that uses the store */
    int64_t deadline;
    struct gate *gate;          /* for look-ups that wait for a network; NULL: it is open */
    struct member *delivered_r; /* what the plugin said, before the mapping; NULL: never mind */
};

struct store;

/* A store that is not open yet.  `name`, `settings` and `mapping` (or NULL) live in `arena`,
 * which it takes over, also when there is no memory (NULL). */
struct store *store_new(const char *name, const struct memberchat_store_plugin *plugin,
                        const void *settings, const struct mapping *mapping, struct arena *arena);

/* Tells the plugin that an attribute is wanted, in addition to those of the mapping.  Without
 * any of these the store sets all that it has.  Only before store_open().  False: no memory. */
bool store_want(struct store *store, struct span attribute);
bool store_wants_same(const struct store *a, const struct store *b);

const char *store_name(const struct store *store);
bool store_has_mapping(const struct store *store);
bool store_is_local(const struct store *store);

/* Whether the answers of an open store depend on the app for which is asked. */
bool store_is_per_app(const struct store *store);

/* The app that asks; "" where there is none.  Borrowed. */
const char *store_app(const struct store *store, const struct store_question *question);

/* An app that uses the store; the first one counts. */
void store_note_app(struct store *store, const char *app_id);

/* Whether the settings fit together, by the plugin's own judgement; no network. */
bool store_check(struct store *store, struct store_report *report_r);

/* `how`: bits MEMBERCHAT_OPEN_...  False: report_r has the reason. */
bool store_open(struct store *store, uint32_t how, struct store_report *report_r);

/* The id to ask this store for: the one that was given, or one made of it in `room`.
 * SPAN_NONE: no member can have it. */
struct span store_translate(const struct store *store, struct span id,
                            char room[MEMBERCHAT_ID_MAX]);

/* What the store holds.  False: it does not tell. */
bool store_describe(struct store *store, struct memberchat_holdings *holdings_r);

/* The same, and what asking its directory brings, for a person who waits.  Not FOUND: it could
 * not be asked, and report_r has the reason. */
enum memberchat_outcome store_survey(struct store *store, int64_t deadline,
                                     struct memberchat_holdings *holdings_r,
                                     struct store_report *report_r);

/* A key or certificate that its settings name, the next one from *index on, which begins with 0.
 * False: there are no more. */
struct store_file {
    const char *key, *path;
};
bool store_next_file(const struct store *store, size_t *index, struct store_file *file_r);

/* Asks the plugin, and distrusts what it says: whatever is not one of the four
 * outcomes, and a FOUND without a proper id, becomes MISCONFIGURED. */
enum memberchat_outcome store_lookup(struct store *store, const struct store_question *question,
                                     struct member *member_r, struct store_report *report_r);
enum memberchat_outcome store_probe(struct store *store, int64_t deadline,
                                    struct store_report *report_r);
void store_reload(struct store *store, bool asked);

void store_close(struct store *store);

#endif
