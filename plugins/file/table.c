/* SPDX-License-Identifier: MIT
 * The index holds 8 bytes a record and no text: a look-up splits its record again.
 * Memory is the file plus 12 bytes a line, whatever the number of columns. */
#include "table.h"

#include "base/hash.h"
#include "base/random.h"
#include "base/text.h"
#include "encoding.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_FLAG   (UINT64_C(1) << 63)
#define TAG_MASK    (UINT64_C(0x7fffffff) << 32)
#define OFFSET_MASK UINT64_C(0xffffffff)

enum { NOTES_LOGGED = 100 };

static const char no_memory[] = "out of memory";

struct builder {
    struct table *table;
    const struct file_settings *settings;
    const struct table_report *report;
    struct reason *why;
    struct splitter *splitter, *other; /* `other`: for records that are in the index */
    struct row row, found;
    size_t note_room, first_bad;
    struct reason encoding; /* of the first text that is not in it */
    bool misread;           /* there is one */
};

char table_separator(const struct file_settings *settings)
{
    return ",;|\t"[settings->separator];
}

bool table_is_active(const struct file_settings *settings, struct span state)
{
    if (!state.length)
        return true;
    for (size_t i = 0; i < settings->active_values.count; i++)
        if (span_equal_nocase(state, settings->active_values.items[i]))
            return true;
    return false;
}

/* ---- Looking up ---- */

static struct span text_from(const struct table *table, uint64_t slot)
{
    size_t offset = slot & OFFSET_MASK;
    return (struct span){table->text + offset, table->size - offset};
}

/* The slot that holds `id`, with its fields, or the free one where it belongs. */
static uint64_t *find_slot(const struct table *table, struct splitter *splitter, struct span id,
                           uint64_t hash, struct row *row_r)
{
    uint32_t i = (uint32_t)((hash >> 32) * table->slot_count >> 32);
    for (;; i = i + 1 < table->slot_count ? i + 1 : 0) {
        uint64_t *slot = &table->slots[i];
        if (!*slot)
            return slot;
        if ((*slot ^ hash << 32) & TAG_MASK)
            continue;
        struct span rest = text_from(table, *slot);
        splitter_take(splitter, &rest, row_r);
        if (span_equal(columns_field(&table->columns, row_r, COLUMN_ID), id))
            return slot;
    }
}

/* The first note of a slot that has the flag. */
static const struct table_note *find_note(const struct table *table, uint64_t slot)
{
    size_t low = 0, high = table->note_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->notes[middle].offset < (slot & OFFSET_MASK))
            low = middle + 1;
        else
            high = middle;
    }
    return &table->notes[low];
}

enum answer table_find(const struct table *table, struct splitter *splitter, struct span id,
                       struct row *row_r, struct table_note *note_r)
{
    uint64_t hash = hash_keyed(table->key, id.data, id.length);
    uint64_t slot = *find_slot(table, splitter, id, hash, row_r);
    if (!slot)
        return ANSWER_ABSENT;
    if (!(slot & NOTE_FLAG))
        return ANSWER_HERE;
    *note_r = *find_note(table, slot);
    return ANSWER_NOTED;
}

bool table_each(const struct table *table,
                void (*each)(void *context, struct span id, struct span record,
                             const struct table_note *note),
                void *context)
{
    struct splitter *splitter = splitter_new(ROW_LONGEST, table->separator);
    struct row row;
    if (!splitter)
        return false;
    for (uint32_t i = 0; i < table->slot_count; i++) {
        uint64_t slot = table->slots[i];
        if (!slot)
            continue;
        struct span rest = text_from(table, slot);
        splitter_take(splitter, &rest, &row);
        each(context, columns_field(&table->columns, &row, COLUMN_ID), row.record,
             slot & NOTE_FLAG ? find_note(table, slot) : NULL);
    }
    splitter_free(splitter);
    return true;
}

/* ---- Building ---- */

/* False: no memory. */
static bool add_note(struct builder *builder, uint64_t *slot, const char *fault)
{
    struct table *table = builder->table;
    if (table->note_count == builder->note_room) {
        size_t room = builder->note_room * 2 + 64;
        struct table_note *notes = realloc(table->notes, room * sizeof *notes);
        if (!notes)
            return false;
        table->notes = notes;
        builder->note_room = room;
    }
    *slot |= NOTE_FLAG;
    table->notes[table->note_count++] =
        (struct table_note){(uint32_t)(*slot & OFFSET_MASK), 0, table->lines, fault};
    return true;
}

