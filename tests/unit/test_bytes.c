/* SPDX-License-Identifier: MIT
 * Spans, growing buffers, and the arena. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

static void spans_compare(void **state)
{
    (void)state;
    assert_null(span_of(NULL).data);
    assert_int_equal(span_of("abc").length, 3);
    assert_non_null(span_of("").data);
    assert_true(span_equal(SPAN("ab"), SPAN("ab")));
    assert_true(span_equal(SPAN("a\0b"), SPAN("a\0b")));
    assert_false(span_equal(SPAN("a\0b"), SPAN("a\0c")));
    assert_false(span_equal(SPAN("ab"), SPAN("abc")));
    assert_true(span_equal(SPAN_NONE, SPAN("")));
    assert_true(span_equal_nocase(SPAN("Application/JSON"), "application/json"));
    assert_false(span_equal_nocase(SPAN("application/jso"), "application/json"));
    assert_false(span_equal_nocase(SPAN("a\0"), "a"));
    assert_true(span_equal_nocase(SPAN_NONE, ""));
}

static void buffers_grow(void **state)
{
    struct bytes buf = {0};
    char *long_text = repeated('x', 5000);
    (void)state;
    assert_string_equal(bytes_string(&buf), "");
    assert_non_null(bytes_span(&buf).data);
    bytes_add(&buf, NULL, 0);
    bytes_add_span(&buf, SPAN_NONE);
    assert_int_equal(buf.length, 0);
    for (int i = 0; i < 1000; i++)
        bytes_addf(&buf, "%d,", i % 10);
    assert_int_equal(buf.length, 2000);
    assert_memory_equal(buf.data + 1998, "9,", 2);
    bytes_addf(&buf, "<%s>", long_text);
    assert_int_equal(buf.length, 7002);
    assert_memory_equal(buf.data + 7000, "x>", 2);
    assert_int_equal(strlen(bytes_string(&buf)), 7002);
    assert_int_equal(buf.length, 7002);
    bytes_reset(&buf);
    assert_string_equal(bytes_string(&buf), "");
    bytes_free(&buf);
    assert_null(buf.data);
    free(long_text);
}

static void formatted_texts_of_every_length(void **state)
{
    (void)state;
    for (size_t length = 500; length < 520; length++) {
        struct bytes buf = {0};
        char *text = repeated('y', length);
        bytes_addf(&buf, "%s", text);
        expect(buf.length == length && memcmp(buf.data, text, length) == 0, "length %zu", length);
        free(text);
        bytes_free(&buf);
    }
}

static void what_was_secret_is_wiped(void **state)
{
    struct bytes buf = {0};
    (void)state;
    bytes_add_string(&buf, "secret");
    bytes_reset(&buf);
    assert_memory_equal(buf.data, "\0\0\0\0\0\0", 6);
    bytes_free(&buf);
}

static void lack_of_memory_is_remembered(void **state)
{
    struct bytes buf = {0};
    (void)state;
    bytes_add_string(&buf, "a");
    assert_null(bytes_reserve(&buf, SIZE_MAX / 2));
    assert_true(buf.failed);
    bytes_add_string(&buf, "b");
    bytes_addf(&buf, "%d", 1);
    bytes_add_json(&buf, SPAN("c"));
    assert_int_equal(buf.length, 1);
    assert_string_equal(bytes_string(&buf), "");
    bytes_reset(&buf);
    assert_false(buf.failed);
    bytes_add_string(&buf, "b");
    assert_string_equal(bytes_string(&buf), "b");
    bytes_free(&buf);
}

static void json_strings(void **state)
{
    static const struct {
        struct span in;
        const char *out;
    } rows[] = {
        {{NULL, 0}, "null"},
        {LITERAL(""), "\"\""},
        {LITERAL("abc"), "\"abc\""},
        {LITERAL("a\"b\\c/"), "\"a\\\"b\\\\c/\""},
        {LITERAL("\0\x01\x1f\n\t"), "\"\\u0000\\u0001\\u001f\\u000a\\u0009\""},
        {LITERAL("\x7f\xc3\xa9\xf0\x9f\x98\x80"), "\"\x7f\xc3\xa9\xf0\x9f\x98\x80\""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes buf = {0};
        bytes_add_json(&buf, rows[i].in);
        assert_string_equal(bytes_string(&buf), rows[i].out);
        bytes_free(&buf);
    }
}

static void numbers(void **state)
{
    static const struct {
        int64_t number;
        const char *text;
    } rows[] = {{0, "0"},
                {7, "7"},
                {10, "10"},
                {-1, "-1"},
                {1795395952, "1795395952"},
                {INT64_MAX, "9223372036854775807"},
                {INT64_MIN, "-9223372036854775808"}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes buf = {0};
        bytes_add_number(&buf, rows[i].number);
        assert_string_equal(bytes_string(&buf), rows[i].text);
        bytes_free(&buf);
    }
}

static void arenas_hold_many_things(void **state)
{
    struct arena arena = {0};
    (void)state;
    unsigned char *zeroed = arena_alloc(&arena, 4096);
    for (size_t i = 0; i < 4096; i++)
        assert_int_equal(zeroed[i], 0);
    for (size_t size = 0; size < 40; size++)
        assert_int_equal((uintptr_t)arena_alloc(&arena, size) % _Alignof(max_align_t), 0);
    assert_string_equal(arena_string(&arena, SPAN_NONE), "");
    assert_string_equal(arena_string(&arena, (struct span){"abcdef", 3}), "abc");
    assert_string_equal(arena_format(&arena, "%s-%d", "x", 7), "x-7");
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_true(arena.failed);
    arena_free(&arena);
    assert_null(arena.blocks);
    arena_free(&arena);
}

/* RFC 4648, section 10. */
static void base64(void **state)
{
    static const struct {
        struct span in;
        const char *out;
    } rows[] = {
        {LITERAL(""), ""},
        {LITERAL("f"), "Zg=="},
        {LITERAL("fo"), "Zm8="},
        {LITERAL("foo"), "Zm9v"},
        {LITERAL("foob"), "Zm9vYg=="},
        {LITERAL("fooba"), "Zm9vYmE="},
        {LITERAL("a:~~~???"), "YTp+fn4/Pz8="},
        {LITERAL("\0\xff\xfe"), "AP/+"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes out = {0};
        bytes_add_base64(&out, rows[i].in);
        assert_string_equal(bytes_string(&out), rows[i].out);
        bytes_free(&out);
    }
}

static void within_memory_of_the_caller(void **state)
{
    char memory[8];
    struct bytes bytes = bytes_within(memory, sizeof memory);
    (void)state;
    bytes_add_string(&bytes, "1234567");
    assert_string_equal(bytes_string(&bytes), "1234567");
    assert_ptr_equal(bytes.data, memory);
    bytes_add_string(&bytes, "89");
    assert_true(bytes.failed);
    bytes_free(&bytes);
}

static void trimmed(void **state)
{
    (void)state;
    expect_span(span_trim(SPAN(" \t a b\t"), " \t"), "a b");
    expect_span(span_trim(SPAN("\ta "), " "), "\ta");
    expect_span(span_trim(SPAN("  "), " "), "");
    expect_span(span_trim(SPAN(""), " "), "");
    expect_span(span_trim(SPAN_NONE, " "), NULL);
    assert_true(span_equal(span_trim(SPAN("\0a\0"), " "), SPAN("\0a\0")));
}

static void line_by_line(void **state)
{
    struct span rest = SPAN("one\n\r\n\nlast"), line;
    static const char *const lines[] = {"one", "\r", "", "last"};
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        assert_true(span_next_line(&rest, &line));
        expect_span(line, lines[i]);
    }
    assert_false(span_next_line(&rest, &line));
    rest = SPAN_NONE;
    assert_false(span_next_line(&rest, &line));
    rest = SPAN("ended\n");
    assert_true(span_next_line(&rest, &line));
    assert_false(span_next_line(&rest, &line));
}

