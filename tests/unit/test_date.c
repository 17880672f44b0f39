/* SPDX-License-Identifier: MIT
 * Dates and times of ISO 8601. */
#include "base/date.h"

#include "support.h"

#include <stdlib.h>

static void good_ones(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
        bool is_day;
    } rows[] = {
        {"1970-01-01", 0, true},
        {"2026-11-25", 1795564800, true},
        {"2024-02-29", 1709164800, true},
        {"2000-02-29", 951782400, true},
        {"2026-11-25T08:30", 1795595400, false},
        {"2026-11-25T08:30Z", 1795595400, false},
        {"2026-11-25t08:30:05z", 1795595405, false},
        {"2026-11-25T08:30:05.999", 1795595405, false},
        {"2026-11-25T08:30:00+01:30", 1795590000, false},
        {"2026-11-25T08:30:00-01:30", 1795600800, false},
        {"9999-12-31T23:59:59Z", 253402300799, false},
        {"1969-12-31T23:59:59Z", -1, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t seconds;
        bool is_day;
        expect(date_parse(span_of(rows[i].text), &seconds, &is_day), "%s", rows[i].text);
        expect(seconds == rows[i].seconds && is_day == rows[i].is_day, "%s: %lld", rows[i].text,
               (long long)seconds);
    }
}

static void bad_ones(void **state)
{
    static const char *const texts[] = {
        "",
        "2026",
        "2026-11",
        "2026-13-01",
        "2026-00-01",
        "2026-11-31",
        "2026-02-29",
        "1900-02-29",
        "2026-11-00",
        "2026-1-1",
        "26-11-25",
        "2026-11-25T",
        "2026-11-25T8:30",
        "2026-11-25T24:00",
        "2026-11-25T08:60",
        "2026-11-25T08:30:60",
        "2026-11-25T08:30:00.",
        "2026-11-25T08:30:00+1",
        "2026-11-25T08:30ZZ",
        "2026-11-25 08:30",
        "2026-11-25Z",
        "2026-11-25T08:30 ",
        " 2026-11-25",
        "tomorrow",
        "+026-11-25",
        "0001-01-01T00:00+00:01", /* outside of the years 1 to 9999 */
        "0000-12-31",
        "9999-12-31T23:59-00:01",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        int64_t seconds;
        bool is_day;
        char *copy = exact_copy(span_of(texts[i]));
        expect(!date_parse((struct span){copy, span_of(texts[i]).length}, &seconds, &is_day), "%s",
               texts[i]);
        free(copy);
    }
}

static void every_day_of_centuries(void **state)
{
    (void)state;
    for (int64_t day = -100000; day < 200000; day += 37) {
        struct bytes text = {0};
        int64_t seconds = 0;
        bool is_day;
        date_add(&text, day * 86400 + 3661);
        expect(date_parse(bytes_span(&text), &seconds, &is_day) && seconds == day * 86400 + 3661,
               "%s", bytes_string(&text));
        bytes_free(&text);
    }
}

/* What is written can be read: years have four digits, and none is outside of those. */
static void first_and_last_years(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {
        {DATE_EARLIEST, "0001-01-01T00:00:00Z"}, {DATE_EARLIEST - 1, "0001-01-01T00:00:00Z"},
        {-30610224000, "1000-01-01T00:00:00Z"},  {-30610224001, "0999-12-31T23:59:59Z"},
        {DATE_LATEST, "9999-12-31T23:59:59Z"},   {DATE_LATEST + 1, "9999-12-31T23:59:59Z"},
        {INT64_MAX, "9999-12-31T23:59:59Z"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes text = {0};
        date_add(&text, rows[i].seconds);
        assert_string_equal(bytes_string(&text), rows[i].text);
        bytes_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),
        cmocka_unit_test(bad_ones),
        cmocka_unit_test(every_day_of_centuries),
        cmocka_unit_test(first_and_last_years),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
