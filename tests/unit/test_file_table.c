/* SPDX-License-Identifier: MIT
 * The index over the text of a members file. */
#include "fake_services.h"
#include "plugins/file/table.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

static struct fake_services fake;
static struct reason reason;

static const char *const active[] = {"ACTIVE"};
static struct file_settings settings = {.path = "m.csv",
                                        .encoding = "UTF-8",
                                        .columns = {"id", "name", "avatar", "role", "state"},
                                        .active_values = {active, 1},
                                        .max_bad = 100};

static int start(void **state)
{
    (void)state;
    fake_services_start(&fake);
    settings.max_bad = 100;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fake_services_stop(&fake);
    return 0;
}

static struct table *build(const char *text, size_t size)
{
    const struct table_report report = {&fake.table, MEMBERCHAT_LOG_WARNING};
    char *copy = malloc(size + 1);
    struct table *table;
    assert_non_null(copy);
    memcpy(copy, text, size);
    enum load result = table_build(copy, size, &settings, &report, &table, &reason);
    assert_int_equal(result, table ? LOAD_DONE : LOAD_REFUSED);
    return table;
}

/* "name" of the member, "-" for none, "first+line" for an id of two lines, "line: fault" for
 * one that is bad. */
static const char *find(const struct table *table, const char *id)
{
    static char answer[300];
    struct splitter *splitter = splitter_new(table->longest, table->separator);
    struct table_note note;
    struct row row;
    assert_non_null(splitter);
    strcpy(answer, "-");
    enum answer found = table_find(table, splitter, span_of(id), &row, &note);
    if (found == ANSWER_HERE) {
        struct span name = row_field(&row, 1);
        snprintf(answer, sizeof answer, "%.*s", (int)name.length, name.data);
    } else if (found == ANSWER_NOTED && note.first == note.line) {
        snprintf(answer, sizeof answer, "%zu: %s", note.line, note.fault);
    } else if (found == ANSWER_NOTED) {
        snprintf(answer, sizeof answer, "%zu+%zu", note.first, note.line);
    }
    splitter_free(splitter);
    return answer;
}

