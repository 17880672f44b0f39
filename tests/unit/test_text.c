/* SPDX-License-Identifier: MIT
 * UTF-8 and character classes, against definitions written in another way. */
#include "base/text.h"

#include "support.h"

#include <stdlib.h>
#include <string.h>

/* Encodes a code point as UTF-8 of a wanted length, be it too long or not. */
static size_t encode(uint32_t point, size_t length, char out[4])
{
    static const unsigned char marks[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    for (size_t i = length - 1; i > 0; i--, point >>= 6)
        out[i] = (char)(0x80 | (point & 0x3f));
    out[0] = (char)(marks[length] | point);
    return length;
}

static void every_code_point(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x1fffff; point++) {
        size_t shortest = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        bool valid = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
        char bytes[4];
        for (size_t length = shortest; length <= 4; length++) {
            encode(point, length, bytes);
            size_t wanted = valid && length == shortest ? length : 0;
            size_t got = text_utf8_sequence((struct span){bytes, length});
            expect(got == wanted, "U+%04X in %zu bytes: %zu", point, length, got);
        }
        if (point > 0x3000 && point < 0xd000)
            point += 61; /* nothing of interest there */
    }
}

static void broken_sequences(void **state)
{
    static const struct span rows[] = {
        LITERAL(""),
        LITERAL("\x80"),
        LITERAL("\xbf"),
        LITERAL("\xc2"),
        LITERAL("\xc2 "),
        LITERAL("\xc3\xc3"),
        LITERAL("\xe2\x82"),
        LITERAL("\xe2\x82 "),
        LITERAL("\xe2 \x82"),
        LITERAL("\xf0\x9f\x98"),
        LITERAL("\xf0\x9f \x80"),
        LITERAL("\xf0\x9f\x98 "),
        LITERAL("\xff"),
        LITERAL("\xfe"),
        LITERAL("\xf8\x88\x80\x80\x80"),
        LITERAL("\xc0\xaf"),
        LITERAL("\xed\xa0\x80"),
        LITERAL("\xf5\x80\x80\x80"),
        LITERAL("\xf4\x90\x80\x80"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *copy = exact_copy(rows[i]);
        expect(text_utf8_sequence((struct span){copy, rows[i].length}) == 0, "row %zu", i);
        expect(rows[i].length == 0 || !text_is_plain((struct span){copy, rows[i].length}),
               "row %zu is plain", i);
        free(copy);
    }
}

static void plain_text(void **state)
{
    static const struct {
        struct span text;
        bool plain;
    } rows[] = {
        {LITERAL(""), true},
        {{NULL, 0}, true},
        {LITERAL("Ann O'Neil <x> \"y\""), true},
        {LITERAL("J\xc3\xbcrgen \xf0\x9f\x98\x80"), true},
        {LITERAL("\xc2\xa0"), true}, /* no-break space */
        {LITERAL("a\0b"), false},
        {LITERAL("a\nb"), false},
        {LITERAL("a\tb"), false},
        {LITERAL("\x7f"), false},
        {LITERAL("\xc2\x80"), false}, /* C1 */
        {LITERAL("\xc2\x9f"), false},
        {LITERAL("abc\xc3"), false},
        {LITERAL("abc\xff"), false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect(text_is_plain(rows[i].text) == rows[i].plain, "row %zu", i);
}

static void character_classes(void **state)
{
    (void)state;
    assert_false(text_is_alphanumeric(SPAN_NONE));
    assert_false(text_is_alphanumeric(SPAN("")));
    assert_true(text_is_alphanumeric(SPAN("azAZ09")));
    assert_false(text_is_alphanumeric(SPAN("a\0")));
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        const char *hex = "0123456789abcdefABCDEF", *at = c ? strchr(hex, c) : NULL;
        bool alnum =
            c && strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", c);
        int value = at ? (int)(at - hex) : -1;
        expect(text_is_alphanumeric((struct span){&byte, 1}) == alnum, "byte %d", c);
        expect(text_hex_digit(byte) == (value > 15 ? value - 6 : value), "byte %d", c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point),
        cmocka_unit_test(broken_sequences),
        cmocka_unit_test(plain_text),
        cmocka_unit_test(character_classes),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
