/* SPDX-License-Identifier: MIT
 *
 * file_text.c: lines and header of a members file.
 */
#include "text.h"

#include <string.h>

static const char BOM[] = "\xef\xbb\xbf";

bool file_text_next_line(struct file_text *rest, struct file_text *line_r)
{
    const char *end;

    if (rest->length == 0)
        return false;
    end = memchr(rest->bytes, '\n', rest->length);
    line_r->bytes = rest->bytes;
    line_r->length = end != NULL ? (size_t)(end - rest->bytes) : rest->length;
    rest->bytes += line_r->length + (end != NULL);
    rest->length -= line_r->length + (end != NULL);
    if (line_r->length > 0 && line_r->bytes[line_r->length - 1] == '\r')
        line_r->length--;
    return true;
}

bool file_text_is_plain(const char *text, size_t size, struct file_reason *reason)
{
    if (size >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
        file_reason_set(reason, "the file is UTF-16: save it as UTF-8");
    else if (memchr(text, '\0', size) != NULL)
        file_reason_set(reason, "the file has NUL bytes: it has to be CSV text in UTF-8");
    else
        return true;
    return false;
}

bool file_text_take_header(struct file_text *rest, struct file_csv *csv,
                           const char *const columns[FILE_MAPPED], struct file_header *header_r,
                           struct file_text *line_r, size_t *lines_r, struct file_reason *reason)
{
    struct file_row row = {.count = 0};
    const char *fault = NULL;

    if (rest->length >= 3 && memcmp(rest->bytes, BOM, 3) == 0) {
        rest->bytes += 3;
        rest->length -= 3;
    }
    for (*lines_r = 0; row.count == 0 && fault == NULL && file_text_next_line(rest, line_r);
         ++*lines_r)
        fault = file_csv_split(csv, line_r->bytes, line_r->length, &row);
    if (fault != NULL)
        file_reason_set(reason, "the header, line %zu: %s", *lines_r, fault);
    else if (row.count == 0)
        file_reason_set(reason, "the file is empty: its first line has to name the columns");
    else
        return file_header_read(&row, columns, header_r, reason);
    return false;
}

bool file_text_check(const char *text, size_t size, const char *const columns[FILE_MAPPED],
                     struct file_reason *reason)
{
    struct file_csv *csv = file_csv_new(FILE_LINE_MAX);
    struct file_text rest = {text, size}, line;
    struct file_header header;
    size_t lines;
    bool good;

    if (csv == NULL) {
        file_reason_set(reason, "out of memory");
        return false;
    }
    good = file_text_is_plain(text, size, reason) &&
           file_text_take_header(&rest, csv, columns, &header, &line, &lines, reason);
    file_csv_free(csv);
    return good;
}
