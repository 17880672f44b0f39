/* SPDX-License-Identifier: MIT
 * Reasons: bounded, with their end, and never with half a character. */
#include "base/reason.h"

#include "base/text.h"
#include "short_memory.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

static void the_last_reason_counts(void **state)
{
    struct reason reason = {0};
    (void)state;
    assert_string_equal(reason.text, "");
    reason_set(&reason, "line %d: %s", 7, "no such key");
    reason_set(&reason, "line %d", 8);
    assert_string_equal(reason.text, "line 8");
    reason_prefix(&reason, "members.csv");
    assert_string_equal(reason.text, "members.csv: line 8");
    reason_set(&reason, "%s", "");
    assert_string_equal(reason.text, "");
}

/* A long path leaves room for what is wrong with it. */
static void the_middle_is_left_out(void **state)
{
    struct reason reason;
    char *text = repeated('x', 3 * REASON_MAX);
    (void)state;
    reason_set(&reason, "/srv/%s/members.csv: %s", text, "no such file");
    assert_int_equal(strlen(reason.text), REASON_MAX - 1);
    assert_memory_equal(reason.text, "/srv/xxx", 8);
    expect_contains(reason.text, "xxx...xxx");
    assert_non_null(strstr(reason.text, "xxx/members.csv: no such file"));
    reason_set(&reason, "%.*s", REASON_MAX - 1, text);
    assert_int_equal(strlen(reason.text), REASON_MAX - 1);
    assert_null(strstr(reason.text, "..."));
    free(text);
}

static void write_into(char *room, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    reason_write(room, size, format, args);
    va_end(args);
}

static void rooms_of_every_size(void **state)
{
    char *text = repeated('x', 200), room[200];
    (void)state;
    for (size_t size = 64; size <= sizeof room; size++) {
        write_into(room, size, "%s: the cause", text);
        assert_int_equal(strlen(room), size - 1);
        assert_string_equal(room + size - 1 - strlen(": the cause"), ": the cause");
    }
    free(text);
}

static void without_memory_the_end_is_left_out(void **state)
{
    struct reason reason;
    char *text = repeated('x', 3 * REASON_MAX);
    (void)state;
    short_memory_start(0, true);
    reason_set(&reason, "%s: no such file", text);
    bool was_short = short_memory_stop();
    if (was_short) {
        text[REASON_MAX - 1] = '\0';
        assert_string_equal(reason.text, text);
    }
    free(text);
}

static void characters_are_not_cut(void **state)
{
    static const char *const characters[] = {"x", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    (void)state;
    for (size_t i = 0; i < sizeof characters / sizeof *characters; i++)
        for (size_t before = 0; before < 5; before++) {
            struct reason reason;
            struct bytes text = {0};
            bytes_add(&text, "aaaa", before);
            while (text.length < 2 * REASON_MAX)
                bytes_add_string(&text, characters[i]);
            reason_set(&reason, "%s", bytes_string(&text));
            size_t length = strlen(reason.text);
            assert_true(length >= REASON_MAX - 7);
            assert_true(text_is_plain((struct span){reason.text, length}));
            const char *dots = strstr(reason.text, "...");
            assert_non_null(dots);
            size_t start = (size_t)(dots - reason.text), end = strlen(dots + 3);
            assert_memory_equal(reason.text, text.data, start);
            assert_memory_equal(dots + 3, text.data + text.length - end, end);
            bytes_free(&text);
        }
}

/* What is not UTF-8 anyway stays as it is, but for a byte or three. */
static void other_bytes_do_no_harm(void **state)
{
    struct reason reason;
    char *text = repeated('\x80', 2 * REASON_MAX);
    (void)state;
    reason_set(&reason, "%s", text);
    assert_true(strlen(reason.text) >= REASON_MAX - 4);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_reason_counts),
        cmocka_unit_test(the_middle_is_left_out),
        cmocka_unit_test(rooms_of_every_size),
        cmocka_unit_test(without_memory_the_end_is_left_out),
        cmocka_unit_test(characters_are_not_cut),
        cmocka_unit_test(other_bytes_do_no_harm),
    };
    return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}
