/* SPDX-License-Identifier: MIT
 * Single lines of a list of denied ids.  Pure functions on text. */
#include "denied.h"

#include "base/date.h"
#include "base/text.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct span *rest)
{
    while (rest->length && is_blank(*rest->data))
        *rest = (struct span){rest->data + 1, rest->length - 1};
}

static struct span take_word(struct span *rest)
{
    struct span word = {rest->data, 0};
    while (word.length < rest->length && !is_blank(rest->data[word.length]))
        word.length++;
    *rest = (struct span){rest->data + word.length, rest->length - word.length};
    return word;
}

/* Takes a text in quotes, in which a backslash stands before a quote or a backslash.  False: it
 * does not end, or is too long. */
static bool take_quoted(struct span *rest, struct denied_line *line)
{
    size_t at = 1;
    for (; at < rest->length && rest->data[at] != '"'; at++) {
        at += rest->data[at] == '\\' && at + 1 < rest->length;
        if (line->id_length == sizeof line->id)
            return false;
        line->id[line->id_length++] = rest->data[at];
    }
    bool ended = at < rest->length;
    *rest = (struct span){rest->data + at + ended, rest->length - at - ended};
    return ended;
}

static bool take_plain(struct span *rest, struct denied_line *line)
{
    struct span word = take_word(rest);
    if (word.length > sizeof line->id)
        return false;
    memcpy(line->id, word.data, word.length);
    line->id_length = word.length;
    return true;
}

bool denied_parse_until(struct span text, int64_t *until_r)
{
    bool is_day;
    bool good = date_parse(text, until_r, &is_day);
    *until_r += good && is_day ? 24 * 60 * 60 : 0;
    if (*until_r > DATE_LATEST)
        *until_r = DATE_LATEST;
    return good;
}

static const char *read_rest(struct span rest, struct denied_line *line)
{
    skip_blanks(&rest);
    if (rest.length && *rest.data != '#') {
        struct span word = take_word(&rest);
        if (!denied_parse_until(word, &line->until)) {
            line->until = DENIED_FOREVER;
            return "what follows the id is not a date such as 2026-11-25 or a time such as "
                   "2026-11-25T18:00Z, so the id is denied for good (an id with blanks stands in "
                   "quotes)";
        }
        skip_blanks(&rest);
    }
    if (rest.length && *rest.data != '#')
        return "there is something behind the date (a comment begins with #)";
    line->comment = rest;
    return NULL;
}

void denied_read_line(struct span line, struct denied_line *line_r)
{
    line_r->id_length = 0;
    line_r->until = DENIED_FOREVER;
    line_r->fault = NULL;
    line_r->comment = (struct span){"", 0};
    while (line.length && is_blank(line.data[line.length - 1]))
        line.length--;
    skip_blanks(&line);
    if (!line.length || *line.data == '#')
        return;
    bool good = *line.data == '"' ? take_quoted(&line, line_r) : take_plain(&line, line_r);
    if (!good || !line_r->id_length ||
        !text_is_plain((struct span){line_r->id, line_r->id_length})) {
        line_r->id_length = 0;
        line_r->fault = "this cannot be an id, so it denies nobody: an id is up to 160 bytes of "
                        "UTF-8 without control characters, and a quote has its end";
        return;
    }
    line_r->fault = read_rest(line, line_r);
}

/* In front of a list, a byte order mark is not read. */
static bool has_mark(struct span text)
{
    static const char mark[] = "\xef\xbb\xbf";
    return text.length >= sizeof mark - 1 && memcmp(text.data, mark, sizeof mark - 1) == 0;
}

static bool needs_quotes(struct span id)
{
    if (!id.length || *id.data == '#' || *id.data == '"' || has_mark(id))
        return true;
    for (size_t i = 0; i < id.length; i++)
        if (is_blank(id.data[i]))
            return true;
    return false;
}

void denied_add_line(struct bytes *out, struct span id, int64_t until, struct span comment)
{
    if (needs_quotes(id))
        bytes_add_quoted(out, id);
    else
        bytes_add_span(out, id);
    if (until != DENIED_FOREVER) {
        bytes_add_string(out, " ");
        date_add(out, until);
    }
    if (comment.length) {
        bytes_add_string(out, "  ");
        bytes_add_span(out, comment);
    }
    bytes_add_string(out, "\n");
}

bool denied_same_id(struct span a, struct span b)
{
    return span_matches(a, b);
}

void denied_skip_mark(struct span *list)
{
    if (has_mark(*list))
        *list = (struct span){list->data + 3, list->length - 3};
}

bool denied_rewrite(struct span list, struct span id, const int64_t *until, struct bytes *out)
{
    struct span rest = list, line;
    bool found = false;
    denied_skip_mark(&rest);
    bytes_add(out, list.data, list.length - rest.length);
    while (span_next_line(&rest, &line)) {
        struct denied_line read;
        denied_read_line(line, &read);
        if (!read.id_length || !denied_same_id((struct span){read.id, read.id_length}, id)) {
            bytes_add_span(out, line);
            bytes_add_string(out, "\n");
            continue;
        }
        if (until && !found)
            denied_add_line(out, id, *until, read.comment);
        found = true;
    }
    if (until && !found)
        denied_add_line(out, id, *until, SPAN_NONE);
    return found;
}
