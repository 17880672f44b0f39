/* SPDX-License-Identifier: MIT
 * The only user of tinycdb. */
#include "compiled.h"

#include <cdb.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The record that is not a member: "3 MEMBERS LONGEST SEPARATOR\n", the lines of a census, and
 * the header.  Format 2 had no census, format 1 neither separator nor notes with a fault. */
static const char own_key[] = {'\0', 'm', 'e', 'm', 'b', 'e', 'r', 'c', 'h', 'a', 't'};

enum { FORMAT = 3, NUMBERS_MAX = 256 };

struct compiled {
    struct cdb cdb; /* a look-up writes into it, so it uses a copy */
    struct columns columns;
    size_t longest;
    char separator;
    struct census census;
};

/* The value of a key.  1: *value_r is in the file; 0: there is none; -1: damaged. */
static int find_value(const struct compiled *compiled, struct span key, struct span *value_r)
{
    struct cdb cdb = compiled->cdb;
    int found = cdb_find(&cdb, key.data, (unsigned)key.length);
    if (found <= 0)
        return found;
    *value_r = (struct span){cdb_getdata(&cdb), cdb_datalen(&cdb)};
    return value_r->data ? 1 : -1;
}

/* Takes the numbers that precede the header. */
static bool read_numbers(struct compiled *compiled, struct span *rest)
{
    const char *end = memchr(rest->data, '\n', rest->length);
    char numbers[NUMBERS_MAX];
    int format, separator = ',';
    if (!end || end - rest->data >= NUMBERS_MAX)
        return false;
    int count = sscanf(span_copy(*rest, numbers, sizeof numbers), "%d %zu %zu %d", &format,
                       &compiled->census.members, &compiled->longest, &separator);
    *rest = (struct span){end + 1, rest->length - (size_t)(end + 1 - rest->data)};
    compiled->separator = (char)separator;
    bool counted = count == 4 && format == FORMAT;
    bool known = count >= 3 && (format == 1 || (count == 4 && format == 2) || counted);
    return known && compiled->longest <= ROW_LONGEST && separator > 0 && separator < 0x7f &&
           (!counted || census_read(&compiled->census, rest));
}

static enum load read_own(struct compiled *compiled, const struct column_names *names,
                          struct reason *why)
{
    struct span rest;
    struct row row;
    bool good = find_value(compiled, (struct span){own_key, sizeof own_key}, &rest) == 1 &&
                read_numbers(compiled, &rest);
    struct splitter *splitter = good ? splitter_new(ROW_LONGEST, compiled->separator) : NULL;
    if (good && !splitter) {
        reason_set(why, "out of memory");
        return LOAD_FAILED;
    }
    good = good && !splitter_take(splitter, &rest, &row);
    if (!good)
        reason_set(why, "not a compiled members file of this version, or damaged: make it "
                        "again with memberchat index");
    good = good && columns_read(&row, names, &compiled->columns, why);
    splitter_free(splitter);
    return good ? LOAD_DONE : LOAD_REFUSED;
}

enum load compiled_open(int fd, const struct column_names *names, struct compiled **compiled_r,
                        struct reason *why)
{
    struct compiled *compiled = calloc(1, sizeof *compiled);
    enum load result = LOAD_FAILED;
    *compiled_r = NULL;
    if (!compiled) {
        reason_set(why, "out of memory");
        return result;
    }
    errno = 0;
    if (cdb_init(&compiled->cdb, fd) == 0) {
        result = read_own(compiled, names, why);
        if (result == LOAD_DONE) {
            *compiled_r = compiled;
            return result;
        }
        cdb_free(&compiled->cdb);
    } else if (errno == ENOMEM || errno == EINTR || errno == EIO) {
        reason_set(why, "%s", strerror(errno));
    } else {
        result = LOAD_REFUSED;
        reason_set(why, "not a compiled members file, or damaged: make it again with memberchat "
                        "index");
    }
    free(compiled);
    return result;
}

void compiled_close(struct compiled *compiled)
{
    if (!compiled)
        return;
    cdb_free(&compiled->cdb);
    free(compiled);
}

