/* SPDX-License-Identifier: MIT
 *
 * test_file_csv.c: lines, headers and rows of a members file.
 */
#include "plugins/file/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static const char *const mapped[FILE_MAPPED] = {"id", "name", "avatar", "role", "state"};

/* Joins the fields of a row with bars; a fault is told by a "!" before it. */
static void split(const char *line, char *joined, size_t size)
{
    size_t length = strlen(line), used = 0, i;
    /* Exactly as long as the line, so that a sanitizer sees one byte too far. */
    char *copy = malloc(length + 1);
    struct file_csv *csv = file_csv_new(FILE_LINE_MAX);
    struct file_row row;
    const char *fault;

    assert_non_null(copy);
    assert_non_null(csv);
    memcpy(copy, line, length);
    fault = file_csv_split(csv, copy, length, &row);
    joined[0] = '\0';
    if (fault != NULL)
        snprintf(joined, size, "!%s", fault);
    for (i = 0; fault == NULL && i < row.count; i++)
        used += (size_t)snprintf(joined + used, size - used, "%s%.*s", i > 0 ? "|" : "",
                                 (int)row.fields[i].length, row.fields[i].bytes);
    file_csv_free(csv);
    free(copy);
}

static void lines_are_split(void **state)
{
    static const struct {
        const char *line, *fields;
    } cases[] = {
        {"", ""},
        {"   ", ""},
        {" \t ", ""},
        {"a", "a"},
        {"a,b,c", "a|b|c"},
        {",", "|"},
        {"a,", "a|"},
        {",b", "|b"},
        {" a , b\t, c c ", "a|b|c c"},
        {"\"\"", ""},
        {"\"\",x", "|x"},
        {"\"a\",\"b\"", "a|b"},
        {"\" a \",b", " a |b"},
        {"\"a,b\",c", "a,b|c"},
        {"\"a\"\"b\",c", "a\"b|c"},
        {" \"a\" ,c", "a|c"},
        {"J\xc3\xb6rg , \xed\x99\x8d", "J\xc3\xb6rg|\xed\x99\x8d"},
        {"a\"b,c", "!stray"},
        {"\"a\"b,c", "!stray"},
        {"\"a,b", "!a quotation mark that is not closed"},
        {"\"", "!a quotation mark that is not closed"},
        {"a,b\rc,d", "!a carriage return"},
        {"a,b\r", "!a carriage return"},
    };
    char joined[256];
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        split(cases[i].line, joined, sizeof joined);
        if (cases[i].fields[0] == '!')
            joined[strlen(cases[i].fields)] = '\0';
        assert_string_equal(joined, cases[i].fields);
    }
}

static void splitter_is_good_after_a_fault(void **state)
{
    static const char *const bad[] = {"a\"b", "\"a", "\"a\"b", "\"x\",b\rc"};
    struct file_csv *csv = file_csv_new(64);
    struct file_row row;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(bad); i++) {
        assert_non_null(file_csv_split(csv, bad[i], strlen(bad[i]), &row));
        assert_null(file_csv_split(csv, "\"1\",2", 5, &row));
        assert_int_equal(row.count, 2);
        assert_memory_equal(row.fields[0].bytes, "1", 1);
        assert_int_equal(row.fields[1].length, 1);
    }
    file_csv_free(csv);
}

static void long_lines_and_many_fields(void **state)
{
    struct file_csv *csv = file_csv_new(1000);
    struct file_row row;
    char line[1001];

    (void)state;
    memset(line, 'x', sizeof line);
    assert_non_null(file_csv_split(csv, line, 1001, &row));
    assert_null(file_csv_split(csv, line, 1000, &row));
    line[0] = line[999] = '"';
    assert_null(file_csv_split(csv, line, 1000, &row));
    assert_int_equal(row.fields[0].length, 998);
    memset(line, ',', sizeof line);
    assert_null(file_csv_split(csv, line, 1000, &row));
    assert_int_equal(row.count, 1001);
    line[0] = '\t';
    assert_null(file_csv_split(csv, line, 1000, &row));
    assert_int_equal(row.count, 1000);
    file_csv_free(csv);
}

static unsigned next_random(void)
{
    static unsigned random = 1;

    random = random * 1103515245u + 12345u;
    return random >> 16;
}

/* Simple lines do not go through libcsv; with a doubled mark behind them, they do.
 * Both have to find the same fields, or the same fault. */
