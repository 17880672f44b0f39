/* SPDX-License-Identifier: MIT
 * Members files in other encodings. */
#include "plugins/file/encoding.h"

#include "short_memory.h"

#include <dlfcn.h>
#include <errno.h>
#include <iconv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* In the place of libc's: fails with this error. */
static int open_error;

iconv_t iconv_open(const char *to, const char *from)
{
    static iconv_t (*original)(const char *, const char *);
    if (!original)
        *(void **)&original = dlsym(RTLD_NEXT, "iconv_open");
    errno = open_error;
    return open_error ? (iconv_t)-1 : original(to, from);
}

#define COUNT(ARRAY)  (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define TEXT(LITERAL) LITERAL, sizeof(LITERAL) - 1

static void texts_become_utf8(void **state)
{
    static const struct {
        const char *name, *text;
        size_t size;
        const char *utf8;
    } cases[] = {
        {"UTF-8", TEXT("\xef\xbb\xbfJ\xc3\xb6rg \xff"), "\xef\xbb\xbfJ\xc3\xb6rg \xff"},
        {"utf8", TEXT(""), ""},
        {"windows-1252", TEXT("plain text, of more than eight bytes"),
         "plain text, of more than eight bytes"},
        {"windows-1252", TEXT("J\xf6rg,\x80 5,\x93q\x94"),
         "J\xc3\xb6rg,\xe2\x82\xac 5,\xe2\x80\x9cq\xe2\x80\x9d"},
        {"windows-1252", TEXT("a\x81z"), "a\xffz"},                               /* not in it */
        {"windows-1252", TEXT("\xef\xbb\xbfJ\xc3\xb6"), "\xef\xbb\xbfJ\xc3\xb6"}, /* it is UTF-8 */
        {"ISO-8859-15", TEXT("\xa4"), "\xe2\x82\xac"},
        {"US-ASCII", TEXT("a\xf6"), "a\xff"},
        {"cp850", TEXT("M\x81ller"), "M\xc3\xbcller"},
        {"IBM037", TEXT("\xc1\xc2"), "AB"},
        {"IBM856", TEXT("a\x1a\x80"), "a\x1c\xd7\x90"}, /* ASCII, but for a control byte */
        {"Shift_JIS", TEXT("\x93\xfa\x96\x7b,1"), "\xe6\x97\xa5\xe6\x9c\xac,1"},
        {"Shift_JIS", TEXT("\x93"), "\xff"},
        {"ISO-2022-JP", TEXT("\x1b$BF|\x1b(B,1"), "\xe6\x97\xa5,1"},
        {"windows-1258", TEXT("e\xec"), "\xc3\xa9"}, /* two bytes, one letter */
        {"UTF-16LE", TEXT("a\0\xf6\0"), "a\xc3\xb6"},
        {"UCS-2LE", TEXT("a\0\xf6\0"), "a\xc3\xb6"},
        {"UCS-4LE", TEXT("a\0\0\0\xf6\0\0\0"), "a\xc3\xb6"},
        {"UTF-8",
         TEXT("\xff\xfe"
              "a\0\xf6\0,\0"),
         "a\xc3\xb6,"},
        {"windows-1252", TEXT("\xfe\xff\0a\0\xf6"), "a\xc3\xb6"},
        {"UTF-8", TEXT("\xff\xfe\0\0a\0\0\0"), "a"},
        {"UTF-8",
         TEXT("\xff\xfe"
              "a\0\x3d\xd8z\0"),
         "a\xed\xa0\x80z"}, /* half a pair */
        {"UTF-8",
         TEXT("\xff\xfe"
              "a\0z"),
         "a\xed\xa0\x80"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text = malloc(cases[i].size + 1);
        size_t size = cases[i].size;
        assert_non_null(text);
        memcpy(text, cases[i].text, size);
        assert_true(encoding_convert(cases[i].name, &text, &size));
        if (size != strlen(cases[i].utf8) || memcmp(text, cases[i].utf8, size) != 0)
            fail_msg("%s, case %zu: %.*s", cases[i].name, i, (int)size, text);
        free(text);
    }
}

/* By the table and by iconv: enough to outgrow each first guess of the size. */
static void long_texts_become_utf8(void **state)
{
    static const char *const names[] = {"windows-1252", "GB18030", "ISO-2022-KR", "UTF-16BE"};
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        size_t size = 300000;
        char *text = malloc(size);
        assert_non_null(text);
        for (size_t at = 0; at < size; at++)
            text[at] = at % 2 ? (char)0xe4 : '\0';
        assert_true(encoding_convert(names[i], &text, &size));
        assert_true(size >= 300000);
        free(text);
    }
}

