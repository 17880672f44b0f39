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
        const char *fault = json_gate_check((struct span){copy, length}, false, &offset);
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
        ROW("\"\\ud800\\ue000\"", 7),
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

/* For those who would rather lose a field than the whole text. */
static void halves_of_pairs_can_be_let_through(void **state)
{
    static const struct row rows[] = {
        ROW("\"\\ud800\"", GOOD),
        ROW("\"\\ud800x\\udc00\\ud800\\ud800\"", GOOD),
        ROW("\"\\udc00\\ud83d\\ude00\"", GOOD),
        ROW("\"\\ud800\\u00g0\"", 7),
        ROW("\"\\ud800\\", 7),
        ROW("\"\\ud8", 1),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t offset;
        const char *fault = json_gate_check(rows[i].text, true, &offset);
        expect(rows[i].offset == GOOD ? !fault : fault && offset == rows[i].offset, "%.*s: %s",
               (int)rows[i].text.length, rows[i].text.data, fault ? fault : "good");
    }
}

static void what_strings_stand_for(void **state)
{
    static const struct {
        struct span in, value, name;
    } rows[] = {
        {LITERAL(""), LITERAL(""), LITERAL("")},
        {LITERAL("a\\u0041\xc3\xbc"), LITERAL("aA\xc3\xbc"), LITERAL("aA\xc3\xbc")},
        {LITERAL("\\\"\\\\\\/\\b\\f\\n\\r\\t"), LITERAL("\"\\/\b\f\n\r\t"),
         LITERAL("\"\\/\b\f\n\r\t")},
        {LITERAL("\\u00e9\\u20AC\\ud83d\\ude00"), LITERAL("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
         LITERAL("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")},
        {LITERAL("\\udbff\\udfff\\uffff\\u07ff\\u0800"),
         LITERAL("\xf4\x8f\xbf\xbf\xef\xbf\xbf\xdf\xbf\xe0\xa0\x80"),
         LITERAL("\xf4\x8f\xbf\xbf\xef\xbf\xbf\xdf\xbf\xe0\xa0\x80")},
        {LITERAL("a\\u0000b"), LITERAL("a\0b"),
         LITERAL("a\xef\xbf\xbd"
                 "b")},
        {LITERAL("a\\\\u0000"), LITERAL("a\\u0000"), LITERAL("a\\u0000")},
        {LITERAL("\\ud800x"), LITERAL("\0x"), LITERAL("\xef\xbf\xbdx")},
        {LITERAL("\\ud800\\ue000"), LITERAL("\0\xee\x80\x80"), LITERAL("\xef\xbf\xbd\xee\x80\x80")},
        {LITERAL("\\udc00\\ud800\\ud83d\\ude00"), LITERAL("\0\0\xf0\x9f\x98\x80"),
         LITERAL("\xef\xbf\xbd\xef\xbf\xbd\xf0\x9f\x98\x80")},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int name = 0; name < 2; name++) {
            struct bytes out = {0};
            char *copy = exact_copy(rows[i].in);
            json_unescape(&out, (struct span){copy, rows[i].in.length}, name);
            expect(span_equal(bytes_span(&out), name ? rows[i].name : rows[i].value),
                   "row %zu, name %d: %.*s", i, name, (int)out.length, out.data);
            bytes_free(&out);
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
            if (json_gate_check((struct span){copy, length}, byte & 1, &offset))
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
        cmocka_unit_test(halves_of_pairs_can_be_let_through),
        cmocka_unit_test(what_strings_stand_for),
        cmocka_unit_test(every_prefix_and_every_byte),
    };
    return cmocka_run_group_tests_name("json_gate", tests, NULL, NULL);
}
