/* SPDX-License-Identifier: MIT
 * The only user of libcsv. */
#include "row.h"

#include <csv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* CSV_REPALL_NL: the end of a blank line is reported, too. */
enum { CSV_OPTIONS = CSV_STRICT | CSV_REPALL_NL };

struct splitter {
    struct csv_parser parser;
    size_t longest;
    char separator;
    size_t used; /* bytes of `text` that are taken */
    size_t ends; /* line ends outside of fields */
    struct row *row;
    char text[];
};

struct span row_field(const struct row *row, size_t index)
{
    return index < row->count ? row->fields[index] : (struct span){"", 0};
}

static void row_add(struct row *row, const char *data, size_t length)
{
    while (length &&
           (data[length - 1] == '\n' || data[length - 1] == '\r' || data[length - 1] == '\t'))
        length--;
    if (row->count < ROW_FIELDS_MAX)
        row->fields[row->count] = (struct span){data, length};
    row->count++;
}

static void take_field(void *data, size_t length, void *context)
{
    struct splitter *splitter = context;
    char *to = splitter->text + splitter->used;
    memcpy(to, data, length);
    row_add(splitter->row, to, length);
    splitter->used += length;
}

static void take_end(int terminator, void *context)
{
    (void)terminator;
    ((struct splitter *)context)->ends++;
}

struct splitter *splitter_new(size_t longest, char separator)
{
    struct splitter *splitter = malloc(sizeof *splitter + longest);
    if (!splitter)
        return NULL;
    csv_init(&splitter->parser, CSV_OPTIONS);
    /* the first byte makes libcsv allocate its buffer, which then never has to grow */
    csv_set_blk_size(&splitter->parser, longest + 1);
    if (csv_parse(&splitter->parser, "x", 1, NULL, NULL, NULL) != 1) {
        free(splitter);
        return NULL;
    }
    csv_fini(&splitter->parser, NULL, NULL, NULL);
    splitter->longest = longest;
    splitter_set_separator(splitter, separator);
    return splitter;
}

void splitter_free(struct splitter *splitter)
{
    if (!splitter)
        return;
    csv_free(&splitter->parser);
    free(splitter);
}

void splitter_set_separator(struct splitter *splitter, char separator)
{
    splitter->separator = separator;
    csv_set_delim(&splitter->parser, (unsigned char)separator);
}

char splitter_separator(const struct splitter *splitter)
{
    return splitter->separator;
}

/* Whether a text is printable ASCII only: eight bytes at a time, as almost every line is. */
static bool is_ascii(struct span text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t odd = 0, word;
    for (; text.length >= sizeof word; text.data += sizeof word, text.length -= sizeof word) {
        memcpy(&word, text.data, sizeof word);
        /* sets the top bit of a byte over 0x7f, below 0x20, or 0x7f */
        odd |= word | (word - ones * 0x20) | (word + ones);
    }
    word = ones * 0x20;
    memcpy(&word, text.data, text.length);
    odd |= word | (word - ones * 0x20) | (word + ones);
    return (odd & tops) == 0;
}

/* Takes the next line off the text, without its LF or CR LF.  False at the end. */
static bool take_line(struct span *rest, struct span *line_r)
{
    if (!span_next_line(rest, line_r))
        return false;
    line_r->length -= line_r->length && line_r->data[line_r->length - 1] == '\r';
    return true;
}

/* The end of a field that is quoted as a whole and has no mark inside, otherwise NULL. */
static const char *find_quoted_end(const char *from, const char *end, char separator)
{
    const char *mark = memchr(from + 1, '"', (size_t)(end - from) - 1);
    return mark && (mark + 1 == end || mark[1] == separator) ? mark + 1 : NULL;
}

/* The end of a field without marks; NULL if it has some.  `marks`: whether the line has. */
static const char *find_bare_end(const char *from, const char *end, char separator, bool marks)
{
    const char *found = memchr(from, separator, (size_t)(end - from));
    const char *to = found ? found : end;
    return marks && memchr(from, '"', (size_t)(to - from)) ? NULL : to;
}

