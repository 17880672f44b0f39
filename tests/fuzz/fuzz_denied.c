/* SPDX-License-Identifier: MIT
 * Lists of denied ids, and the dates in them. */
#include "fuzz.h"

#include "base/date.h"
#include "members/denied.h"

#include <string.h>

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

/* The next line that is not about an id.  *about_r: how many were, and when the last one ends. */
static bool next_other(struct span *rest, struct span id, struct span *line_r, size_t *about_r,
                       int64_t *until_r)
{
    struct denied_line read;
    while (span_next_line(rest, line_r)) {
        denied_read_line(*line_r, &read);
        if (!read.id_length || !denied_same_id((struct span){read.id, read.id_length}, id))
            return true;
        ++*about_r;
        *until_r = read.until;
    }
    return false;
}

/* A list with one id denied until then, or not at all, and everything else as it was. */
static void check_rewritten(struct span list, struct span id, const int64_t *until)
{
    struct bytes out = {0};
    struct span old = list, new, old_line, new_line;
    size_t before = 0, after = 0;
    int64_t end = 0, ignored;
    bool found = denied_rewrite(list, id, until, &out);
    must(!out.failed);
    new = bytes_span(&out);
    denied_skip_mark(&old);
    denied_skip_mark(&new);
    must(list.length - old.length == out.length - new.length);
    while (next_other(&old, id, &old_line, &before, &ignored))
        must(next_other(&new, id, &new_line, &after, &end) && span_equal(old_line, new_line));
    must(!next_other(&new, id, &new_line, &after, &end));
    must(found == (before > 0) && after == (until ? 1 : 0) && (!until || end == *until));
    bytes_free(&out);
}

static void check_list(struct span list)
{
    static const int64_t until = 1764547200, forever = DENIED_FOREVER;
    struct span rest = list, line;
    struct denied_line read = {.id = "x y", .id_length = 3};
    denied_skip_mark(&rest);
    if (memmem(rest.data, rest.length, "\xef\xbb\xbf", 3)) /* it may come to the front */
        return;
    for (bool more = true; more && span_next_line(&rest, &line); more = !read.id_length)
        denied_read_line(line, &read);
    if (!read.id_length)
        return;
    const struct span id = {read.id, read.id_length};
    check_rewritten(list, id, &until);
    check_rewritten(list, id, &forever);
    check_rewritten(list, id, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = {(const char *)data, size}, line;
    check_date(rest);
    check_list(rest);
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