const struct columns *compiled_columns(const struct compiled *compiled)
{
    return &compiled->columns;
}

size_t compiled_count(const struct compiled *compiled)
{
    return compiled->census.members;
}

bool compiled_census(const struct compiled *compiled, const struct file_settings *settings,
                     struct census *census_r)
{
    size_t column = compiled->columns.at[COLUMN_STATE];
    *census_r = compiled->census;
    if (column == SIZE_MAX) /* then all are active */
        *census_r = (struct census){
            .members = census_r->members, .stateless = census_r->members, .column = SIZE_MAX};
    if (column != census_r->column)
        census_r->state_count = 0;
    census_r->active = census_r->stateless;
    for (size_t i = 0; i < census_r->state_count; i++)
        if (table_is_active(settings, span_of(census_r->states[i].name)))
            census_r->active += census_r->states[i].count;
    return census_is_complete(census_r);
}

struct splitter *compiled_splitter(const struct compiled *compiled)
{
    return splitter_new(compiled->longest, compiled->separator);
}

/* "\0FIRST LINE FAULT": the id cannot be used. */
static enum answer read_note(struct span value, struct table_note *note_r)
{
    char numbers[NUMBERS_MAX];
    int end = 0;
    value = (struct span){value.data + 1, value.length - 1};
    *note_r = (struct table_note){.offset = 0};
    if (sscanf(span_copy(value, numbers, sizeof numbers), "%zu %zu%n", &note_r->first,
               &note_r->line, &end) != 2)
        return ANSWER_BROKEN;
    if (note_r->first == note_r->line)
        note_r->fault = "it was bad when the file was compiled";
    return ANSWER_NOTED;
}

enum answer compiled_find(const struct compiled *compiled, struct splitter *splitter,
                          struct span id, struct row *row_r, struct table_note *note_r)
{
    struct span value;
    int answer = find_value(compiled, id, &value);
    if (answer == 0)
        return ANSWER_ABSENT;
    if (answer < 0 || !value.length)
        return ANSWER_BROKEN;
    if (value.data[0] == '\0')
        return read_note(value, note_r);
    if (value.length > compiled->longest || splitter_take(splitter, &value, row_r) || value.length)
        return ANSWER_BROKEN;
    return span_equal(columns_field(&compiled->columns, row_r, COLUMN_ID), id) ? ANSWER_HERE
                                                                               : ANSWER_BROKEN;
}

/* ---- Writing ---- */

struct writer {
    struct cdb_make make;
    int error; /* errno of the first that failed */
};

static void add(struct writer *writer, struct span key, struct span value)
{
    if (!writer->error && cdb_make_add(&writer->make, key.data, (unsigned)key.length, value.data,
                                       (unsigned)value.length) != 0)
        writer->error = errno;
}

static void add_member(void *context, struct span id, struct span record,
                       const struct table_note *note)
{
    char numbers[NUMBERS_MAX];
    if (note)
        record = (struct span){numbers, (size_t)snprintf(numbers, sizeof numbers, "%c%zu %zu", '\0',
                                                         note->first, note->line)};
    add(context, id, record);
}

static void add_own(struct writer *writer, const struct table *table)
{
    struct bytes value = {0};
    bytes_addf(&value, "%d %zu %zu %d\n", FORMAT, table->census.members, table->longest,
               table->separator);
    census_write(&table->census, &value);
    bytes_add_span(&value, table->header);
    if (value.failed)
        writer->error = ENOMEM;
    add(writer, (struct span){own_key, sizeof own_key}, bytes_span(&value));
    bytes_free(&value);
}

bool compiled_write(const struct table *table, int fd, struct reason *why)
{
    struct writer writer = {.error = 0};
    errno = EIO; /* where tinycdb does not say more */
    if (cdb_make_start(&writer.make, fd) != 0)
        writer.error = errno;
    add_own(&writer, table);
    if (!table_each(table, add_member, &writer))
        writer.error = ENOMEM;
    if (cdb_make_finish(&writer.make) != 0 && !writer.error)
        writer.error = errno;
    if (writer.error)
        reason_set(why, "cannot be written: %s", strerror(writer.error));
    return !writer.error;
}