static int compare_notes(const void *left, const void *right)
{
    const struct table_note *a = left, *b = right;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}

/* Finds the number of each note's first line, in one pass over the text, and logs the
 * ids that stand in two. */
static void finish_notes(struct builder *builder)
{
    struct table *table = builder->table;
    const struct memberchat_services *services = builder->report->services;
    const char *at = table->text, *path = builder->settings->path;
    size_t number = 1, twins = 0;
    if (table->note_count)
        qsort(table->notes, table->note_count, sizeof *table->notes, compare_notes);
    for (size_t i = 0; i < table->note_count; i++) {
        struct table_note *note = &table->notes[i];
        const char *to = table->text + note->offset, *end;
        for (; (end = memchr(at, '\n', (size_t)(to - at))); at = end + 1)
            number++;
        note->first = number;
        if (note->first != note->line && twins++ < NOTES_LOGGED)
            services->log(services, builder->report->lines,
                          "%s:%zu: the id is in line %zu already: look-ups of it fail until one of "
                          "them goes",
                          path, note->line, note->first);
    }
    if (twins > 0)
        services->log(services, MEMBERCHAT_LOG_WARNING,
                      "%s: %zu line%s with an id that an earlier line has", path, twins,
                      text_plural(twins));
}

/* Counts a member, or takes it back. */
static void count_member(struct builder *builder, const struct row *row, bool back)
{
    struct span state = columns_field(&builder->table->columns, row, COLUMN_STATE);
    census_add(&builder->table->census, state, table_is_active(builder->settings, state),
               back ? SIZE_MAX : 1);
}

/* Puts a record into the index, bad ones to say so.  False: no memory. */
static bool add_record(struct builder *builder, const char *fault)
{
    struct table *table = builder->table;
    struct span id = columns_field(&table->columns, &builder->row, COLUMN_ID);
    uint64_t hash = hash_keyed(table->key, id.data, id.length);
    uint64_t *slot = find_slot(table, builder->other, id, hash, &builder->found);
    if (*slot) {
        if (!(*slot & NOTE_FLAG))
            count_member(builder, &builder->found, true);
        return add_note(builder, slot, fault);
    }
    *slot = (hash << 32 & TAG_MASK) | (uint64_t)(builder->row.record.data - table->text);
    if (fault)
        return add_note(builder, slot, fault);
    count_member(builder, &builder->row, false);
    return true;
}

/* Remembers which byte of a bad record is not in the encoding of the file. */
static void note_encoding(struct builder *builder)
{
    struct table *table = builder->table;
    struct span record = builder->row.record;
    if (!builder->misread)
        builder->misread = encoding_explain(builder->settings->encoding, record,
                                            text_from(table, (uint64_t)(record.data - table->text)),
                                            table->lines, &builder->encoding);
}

/* A bad record: if its id can be read, look-ups of it fail. */
static enum load refuse_record(struct builder *builder, const char *fault)
{
    const struct memberchat_services *services = builder->report->services;
    struct table *table = builder->table;
    struct span id = columns_field(&table->columns, &builder->row, COLUMN_ID);
    bool readable = id.length && id.length <= MEMBERCHAT_ID_MAX && text_is_plain(id);
    services->log(services, builder->report->lines, "%s:%zu: %s; %s", builder->settings->path,
                  table->lines, fault,
                  readable ? "look-ups of its id fail" : "the line is left out");
    note_encoding(builder);
    if (table->bad++ == 0)
        builder->first_bad = table->lines;
    if ((int64_t)table->bad > builder->settings->max_bad) {
        reason_set(builder->why, "more than %" PRId64 " bad line%s (max_bad); line %zu: %s%s%s",
                   builder->settings->max_bad, text_plural((uint64_t)builder->settings->max_bad),
                   table->lines, fault, builder->misread ? "; " : "",
                   builder->misread ? builder->encoding.text : "");
        return LOAD_REFUSED;
    }
    return !readable || add_record(builder, fault) ? LOAD_DONE : LOAD_FAILED;
}

