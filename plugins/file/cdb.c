/* SPDX-License-Identifier: MIT
 *
 * file_cdb.c: members in a constant database, by tinycdb.
 */
#include "cdb.h"

#include <cdb.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The record that is no member: "1 MEMBERS LONGEST\n" and the header line. */
static const char own_key[] = {'\0', 'm', 'e', 'm', 'b', 'e', 'r', 'c', 'h', 'a', 't'};

enum { FORMAT = 1, OWN_MAX = 256 };

struct file_cdb {
    struct cdb cdb; /* looked up in by copies: a look-up writes into it */
    struct file_header header;
    size_t members, longest;
};

/* The value of a key.  1: *value_r is in the file; 0: there is none; -1: damaged. */
static int cdb_value(const struct file_cdb *file, const char *key, size_t length,
                     struct file_text *value_r)
{
    struct cdb cdb = file->cdb;
    int found = cdb_find(&cdb, key, (unsigned)length);

    if (found <= 0)
        return found;
    value_r->length = cdb_datalen(&cdb);
    value_r->bytes = cdb_getdata(&cdb);
    return value_r->bytes != NULL ? 1 : -1;
}

/* Takes the numbers that stand before the header line. */
static bool own_read_numbers(struct file_cdb *file, struct file_text *rest)
{
    const char *end = memchr(rest->bytes, '\n', rest->length);
    char line[OWN_MAX];
    size_t length = end != NULL ? (size_t)(end - rest->bytes) : sizeof line;
    int format;

    if (length >= sizeof line)
        return false;
    memcpy(line, rest->bytes, length);
    line[length] = '\0';
    rest->bytes += length + 1;
    rest->length -= length + 1;
    return sscanf(line, "%d %zu %zu", &format, &file->members, &file->longest) == 3 &&
           format == FORMAT && file->longest <= FILE_LINE_MAX;
}

static bool own_read(struct file_cdb *file, const struct file_settings *settings,
                     struct file_reason *reason)
{
    struct file_csv *csv = file_csv_new(FILE_LINE_MAX);
    struct file_text rest;
    struct file_row row;
    bool good = false;

    if (csv == NULL)
        file_reason_set(reason, "out of memory");
    else if (cdb_value(file, own_key, sizeof own_key, &rest) != 1 ||
             !own_read_numbers(file, &rest) ||
             file_csv_split(csv, rest.bytes, rest.length, &row) != NULL)
        file_reason_set(reason, "not a compiled members file of this version, or damaged: make "
                                "it anew with memberchat index");
    else
        good = file_header_read(&row, settings->columns, &file->header, reason);
    file_csv_free(csv);
    return good;
}

struct file_cdb *file_cdb_open(int fd, const struct file_settings *settings,
                               struct file_reason *reason)
{
    struct file_cdb *file = calloc(1, sizeof *file);

    if (file == NULL) {
        file_reason_set(reason, "out of memory");
        return NULL;
    }
    if (cdb_init(&file->cdb, fd) != 0) {
        file_reason_set(reason, "not a compiled members file, or damaged: make it anew with "
                                "memberchat index");
        free(file);
        return NULL;
    }
    if (own_read(file, settings, reason))
        return file;
    file_cdb_close(file);
    return NULL;
}

void file_cdb_close(struct file_cdb *file)
{
    if (file == NULL)
        return;
    cdb_free(&file->cdb);
    free(file);
}

const struct file_header *file_cdb_header(const struct file_cdb *file)
{
    return &file->header;
}

size_t file_cdb_members(const struct file_cdb *file)
{
    return file->members;
}

size_t file_cdb_longest(const struct file_cdb *file)
{
    return file->longest;
}

/* "\0FIRST LINE": an id of several lines. */
static enum file_answer twin_read(const struct file_text *value, struct file_twin *twin_r)
{
    char numbers[OWN_MAX];

    if (value->length > sizeof numbers)
        return FILE_BROKEN;
    memcpy(numbers, value->bytes + 1, value->length - 1);
    numbers[value->length - 1] = '\0';
    *twin_r = (struct file_twin){0};
    return sscanf(numbers, "%zu %zu", &twin_r->first, &twin_r->line) == 2 ? FILE_TWICE
                                                                          : FILE_BROKEN;
}

enum file_answer file_cdb_find(const struct file_cdb *file, struct file_csv *csv, const char *id,
                               size_t length, struct file_row *row_r, struct file_twin *twin_r)
{
    struct file_text value;
    const struct file_text *found;
    int answer = cdb_value(file, id, length, &value);

    if (answer == 0)
        return FILE_ABSENT;
    if (answer < 0 || value.length == 0)
        return FILE_BROKEN;
    if (value.bytes[0] == '\0')
        return twin_read(&value, twin_r);
    if (value.length > file->longest ||
        file_csv_split(csv, value.bytes, value.length, row_r) != NULL ||
        row_r->count != file->header.count)
        return FILE_BROKEN;
    found = &row_r->fields[file->header.id];
    return found->length == length && memcmp(found->bytes, id, length) == 0 ? FILE_HERE
                                                                            : FILE_BROKEN;
}

/* ---- Writing ---- */

struct writer {
    struct cdb_make make;
    bool failed;
};

static void writer_add(struct writer *writer, struct file_text key, const char *value,
                       size_t length)
{
    if (!writer->failed)
        writer->failed = cdb_make_add(&writer->make, key.bytes, (unsigned)key.length, value,
                                      (unsigned)length) != 0;
}

static void write_member(void *context, const struct file_text *id, const struct file_text *line,
                         const struct file_twin *twin)
{
    struct writer *writer = context;
    char numbers[OWN_MAX];
    int length;

    if (twin == NULL) {
        writer_add(writer, *id, line->bytes, line->length);
        return;
    }
    length = snprintf(numbers, sizeof numbers, "%c%zu %zu", '\0', twin->first, twin->line);
    writer_add(writer, *id, numbers, (size_t)length);
}

static void write_own(struct writer *writer, const struct file_table *table)
{
    struct file_text header = table->header_line;
    size_t longest = table->longest > header.length ? table->longest : header.length;
    char *value = malloc(OWN_MAX + header.length);
    int length;

    if (value == NULL) {
        errno = ENOMEM;
        writer->failed = true;
        return;
    }
    length = snprintf(value, OWN_MAX, "%d %zu %zu\n", FORMAT, table->members, longest);
    memcpy(value + length, header.bytes, header.length);
    writer_add(writer, (struct file_text){own_key, sizeof own_key}, value,
               (size_t)length + header.length);
    free(value);
}

bool file_cdb_write(const struct file_table *table, int fd, struct file_reason *reason)
{
    struct writer writer = {.failed = false};

    writer.failed = cdb_make_start(&writer.make, fd) != 0;
    write_own(&writer, table);
    if (!file_table_each(table, write_member, &writer)) {
        errno = ENOMEM;
        writer.failed = true;
    }
    if (cdb_make_finish(&writer.make) != 0)
        writer.failed = true;
    if (writer.failed)
        file_reason_set(reason, "cannot be written: %s", strerror(errno));
    return !writer.failed;
}
