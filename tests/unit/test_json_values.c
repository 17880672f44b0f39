/* SPDX-License-Identifier: MIT
 * What is asked of a document that was read. */
#include "base/json.h"

#include "support.h"

#include <stdlib.h>
#include <string.h>

static void members(void **state)
{
    struct reason why;
    struct span text;
    struct json_object *object;
    (void)state;
    assert_int_equal(
        json_read(SPAN("{\"s\":\"one\",\"s\":\"a\\u0000b\",\"e\":\"\",\"n\":null,\"i\":1,"
                       "\"o\":{},\"l\":[],\"cut\\u0000tail\":\"x\"}"),
                  0, &object, &why),
        JSON_GOOD);
    assert_int_equal(json_member(object, "s", &text), JSON_STRING); /* the last one counts */
    assert_true(span_equal(text, SPAN("a\0b")));
    assert_int_equal(json_member(object, "e", &text), JSON_STRING);
    assert_true(text.data && text.length == 0);
    assert_int_equal(json_member(object, "n", &text), JSON_NULL);
    expect_span(text, NULL);
    assert_int_equal(json_member(object, "i", &text), JSON_INTEGER);
    assert_int_equal(json_member(object, "o", &text), JSON_OBJECT);
    assert_int_equal(json_member(object, "l", &text), JSON_ARRAY);
    assert_int_equal(json_member(object, "nothing", &text), JSON_ABSENT);
    assert_int_equal(json_member(object, "cut", &text), JSON_ABSENT);
    expect_span(json_string_member(object, "n"), NULL);
    expect_span(json_string_member(object, "nothing"), NULL);
    json_release(object);
    json_release(NULL);
}

static void floors(void **state)
{
    static const struct {
        const char *text;
        int64_t floor;
    } rows[] = {{"5", 5},
                {"-5", -5},
                {"5.9", 5},
                {"-0.1", -1},
                {"-5.0", -5},
                {"1.9e9", 1900000000},
                {"1E3", 1000},
                {"1e-9", 0},
                {"9223372036854775807", INT64_MAX},
                {"9223372036854775808", INT64_MAX},
                {"1e400", INT64_MAX},
                {"-1e19", INT64_MIN}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes text = {0};
        int64_t floor = 0;
        bytes_addf(&text, "{\"n\":%s,\"s\":\"1\"}", rows[i].text);
        struct json_object *object = json_of(bytes_span(&text));
        assert_true(json_floor_member(object, "n", &floor));
        expect(floor == rows[i].floor, "%s", rows[i].text);
        assert_false(json_floor_member(object, "s", &floor));
        assert_false(json_floor_member(object, "x", &floor));
        json_release(object);
        bytes_free(&text);
    }
}

static void integers(void **state)
{
    int64_t value = 0;
    struct json_object *object =
        json_of(SPAN("{\"i\":-5,\"f\":5.0,\"e\":5e0,\"s\":\"5\",\"b\":true,\"n\":null,\"l\":[5]}"));
    (void)state;
    assert_true(json_integer_member(object, "i", &value));
    assert_int_equal(value, -5);
    for (const char *name = "fesbnlx"; *name; name++)
        expect(!json_integer_member(object, (char[]){*name, '\0'}, &value), "%c", *name);
    json_release(object);
}

/* As read, also beyond 64 bits. */
static void numbers_keep_their_text(void **state)
{
    static const char *const numbers[] = {
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "18446744073709551616",
        "-123456789012345678901234567890",
        "1.50",
        "1e999",
        "-0.0",
        "1E+2",
    };
    struct reason why;
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct json_object *value;
        struct bytes out = {0};
        char *copy = exact_copy(span_of(numbers[i]));
        struct span text = {copy, strlen(numbers[i])};
        assert_int_equal(json_read(text, JSON_ANY, &value, &why), JSON_GOOD);
        json_write_scalar(&out, value);
        assert_string_equal(bytes_string(&out), numbers[i]);
        json_release(value);
        bytes_free(&out);
        free(copy);
    }
}

/* RFC 6901, sections 5 and 3. */
static void pointers(void **state)
{
    static const struct {
        const char *pointer, *text; /* NULL: nothing is there */
    } rows[] = {
        {"/foo/0", "bar"},   {"/foo/1", "baz"},  {"/foo/2", NULL},
        {"/foo/-", NULL},    {"/", "0"},         {"/a~1b", "1"},
        {"/c%d", "2"},       {"/e^f", "3"},      {"/g|h", "4"},
        {"/i\\j", "5"},      {"/k\"l", "6"},     {"/ ", "7"},
        {"/m~0n", "8"},      {"/~01", "9"},      {"/deep/er/x", "d"},
        {"/nothing", NULL},  {"/foo/bar", NULL}, {"/foo/00", NULL},
        {"/foo/ 1", NULL},   {"/FOO/0", NULL},   {"/foo/", NULL},
        {"/foo/0/", NULL},   {"/fo", NULL},      {"/foo/18446744073709551616", NULL},
        {"/deep/er/", NULL}, {"/foo/0x", NULL},
    };
    static const char *const bad[] = {"a", "a/b", " /a", "/~", "/~2", "/a~", "~0"};
    struct json_object *document, *value;
    struct reason why;
    (void)state;
    assert_int_equal(
        json_read(SPAN("{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,"
                       "\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8,\"~1\":9,"
                       "\"deep\":{\"er\":{\"x\":\"d\"}}}"),
                  0, &document, &why),
        JSON_GOOD);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes out = {0};
        enum json_kind kind = json_at(document, rows[i].pointer, &value);
        if (kind == JSON_STRING)
            bytes_add_span(&out, json_text(value));
        else if (kind != JSON_ABSENT)
            json_write_scalar(&out, value);
        expect(rows[i].text ? span_equal(bytes_span(&out), span_of(rows[i].text))
                            : kind == JSON_ABSENT,
               "%s: %s", rows[i].pointer, bytes_string(&out));
        bytes_free(&out);
        assert_true(json_is_pointer(rows[i].pointer));
    }
    assert_int_equal(json_at(document, "", &value), JSON_OBJECT);
    assert_ptr_equal(value, document);
    assert_int_equal(json_at(NULL, "/a", &value), JSON_ABSENT);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(json_is_pointer(bad[i]));
    json_release(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members),  cmocka_unit_test(floors),
        cmocka_unit_test(integers), cmocka_unit_test(numbers_keep_their_text),
        cmocka_unit_test(pointers),
    };
    return cmocka_run_group_tests_name("json_values", tests, NULL, NULL);
}
