/* SPDX-License-Identifier: MIT
 * The text of a members file: lines, header, rows. */
#include "fuzz.h"

#include "plugins/file/text.h"

#include <string.h>

const char fuzz_corpus[] = "csv";

static const char *const columns[FILE_MAPPED] = {"appUserId", "appUserName", "appUserProfileImgUrl",
                                                 "role", "state"};

/* Fields lie in the line, or in the splitter; none has more bytes than the line. */
static void check_row(const struct file_row *row, const struct file_text *line)
{
    size_t total = 0;
    for (size_t i = 0; i < row->count && i < FILE_COLUMNS_MAX; i++) {
        const struct file_text *field = &row->fields[i];
        total += field->length;
        for (size_t at = 0; row->ascii && at < field->length; at++)
            must(field->bytes[at] >= 0x20 && field->bytes[at] < 0x7f);
    }
    must(total <= line->length);
}

static void read_rows(struct file_text rest, struct file_csv *csv)
{
    struct file_text line;
    struct file_header header;
    struct file_reason reason;
    size_t lines = 0;
    if (!file_text_take_header(&rest, csv, columns, &header, &line, &lines, &reason)) {
        must(reason.text[0]);
        return;
    }
    must(header.count > 0 && header.count <= FILE_COLUMNS_MAX && header.id < header.count);
    while (file_text_next_line(&rest, &line)) {
        struct file_row row;
        if (line.length > FILE_LINE_MAX || file_csv_split(csv, line.bytes, line.length, &row))
            continue;
        check_row(&row, &line);
        if (row.count && file_row_check(&header, &row, &reason)) {
            must(row.count == header.count);
            const struct file_text *id = &row.fields[header.id];
            must(id->length > 0 && id->length <= FILE_ID_MAX);
            must(!file_text_fault(id->bytes, id->length));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct file_text text = {(const char *)data, size};
    struct file_csv *csv = file_csv_new(FILE_LINE_MAX);
    struct file_reason reason;
    must(csv);
    file_text_check(text.bytes, text.length, columns, &reason);
    if (file_text_is_plain(text.bytes, text.length, &reason))
        read_rows(text, csv);
    file_csv_free(csv);
    return 0;
}
