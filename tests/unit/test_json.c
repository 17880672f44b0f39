/* SPDX-License-Identifier: MIT
 * Gate and parser together, as every text from outside meets them. */
#include "base/json.h"

#include "short_memory.h"
#include "support.h"

#include <limits.h>
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

static const struct span bad_rows[] = {
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

static void bad_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_rows); i++)
        expect(refusal(bad_rows[i]), "taken: %.*s", (int)bad_rows[i].length, bad_rows[i].data);
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
    expect_contains(refusal(SPAN("{\"a\":\"\x01\"}")),
                    "control character in a string at line 1, column 7");
    expect_contains(refusal(SPAN("{\"a\":1,}")), "at line 1, column 8");
    expect_contains(refusal(SPAN("{\"a\":1")), "unexpected end at line 1, column 7");
    expect_contains(refusal(SPAN("[]")), "not an object");
    expect_contains(refusal(SPAN("null")), "not an object");
    expect_contains(refusal(SPAN(" -5")), "not an object");
    expect_contains(refusal(SPAN("[1")), "unexpected end at line 1, column 3");
    expect_contains(refusal(SPAN("\xef\xbb\xbf[1")), "unexpected end at line 1, column 3");
    expect_contains(refusal(SPAN("{\r\n\"a\": 1,\n\"\xc3\xa9\xf0\x9f\x98\x80\": x}")),
                    "at line 3, column 7");
}

/* json-c counts in int. */
static void more_than_two_gigabytes(void **state)
{
    struct json_object *object;
    struct reason why;
    (void)state;
    assert_int_equal(json_read((struct span){"{ }", (size_t)INT_MAX + 1}, 0, &object, &why),
                     JSON_BROKEN);
    assert_string_equal(why.text, "too much text at line 1, column 1");
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

/* No member, element or part of a text is lost: all of it, or no memory. */
static void memory_that_runs_out_is_told(void **state)
{
    static const char begin[] =
        "{\"one\":\"a text that is longer than the first room of a buffer\",\"two\":[1,2.5,true,"
        "\"\\u0041\",{\"x\":null}],\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,"
        "\"h\":8,\"i\":9,\"j\":10,\"k\":11,\"l\":12,\"m\":13,\"n\":18446744073709551616,\"many\":["
        "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]";
    char *name = repeated('x', 1024); /* that fills the first room of a buffer */
    struct bytes text = {0};
    (void)state;
    bytes_addf(&text, "%s,\"%s\":1}", begin, name);
    for (int lasting = 0; lasting < 2; lasting++) {
        bool failed = true;
        for (size_t granted = 0; failed; granted++) {
            struct json_object *object;
            struct reason why = {""};
            short_memory_start(granted, lasting);
            enum json_result result = json_read(bytes_span(&text), JSON_UNIQUE, &object, &why);
            failed = short_memory_stop();
            assert_int_equal(result, failed ? JSON_NO_MEMORY : JSON_GOOD);
            assert_true(!object == failed);
            json_release(object);
        }
    }
    bytes_free(&text);
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_texts),
        cmocka_unit_test(bad_texts),
        cmocka_unit_test(depth),
        cmocka_unit_test(reasons_name_the_place),
        cmocka_unit_test(more_than_two_gigabytes),
        cmocka_unit_test(no_name_twice),
        cmocka_unit_test(some_names_once),
        cmocka_unit_test(memory_that_runs_out_is_told),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
