/* SPDX-License-Identifier: MIT
 * Durations, sizes, numbers, choices, and how far words are apart. */
#include "base/text.h"
#include "settings/config_value.h"

#include "support.h"

#include <stdlib.h>
#include <string.h>

#define REFUSED INT64_MIN

struct row {
    const char *text;
    int64_t value;
};

static void check_rows(const struct row *rows, size_t count, bool (*parse)(const char *, int64_t *))
{
    for (size_t i = 0; i < count; i++) {
        int64_t value = 0;
        bool good = parse(rows[i].text, &value);
        expect(good == (rows[i].value != REFUSED), "\"%s\"", rows[i].text);
        expect(!good || value == rows[i].value, "\"%s\" is %lld", rows[i].text, (long long)value);
    }
}

static void durations(void **state)
{
    static const struct row rows[] = {
        {"0s", 0},
        {"1ms", 1},
        {"500ms", 500},
        {"5s", 5000},
        {"10m", 600000},
        {"1h", 3600000},
        {"7d", 604800000},
        {"007s", 7000},
        {"", REFUSED},
        {"5", REFUSED},
        {"s", REFUSED},
        {"5 s", REFUSED},
        {" 5s", REFUSED},
        {"5s ", REFUSED},
        {"5S", REFUSED},
        {"-5s", REFUSED},
        {"+5s", REFUSED},
        {"1.5s", REFUSED},
        {"5sec", REFUSED},
        {"1h30m", REFUSED},
        {"5k", REFUSED},
        {"106751991167d", 106751991167 * 86400000},
        {"106751991168d", REFUSED},
        {"9223372036854775807ms", INT64_MAX},
        {"9223372036854775808ms", REFUSED},
        {"99999999999999999999999999s", REFUSED},
    };
    (void)state;
    check_rows(rows, COUNT(rows), value_parse_duration);
}

static void sizes(void **state)
{
    static const struct row rows[] = {
        {"0", 0},
        {"512", 512},
        {"16k", 16384},
        {"1M", 1048576},
        {"2G", 2147483648},
        {"", REFUSED},
        {"k", REFUSED},
        {"16K", REFUSED},
        {"1m", REFUSED},
        {"1kB", REFUSED},
        {"-1", REFUSED},
        {"0x10", REFUSED},
        {"8589934591G", 8589934591 * 1073741824},
        {"8589934592G", REFUSED},
    };
    (void)state;
    check_rows(rows, COUNT(rows), value_parse_size);
}

static void integers(void **state)
{
    static const struct row rows[] = {
        {"0", 0},
        {"42", 42},
        {"-42", -42},
        {"9223372036854775807", INT64_MAX},
        {"9223372036854775808", REFUSED},
        {"", REFUSED},
        {"-", REFUSED},
        {"--1", REFUSED},
        {"1 ", REFUSED},
        {" 1", REFUSED},
        {"1a", REFUSED},
        {"0x1", REFUSED},
    };
    (void)state;
    check_rows(rows, COUNT(rows), text_parse_integer);
}

static void choices(void **state)
{
    (void)state;
    assert_int_equal(value_find_choice("error warning info", "error"), 0);
    assert_int_equal(value_find_choice("error warning info", "info"), 2);
    assert_int_equal(value_find_choice("error warning info", "warn"), -1);
    assert_int_equal(value_find_choice("error warning info", "warnings"), -1);
    assert_int_equal(value_find_choice("error warning info", "error warning"), -1);
    assert_int_equal(value_find_choice("error warning info", ""), -1);
    assert_int_equal(value_find_choice("error warning info", "Info"), -1);
    assert_int_equal(value_find_choice("", "x"), -1);
}

static void limits_for_people(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {{300, "300ms"}, {1500, "1500ms"}, {5000, "5s"},       {0, "0ms"},
                {60000, "1m"},  {5400000, "90m"}, {2592000000, "30d"}};
    char buffer[32];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(value_format_duration(rows[i].ms, buffer), rows[i].text);
    assert_non_null(value_format_duration(INT64_MAX, buffer));
    assert_string_equal(value_format_size(0, buffer), "0");
    assert_string_equal(value_format_size(1, buffer), "1");
    assert_string_equal(value_format_size(1536, buffer), "1536");
    assert_string_equal(value_format_size(16 << 20, buffer), "16M");
}

static void distances(void **state)
{
    static const struct {
        const char *a, *b;
        unsigned distance;
    } rows[] = {
        {"store", "store", 0},
        {"STORE", "store", 0},
        {"stor", "store", 1},
        {"sstore", "store", 1},
        {"stote", "store", 1},
        {"sotre", "store", 1}, /* two letters swapped */
        {"STAUTS", "status", 1},
        {"sTaTsU", "status", 1},
        {"stroes", "stores", 1},
        {"", "abc", 3},
        {"abc", "", 3},
        {"kitten", "sitting", 3},
        {"abcdefgh", "zyxwvuts", 4},
    };
    char *long_word = repeated('a', 70);
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned got = value_distance(rows[i].a, rows[i].b, 3);
        expect(got == rows[i].distance, "%s, %s: %u", rows[i].a, rows[i].b, got);
    }
    assert_int_equal(value_distance(long_word, long_word, 2), 3);
    assert_int_equal(value_distance("a", long_word, 2), 3);
    free(long_word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),         cmocka_unit_test(sizes),
        cmocka_unit_test(integers),          cmocka_unit_test(choices),
        cmocka_unit_test(limits_for_people), cmocka_unit_test(distances),
    };
    return cmocka_run_group_tests_name("config_value", tests, NULL, NULL);
}