static void short_way_equals_libcsv(void **state)
{
    static const char letters[] = "aB1 ,;  ,,\xc3\xa9\"\"\"";
    struct file_csv *csv = file_csv_new(64);
    int round, good = 0;

    (void)state;
    for (round = 0; round < 200000; round++) {
        struct file_row plain, other;
        char line[64];
        size_t length = 1 + next_random() % 20, i;
        const char *fault, *other_fault;

        for (i = 0; i < length; i++)
            line[i] = letters[next_random() % (sizeof letters - 1 - (round % 2 ? 3 : 0))];
        fault = file_csv_split(csv, line, length, &plain);
        memcpy(line + length, ",\"\"\"q\"", 6);
        if (fault == NULL && plain.count == 0) /* blank: behind it there is a comma */
            continue;
        other_fault = file_csv_split(csv, line, length + 6, &other);
        if (fault != NULL || other_fault != NULL) {
            assert_true(fault != NULL && other_fault != NULL);
            continue;
        }
        good++;
        assert_int_equal(plain.count + 1, other.count);
        for (i = 0; i < plain.count; i++) {
            assert_int_equal(plain.fields[i].length, other.fields[i].length);
            assert_memory_equal(plain.fields[i].bytes, other.fields[i].bytes,
                                plain.fields[i].length);
        }
    }
    assert_true(good > 50000);
    file_csv_free(csv);
}

static void text_is_judged(void **state)
{
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"", NULL},
        {"plain text ~", NULL},
        {"\xc2\xa0 \xdf\xbf \xe0\xa0\x80 \xef\xbf\xbd \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", NULL},
        {"\xed\x9f\xbf\xee\x80\x80", NULL},
        {"tab\t", "a control character"},
        {"\x1f", "a control character"},
        {"\x7f", "a control character"},
        {"\xc2\x80", "a control character"},
        {"\xc2\x9f", "a control character"},
        {"\x80", "not UTF-8"},
        {"\xc0\xaf", "not UTF-8"},
        {"\xc1\xbf", "not UTF-8"},
        {"\xc3", "not UTF-8"},
        {"\xc3(", "not UTF-8"},
        {"\xe0\x9f\xbf", "not UTF-8"},
        {"\xe2\x82", "not UTF-8"},
        {"\xe2\x28\xa1", "not UTF-8"},
        {"\xed\xa0\x80", "not UTF-8"},
        {"\xf0\x8f\xbf\xbf", "not UTF-8"},
        {"\xf0\x9f\x98", "not UTF-8"},
        {"\xf4\x90\x80\x80", "not UTF-8"},
        {"\xf5\x80\x80\x80", "not UTF-8"},
        {"\xff", "not UTF-8"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        size_t length = strlen(cases[i].text);
        char *copy = malloc(length + 1);
        const char *fault;

        assert_non_null(copy);
        memcpy(copy, cases[i].text, length);
        fault = file_text_fault(copy, length);
        free(copy);
        if (cases[i].fault == NULL)
            assert_null(fault);
        else
            assert_string_equal(fault, cases[i].fault);
    }
    assert_string_equal(file_text_fault("a\0b", 3), "a control character");
}

static void ascii_is_told_from_the_rest(void **state)
{
    struct file_csv *csv = file_csv_new(64);
    struct file_row row;
    int byte, at;

    (void)state;
    for (byte = 0; byte < 256; byte++) {
        for (at = 0; at < 19; at++) {
            char line[19];

            if (byte == '"')
                continue;
            memset(line, 'x', sizeof line);
            line[at] = (char)byte;
            file_csv_split(csv, line, sizeof line, &row);
            assert_int_equal(row.ascii, byte >= 0x20 && byte < 0x7f);
        }
    }
    file_csv_free(csv);
}

/* Reads a header; what it says is in `reason` when that is not empty. */
static struct file_header header_from(const char *line, struct file_reason *reason)
{
    struct file_csv *csv = file_csv_new(FILE_LINE_MAX);
    struct file_header header;
    struct file_row row;

    assert_null(file_csv_split(csv, line, strlen(line), &row));
    reason->text[0] = '\0';
    if (file_header_read(&row, mapped, &header, reason))
        assert_int_equal(reason->text[0], '\0');
    else
        assert_int_not_equal(reason->text[0], '\0');
    file_csv_free(csv);
    return header;
}

static void header_is_understood(void **state)
{
    static const enum file_kind kinds[] = {FILE_NAME,  FILE_ATTRIBUTE, FILE_ID,
                                           FILE_STATE, FILE_UNNAMED,   FILE_AVATAR,
                                           FILE_ROLE,  FILE_UNNAMED,   FILE_ATTRIBUTE};
    struct file_reason reason;
    struct file_header header =
        header_from("name,\"team, old\",id,state,,avatar,role,\"\",ID", &reason);

    (void)state;
    assert_string_equal(reason.text, "");
    assert_int_equal(header.count, COUNT(kinds));
    assert_memory_equal(header.kinds, kinds, sizeof kinds);
    assert_int_equal(header.id, 2);
    assert_string_equal(header.names[1], "team, old");
    assert_true(file_header_has(&header, FILE_ROLE));
    header = header_from("id", &reason);
    assert_int_equal(header.count, 1);
    assert_false(file_header_has(&header, FILE_ROLE));
}

