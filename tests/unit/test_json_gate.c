/* SPDX-License-Identifier: MIT
 * The gate alone: what may go to the parser, and where it first goes wrong. */
#include "base/json_gate.h"

#include "support.h"

#include <stdlib.h>
#include <string.h>

#define GOOD SIZE_MAX

struct row {
    struct span text;
    size_t offset; /* of the fault, or GOOD */
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = rows[i].text.length, offset = 12345;
        char *copy = exact_copy(rows[i].text);
        const char *fault = json_gate_check(copy, length, &offset);
        if (rows[i].offset == GOOD)
            expect(!fault, "%.*s: %s", (int)length, rows[i].text.data, fault);
        else
            expect(fault && offset == rows[i].offset, "%.*s: %s at %zu", (int)length,
                   rows[i].text.data, fault ? fault : "good", offset);
        free(copy);
    }
}

#define ROW(literal, offset)                                                                       \
    {                                                                                              \
        LITERAL(literal), offset                                                                   \
    }

static void outside_of_strings(void **state)
{
    static const struct row rows[] = {
        ROW("", GOOD),
        ROW(" \t\r\n{}[]:,", GOOD),
        ROW("truefalsenull", GOOD), /* the grammar is the parser's */
        ROW("{\"a\":NaN}", 5),
        ROW("{\"a\":-Infinity}", 6),
        ROW("{\"a\":Infinity}", 5),
        ROW("{'a':1}", 1),
        ROW("{\"a\":TRUE}", 5),
        ROW("{\"a\":tru}", 5),
        ROW("// x", 0),
        ROW("/* x */", 0),
        ROW("{\0}", 1),
        ROW("{}\0", 2),
        ROW("\xef\xbb\xbf{}", 0), /* byte order mark */
        ROW("\v{}", 0),
        ROW("\xc2\xa0{}", 0),
        ROW("{}\x7f", 2),
    };
    (void)state;
    check(rows, COUNT(rows));
}

static void numbers(void **state)
{
    static const struct row rows[] = {
        ROW("[0,-0,1,-1,10,1.5,0.5,1e5,1E+5,1e-5,-1.5e10]", GOOD),
        ROW("[123456789012345678901234567890]", GOOD),
        ROW("[01]", 2),
        ROW("[-01]", 3),
        ROW("[+1]", 1),
        ROW("[-]", 2),
        ROW("[.5]", 1),
        ROW("[1.]", 3),
        ROW("[1.e5]", 3),
        ROW("[1e]", 3),
        ROW("[1e+]", 4),
        ROW("[1.5.5]", 4),
        ROW("[1-1]", 2),
        ROW("[0x10]", 2),
        ROW("-", 1),
        ROW("1.", 2),
        ROW("1e", 2),
    };
    (void)state;
    check(rows, COUNT(rows));
}

static void strings(void **state)
{
    static const struct row rows[] = {
        ROW("\"\"", GOOD),
        ROW("\"a b {}[],: 'x' // \"", GOOD),
        ROW("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", GOOD),
        ROW("\"\\u0041\\u00e9\\uFFFF\\u0000\"", GOOD),
        ROW("\"\\ud83d\\ude00\"", GOOD),
        ROW("\"\\uD83D\\uDE00\"", GOOD),
        ROW("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"", GOOD),
        ROW("\"", 1),
        ROW("\"abc", 4),
        ROW("\"abc\\", 4),
        ROW("\"abc\\\"", 6),
        ROW("\"a\tb\"", 2),
        ROW("\"a\nb\"", 2),
        ROW("\"a\x07\"", 2),
        ROW("\"a\0b\"", 2),
        ROW("\"\\x41\"", 1),
        ROW("\"\\'\"", 1),
        ROW("\"\\0\"", 1),
        ROW("\"\\U0041\"", 1),
        ROW("\"\\\0\"", 1),
        ROW("\"\\u004\"", 1),
        ROW("\"\\u", 1),
        ROW("\"\\u00g0\"", 1),
        ROW("\"\\ud800\"", 7),
        ROW("\"\\ud800x\"", 7),
        ROW("\"\\ud800\\n\"", 7),
        ROW("\"\\ud800\\u0041\"", 7),
        ROW("\"\\ud800\\ud800\"", 7),
        ROW("\"\\ud800\\ude0", 7),
        ROW("\"\\udc00\"", 1),
        ROW("\"\xc0\xaf\"", 1),
        ROW("\"\xed\xa0\x80\"", 1),
        ROW("\"\xf5\x80\x80\x80\"", 1),
        ROW("\"\xff\"", 1),
        ROW("\"\xc3\"", 1),
        ROW("\"\xe2\x82", 1),
        ROW("\"\x80\"", 1),
    };
    (void)state;
    check(rows, COUNT(rows));
}

/* No one gets past a check of "a" with a name that json-c cuts to "a". */
static void escaped_nul_in_a_name_is_overwritten(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"{\"a\\u0000b\":1}", "{\"a\\ufffdb\":1}"},
        {"{\"\\u0000\" \t\r\n : 1}", "{\"\\ufffd\" \t\r\n : 1}"},
        {"{\"\\u0000\\u0000\":1}", "{\"\\ufffd\\ufffd\":1}"},
        {"{\"\\\\u0000\":1}", "{\"\\\\u0000\":1}"},     /* a backslash, not an escape */
        {"{\"a\":\"\\u0000\"}", "{\"a\":\"\\u0000\"}"}, /* a value */
        {"[\"\\u0000\"]", "[\"\\u0000\"]"},
        {"\"\\u0000\"", "\"\\u0000\""},
        {"{\"a\":\"\\u0000\",\"b\\u0000\":{}}", "{\"a\":\"\\u0000\",\"b\\ufffd\":{}}"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t offset, length = strlen(rows[i].in);
        char *copy = exact_copy(span_of(rows[i].in));
        assert_null(json_gate_check(copy, length, &offset));
        assert_memory_equal(copy, rows[i].out, length);
        free(copy);
    }
}

static void every_prefix_and_every_byte(void **state)
{
    static const char good[] =
        "{\"a\\u0000\\ud83d\\ude00\xe2\x82\xac\":[-1.5e+3,true,null,\"\\n\"]}";
    (void)state;
    for (size_t length = 0; length < sizeof good; length++)
        for (int byte = 0; byte < 257; byte++) {
            size_t offset;
            char *copy = exact_copy((struct span){good, length});
            if (byte < 256 && length)
                copy[length - 1] = (char)byte;
            if (json_gate_check(copy, length, &offset))
                assert_true(offset <= length);
            free(copy);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outside_of_strings),
        cmocka_unit_test(numbers),
        cmocka_unit_test(strings),
        cmocka_unit_test(escaped_nul_in_a_name_is_overwritten),
        cmocka_unit_test(every_prefix_and_every_byte),
    };
    return cmocka_run_group_tests_name("json_gate", tests, NULL, NULL);
}