static void good_texts_answer(void **state)
{
    static const struct {
        const char *text;
        size_t members, bad;
        const char *one;
    } cases[] = {
        {"id,name\n", 0, 0, "-"},
        {"id,name", 0, 0, "-"},
        {"id,name\n1,Ann\n", 1, 0, "Ann"},
        {"id,name\n1,Ann", 1, 0, "Ann"},
        {"id,name\r\n1,Ann\r\n2,Bob\r\n", 2, 0, "Ann"},
        {"id,name\r\n1,Ann\r", 1, 0, "Ann"},
        {"\xef\xbb\xbfid,name\n1,Ann\n", 1, 0, "Ann"},
        {"\n\r\n \nid,name\n\n1,Ann\n\n", 1, 0, "Ann"},
        {"id,name\n\"1\",\"Ann \"\"A\"\" B\"\n", 1, 0, "Ann \"A\" B"},
        {"id,name\n1,\"Ann, B\"\n", 1, 0, "Ann, B"},
        {"id,name\n,Ann\n", 0, 1, "-"},
        {"id,name\n1\n", 1, 0, ""},
        {"id,name\n1,Ann,x\n", 0, 1, "2: more fields than the header has"},
        {"id,name\n1,Ann,,\n", 1, 0, "Ann"},
        {"id,name\n1,A\xff\n", 0, 1, "2: the name is not in the encoding of the file"},
        {"id,name\n1,\"A\nnn\"\n", 1, 0, "A\nnn"},
        {"id,name\n\n1,\"A\nnn\n", 1, 1, "3: a quotation mark that is not closed"},
        {"id,name\n1,a\"b\n1,Ann", 0, 1,
         "2: stray quotation mark: a field that holds one is quoted, and the mark doubled"},
        {"id,name\n1,Ann\n2\n1,a\"b\n", 1, 1, "2+4"},
        {"sep=;\nid;name\n1;Ann, B\n", 1, 0, "Ann, B"},
        {"id,name\n2,\"A\n1,Ann\n", 1, 1, "Ann"},
        {"id,name\n11,Bob\n1,Ann\n111,Joe\n", 3, 0, "Ann"},
        {"name,id\nAnn,1\n", 1, 0, "1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct table *table = build(cases[i].text, strlen(cases[i].text));

        assert_non_null(table);
        assert_int_equal(table->census.members, cases[i].members);
        assert_int_equal(table->bad, cases[i].bad);
        assert_string_equal(find(table, "1"), cases[i].one);
        table_free(table);
    }
}

static void bad_texts_are_refused(void **state)
{
    static const struct {
        const char *text;
        size_t size;
        const char *reason;
    } cases[] = {
        {"", 0, "the file is empty"},
        {"\n\n", 2, "the file is empty"},
        {"\xef\xbb\xbf", 3, "the file is empty"},
        {"i\0d\0\n\0", 6,
         "line 1, byte 2: 0x00 is not UTF-8; this would fit: encoding = \"UTF-16LE\""},
        {"\0i\0d\0\n", 6, "encoding = \"UTF-16BE\""},
        {"id,name\n1,A\0nn\n", 15, "NUL bytes"},
        {"PK\3\4\0\0", 6, "NUL bytes"},
        {"name\nAnn\n", 9, "no column \"id\""},
        {"id,\"na\n1,x\n", 11, "the header, line 1: a quotation mark"},
        {"\nid,na\"me\n", 10, "the header, line 2: stray"},
        {"id\rname\r1\r", 10, "the header, line 1: a carriage return"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_null(build(cases[i].text, cases[i].size));
        assert_non_null(strstr(reason.text, cases[i].reason));
    }
}

/* A text of `lines` members, "m0,Name 0" onwards; the caller frees it. */
static char *text_of(size_t lines, size_t *size_r)
{
    char *text = malloc(64 + lines * 40);
    assert_non_null(text);
    *size_r = (size_t)sprintf(text, "id,name\n");
    for (size_t i = 0; i < lines; i++)
        *size_r += (size_t)sprintf(text + *size_r, "m%zu,Name %zu\n", i, i);
    return text;
}

static void stray_quote_costs_one_line(void **state)
{
    size_t size;
    char *text = text_of(1000, &size), id[32], name[32];
    struct table *table;
    (void)state;
    *strstr(text, "Name 9\n") = '"'; /* line 11 */
    table = build(text, size);
    free(text);
    assert_non_null(table);
    assert_int_equal(table->census.members, 999);
    assert_int_equal(fake_services_count(&fake, "W m.csv:11: a quotation mark that is not"), 1);
    assert_int_equal(fake_services_count(&fake, "W m.csv: bad lines: 1, the first is line 11"), 1);
    for (size_t i = 0; i < 1000; i++) {
        snprintf(id, sizeof id, "m%zu", i);
        snprintf(name, sizeof name, "Name %zu", i);
        assert_string_equal(find(table, id),
                            i == 9 ? "11: a quotation mark that is not closed" : name);
    }
    assert_string_equal(find(table, "m1000"), "-");
    assert_string_equal(find(table, "M1"), "-");
    assert_string_equal(find(table, "m"), "-");
    assert_string_equal(find(table, "id"), "-");
    table_free(table);
}

static void too_many_bad_lines(void **state)
{
    static const char text[] = "id,name\n1,a,b\n2,a,b\n3,a,b\n4,Ann\n";
    (void)state;
    settings.max_bad = 2;
    assert_null(build(text, sizeof text - 1));
    assert_string_equal(reason.text,
                        "more than 2 bad lines (max_bad); line 4: more fields than the header has");
    settings.max_bad = 3;
    struct table *table = build(text, sizeof text - 1);
    assert_non_null(table);
    assert_string_equal(find(table, "4"), "Ann");
    table_free(table);
    settings.max_bad = 0;
    assert_null(build(text, sizeof text - 1));
}

static void wrong_encoding_is_explained(void **state)
{
    static const char text[] = "id,name\n1,Ann\n2,J\xf6rg M\xfcller\n3,5 \x80\n";
    (void)state;
    settings.max_bad = 1;
    assert_null(build(text, sizeof text - 1));
    assert_string_equal(reason.text,
                        "more than 1 bad line (max_bad); line 4: the name is not in the encoding "
                        "of the file; line 3, byte 4: 0xf6 is not UTF-8; this would fit: "
                        "encoding = \"windows-1252\"");
    settings.max_bad = 2;
    table_free(build(text, sizeof text - 1));
    assert_int_equal(fake_services_count(&fake, "W m.csv: bad lines: 2, the first is line 3; line "
                                                "3, byte 4: 0xf6 is not UTF-8"),
                     1);
}

static void members_and_states_are_counted(void **state)
{
    static const char text[] =
        "id,state\n1,ACTIVE\n2,left\n3,\n4,Active\n5,left\n4,ACTIVE\n6,a,b\n";
    (void)state;
    struct table *table = build(text, sizeof text - 1);
    assert_int_equal(table->census.members, 4);
    assert_int_equal(table->census.active, 2);
    assert_int_equal(table->census.state_count, 3);
    assert_string_equal(table->census.states[1].name, "left");
    assert_int_equal(table->census.states[1].count, 2);
    table_free(table);
}

static void line_of_a_megabyte(void **state)
{
    static char text[1100000] = "id,name\n1,";
    struct table *table;
    size_t size = strlen(text);
    (void)state;
    memset(text + size, 'x', 1 << 20);
    size += 1 << 20;
    size += (size_t)sprintf(text + size, "\n2,Bob\n");
    table = build(text, size);
    assert_non_null(table);
    assert_int_equal(table->bad, 1);
    assert_string_equal(find(table, "2"), "Bob");
    assert_string_equal(find(table, "1"), "2: the line is too long");
    assert_int_equal(fake_services_count(&fake, "m.csv:2: the line is too long"), 1);
    table_free(table);
    assert_null(build(text + 10, size - 10));
    assert_non_null(strstr(reason.text, "the header, line 1: the line is too long"));
}

static void twins_poison_their_id_only(void **state)
{
    static const char text[] = "id,name\n"
                               "1,Ann\n"
                               "2,Bob\n"
                               "3,Cid\n"
                               "\n"
                               "\"2\",Bea\n"
                               "1,Ann\n"
                               "4,Dan\n"
                               "2,Bill\n";
    struct table *table = build(text, sizeof text - 1);
    (void)state;
    assert_non_null(table);
    assert_string_equal(find(table, "1"), "2+7");
    assert_string_equal(find(table, "2"), "3+6");
    assert_string_equal(find(table, "3"), "Cid");
    assert_string_equal(find(table, "4"), "Dan");
    assert_int_equal(table->census.members, 2);
    assert_int_equal(table->bad, 0);
    assert_int_equal(fake_services_count(&fake, "W m.csv:7: the id is in line 2 already"), 1);
    assert_int_equal(fake_services_count(&fake, "W m.csv:6: the id is in line 3 already"), 1);
    assert_int_equal(fake_services_count(&fake, "W m.csv:9: the id is in line 3 already"), 1);
    assert_int_equal(fake_services_count(&fake, "W m.csv: 3 lines with an id that"), 1);
    table_free(table);
    table = build("id\n1\n1\n", 7);
    assert_int_equal(fake_services_count(&fake, "W m.csv: 1 line with an id that"), 1);
    table_free(table);
}

/* A file that someone appended to itself: no quadratic time, no endless log. */
static void all_are_twins(void **state)
{
    enum { MEMBERS = 20000 };
    size_t size, half;
    char *text = text_of(MEMBERS, &size), *twice = malloc(2 * size), expected[64];
    struct table *table;
    (void)state;
    assert_non_null(twice);
    half = size - strlen("id,name\n");
    memcpy(twice, text, size);
    memcpy(twice + size, text + size - half, half);
    table = build(twice, size + half);
    assert_non_null(table);
    assert_int_equal(table->census.members, 0);
    snprintf(expected, sizeof expected, "%d+%d", 2 + 17, 2 + 17 + MEMBERS);
    assert_string_equal(find(table, "m17"), expected);
    assert_int_equal(fake_services_count(&fake, "already"), 100);
    table_free(table);
    free(twice);
    free(text);
}

static void memory_is_bounded(void **state)
{
    size_t size;
    char *text = text_of(100000, &size);
    struct table *table = build(text, size);
    (void)state;
    assert_non_null(table);
    assert_true(table->slot_count * sizeof *table->slots <= 100001 * 12 + 64);
    table_free(table);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(good_texts_answer, start, stop),
        cmocka_unit_test_setup_teardown(bad_texts_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(stray_quote_costs_one_line, start, stop),
        cmocka_unit_test_setup_teardown(too_many_bad_lines, start, stop),
        cmocka_unit_test_setup_teardown(wrong_encoding_is_explained, start, stop),
        cmocka_unit_test_setup_teardown(members_and_states_are_counted, start, stop),
        cmocka_unit_test_setup_teardown(line_of_a_megabyte, start, stop),
        cmocka_unit_test_setup_teardown(twins_poison_their_id_only, start, stop),
        cmocka_unit_test_setup_teardown(all_are_twins, start, stop),
        cmocka_unit_test_setup_teardown(memory_is_bounded, start, stop),
    };

    return cmocka_run_group_tests_name("file_table", tests, NULL, NULL);
}
