/* SPDX-License-Identifier: MIT
 * Reasons: bounded, and never with half a character at the end. */
#include "base/reason.h"

#include "base/text.h"
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
    reason_set(&reason, "%s", "");
    assert_string_equal(reason.text, "");
}

static void long_reasons_are_cut(void **state)
{
    struct reason reason;
    char *text = repeated('x', 3 * REASON_MAX);
    (void)state;
    reason_set(&reason, "%s", text);
    assert_int_equal(strlen(reason.text), REASON_MAX - 1);
    reason_set(&reason, "%.*s", REASON_MAX - 1, text);
    assert_int_equal(strlen(reason.text), REASON_MAX - 1);
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
            assert_true(length >= REASON_MAX - 4);
            assert_true(text_is_plain((struct span){reason.text, length}));
            assert_memory_equal(reason.text, text.data, length);
            bytes_free(&text);
        }
}

/* What is no UTF-8 anyway stays as it is, but for its last bytes. */
static void other_bytes_do_no_harm(void **state)
{
    struct reason reason;
    char *text = repeated('\x80', 2 * REASON_MAX);
    (void)state;
    reason_set(&reason, "%s", text);
    assert_int_equal(strlen(reason.text), REASON_MAX - 1);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_reason_counts),
        cmocka_unit_test(long_reasons_are_cut),
        cmocka_unit_test(characters_are_not_cut),
        cmocka_unit_test(other_bytes_do_no_harm),
    };
    return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}
