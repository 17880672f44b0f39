/* SPDX-License-Identifier: MIT
 * The only user of iconv. */
#include "encoding.h"

#include "columns.h"

#include "base/text.h"

#include <endian.h>
#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ICONV_NONE    ((iconv_t)-1)
#define GUESS_FROM    (64 * 1024) /* bytes of a text that a guess looks at */
#define NOT_UTF8      "\xff"
#define HALF_PAIR     "\xed\xa0\x80" /* U+D800, which is not allowed in UTF-8 */
#define ROOM_AT_LEAST 64

static bool is_utf8_name(const char *name)
{
    return strcasecmp(name, "UTF-8") == 0 || strcasecmp(name, "UTF8") == 0;
}

bool encoding_check(const char *name, struct reason *why)
{
    if (is_utf8_name(name)) /* as it is without a setting: iconv need not be asked */
        return true;
    errno = EINVAL;
    /* a slash would begin the options of glibc, which takes "*" for the encoding of the locale */
    bool named = (text_is_letter(*name) || text_is_digit(*name)) && !strchr(name, '/');
    iconv_t from = named ? iconv_open("UTF-8", name) : ICONV_NONE;
    if (from != ICONV_NONE)
        iconv_close(from);
    else if (errno == EINVAL)
        reason_set(why, "the encoding \"%s\" is not known: see iconv -l", name);
    else
        reason_set(why, "the encoding \"%s\" cannot be used now: %s", name, strerror(errno));
    return from != ICONV_NONE;
}

/* ---- Encodings with a byte a character: by a table, which takes a tenth of the time ---- */

struct glyph {
    unsigned char length;
    char utf8[7];
};

/* False: a byte is not a character of its own. */
static bool make_glyphs(iconv_t from, struct glyph glyphs[256])
{
    for (int byte = 0; byte < 256; byte++) {
        struct glyph *glyph = &glyphs[byte];
        char in[] = {(char)byte}, *from_at = in, *to = glyph->utf8;
        size_t in_left = 1, room = sizeof glyph->utf8;
        iconv(from, NULL, NULL, NULL, NULL);
        size_t done = iconv(from, &from_at, &in_left, &to, &room);
        if (done == (size_t)-1 && errno != EILSEQ)
            return false;
        if (done == (size_t)-1)
            memcpy(glyph->utf8, NOT_UTF8, 1);
        glyph->length = done == (size_t)-1 ? 1 : (unsigned char)(sizeof glyph->utf8 - room);
        if (!glyph->length)
            return false;
    }
    return true;
}

/* Copies up to eight bytes of ASCII; how many. */
static size_t copy_ascii(const char *from, char *to)
{
    uint64_t word;
    memcpy(&word, from, sizeof word);
    memcpy(to, &word, sizeof word);
    uint64_t wide = le64toh(word) & UINT64_C(0x8080808080808080);
    return wide ? (size_t)__builtin_ctzll(wide) / 8 : sizeof word;
}

static bool convert_by_glyphs(const struct glyph glyphs[256], char **text_r, size_t *size_r)
{
    const char *in = *text_r, *end = in + *size_r;
    size_t most = 1;
    bool ascii = true;
    for (int byte = 0; byte < 256; byte++) {
        most = glyphs[byte].length > most ? glyphs[byte].length : most;
        ascii = ascii &&
                (byte >= 0x80 || (glyphs[byte].length == 1 && glyphs[byte].utf8[0] == (char)byte));
    }
    size_t wide = ascii ? 0 : *size_r;
    for (size_t i = 0; ascii && i < *size_r; i++)
        wide += (unsigned char)in[i] >> 7;
    char *text = malloc(*size_r + (most - 1) * wide + sizeof *glyphs);
    if (!text)
        return false;
    char *out = text;
    while (in < end) {
        size_t plain = ascii && end - in >= 8 ? copy_ascii(in, out) : 0;
        in += plain;
        out += plain;
        if (plain == 8)
            continue;
        const struct glyph *glyph = &glyphs[(unsigned char)*in++];
        memcpy(out, glyph->utf8, sizeof glyph->utf8);
        out += glyph->length;
    }
    free(*text_r);
    *text_r = text;
    *size_r = (size_t)(out - text);
    return true;
}

/* ---- Others ---- */

struct output {
    char *text;
    size_t length, room;
};

/* Makes room for some more.  False: no memory. */
static bool output_grow(struct output *out)
{
    if (out->room - out->length >= ROOM_AT_LEAST)
        return true;
    size_t room = out->room + out->room / 2 + 2 * ROOM_AT_LEAST;
    char *grown = realloc(out->text, room);
    if (!grown)
        return false;
    out->text = grown;
    out->room = room;
    return true;
}

