/* SPDX-License-Identifier: MIT */
#include "columns.h"

#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const char separators[] = ",;|\t";

/* ---- The header ---- */

static bool name_is(struct span field, const char *name)
{
    return field.length && field.length == strlen(name) &&
           memcmp(field.data, name, field.length) == 0;
}

static bool has_id(const struct row *row, const char *name)
{
    for (size_t i = 0; i < row->count && i < ROW_FIELDS_MAX; i++)
        if (name_is(row->fields[i], name))
            return true;
    return false;
}

/* The header has no more columns than fit. */
static void refuse_without_id(const struct row *row, const char *name, struct reason *why)
{
    reason_set(why, "no column \"%s\" in the header (set id_column, or separator); it has", name);
    for (size_t i = 0; i < row->count; i++) {
        size_t used = strlen(why->text);
        snprintf(why->text + used, sizeof why->text - used, "%s \"%.*s\"", i > 0 ? "," : "",
                 (int)row->fields[i].length, row->fields[i].data);
    }
}

static void add_attribute(struct columns *columns, size_t at, struct span name,
                          const struct memberchat_list *wanted)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (!name_is(name, wanted->items[i]))
            continue;
        columns->attributes[columns->attribute_count].at = at;
        columns->attributes[columns->attribute_count++].name = span_of(wanted->items[i]);
        return;
    }
}

bool columns_read(const struct row *row, const struct column_names *names,
                  struct columns *columns_r, struct reason *why)
{
    columns_r->count = row->count;
    columns_r->attribute_count = 0;
    for (size_t i = 0; i < COLUMNS; i++)
        columns_r->at[i] = SIZE_MAX;
    if (row->count > ROW_FIELDS_MAX) {
        reason_set(why, "more than %d columns", ROW_FIELDS_MAX);
        return false;
    }
    for (size_t i = 0; i < row->count; i++) {
        for (size_t column = 0; column < COLUMNS; column++) {
            if (!name_is(row->fields[i], names->of[column]))
                continue;
            if (columns_r->at[column] != SIZE_MAX) {
                reason_set(why, "column \"%s\" is twice in the header", names->of[column]);
                return false;
            }
            columns_r->at[column] = i;
        }
        add_attribute(columns_r, i, row->fields[i], &names->wanted);
    }
    if (columns_r->at[COLUMN_ID] == SIZE_MAX)
        refuse_without_id(row, names->of[COLUMN_ID], why);
    return columns_r->at[COLUMN_ID] != SIZE_MAX;
}

/* A first line "sep=;", as Excel reads and others write it.  False: it names none. */
static bool take_separator(struct splitter *splitter, struct span *rest, size_t *lines_r,
                           struct reason *why)
{
    const char *end = memchr(rest->data, '\n', rest->length);
    const char *at = rest->data;
    size_t length = end ? (size_t)(end - at) : rest->length;
    if (length && at[length - 1] == '\r')
        length--;
    if (length > 1 && at[0] == '"' && at[length - 1] == '"') {
        at++;
        length -= 2;
    }
    if (length < 5 || !span_equal_nocase((struct span){at, 4}, "sep="))
        return true;
    if (length > 5 || !at[4] || !strchr(separators, at[4])) {
        reason_set(why, "line 1 names a separator that is not supported: it must be a comma, a "
                        "semicolon, a bar or a tab");
        return false;
    }
    splitter_set_separator(splitter, at[4]);
    size_t line = end ? (size_t)(end - rest->data) + 1 : rest->length;
    rest->data += line;
    rest->length -= line;
    *lines_r = 1;
    return true;
}

/* Adds which other separator would make sense of the header. */
static void suggest_separator(struct splitter *splitter, struct span header, const char *id,
                              struct reason *why)
{
    for (const char *separator = separators; *separator; separator++) {
        struct span rest = header;
        struct row row;
        splitter_set_separator(splitter, *separator);
        if (splitter_take(splitter, &rest, &row) || !has_id(&row, id))
            continue;
        char name[] = {*separator, '\0'};
        reason_set(why, "no column \"%s\" in the header: set separator = \"%s\"", id,
                   *separator == '\t' ? "tab" : name);
    }
}

