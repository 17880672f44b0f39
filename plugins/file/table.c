/* SPDX-License-Identifier: MIT
 *
 * file_table.c: the index from id to line, and how it is made.
 *
 * The index holds 8 bytes a line and no text: a look-up splits its line anew.
 * Memory is the file plus 12 bytes a line, whatever the number of columns.
 */
#include "table.h"

#include "base/hash.h"
#include "text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define TWIN_FLAG   (UINT64_C(1) << 63)
#define TAG_MASK    (UINT64_C(0x7fffffff) << 32)
#define OFFSET_MASK UINT64_C(0xffffffff)

enum { TWINS_LOGGED = 100 };

/* A line that is good, and on its way into the index. */
struct entry {
    uint64_t hash;
    uint32_t offset;
    size_t line, id_length;
    char id[FILE_ID_MAX];
};

struct builder {
    struct file_table *table;
    const struct file_settings *settings;
    const struct file_report *report;
    struct file_reason *reason;
    struct file_csv *line_csv, *twin_csv;
    struct entry entry;
    size_t twin_room, first_bad;
};

static uint32_t table_start(const struct file_table *table, uint64_t hash)
{
    return (uint32_t)((hash >> 32) * table->slot_count >> 32);
}

/* The slot that holds `id`, or the free one where it belongs.  The first: with its fields. */
static uint64_t *table_slot(const struct file_table *table, struct file_csv *csv, uint64_t hash,
                            struct file_text id, struct file_row *row_r)
{
    uint32_t i = table_start(table, hash);
    uint64_t *slot;

    for (;; i = i + 1 < table->slot_count ? i + 1 : 0) {
        struct file_text rest, line;
        const struct file_text *found;

        slot = &table->slots[i];
        if (*slot == 0)
            return slot;
        if (((*slot ^ hash << 32) & TAG_MASK) != 0)
            continue;
        rest.bytes = table->text + (*slot & OFFSET_MASK);
        rest.length = table->size - (*slot & OFFSET_MASK);
        file_text_next_line(&rest, &line);
        file_csv_split(csv, line.bytes, line.length, row_r);
        found = &row_r->fields[table->header.id];
        if (found->length == id.length && memcmp(found->bytes, id.bytes, id.length) == 0)
            return slot;
    }
}

/* The twin of a slot that has the flag. */
static const struct file_twin *find_twin(const struct file_table *table, uint64_t slot)
{
    size_t low = 0, high = table->twin_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (table->twins[middle].offset < (slot & OFFSET_MASK))
            low = middle + 1;
        else
            high = middle;
    }
    return &table->twins[low];
}

enum file_answer file_table_find(const struct file_table *table, struct file_csv *csv,
                                 const char *id, size_t length, struct file_row *row_r,
                                 const struct file_twin **twin_r)
{
    uint64_t hash = hash_keyed(table->key, id, length);
    uint64_t slot = *table_slot(table, csv, hash, (struct file_text){id, length}, row_r);

    if (slot == 0)
        return FILE_ABSENT;
    if ((slot & TWIN_FLAG) == 0)
        return FILE_HERE;
    *twin_r = find_twin(table, slot);
    return FILE_TWICE;
}

static bool twin_add(struct builder *builder, uint64_t *slot)
{
    struct file_table *table = builder->table;

    if (table->twin_count == builder->twin_room) {
        size_t room = builder->twin_room * 2 + 64;
        struct file_twin *twins = realloc(table->twins, room * sizeof *twins);

        if (twins == NULL)
            return false;
        table->twins = twins;
        builder->twin_room = room;
    }
    if ((*slot & TWIN_FLAG) == 0)
        table->members--;
    *slot |= TWIN_FLAG;
    table->twins[table->twin_count++] =
        (struct file_twin){(uint32_t)(*slot & OFFSET_MASK), 0, builder->entry.line};
    return true;
}

static int twin_compare(const void *left, const void *right)
{
    const struct file_twin *a = left, *b = right;

    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}

/* Finds the number of each twin's first line, in one pass over the text, and logs them. */
static void twins_finish(struct builder *builder)
{
    struct file_table *table = builder->table;
    struct file_text rest = {table->text, table->size}, line;
    size_t number = 0, i;

    if (table->twin_count > 0)
        qsort(table->twins, table->twin_count, sizeof *table->twins, twin_compare);
    for (i = 0; i < table->twin_count; i++) {
        struct file_twin *twin = &table->twins[i];

        while (rest.bytes <= table->text + twin->offset && file_text_next_line(&rest, &line))
            number++;
        twin->first = number;
        if (i < TWINS_LOGGED)
            builder->report->services->log(
                builder->report->services, builder->report->lines,
                "%s:%zu: the id is in line %zu already: look-ups of it fail until one of them goes",
                builder->settings->path, twin->line, twin->first);
    }
}

/* A line that is left out is named in the log.  False: there are too many. */
static bool line_refuse(struct builder *builder, const char *what)
{
    const struct memberchat_services *services = builder->report->services;
    struct file_table *table = builder->table;

    services->log(services, builder->report->lines, "%s:%zu: %s; the line is left out",
                  builder->settings->path, table->lines, what);
    if (table->bad++ == 0)
        builder->first_bad = table->lines;
    if ((int64_t)table->bad <= builder->settings->max_bad)
        return true;
    file_reason_set(builder->reason, "more than %" PRId64 " bad lines (max_bad); line %zu: %s",
                    builder->settings->max_bad, table->lines, what);
    return false;
}