/* One call of iconv; `in` NULL: the end.  Its errno, 0 for none. */
static int output_add(struct output *out, iconv_t from, char **in, size_t *left)
{
    char *to = out->text + out->length;
    size_t room = out->room - out->length;
    int error = iconv(from, in, left, &to, &room) == (size_t)-1 ? errno : 0;
    out->length = (size_t)(to - out->text);
    return error;
}

/* Converts all of it; a unit that makes no sense becomes `mark`. */
static bool convert_by_iconv(iconv_t from, size_t unit, const char *mark, struct span text,
                             struct output *out)
{
    char *in = (char *)(uintptr_t)text.data; /* iconv() does not change it */
    size_t left = text.length;
    iconv(from, NULL, NULL, NULL, NULL);
    while (output_grow(out)) {
        int error = output_add(out, from, left ? &in : NULL, left ? &left : NULL);
        if (!left && error != E2BIG)
            return true;
        if (error != EILSEQ && error != EINVAL)
            continue;
        if (!output_grow(out)) /* it may have filled what there was */
            return false;
        memcpy(out->text + out->length, mark, strlen(mark));
        out->length += strlen(mark);
        size_t skip = error == EINVAL || left < unit ? left : unit;
        in += skip;
        left -= skip;
    }
    return false;
}

/* ---- Together ---- */

/* What a byte order mark says; NULL: nothing, or UTF-8. */
static const char *encoding_of_mark(struct span text, size_t *mark_r)
{
    static const struct {
        const char *mark;
        size_t length;
        const char *name;
    } marks[] = {{"\xff\xfe\0\0", 4, "UTF-32LE"},
                 {"\0\0\xfe\xff", 4, "UTF-32BE"},
                 {"\xff\xfe", 2, "UTF-16LE"},
                 {"\xfe\xff", 2, "UTF-16BE"},
                 {"\xef\xbb\xbf", 3, NULL}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        *mark_r = marks[i].length;
        if (text.length >= marks[i].length && memcmp(text.data, marks[i].mark, *mark_r) == 0)
            return marks[i].name;
    }
    *mark_r = 0;
    return NULL;
}

/* How many bytes are skipped where nothing makes sense. */
static size_t unit_of(const char *name)
{
    bool wide = strncasecmp(name, "UTF-32", 6) == 0 || strncasecmp(name, "UCS-4", 5) == 0;
    bool two = strncasecmp(name, "UTF-16", 6) == 0 || strncasecmp(name, "UCS-2", 5) == 0;
    return wide ? 4 : two ? 2 : 1;
}

bool encoding_convert(const char *name, char **text_r, size_t *size_r)
{
    size_t mark;
    const char *marked = encoding_of_mark((struct span){*text_r, *size_r}, &mark);
    const char *in = marked ? marked : name;
    if (is_utf8_name(in) || (mark && !marked))
        return true;
    iconv_t from = iconv_open("UTF-8", in);
    if (from == ICONV_NONE)
        return false;
    struct glyph glyphs[256];
    bool good;
    if (unit_of(in) == 1 && make_glyphs(from, glyphs)) {
        good = convert_by_glyphs(glyphs, text_r, size_r);
    } else {
        struct output out = {0};
        size_t unit = unit_of(in);
        good = convert_by_iconv(from, unit, unit == 2 ? HALF_PAIR : NOT_UTF8,
                                (struct span){*text_r + mark, *size_r - mark}, &out);
        free(good ? *text_r : out.text);
        *text_r = good ? out.text : *text_r;
        *size_r = good ? out.length : *size_r;
    }
    iconv_close(from);
    return good;
}

/* ---- A guess ---- */

enum script { SCRIPT_ASCII, SCRIPT_LATIN, SCRIPT_OTHER, SCRIPT_MARK, SCRIPT_ODD };

