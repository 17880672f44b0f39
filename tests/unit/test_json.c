/* SPDX-License-Identifier: MIT
 * Gate and parser together, as every text from outside meets them. */
#include "base/json.h"

#include "short_memory.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

/* NULL when the text is taken, else what is said against it. */
static const char *refusal(struct span text)
{
    static struct reason why;
    struct json_object *object;
    char *copy = exact_copy(text);
    why.text[0] = '\0';
    bool taken = json_read((struct span){copy, text.length}, 0, &object, &why) == JSON_GOOD;
    free(copy);
    expect(taken == (why.text[0] == '\0'), "a reason for %.*s: %s", (int)text.length, text.data,
           why.text);
    json_release(object);
    return taken ? NULL : why.text;
}

static void good_texts(void **state)
{
    static const struct span rows[] = {
        LITERAL("{}"),
        LITERAL(" \t\r\n{ } \t\r\n"),
        LITERAL("{\"a\":1,\"a\":2}"),
        LITERAL("{\"a\":[true,false,null,-1.5e3,\"\\u0041\"]}"),
        LITERAL("{\"a\":123456789012345678901234567890}"),
        LITERAL("{\"a\":1e999}"),
        LITERAL("{\"a\":\"\\u0000\"}"),
        LITERAL("{\"a\\u0000b\":1}"),
        LITERAL("\xef\xbb\xbf{}"), /* RFC 8259, section 8.1 */
        LITERAL("{\"\":{},\"a\":[],\"b\":[{}]}"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *why = refusal(rows[i]);
        expect(!why, "%.*s: %s", (int)rows[i].length, rows[i].data, why);
    }
}

static void bad_texts(void **state)
{
    static const struct span rows[] = {
        {NULL, 0},
        LITERAL(""),
        LITERAL(" "),
        LITERAL("1"),
        LITERAL("\"x\""),
        LITERAL("null"),
        LITERAL("true"),
        LITERAL("[]"),
        LITERAL("{"),
        LITERAL("}"),
        LITERAL("{\"a\"}"),
        LITERAL("{\"a\":}"),
        LITERAL("{\"a\":1"),
        LITERAL("{\"a\":1,}"),
        LITERAL("{,}"),
        LITERAL("{a:1}"),
        LITERAL("{\"a\":[1,]}"),
        LITERAL("{\"a\" 1}"),
        LITERAL("{\"a\":1 \"b\":2}"),
        LITERAL("{\"a\":1}}"),
        LITERAL("{}{}"),
        LITERAL("{} {}"),
        LITERAL("{}x"),
        LITERAL("{}\0"),
        LITERAL("{}\0{}"),
        LITERAL("{\"a\":NaN}"),
        LITERAL("{\"a\":-Infinity}"),
        LITERAL("{'a':1}"),
        LITERAL("{\"a\":'x'}"),
        LITERAL("{\"a\":\"\x07\"}"),
        LITERAL("{\"a\":\"\t\"}"),
        LITERAL("{\"a\":\"\n\"}"),
        LITERAL("{\"a\":\"\0\"}"),
        LITERAL("{\"a\":\"\\ud800\"}"),
        LITERAL("{\"a\":\"\xc0\xaf\"}"),
        LITERAL("{\"a\":\"\xed\xa0\x80\"}"),
        LITERAL("{\"a\":\"\xf5\x80\x80\x80\"}"),
        LITERAL("{\"a\":\"\xff\"}"),
        LITERAL("{\"a\":01}"),
        LITERAL("{\"a\":+1}"),
        LITERAL("{\"a\":1.}"),
        LITERAL("{\"a\":TRUE}"),
        LITERAL("{\"a\":truefalse}"),
        LITERAL("{\"a\":1true}"),
        LITERAL("{\"a\":\"x\"\"y\"}"),
        LITERAL("{\"a\":\"\\x\"}"),
        LITERAL("{/* x */}"),
        LITERAL("{}//"),
        LITERAL("\xef\xbb\xbf"),
        LITERAL("\xef\xbb\xbf\xef\xbb\xbf{}"),
        LITERAL("{\xef\xbb\xbf}"),
        LITERAL("[:]"),
        LITERAL("{\"a\":,}"),
        LITERAL("{\"a\":1:2}"),
        LITERAL("{\"a\",\"b\"}"),
        LITERAL("{[]:1}"),
        LITERAL("{\"a\":[}"),
        LITERAL("{\"a\":{]}"),
        LITERAL("{\"a\":[1 2]}"),
        LITERAL("{\"a\":[,1]}"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect(refusal(rows[i]), "taken: %.*s", (int)rows[i].length, rows[i].data);
}

/* An object with arrays in it, so many levels in all. */
static char *nested(size_t depth, size_t *length_r)
{
    char *text = malloc(2 * depth + 8), *out = text;
    assert_non_null(text);
    memcpy(out, "{\"a\":", 5);
    out += 5;
    memset(out, '[', depth - 1);
    out += depth - 1;
    memset(out, ']', depth - 1);
    out += depth - 1;
    *out++ = '}';
    *length_r = (size_t)(out - text);
    return text;
}

static void depth(void **state)
{
    static const struct {
        size_t depth;
        bool good;
    } rows[] = {{2, true},
                {JSON_DEPTH_MAX - 1, true},
                {JSON_DEPTH_MAX, true},
                {JSON_DEPTH_MAX + 1, false},
                {100, false},
                {10000, false},
                {1000000, false}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t length;
        char *text = nested(rows[i].depth, &length);
        const char *why = refusal((struct span){text, length});
        expect(!why == rows[i].good, "%zu levels: %s", rows[i].depth, why ? why : "good");
        if (why)
            expect_contains(why, "nested deeper than 16");
        free(text);
    }
}

static void reasons_name_the_place(void **state)
{
    (void)state;
    expect_contains(refusal(SPAN("{\"a\":\"\x01\"}")), "control character in a string at byte 6");
    expect_contains(refusal(SPAN("{\"a\":1,}")), "at byte 7");
    expect_contains(refusal(SPAN("{\"a\":1")), "unexpected end at byte 6");
    expect_contains(refusal(SPAN("[]")), "not an object");
    expect_contains(refusal(SPAN("null")), "not an object");
    expect_contains(refusal(SPAN(" -5")), "not an object");
    expect_contains(refusal(SPAN("[1")), "unexpected end at byte 2");
}

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

/* What is one thing for a parser that takes the first, and another for one that takes
 * the last. */
static void no_name_twice(void **state)
{
    static const struct {
        struct span text;
        bool good;
    } rows[] = {
        {LITERAL("{}"), true},
        {LITERAL("{\"a\":{\"a\":[{\"a\":1},{\"a\":\"x:\\\":y\"}]},\"b:\":\":\"}"), true},
        {LITERAL("{\"a\":1,\"a\":1}"), false},
        {LITERAL("{\"a\":1,\"\\u0061\":1}"), false},
        {LITERAL("{\"x\":[{\"a\":{\"b\":null,\"b\":null}}]}"), false},
        {LITERAL("{\"a\\u0000b\":1,\"a\\u0000b\":2}"), false},
        {LITERAL("{\"a\":null,\"a\":null}"), false},
        {LITERAL("{\"a\":1,}"), false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reason why = {0};
        struct json_object *object;
        char *copy = exact_copy(rows[i].text);
        struct span text = {copy, rows[i].text.length};
        expect((json_read(text, JSON_UNIQUE, &object, &why) == JSON_GOOD) == rows[i].good,
               "row %zu: %s", i, why.text);
        assert_int_equal(object != NULL, rows[i].good);
        json_release(object);
        free(copy);
    }
}

/* Only the names that are listed, and only at the top. */
static void some_names_once(void **state)
{
    static const char *const once[] = {"a", "b", NULL};
    static const struct {
        struct span text;
        bool good;
    } rows[] = {
        {LITERAL("{\"a\":1,\"b\":1}"), true},
        {LITERAL("{\"c\":1,\"c\":2,\"a\":{\"a\":1,\"a\":2}}"), true},
        {LITERAL("{\"a\":1,\"a\":1}"), false},
        {LITERAL("{\"b\":1,\"c\":{},\"\\u0062\":1}"), false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reason why = {0};
        struct json_object *object;
        enum json_result result = json_read_once(rows[i].text, once, &object, &why);
        expect((result == JSON_GOOD) == rows[i].good, "row %zu: %s", i, why.text);
        json_release(object);
    }
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
        {"/deep/er/", NULL},
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

/* No member, element or part of a text is lost: all of it, or no memory. */
static void memory_that_runs_out_is_told(void **state)
{
    static const char text[] =
        "{\"one\":\"a text that is longer than the first room of a buffer\",\"two\":[1,2.5,true,"
        "\"\\u0041\",{\"x\":null}],\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,"
        "\"h\":8,\"i\":9,\"j\":10,\"k\":11,\"l\":12,\"m\":13,\"n\":18446744073709551616}";
    (void)state;
    for (int lasting = 0; lasting < 2; lasting++) {
        bool failed = true;
        for (size_t granted = 0; failed; granted++) {
            struct json_object *object;
            struct reason why = {""};
            short_memory_start(granted, lasting);
            enum json_result result = json_read(SPAN(text), JSON_UNIQUE, &object, &why);
            failed = short_memory_stop();
            assert_int_equal(result, failed ? JSON_NO_MEMORY : JSON_GOOD);
            assert_true(!object == failed);
            json_release(object);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_texts), cmocka_unit_test(bad_texts),
        cmocka_unit_test(depth),      cmocka_unit_test(reasons_name_the_place),
        cmocka_unit_test(members),    cmocka_unit_test(no_name_twice),
        cmocka_unit_test(integers),   cmocka_unit_test(some_names_once),
        cmocka_unit_test(floors),     cmocka_unit_test(numbers_keep_their_text),
        cmocka_unit_test(pointers),   cmocka_unit_test(memory_that_runs_out_is_told),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