bool columns_take(struct splitter *splitter, struct span *rest, const struct column_names *names,
                  struct columns *columns_r, struct row *row_r, struct reason *why)
{
    const char *fault = NULL;
    size_t lines = 0;
    if (rest->length >= 3 && memcmp(rest->data, "\xef\xbb\xbf", 3) == 0)
        *rest = (struct span){rest->data + 3, rest->length - 3};
    if (!take_separator(splitter, rest, &lines, why))
        return false;
    do {
        fault = splitter_take(splitter, rest, row_r);
        lines += row_r->lines;
    } while (!fault && row_r->lines && !row_r->count);
    if (fault)
        reason_set(why, "the header, line %zu: %s", lines, fault);
    else if (!row_r->count)
        reason_set(why, "the file is empty: its first line must name the columns");
    if (fault || !row_r->count)
        return false;
    row_r->lines = lines;
    if (columns_read(row_r, names, columns_r, why))
        return true;
    if (!has_id(row_r, names->of[COLUMN_ID]))
        suggest_separator(splitter, row_r->record, names->of[COLUMN_ID], why);
    return false;
}

bool columns_has(const struct columns *columns, const char *attribute)
{
    for (size_t i = 0; i < columns->attribute_count; i++)
        if (span_equal(columns->attributes[i].name, span_of(attribute)))
            return true;
    return false;
}

/* ---- Records ---- */

struct span columns_field(const struct columns *columns, const struct row *row, enum column column)
{
    return row_field(row, columns->at[column]);
}

/* The length of what begins with a byte that is not ASCII, 0 for what is not UTF-8. */
static size_t wide_length(struct span text)
{
    const unsigned char *byte = (const unsigned char *)text.data;
    size_t length = text_utf8_sequence(text);
    bool half = !length && text.length >= 3 && byte[0] == 0xed && byte[1] >= 0xa0 &&
                byte[1] <= 0xbf && byte[2] >= 0x80 && byte[2] <= 0xbf;
    return half ? 3 : length;
}

bool columns_is_utf8(struct span text, size_t *end_r)
{
    const uint64_t tops = UINT64_C(0x8080808080808080);
    size_t at = 0, length = 1;
    while (at < text.length && length) {
        uint64_t word;
        if (text.length - at >= sizeof word) {
            memcpy(&word, text.data + at, sizeof word);
            if (!(word & tops)) {
                at += sizeof word;
                continue;
            }
        }
        bool ascii = (unsigned char)text.data[at] < 0x80;
        length = ascii ? 1 : wide_length((struct span){text.data + at, text.length - at});
        at += length;
    }
    *end_r = at;
    return length;
}

static const char *text_fault(const struct columns *columns, const struct row *row)
{
    static const char *const faults[COLUMNS] = {
        [COLUMN_ID] = "the id is not in the encoding of the file",
        [COLUMN_NAME] = "the name is not in the encoding of the file",
        [COLUMN_AVATAR] = "the avatar is not in the encoding of the file",
        [COLUMN_ROLE] = "the role is not in the encoding of the file",
        [COLUMN_STATE] = "the state is not in the encoding of the file",
    };
    for (size_t column = 0; column < COLUMNS; column++) {
        size_t end;
        if (!columns_is_utf8(columns_field(columns, row, (enum column)column), &end))
            return faults[column];
    }
    return text_is_plain(columns_field(columns, row, COLUMN_ID)) ? NULL
                                                                 : "the id is not plain text";
}

const char *columns_fault(const struct columns *columns, const struct row *row)
{
    struct span id = columns_field(columns, row, COLUMN_ID);
    bool fits = row->count <= columns->count || row->count <= ROW_FIELDS_MAX;
    for (size_t i = columns->count; fits && i < row->count; i++)
        fits = !row->fields[i].length;
    if (!fits)
        return "more fields than the header has";
    if (!id.length)
        return "the id is empty";
    if (id.length > MEMBERCHAT_ID_MAX)
        return "the id is longer than 128 bytes";
    return row->ascii ? NULL : text_fault(columns, row);
}
