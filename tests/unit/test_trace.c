/* SPDX-License-Identifier: MIT
 * W3C Trace Context. */
#include "host/trace.h"

#include "support.h"

#include <stdlib.h>
#include <string.h>

#define ID     "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static bool parse(const char *text, struct trace *trace_r)
{
    struct span header = span_of(text);
    char *copy = exact_copy(header);
    bool good = trace_parse((struct span){copy, header.length}, trace_r);
    free(copy);
    return good;
}

static void good_ones(void **state)
{
    static const struct {
        const char *text;
        bool sampled;
    } rows[] = {
        {"00-" ID "-" PARENT "-01", true},  {"00-" ID "-" PARENT "-00", false},
        {"00-" ID "-" PARENT "-03", true},  {"00-" ID "-" PARENT "-fe", false},
        {"cc-" ID "-" PARENT "-01", true},  {"01-" ID "-" PARENT "-01-what-will-be", true},
        {"fe-" ID "-" PARENT "-0b-", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct trace trace;
        expect(parse(rows[i].text, &trace), "%s", rows[i].text);
        assert_memory_equal(trace.id, ID, TRACE_ID_LENGTH);
        assert_memory_equal(trace.parent, PARENT, TRACE_PARENT_LENGTH);
        assert_int_equal(trace.sampled, rows[i].sampled);
    }
}

static void bad_ones(void **state)
{
    static const char *const texts[] = {
        "",
        "00",
        "00-" ID "-" PARENT "-0",
        "00-" ID "-" PARENT "-01-",
        "00-" ID "-" PARENT "-01 ",
        " 00-" ID "-" PARENT "-01",
        "00-" ID "-" PARENT "-0g",
        "00-" ID "-" PARENT "-0A",
        "ff-" ID "-" PARENT "-01",
        "0x-" ID "-" PARENT "-01",
        "01-" ID "-" PARENT "-01x",
        "00_" ID "-" PARENT "-01",
        "00-" ID "_" PARENT "-01",
        "00-" ID "-" PARENT "_01",
        "00-00000000000000000000000000000000-" PARENT "-01",
        "00-" ID "-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01",
        "00-" ID "-" PARENT "-01, 00-" ID "-" PARENT "-01",
    };
    struct trace trace;
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        expect(!parse(texts[i], &trace), "%s", texts[i]);
    assert_false(trace_parse(SPAN_NONE, &trace));
}

static void sent_on(void **state)
{
    struct trace trace, next;
    char text[TRACE_TEXT_SIZE], again[TRACE_TEXT_SIZE];
    (void)state;
    assert_null(trace_next(text));
    assert_true(parse("00-" ID "-" PARENT "-03", &trace));
    trace_set(&trace);
    assert_ptr_equal(trace_next(text), text);
    assert_true(parse(text, &next));
    assert_memory_equal(next.id, ID, TRACE_ID_LENGTH);
    assert_memory_not_equal(next.parent, PARENT, TRACE_PARENT_LENGTH);
    assert_string_equal(text + 52, "-01");
    assert_ptr_equal(trace_next(again), again);
    assert_string_not_equal(text, again);
    trace_set(NULL);
    assert_null(trace_next(text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),
        cmocka_unit_test(bad_ones),
        cmocka_unit_test(sent_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
