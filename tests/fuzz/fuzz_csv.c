/* SPDX-License-Identifier: MIT
 * The text of a members file: lines, header, rows. */
#include "fuzz.h"

#include "plugins/file/columns.h"
#include "plugins/file/encoding.h"

#include <stdlib.h>
#include <string.h>

const char fuzz_corpus[] = "csv";

static const char *const wanted[] = {"team"};
static const struct column_names names = {
    {"appUserId", "appUserName", "appUserProfileImgUrl", "role", "state"}, {wanted, 1}};

/* Fields lie in the record, or in the splitter; all have no more bytes than the record. */
static void check_row(const struct row *row)
{
    size_t total = 0;
    for (size_t i = 0; i < row->count && i < ROW_FIELDS_MAX; i++) {
        struct span field = row->fields[i];
        total += field.length;
        for (size_t at = 0; row->ascii && at < field.length; at++)
            must(field.data[at] >= 0x20 && field.data[at] < 0x7f);
    }
    must(total <= row->record.length);
}

static void read_rows(struct span rest, struct splitter *splitter)
{
    struct columns columns;
    struct reason why = {""};
    struct row row;
    if (!columns_take(splitter, &rest, &names, &columns, &row, &why)) {
        must(why.text[0]);
        return;
    }
    must(columns.count > 0 && columns.count <= ROW_FIELDS_MAX);
    must(columns.at[COLUMN_ID] < columns.count);
    for (;;) {
        size_t before = rest.length;
        const char *fault = splitter_take(splitter, &rest, &row);
        if (!row.lines)
            break;
        must(rest.length < before);
        if (!fault)
            check_row(&row);
        if (fault || !row.count || columns_fault(&columns, &row))
            continue;
        struct span id = columns_field(&columns, &row, COLUMN_ID);
        size_t end;
        must(id.length > 0 && id.length <= MEMBERCHAT_ID_MAX && columns_is_utf8(id, &end));
    }
    must(!rest.length);
}

/* The first byte chooses separator and encoding. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char separators[] = ",,;|\t";
    static const char *const encodings[] = {"UTF-8", "UTF-8", "windows-1252", "UTF-16LE",
                                            "Shift_JIS"};
    size_t choice = size ? data[0] % 5 : 0, length = size;
    struct splitter *splitter = splitter_new(ROW_LONGEST, separators[choice]);
    char *text = malloc(size + 1);
    struct reason why = {""};
    must(splitter && text);
    memcpy(text, data, size);
    must(encoding_convert(encodings[choice], &text, &length));
    if (encoding_is_text(encodings[choice], (struct span){text, length}, &why))
        read_rows((struct span){text, length}, splitter);
    else
        must(why.text[0]);
    free(text);
    splitter_free(splitter);
    return 0;
}
