/* SPDX-License-Identifier: MIT */
#include "layout.h"

#include "base/hash.h"

#include <string.h>

#define WORDS (FIGURES_NAME_MAX / sizeof(uint64_t))

/* ---- A text in words ---- */

/* One of words_of(text). */
static uint64_t word_of(struct span text, size_t index)
{
    uint64_t word = 0;
    size_t at = index * sizeof word, left = text.length - at;
    memcpy(&word, text.data + at, left < sizeof word ? left : sizeof word);
    return word;
}

static size_t words_of(struct span text)
{
    return (text.length + sizeof(uint64_t) - 1) / sizeof(uint64_t);
}

void figures_name_set(struct figures_name *name, struct span text)
{
    if (text.length > FIGURES_NAME_MAX)
        text.length = FIGURES_NAME_MAX;
    for (size_t i = 0; i < words_of(text); i++)
        atomic_store_explicit(&name->text[i], word_of(text, i), memory_order_relaxed);
    atomic_store_explicit(&name->length, text.length + 1, memory_order_release);
}

size_t figures_name_get(const struct figures_name *name, char text_r[FIGURES_NAME_MAX])
{
    uint64_t length = atomic_load_explicit(&name->length, memory_order_acquire);
    if (length == 0 || length > FIGURES_NAME_MAX + 1)
        return 0;
    for (size_t i = 0; i < WORDS; i++) {
        uint64_t word = atomic_load_explicit(&name->text[i], memory_order_relaxed);
        memcpy(text_r + i * sizeof word, &word, sizeof word);
    }
    return (size_t)length - 1;
}

static bool has_text(const struct figures_name *name, struct span text)
{
    uint64_t length = atomic_load_explicit(&name->length, memory_order_acquire);
    bool same = length == text.length + 1;
    for (size_t i = 0; same && i < words_of(text); i++)
        same = atomic_load_explicit(&name->text[i], memory_order_relaxed) == word_of(text, i);
    return same;
}

/* A name that is not written yet is written here: the process that took the place may have died. */
static bool name_is(struct figures_name *name, struct span text)
{
    if (atomic_load_explicit(&name->length, memory_order_acquire))
        return has_text(name, text);
    figures_name_set(name, text);
    return true;
}

/* ---- Tables ---- */

struct table {
    figure *hashes;
    char *names; /* the first one; each next one is `step` bytes further */
    size_t step;
    unsigned places;
};

#define TABLE_OF(hashes, named)                                                                    \
    (struct table)                                                                                 \
    {                                                                                              \
        hashes, (char *)(named), sizeof *(named), sizeof(hashes) / sizeof *(hashes)                \
    }

static struct table table_of(struct figures *figures, enum figures_table table)
{
    switch (table) {
    case FIGURES_OF_ROUTES:
        return TABLE_OF(figures->route_hashes, figures->routes);
    case FIGURES_OF_CODES:
        return TABLE_OF(figures->code_hashes, figures->codes);
    case FIGURES_OF_STORES:
        return TABLE_OF(figures->store_hashes, figures->stores);
    default:
        return TABLE_OF(figures->app_hashes, figures->apps);
    }
}

static struct figures_name *name_at(const struct table *table, unsigned place)
{
    return (struct figures_name *)(table->names + place * table->step);
}

unsigned figures_places(struct figures *figures, enum figures_table which)
{
    return table_of(figures, which).places;
}

struct figures_name *figures_name_of(struct figures *figures, enum figures_table which,
                                     unsigned place)
{
    const struct table table = table_of(figures, which);
    return name_at(&table, place);
}

static uint64_t hash_name(struct span name)
{
    static const uint64_t key[2] = {UINT64_C(0x6d656d6265726368), UINT64_C(0x6174666967757265)};
    uint64_t hash = hash_keyed(key, name.data, name.length);
    return hash + (hash == 0); /* that is a free place */
}

bool figures_is_place_of(struct figures *figures, enum figures_table which, unsigned place,
                         struct span name)
{
    const struct table table = table_of(figures, which);
    uint64_t hash = hash_name(name);
    for (unsigned i = 0; i < table.places; i++) {
        unsigned at = (unsigned)((hash + i) % table.places);
        if (atomic_load_explicit(&table.hashes[at], memory_order_relaxed) == hash &&
            has_text(name_at(&table, at), name))
            return at == place;
    }
    return false;
}

unsigned figures_place_of(struct figures *figures, enum figures_table which, struct span name)
{
    const struct table table = table_of(figures, which);
    uint64_t hash = hash_name(name);
    for (unsigned i = 0; i < table.places && name.length <= FIGURES_NAME_MAX; i++) {
        unsigned place = (unsigned)((hash + i) % table.places);
        uint64_t there = atomic_load_explicit(&table.hashes[place], memory_order_relaxed);
        if (there == 0)
            atomic_compare_exchange_strong(&table.hashes[place], &there, hash);
        if ((there == 0 || there == hash) && name_is(name_at(&table, place), name))
            return place;
    }
    return table.places;
}
