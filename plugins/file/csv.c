/* SPDX-License-Identifier: MIT
 *
 * file_csv.c: the only user of libcsv.
 */
#include "csv.h"

#include "base/text.h" /* pure, and linked into the plugin */

#include <csv.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CSV_OPTIONS = CSV_STRICT | CSV_STRICT_FINI };

struct file_csv {
    struct csv_parser parser;
    size_t longest;
    size_t used; /* bytes of text that are taken */
    size_t ends; /* line ends that libcsv saw */
    struct file_row *row;
    char text[];
};

/* How long a field of each kind may be: what the host takes. */
static const size_t kind_limits[] = {
    [FILE_ID] = FILE_ID_MAX,        [FILE_NAME] = 256,
    [FILE_AVATAR] = 2048,           [FILE_ROLE] = 64,
    [FILE_STATE] = FILE_LINE_MAX,   [FILE_ATTRIBUTE] = 4096,
    [FILE_UNNAMED] = FILE_LINE_MAX,
};

void file_reason_set(struct file_reason *reason, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(reason->text, sizeof reason->text, format, arguments);
    va_end(arguments);
}

static void row_add(struct file_row *row, const char *bytes, size_t length)
{
    if (row->count < FILE_COLUMNS_MAX)
        row->fields[row->count] = (struct file_text){bytes, length};
    row->count++;
}

static void csv_take_field(void *bytes, size_t length, void *data)
{
    struct file_csv *csv = data;
    char *to = csv->text + csv->used;

    memcpy(to, bytes, length);
    row_add(csv->row, to, length);
    csv->used += length;
}

static void csv_take_end(int terminator, void *data)
{
    (void)terminator;
    ((struct file_csv *)data)->ends++;
}

struct file_csv *file_csv_new(size_t longest)
{
    struct file_csv *csv = malloc(sizeof *csv + longest);

    if (csv == NULL)
        return NULL;
    csv_init(&csv->parser, CSV_OPTIONS);
    /* The first byte makes libcsv take its buffer, of a size that lasts for ever. */
    csv_set_blk_size(&csv->parser, longest + 1);
    if (csv_parse(&csv->parser, "x", 1, NULL, NULL, NULL) != 1) {
        free(csv);
        return NULL;
    }
    csv_fini(&csv->parser, NULL, NULL, NULL);
    csv->longest = longest;
    return csv;
}

void file_csv_free(struct file_csv *csv)
{
    if (csv == NULL)
        return;
    csv_free(&csv->parser);
    free(csv);
}

/* Whether there is nothing but printable ASCII in it: eight bytes at a time,
 * for almost every line is like that. */
static bool text_is_ascii(const char *bytes, size_t length)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t odd = 0, word;

    for (; length >= sizeof word; bytes += sizeof word, length -= sizeof word) {
        memcpy(&word, bytes, sizeof word);
        /* Sets the top bit of a byte over 0x7f, below 0x20, or 0x7f. */
        odd |= word | (word - ones * 0x20) | (word + ones);
    }
    word = ones * 0x20;
    memcpy(&word, bytes, length);
    odd |= word | (word - ones * 0x20) | (word + ones);
    return (odd & tops) == 0;
}

/* The end of a field that is quoted from its first byte to its last and has no mark
 * inside; NULL when it is not like that. */
static const char *find_quoted_end(const char *from, const char *end)
{
    const char *mark = memchr(from + 1, '"', (size_t)(end - from) - 1);

    return mark != NULL && (mark + 1 == end || mark[1] == ',') ? mark + 1 : NULL;
}

/* The end of a field without marks; NULL when it has some.  `marks`: whether the line has. */
static const char *find_bare_end(const char *from, const char *end, bool marks)
{
    const char *comma = memchr(from, ',', (size_t)(end - from));
    const char *to = comma != NULL ? comma : end;

    return marks && memchr(from, '"', (size_t)(to - from)) != NULL ? NULL : to;
}

/* The text between two ends without the blanks around it, which do not count. */
static struct file_text text_trim(const char *from, const char *to)
{
    while (from < to && *from == ' ')
        from++;
    while (to > from && to[-1] == ' ')
        to--;
    return (struct file_text){from, (size_t)(to - from)};
}

/* Splits a line as libcsv would, in an eighth of the time.  False when a field is neither
 * quoted as a whole nor without quotation marks, which few are: that is for libcsv. */
static bool row_split_simple(const char *line, size_t length, struct file_row *row)
{
    const char *from = line, *end = line + length;
    bool marks = memchr(line, '"', length) != NULL;

    for (;; from++) {
        bool quoted = marks && from < end && *from == '"';
        const char *to = quoted ? find_quoted_end(from, end) : find_bare_end(from, end, marks);
        struct file_text text;

        if (to == NULL)
            return false;
        text = quoted ? (struct file_text){from + 1, (size_t)(to - from) - 2} : text_trim(from, to);
        if (quoted || to < end || row->count > 0 || text.length > 0)
            row_add(row, text.bytes, text.length);
        if (to == end)
            return true;
        from = to;
    }
}

/* Whether there is nothing in it that libcsv takes for a blank, other than spaces, or for
 * a line end. */
static bool line_has_no_controls(const char *line, size_t length, bool ascii)
{
    return ascii || (memchr(line, '\t', length) == NULL && memchr(line, '\r', length) == NULL);
}

const char *file_csv_split(struct file_csv *csv, const char *line, size_t length,
                           struct file_row *row_r)
{
    const char *fault;