static void copied_as_far_as_it_fits(void **state)
{
    char room[4];
    (void)state;
    assert_string_equal(span_copy(SPAN("abc"), room, sizeof room), "abc");
    assert_string_equal(span_copy(SPAN("abcd"), room, sizeof room), "abc");
    assert_string_equal(span_copy(SPAN_NONE, room, sizeof room), "");
}

static void words_of_a_list(void **state)
{
    static const char *const words[] = {"one", "other", NULL};
    (void)state;
    assert_true(span_is_one_of(SPAN("one"), words));
    assert_true(span_is_one_of(SPAN("other"), words));
    assert_false(span_is_one_of(SPAN("on"), words));
    assert_false(span_is_one_of(SPAN("One"), words));
    assert_false(span_is_one_of(SPAN_NONE, words));
    assert_false(span_is_one_of(SPAN_NONE, words + 2));
}

static void texts_in_quotes(void **state)
{
    static const char *const rows[][2] = {
        {"", "\"\""}, {"a b\n", "\"a b\n\""}, {"\"\\'", "\"\\\"\\\\'\""}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes text = {0};
        bytes_add_quoted(&text, span_of(rows[i][0]));
        assert_string_equal(bytes_string(&text), rows[i][1]);
        bytes_free(&text);
    }
}

static void words_for_a_shell(void **state)
{
    static const char *const rows[][2] = {{"/var/log/a-b_c.log", "/var/log/a-b_c.log"},
                                          {"", "''"},
                                          {"/my logs/x", "'/my logs/x'"},
                                          {"it's", "'it'\\''s'"},
                                          {"$(id);~*", "'$(id);~*'"},
                                          {"'", "''\\'''"}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes text = {0};
        bytes_add_shell(&text, span_of(rows[i][0]));
        assert_string_equal(bytes_string(&text), rows[i][1]);
        bytes_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_a_list),
        cmocka_unit_test(texts_in_quotes),
        cmocka_unit_test(words_for_a_shell),
        cmocka_unit_test(base64),
        cmocka_unit_test(spans_compare),
        cmocka_unit_test(buffers_grow),
        cmocka_unit_test(formatted_texts_of_every_length),
        cmocka_unit_test(what_was_secret_is_wiped),
        cmocka_unit_test(lack_of_memory_is_remembered),
        cmocka_unit_test(json_strings),
        cmocka_unit_test(numbers),
        cmocka_unit_test(arenas_hold_many_things),
        cmocka_unit_test(within_memory_of_the_caller),
        cmocka_unit_test(trimmed),
        cmocka_unit_test(line_by_line),
        cmocka_unit_test(copied_as_far_as_it_fits),
    };
    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
