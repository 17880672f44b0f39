/* SPDX-License-Identifier: MIT
 * Lists of denied ids, and the dates in them. */
#include "fuzz.h"

#include "base/date.h"
#include "members/denied.h"

const char fuzz_corpus[] = "denied";

/* What is written of a line reads as the line did. */
static void check_written(const struct denied_line *line)
{
    struct bytes text = {0};
    struct denied_line again;
    struct span id = {line->id, line->id_length}, rest, only;
    denied_add_line(&text, id, line->until, line->comment);
    must(!text.failed);
    rest = bytes_span(&text);
    must(span_next_line(&rest, &only) && !rest.length);
    denied_read_line(only, &again);
    must(!again.fault && span_equal((struct span){again.id, again.id_length}, id));
    must(denied_same_id((struct span){again.id, again.id_length}, id));
    must(again.until == line->until && span_equal(again.comment, line->comment));
    bytes_free(&text);
}

static void check_date(struct span text)
{
    int64_t seconds, again;
    bool is_day;
    if (!date_parse(text, &seconds, &is_day))
        return;
    struct bytes written = {0};
    date_add(&written, seconds);
    must(!written.failed && date_parse(bytes_span(&written), &again, &is_day));
    must(again == seconds && !is_day);
    bytes_free(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = {(const char *)data, size}, line;
    check_date(rest);
    while (span_next_line(&rest, &line)) {
        struct denied_line read;
        denied_read_line(line, &read);
        must(read.id_length <= sizeof read.id && (read.id_length || read.until == DENIED_FOREVER));
        if (read.id_length)
            check_written(&read);
        check_date(line);
    }
    return 0;
}