    if (length > csv->longest)
        return "the line is too long";
    csv->row = row_r;
    csv->used = csv->ends = 0;
    row_r->count = 0;
    row_r->ascii = text_is_ascii(line, length);
    if (line_has_no_controls(line, length, row_r->ascii) && row_split_simple(line, length, row_r))
        return NULL;
    row_r->count = 0;
    if (csv_parse(&csv->parser, line, length, csv_take_field, csv_take_end, csv) != length)
        fault = "stray quotation mark: a field that holds one is quoted, and the mark doubled";
    else if (csv->ends > 0)
        fault = "a carriage return inside the line";
    else if (csv_fini(&csv->parser, csv_take_field, csv_take_end, csv) != 0)
        fault = "a quotation mark that is not closed in the same line";
    else
        return NULL;
    /* Only a lenient end puts libcsv back to its beginning after a fault. */
    csv_set_opts(&csv->parser, 0);
    csv_fini(&csv->parser, NULL, NULL, NULL);
    csv_set_opts(&csv->parser, CSV_OPTIONS);
    return fault;
}

const char *file_text_fault(const char *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes, *end = at + length;

    while (at < end) {
        size_t sequence = 1;

        if (*at >= 0x80)
            sequence = text_utf8_sequence((struct span){(const char *)at, (size_t)(end - at)});
        if (sequence == 0)
            return "not UTF-8";
        if (*at < 0x20 || *at == 0x7f || (*at == 0xc2 && at[1] < 0xa0))
            return "a control character";
        at += sequence;
    }
    return NULL;
}

static enum file_kind header_kind(const struct file_text *name,
                                  const char *const mapped[FILE_MAPPED])
{
    size_t kind;

    if (name->length == 0)
        return FILE_UNNAMED;
    for (kind = 0; kind < FILE_MAPPED; kind++)
        if (strlen(mapped[kind]) == name->length &&
            memcmp(mapped[kind], name->bytes, name->length) == 0)
            return (enum file_kind)kind;
    return FILE_ATTRIBUTE;
}

static bool header_add(struct file_header *header, const struct file_text *name,
                       enum file_kind kind, struct file_reason *reason)
{
    const char *fault = file_text_fault(name->bytes, name->length);
    size_t i;

    if (name->length > FILE_COLUMN_NAME_MAX)
        fault = "longer than 64 bytes";
    if (fault != NULL) {
        file_reason_set(reason, "the name of column %zu in the header: %s", header->count + 1,
                        fault);
        return false;
    }
    for (i = 0; i < header->count; i++) {
        if (kind != FILE_UNNAMED && strlen(header->names[i]) == name->length &&
            memcmp(header->names[i], name->bytes, name->length) == 0) {
            file_reason_set(reason, "column \"%s\" is twice in the header", header->names[i]);
            return false;
        }
    }
    if (kind == FILE_ID)
        header->id = header->count;
    memcpy(header->names[header->count], name->bytes, name->length);
    header->names[header->count][name->length] = '\0';
    header->kinds[header->count++] = kind;
    return true;
}

static void header_refuse_without_id(const struct file_header *header, const char *wanted,
                                     struct file_reason *reason)
{
    size_t used, i;

    file_reason_set(reason,
                    "no column \"%s\" in the header (name it with id_column; columns are "
                    "separated by commas); it has",
                    wanted);
    for (i = 0; i < header->count; i++) {
        used = strlen(reason->text);
        snprintf(reason->text + used, sizeof reason->text - used, "%s \"%s\"", i > 0 ? "," : "",
                 header->names[i]);
    }
}

bool file_header_read(const struct file_row *row, const char *const mapped[FILE_MAPPED],
                      struct file_header *header_r, struct file_reason *reason)
{
    size_t i, attributes = 0;

    header_r->count = 0;
    if (row->count > FILE_COLUMNS_MAX) {
        file_reason_set(reason, "more than %d columns", FILE_COLUMNS_MAX);
        return false;
    }
    for (i = 0; i < row->count; i++) {
        enum file_kind kind = header_kind(&row->fields[i], mapped);

        if (!header_add(header_r, &row->fields[i], kind, reason))
            return false;
        if (kind == FILE_ATTRIBUTE && ++attributes > FILE_ATTRIBUTES_MAX) {
            file_reason_set(reason, "more than %d columns besides the member's own",
                            FILE_ATTRIBUTES_MAX);
            return false;
        }
    }
    if (!file_header_has(header_r, FILE_ID)) {
        header_refuse_without_id(header_r, mapped[FILE_ID], reason);
        return false;
    }
    return true;
}

bool file_header_has(const struct file_header *header, enum file_kind kind)
{
    size_t i;

    for (i = 0; i < header->count; i++)
        if (header->kinds[i] == kind)
            return true;
    return false;
}

bool file_row_check(const struct file_header *header, const struct file_row *row,
                    struct file_reason *reason)
{
    size_t i;

    if (row->count != header->count) {
        file_reason_set(reason, "%zu fields where the header has %zu", row->count, header->count);
        return false;
    }
    if (row->fields[header->id].length == 0) {
        file_reason_set(reason, "column \"%s\": the id is empty", header->names[header->id]);
        return false;
    }
    for (i = 0; i < row->count; i++) {
        const struct file_text *field = &row->fields[i];
        size_t limit = kind_limits[header->kinds[i]];
        const char *fault;

        if (field->length > limit) {
            file_reason_set(reason, "column \"%s\": longer than %zu bytes", header->names[i],
                            limit);
            return false;
        }
        fault = row->ascii ? NULL : file_text_fault(field->bytes, field->length);
        if (fault != NULL) {
            file_reason_set(reason, "column \"%s\": %s", header->names[i], fault);
            return false;
        }
    }
    return true;
}