/* Enough of Unicode to tell text from nonsense. */
static enum script script_of(uint32_t character)
{
    static const struct {
        uint32_t first, last;
        enum script script;
    } ranges[] = {{'0', '9', SCRIPT_MARK},        {'A', 'Z', SCRIPT_ASCII},
                  {'a', 'z', SCRIPT_ASCII},       {0x00, 0x7e, SCRIPT_MARK},
                  {0xd7, 0xd7, SCRIPT_ODD},       {0xf7, 0xf7, SCRIPT_ODD},
                  {0xc0, 0x24f, SCRIPT_LATIN},    {0x370, 0x52f, SCRIPT_OTHER},
                  {0x5d0, 0x64a, SCRIPT_OTHER},   {0x3040, 0x30ff, SCRIPT_OTHER},
                  {0x4e00, 0x9fff, SCRIPT_OTHER}, {0xac00, 0xd7a3, SCRIPT_OTHER},
                  {0x2010, 0x2026, SCRIPT_MARK},  {0x20ac, 0x20ac, SCRIPT_MARK},
                  {0xa0, 0xa0, SCRIPT_MARK},      {0xa7, 0xa7, SCRIPT_MARK},
                  {0xab, 0xab, SCRIPT_MARK},      {0xbb, 0xbb, SCRIPT_MARK},
                  {0x3000, 0x3002, SCRIPT_MARK}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (character >= ranges[i].first && character <= ranges[i].last)
            return ranges[i].script;
    return SCRIPT_ODD;
}

/* Of the accented Latin letters and the Cyrillic ones. */
static bool is_upper(uint32_t character)
{
    return (character >= 0xc0 && character <= 0xde) || (character >= 0x400 && character <= 0x42f) ||
           (character >= 0x100 && character <= 0x17f && character % 2 == 0);
}

/* How many characters are odd where they stand: symbols, scripts mixed in a word, accented
 * letters side by side, capitals inside a word. */
static size_t count_odd(const uint32_t *text, size_t count)
{
    enum script before = SCRIPT_MARK;
    size_t odd = 0;
    for (size_t i = 0; i < count; i++) {
        enum script script = script_of(text[i]);
        bool letters = before <= SCRIPT_OTHER && script <= SCRIPT_OTHER;
        odd += script == SCRIPT_ODD ||
               (letters && (before == SCRIPT_OTHER) != (script == SCRIPT_OTHER)) ||
               (before == SCRIPT_LATIN && script == SCRIPT_LATIN) || (letters && is_upper(text[i]));
        before = script;
    }
    return odd;
}

/* How many characters are odd when a text is read in an encoding.  False: it is not in it. */
static bool rate(const char *name, struct span text, uint32_t *room, size_t *odd_r)
{
    iconv_t from = iconv_open("UCS-4LE", name);
    if (from == ICONV_NONE)
        return false;
    char *in = (char *)(uintptr_t)text.data, *out = (char *)room;
    size_t left = text.length, out_left = GUESS_FROM * sizeof *room;
    /* the sample may end inside a character */
    bool good = iconv(from, &in, &left, &out, &out_left) != (size_t)-1 || errno == EINVAL;
    iconv_close(from);
    for (size_t i = 0, count = GUESS_FROM - out_left / sizeof *room; good && i < count; i++) {
        const unsigned char *byte = (const unsigned char *)&room[i];
        room[i] = byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16;
    }
    *odd_r = good ? count_odd(room, GUESS_FROM - out_left / sizeof *room) : 0;
    return good;
}

/* The encoding in which a text makes most sense; NULL: none, or no memory. */
static const char *guess(struct span text)
{
    static const char *const names[] = {"Shift_JIS", "windows-1252", "windows-1250", "windows-1251",
                                        "cp850",     "macintosh",    "EUC-KR",       "GB18030"};
    const char *best = NULL;
    size_t odd, least = 0;
    text.length = text.length > GUESS_FROM ? GUESS_FROM : text.length;
    const char *zero = memchr(text.data, '\0', text.length);
    if (zero)
        return (zero - text.data) % 2 ? "UTF-16LE" : "UTF-16BE";
    uint32_t *room = malloc(GUESS_FROM * sizeof *room);
    for (size_t i = 0; room && i < sizeof names / sizeof *names; i++) {
        if (!rate(names[i], text, room, &odd) || (best && odd >= least))
            continue;
        best = names[i];
        least = odd;
    }
    free(room);
    return best;
}

bool encoding_explain(const char *name, struct span line, struct span text, size_t number,
                      struct reason *why)
{
    size_t end;
    const char *zero = memchr(line.data, '\0', line.length);
    if (zero)
        end = (size_t)(zero - line.data);
    else if (columns_is_utf8(line, &end))
        return false;
    const char *fits = is_utf8_name(name) ? guess(text) : NULL;
    if (!is_utf8_name(name))
        reason_set(why, "line %zu, behind %zu byte%s: not %s", number, end, text_plural(end), name);
    else
        reason_set(why, "line %zu, byte %zu: 0x%02x is not UTF-8%s%s%s", number, end + 1,
                   (unsigned char)line.data[end], fits ? "; this would fit: encoding = \"" : "",
                   fits ? fits : "", fits ? "\"" : "");
    return true;
}

bool encoding_is_text(const char *name, struct span text, struct reason *why)
{
    const char *zero = memchr(text.data, '\0', text.length), *from = text.data, *end;
    size_t number = 1;
    struct reason where;
    if (!zero)
        return true;
    for (; (end = memchr(from, '\n', (size_t)(zero - from))); from = end + 1)
        number++;
    struct span rest = {from, text.length - (size_t)(from - text.data)};
    encoding_explain(name, (struct span){from, (size_t)(zero - from) + 1}, rest, number, &where);
    reason_set(why, "the file has NUL bytes, and it must be CSV text: %s", where.text);
    return false;
}