/* Puts the entry that waits into the index.  False: memory is short. */
static bool entry_insert(struct builder *builder)
{
    struct file_table *table = builder->table;
    struct entry *entry = &builder->entry;
    struct file_row row;
    uint64_t *slot;

    if (entry->offset == 0)
        return true;
    slot = table_slot(table, builder->twin_csv, entry->hash,
                      (struct file_text){entry->id, entry->id_length}, &row);
    if (*slot != 0)
        return twin_add(builder, slot);
    *slot = (entry->hash << 32 & TAG_MASK) | entry->offset;
    table->members++;
    return true;
}

/* Adds one line.  Its entry waits until the next line is split: by then the
 * slot has come from memory.  False: with a reason. */
static bool line_add(struct builder *builder, const struct file_text *line)
{
    struct file_table *table = builder->table;
    struct entry *entry = &builder->entry;
    struct file_row row;
    const struct file_text *id;
    struct file_reason what;
    const char *fault = file_csv_split(builder->line_csv, line->bytes, line->length, &row);

    if (fault != NULL)
        return line_refuse(builder, fault);
    if (row.count == 0)
        return true;
    if (!file_row_check(&table->header, &row, &what))
        return line_refuse(builder, what.text);
    if (!entry_insert(builder)) {
        file_reason_set(builder->reason, "out of memory");
        return false;
    }
    if (line->length > table->longest)
        table->longest = line->length;
    id = &row.fields[table->header.id];
    entry->hash = hash_keyed(table->key, id->bytes, id->length);
    entry->offset = (uint32_t)(line->bytes - table->text);
    entry->line = table->lines;
    entry->id_length = id->length;
    memcpy(entry->id, id->bytes, id->length);
    __builtin_prefetch(&table->slots[table_start(table, entry->hash)], 1);
    return true;
}

/* Room for all lines at a load of at most two thirds, all free. */
static bool table_make_slots(struct file_table *table)
{
    struct file_text rest = {table->text, table->size}, line;
    uint32_t lines = 0;

    while (file_text_next_line(&rest, &line))
        lines += line.length > 0;
    table->slot_count = lines + lines / 2 + 8;
    table->slots = calloc(table->slot_count, sizeof *table->slots);
    return table->slots != NULL;
}

static bool table_fill(struct builder *builder)
{
    struct file_table *table = builder->table;
    struct file_text rest = {table->text, table->size}, line;

    if (!file_text_is_plain(table->text, table->size, builder->reason))
        return false;
    builder->line_csv = file_csv_new(FILE_LINE_MAX);
    builder->twin_csv = file_csv_new(FILE_LINE_MAX);
    if (builder->line_csv == NULL || builder->twin_csv == NULL || !table_make_slots(table)) {
        file_reason_set(builder->reason, "out of memory");
        return false;
    }
    if (getrandom(table->key, sizeof table->key, 0) != (ssize_t)sizeof table->key) {
        file_reason_set(builder->reason, "no random numbers from the system");
        return false;
    }
    if (!file_text_take_header(&rest, builder->line_csv, builder->settings->columns, &table->header,
                               &table->header_line, &table->lines, builder->reason))
        return false;
    while (file_text_next_line(&rest, &line)) {
        table->lines++;
        if (!line_add(builder, &line))
            return false;
    }
    if (!entry_insert(builder)) {
        file_reason_set(builder->reason, "out of memory");
        return false;
    }
    twins_finish(builder);
    return true;
}

static void table_report(const struct builder *builder)
{
    const struct memberchat_services *services = builder->report->services;
    const struct file_table *table = builder->table;
    const char *path = builder->settings->path;

    if (table->bad > 0)
        services->log(services, MEMBERCHAT_LOG_WARNING,
                      "%s: %zu bad lines are left out, the first of them is line %zu", path,
                      table->bad, builder->first_bad);
    if (table->twin_count > 0)
        services->log(services, MEMBERCHAT_LOG_WARNING,
                      "%s: %zu lines have an id that an earlier line has", path, table->twin_count);
}

struct file_table *file_table_build(char *text, size_t size, const struct file_settings *settings,
                                    const struct file_report *report, struct file_reason *reason)
{
    struct file_table *table = calloc(1, sizeof *table);
    struct builder builder = {
        .table = table, .settings = settings, .report = report, .reason = reason};
    bool good = false;

    if (table != NULL) {
        table->text = text;
        table->size = size;
        good = table_fill(&builder);
    } else {
        free(text);
        file_reason_set(reason, "out of memory");
    }
    if (good)
        table_report(&builder);
    file_csv_free(builder.line_csv);
    file_csv_free(builder.twin_csv);
    if (good)
        return table;
    file_table_free(table);
    return NULL;
}

bool file_table_each(const struct file_table *table,
                     void (*each)(void *context, const struct file_text *id,
                                  const struct file_text *line, const struct file_twin *twin),
                     void *context)
{
    struct file_csv *csv = file_csv_new(table->longest);
    struct file_row row;
    uint32_t i;

    if (csv == NULL)
        return false;
    for (i = 0; i < table->slot_count; i++) {
        uint64_t slot = table->slots[i];
        struct file_text line,
            rest = {table->text + (slot & OFFSET_MASK), table->size - (slot & OFFSET_MASK)};

        if (slot == 0)
            continue;
        file_text_next_line(&rest, &line);
        file_csv_split(csv, line.bytes, line.length, &row);
        each(context, &row.fields[table->header.id], &line,
             slot & TWIN_FLAG ? find_twin(table, slot) : NULL);
    }
    file_csv_free(csv);
    return true;
}

void file_table_free(struct file_table *table)
{
    if (table == NULL)
        return;
    free(table->text);
    free(table->slots);
    free(table->twins);
    free(table);
}
