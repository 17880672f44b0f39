/* SPDX-License-Identifier: MIT */
#include "hostile.h"

#include <string.h>

enum { PATCH = 12, PATCHES = 4096 / PATCH };

/* What was written over, to be emptied again: all of it would take longer than a run. */
static struct {
    size_t from, length;
} dirty[PATCHES + 1];
static size_t dirty_count;

UNTRACED static struct span patch(struct figures *figures, struct span input)
{
    char *memory = (char *)figures;
    const size_t words = FIGURES_SIZE / sizeof(uint64_t);
    while (input.length >= PATCH && input.data[0] != '=' && dirty_count < PATCHES) {
        const uint8_t *at = (const uint8_t *)input.data;
        size_t where = ((size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2]) % words;
        if (where < 8) /* in the place of this process, which is another each time */
            where = (size_t)((char *)figures_own_process() - memory) / sizeof(uint64_t) + 2 * where;
        for (size_t i = 0; i <= at[3] && where + i < words; i++)
            memcpy(memory + (where + i) * sizeof(uint64_t), at + 4, sizeof(uint64_t));
        dirty[dirty_count].from = where;
        dirty[dirty_count++].length = where + at[3] < words ? at[3] + 1u : words - where;
        input = (struct span){input.data + PATCH, input.length - PATCH};
    }
    return input;
}

static void count(struct span name)
{
    char text[FIGURES_NAME_MAX + 40];
    size_t length = name.length < sizeof text - 1 ? name.length : sizeof text - 1;
    memcpy(text, name.data, length);
    text[length] = '\0';
    const struct figures_refusal refusal = {text, text, text, span_of(text)};
    figures_request_begins();
    figures_count_request(text, length % 2 ? 200 : 404, (int64_t)length * 1000);
    figures_count_token(text, FIGURES_MEMBER);
    figures_count_refusal(&refusal);
    figures_count_throttled(text);
    figures_count_lookup(text, FIGURES_FOUND, (int64_t)length);
    figures_count_cache(text, FIGURES_HIT);
    figures_note_store(text, FIGURES_UNAVAILABLE);
    figures_note_breaker(text, length % 2);
    figures_note_cache(text, length);
    figures_note_members(text, length);
    figures_request_ends();
}

/* What counting may have written to: places that are taken, and what is no table. */
UNTRACED static void empty_table(struct figures *figures, enum figures_table table, figure *hashes,
                                 size_t size)
{
    unsigned places = figures_places(figures, table);
    for (unsigned i = 0; i <= places; i++)
        if (i == places || hashes[i])
            memset((void *)figures_name_of(figures, table, i), 0, size);
    memset((void *)hashes, 0, places * sizeof *hashes);
}

UNTRACED static void empty(struct figures *figures)
{
    empty_table(figures, FIGURES_OF_ROUTES, figures->route_hashes, sizeof figures->routes[0]);
    memset((void *)figures->codes, 0, sizeof figures->codes);
    memset((void *)figures->code_hashes, 0, sizeof figures->code_hashes);
    empty_table(figures, FIGURES_OF_STORES, figures->store_hashes, sizeof figures->stores[0]);
    empty_table(figures, FIGURES_OF_APPS, figures->app_hashes, sizeof figures->apps[0]);
    memset((void *)&figures->durations, 0, sizeof figures->durations);
    memset((void *)&figures->recent[figures->recent_count % FIGURES_RECENT], 0,
           sizeof figures->recent[0]);
    figures->recent_count = 0;
    while (dirty_count > 0) {
        dirty_count--;
        memset((char *)figures + dirty[dirty_count].from * sizeof(uint64_t), 0,
               dirty[dirty_count].length * sizeof(uint64_t));
    }
}

/* A look at all of it costs more than a run, so it is taken now and then. */
UNTRACED static void check_empty(const struct figures *figures)
{
    static unsigned runs;
    const char *bytes = (const char *)figures, *own = (const char *)figures_own_process();
    if (runs++ % 4096)
        return;
    for (size_t i = sizeof figures->header; i < FIGURES_SIZE; i++)
        must(!bytes[i] || (bytes + i >= own && bytes + i < own + sizeof(struct figures_process)));
}

struct figures_view hostile_figures(const uint8_t *data, size_t size)
{
    static struct figures *figures;
    if (!figures) {
        figures_use(NULL, FIGURES_RESIDENT);
        figures = figures_in_use();
        must(figures);
    }
    empty(figures);
    check_empty(figures);
    figures_moved(-1, true);
    count(patch(figures, (struct span){(const char *)data, size}));
    return figures_view_own();
}