static void header_is_refused(void **state)
{
    static const struct {
        const char *line, *reason;
    } cases[] = {
        {"name,role", "no column \"id\" in the header"},
        {"id;name", "it has \"id;name\""},
        {"id,id", "column \"id\" is twice"},
        {"id,team,team", "column \"team\" is twice"},
        {"id,te\xff", "column 2 in the header: not UTF-8"},
        {"id,\"a\tb\"", "column 2 in the header: a control character"},
        {"id,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "column 2 in the header: longer than 64 bytes"},
    };
    struct file_reason reason;
    char many[1024] = "id";
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        header_from(cases[i].line, &reason);
        assert_non_null(strstr(reason.text, cases[i].reason));
    }
    for (i = 0; i < FILE_ATTRIBUTES_MAX; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), ",a%zu", i);
    header_from(many, &reason);
    assert_string_equal(reason.text, "");
    strcat(many, ",one");
    header_from(many, &reason);
    assert_non_null(strstr(reason.text, "more than 32 columns"));
    for (i = 0; i < FILE_COLUMNS_MAX; i++)
        strcat(many, ",");
    header_from(many, &reason);
    assert_non_null(strstr(reason.text, "more than 64 columns"));
}

static void rows_are_checked(void **state)
{
    static const struct {
        const char *line, *reason;
    } cases[] = {
        {"1,Ann,http://x,admin,ACTIVE,blue,z", NULL},
        {"1,,,,,,", NULL},
        {"1,J\xc3\xb6rg,,,,,", NULL},
        {"1,Ann", "2 fields where the header has 7"},
        {"1,,,,,,,", "8 fields where the header has 7"},
        {",Ann,,,,,", "column \"id\": the id is empty"},
        {"\"\",Ann,,,,,", "column \"id\": the id is empty"},
        {"1,J\xf6rg,,,,,", "column \"name\": not UTF-8"},
        {"1,\"\xc3\",\"\xb6\",,,,", "column \"name\": not UTF-8"},
        {"1,,,,,\"a\tb\",", "column \"colour\": a control character"},
        {"1,,,,,,\x01", "column \"\": a control character"},
    };
    struct file_reason reason;
    struct file_header header = header_from("id,name,avatar,role,state,colour,", &reason);
    struct file_csv *csv = file_csv_new(FILE_LINE_MAX);
    struct file_row row;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(cases); i++) {
        assert_null(file_csv_split(csv, cases[i].line, strlen(cases[i].line), &row));
        if (cases[i].reason == NULL) {
            assert_true(file_row_check(&header, &row, &reason));
        } else {
            assert_false(file_row_check(&header, &row, &reason));
            assert_string_equal(reason.text, cases[i].reason);
        }
    }
    file_csv_free(csv);
}

static void lengths_have_limits(void **state)
{
    static const size_t limits[] = {128, 256, 2048, 64, FILE_LINE_MAX, 4096, FILE_LINE_MAX};
    static char filler[FILE_LINE_MAX + 1];
    struct file_reason reason;
    struct file_header header = header_from("id,name,avatar,role,state,colour,", &reason);
    struct file_row row = {.count = COUNT(limits), .ascii = true};
    size_t i;

    (void)state;
    memset(filler, 'x', sizeof filler);
    for (i = 0; i < COUNT(limits); i++)
        row.fields[i] = (struct file_text){filler, limits[i]};
    assert_true(file_row_check(&header, &row, &reason));
    for (i = 0; i < COUNT(limits); i++) {
        row.fields[i].length++;
        assert_false(file_row_check(&header, &row, &reason));
        assert_non_null(strstr(reason.text, "longer than"));
        row.fields[i].length--;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_split),
        cmocka_unit_test(splitter_is_good_after_a_fault),
        cmocka_unit_test(long_lines_and_many_fields),
        cmocka_unit_test(short_way_equals_libcsv),
        cmocka_unit_test(text_is_judged),
        cmocka_unit_test(ascii_is_told_from_the_rest),
        cmocka_unit_test(header_is_understood),
        cmocka_unit_test(header_is_refused),
        cmocka_unit_test(rows_are_checked),
        cmocka_unit_test(lengths_have_limits),
    };

    return cmocka_run_group_tests_name("file_csv", tests, NULL, NULL);
}