static void names_are_known_or_not(void **state)
{
    static const char *const good[] = {"windows-1252", "latin1", "UTF-8", "850"},
                             *const bad[] = {"windows-9999", "latin1//TRANSLIT", "*", ",", ""};
    struct reason why;
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(encoding_check(good[i], &why));
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_false(encoding_check(bad[i], &why));
        assert_non_null(strstr(why.text, "is not known: see iconv -l"));
    }
}

/* What is missing is memory or a descriptor, not the encoding. */
static void a_shortage_is_told_as_such(void **state)
{
    static const int errors[] = {ENOMEM, EMFILE};
    struct reason why;
    (void)state;
    for (size_t i = 0; i < COUNT(errors); i++) {
        open_error = errors[i];
        assert_false(encoding_check("windows-1252", &why));
        open_error = 0;
        assert_null(strstr(why.text, "not known"));
        assert_non_null(strstr(why.text, strerror(errors[i])));
    }
}

static void encodings_are_guessed(void **state)
{
    static const struct {
        const char *fits, *text;
        size_t size;
    } cases[] = {
        {"windows-1252", TEXT("J\xf6rg M\xfcller, Stra\xdf"
                              "e, 5 \x80, Fran\xe7ois, \x84so\x93")},
        {"windows-1250", TEXT("\xa3ukasz, D\xb9"
                              "browski, K\xeapa")},
        {"windows-1251", TEXT("\xc8\xe2\xe0\xed \xcf\xe5\xf2\xf0\xee\xe2, 7")},
        {"cp850", TEXT("J\x94rg M\x81ller, K\x84the")},
        {"macintosh", TEXT("J\x9arg M\x9fller, K\x8athe, Stra\xa7"
                           "e")},
        {"Shift_JIS", TEXT("\x93\xfa\x96\x7b\x8c\xea,\x82\xa0\x82\xa2")},
        {"Shift_JIS", TEXT("\x93\xfa\x96\x7b\x8c\xea,\x82\xa0\x82")}, /* cut */
        {"UTF-16LE", TEXT("i\0d\0\n\0")},
        {"UTF-16BE", TEXT("\0i\0d\0\n")},
    };
    char expected[100];
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct reason why = {""};
        struct span text = {cases[i].text, cases[i].size};
        encoding_explain("UTF-8", text, text, 7, &why);
        snprintf(expected, sizeof expected, "this would fit: encoding = \"%s\"", cases[i].fits);
        assert_memory_equal(why.text, "line 7, byte ", 13);
        if (!strstr(why.text, expected))
            fail_msg("%s: %s", cases[i].fits, why.text);
    }
}

static void nothing_is_guessed_without_need_or_means(void **state)
{
    const struct span text = {"J\xf6rg", 4};
    struct reason why = {""};
    (void)state;
    assert_false(encoding_explain("UTF-8", (struct span){"Ann", 3}, text, 7, &why));
    assert_string_equal(why.text, "");
    open_error = EMFILE;
    assert_true(encoding_explain("UTF-8", text, text, 7, &why));
    open_error = 0;
    assert_string_equal(why.text, "line 7, byte 2: 0xf6 is not UTF-8");
    short_memory_start(0, true);
    encoding_explain("UTF-8", text, text, 7, &why);
    assert_int_equal(short_memory_stop(), !strstr(why.text, "this would fit"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_utf8),
        cmocka_unit_test(long_texts_become_utf8),
        cmocka_unit_test(names_are_known_or_not),
        cmocka_unit_test(a_shortage_is_told_as_such),
        cmocka_unit_test(encodings_are_guessed),
        cmocka_unit_test(nothing_is_guessed_without_need_or_means),
    };
    return cmocka_run_group_tests_name("file_encoding", tests, NULL, NULL);
}