static struct span trim_blanks(const char *from, const char *to)
{
    while (from < to && *from == ' ')
        from++;
    while (to > from && to[-1] == ' ')
        to--;
    return (struct span){from, (size_t)(to - from)};
}

/* Splits a line as libcsv would, in an eighth of the time.  False when a field is neither
 * quoted as a whole nor without quotation marks, which few are: that is for libcsv. */
static bool split_simple(struct span line, char separator, struct row *row)
{
    const char *from = line.data, *end = from + line.length;
    bool marks = memchr(from, '"', line.length);
    for (;; from++) {
        bool quoted = marks && from < end && *from == '"';
        const char *to = quoted ? find_quoted_end(from, end, separator)
                                : find_bare_end(from, end, separator, marks);
        if (!to)
            return false;
        struct span text =
            quoted ? (struct span){from + 1, (size_t)(to - from) - 2} : trim_blanks(from, to);
        if (quoted || to < end || row->count || text.length)
            row_add(row, text.data, text.length);
        if (to == end)
            return true;
        from = to;
    }
}

/* Gives a line and its end to libcsv.  *ended_r: the record ends there, too. */
static const char *parse_line(struct splitter *splitter, struct span line, bool *ended_r)
{
    struct csv_parser *parser = &splitter->parser;
    if (csv_parse(parser, line.data, line.length, take_field, take_end, splitter) != line.length)
        return "stray quotation mark: a field that holds one is quoted, and the mark doubled";
    if (splitter->ends)
        return "a carriage return inside the line";
    csv_parse(parser, "\n", 1, take_field, take_end, splitter);
    *ended_r = splitter->ends > 0;
    return NULL;
}

/* Splits the record by libcsv; `rest` is what follows its first line. */
static const char *split_by_libcsv(struct splitter *splitter, struct span *rest, struct row *row)
{
    struct span line = row->record, after = *rest;
    bool ended = false;
    splitter->row = row;
    splitter->used = splitter->ends = 0;
    const char *fault = parse_line(splitter, line, &ended);
    while (!fault && !ended) {
        row->ascii = false; /* that was said of the first line */
        size_t length = take_line(&after, &line)
                            ? (size_t)(line.data + line.length - row->record.data)
                            : SIZE_MAX;
        fault = length > splitter->longest ? "a quotation mark that is not closed"
                                           : parse_line(splitter, line, &ended);
        row->lines++;
    }
    if (!fault) {
        *rest = after;
        row->record.length = (size_t)(line.data + line.length - row->record.data);
        return NULL;
    }
    row->lines = 1;
    /* only a lenient end resets libcsv after a fault */
    csv_set_opts(&splitter->parser, 0);
    csv_fini(&splitter->parser, NULL, NULL, NULL);
    csv_set_opts(&splitter->parser, CSV_OPTIONS);
    return fault;
}

const char *splitter_take(struct splitter *splitter, struct span *rest, struct row *row_r)
{
    struct span line;
    char separator = splitter->separator;
    row_r->count = row_r->lines = 0;
    if (!take_line(rest, &line))
        return NULL;
    row_r->lines = 1;
    row_r->record = line;
    if (line.length > splitter->longest) {
        split_simple((struct span){line.data, splitter->longest}, separator, row_r);
        row_r->count -= row_r->count > 0; /* it may have been cut */
        row_r->ascii = false;
        return "the line is too long";
    }
    row_r->ascii = is_ascii(line);
    /* libcsv takes a tab for a blank, and a CR for the end of a line */
    bool simple = row_r->ascii || (!memchr(line.data, '\r', line.length) &&
                                   (separator == '\t' || !memchr(line.data, '\t', line.length)));
    if (simple && split_simple(line, separator, row_r))
        return NULL;
    row_r->count = 0;
    return split_by_libcsv(splitter, rest, row_r);
}