static enum load add_records(struct builder *builder, struct span rest)
{
    struct table *table = builder->table;
    for (;;) {
        const char *fault = splitter_take(builder->splitter, &rest, &builder->row);
        enum load result = LOAD_DONE;
        if (!builder->row.lines)
            return LOAD_DONE;
        table->lines++;
        if (!fault && builder->row.count)
            fault = columns_fault(&table->columns, &builder->row);
        /* a bad record is one line, but was split further, and will be when its id is asked for */
        size_t length = fault ? ROW_LONGEST : builder->row.record.length;
        if (length > table->longest)
            table->longest = length < ROW_LONGEST ? length : ROW_LONGEST;
        if (fault)
            result = refuse_record(builder, fault);
        else if (builder->row.count && !add_record(builder, NULL))
            result = LOAD_FAILED;
        if (result != LOAD_DONE)
            return result;
        table->lines += builder->row.lines - 1;
    }
}

/* Room for all lines at a load of at most two thirds, all free. */
static bool make_slots(struct table *table)
{
    uint32_t lines = 0;
    for (const char *at = table->text, *end = at + table->size;
         (at = memchr(at, '\n', (size_t)(end - at))); at++)
        lines++;
    table->slot_count = lines + lines / 2 + 8;
    table->slots = calloc(table->slot_count, sizeof *table->slots);
    return table->slots;
}

static enum load fill(struct builder *builder)
{
    struct table *table = builder->table;
    struct span rest = {table->text, table->size};
    struct column_names names = {.wanted = builder->report->services->wanted};
    memcpy(names.of, builder->settings->columns, sizeof names.of);
    if (!encoding_is_text(builder->settings->encoding, rest, builder->why))
        return LOAD_REFUSED;
    if (table->size > OFFSET_MASK) {
        reason_set(builder->why, "larger than 4 GiB as UTF-8");
        return LOAD_REFUSED;
    }
    table->separator = table_separator(builder->settings);
    builder->splitter = splitter_new(ROW_LONGEST, table->separator);
    if (!builder->splitter || !make_slots(table))
        return LOAD_FAILED;
    if (!random_seed(table->key, sizeof table->key)) {
        reason_set(builder->why, "there are no random numbers");
        return LOAD_FAILED;
    }
    if (!columns_take(builder->splitter, &rest, &names, &table->columns, &builder->row,
                      builder->why))
        return LOAD_REFUSED;
    table->header = builder->row.record;
    table->census.column = table->columns.at[COLUMN_STATE];
    table->longest = table->header.length;
    table->lines = builder->row.lines;
    table->separator = splitter_separator(builder->splitter);
    builder->other = splitter_new(ROW_LONGEST, table->separator);
    return builder->other ? add_records(builder, rest) : LOAD_FAILED;
}

static void report_bad(const struct builder *builder)
{
    const struct memberchat_services *services = builder->report->services;
    const struct table *table = builder->table;
    if (table->bad > 0)
        services->log(services, MEMBERCHAT_LOG_WARNING,
                      "%s: bad lines: %zu, the first is line %zu%s%s", builder->settings->path,
                      table->bad, builder->first_bad, builder->misread ? "; " : "",
                      builder->misread ? builder->encoding.text : "");
}

enum load table_build(char *text, size_t size, const struct file_settings *settings,
                      const struct table_report *report, struct table **table_r, struct reason *why)
{
    struct table *table = calloc(1, sizeof *table);
    struct builder *builder = calloc(1, sizeof *builder);
    enum load result = LOAD_FAILED;
    reason_set(why, "%s", no_memory);
    if (table && builder) {
        table->text = text;
        table->size = size;
        *builder =
            (struct builder){.table = table, .settings = settings, .report = report, .why = why};
        result = fill(builder);
    } else {
        free(text);
    }
    if (result == LOAD_DONE) {
        finish_notes(builder);
        report_bad(builder);
    }
    if (builder) {
        splitter_free(builder->splitter);
        splitter_free(builder->other);
    }
    free(builder);
    if (result != LOAD_DONE)
        table_free(table);
    *table_r = result == LOAD_DONE ? table : NULL;
    return result;
}

void table_free(struct table *table)
{
    if (!table)
        return;
    free(table->text);
    free(table->slots);
    free(table->notes);
    free(table);
}
