/* SPDX-License-Identifier: MIT
 * Records, headers and fields of a members file. */
#include "plugins/file/columns.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const wanted[] = {"team, old", "colour"};
static const struct column_names names = {{"id", "name", "avatar", "role", "state"}, {wanted, 2}};

/* Joins the fields of the first record with bars, and tells what is left; a fault begins
 * with "!". */
static void split(const char *text, char separator, char *joined, size_t size)
{
    size_t length = strlen(text), used = 0;
    /* exactly as long as the text, so that a sanitizer sees one byte too far */
    char *copy = malloc(length + 1);
    struct splitter *splitter = splitter_new(ROW_LONGEST, separator);
    struct row row;
    assert_non_null(copy);
    assert_non_null(splitter);
    memcpy(copy, text, length);
    struct span rest = {copy, length};
    const char *fault = splitter_take(splitter, &rest, &row);
    joined[0] = '\0';
    if (fault)
        used += (size_t)snprintf(joined, size, "!%s: ", fault);
    for (size_t i = 0; i < row.count; i++)
        used += (size_t)snprintf(joined + used, size - used, "%s%.*s", i > 0 ? "|" : "",
                                 (int)row.fields[i].length, row.fields[i].data);
    if (rest.length)
        snprintf(joined + used, size - used, "/%.*s", (int)rest.length, rest.data);
    splitter_free(splitter);
    free(copy);
}

#define UNCLOSED "!a quotation mark that is not closed: "
#define STRAY    "!stray quotation mark: a field that holds one is quoted, and the mark doubled: "
#define CR       "!a carriage return inside the line: "

static void records_are_split(void **state)
{
    static const struct {
        const char *text, *fields;
        char separator;
    } cases[] = {
        {"", "", ','},
        {"   ", "", ','},
        {" \t ", "", ','},
        {" \t \n1", "/1", ','},
        {"a", "a", ','},
        {"a,b,c", "a|b|c", ','},
        {",", "|", ','},
        {"a,", "a|", ','},
        {",b", "|b", ','},
        {" a , b\t, c c ", "a|b|c c", ','},
        {"\"\"", "", ','},
        {"\"\",x", "|x", ','},
        {"\"a\",\"b\"", "a|b", ','},
        {"\" a \",b", " a |b", ','},
        {"\"a,b\",c", "a,b|c", ','},
        {"\"a\"\"b\",c", "a\"b|c", ','},
        {" \"a\" ,c", "a|c", ','},
        {"J\xc3\xb6rg , \xed\x99\x8d", "J\xc3\xb6rg|\xed\x99\x8d", ','},
        {"x,a\"b,c", STRAY "x", ','},
        {"x,\"a\"b,c", STRAY "x", ','},
        {"x,\"a,b", UNCLOSED "x", ','},
        {"\"", UNCLOSED, ','},
        {"a,b\rc,d", CR "a|b|c", ','},
        {"a,b\r", "a|b", ','},
        {"a;b,c;\"d;e\"", "a|b,c|d;e", ';'},
        {"a|b|", "a|b|", '|'},
        {" a \t\tc", "a||c", '\t'},
        {"a\t\"b\tc\"\td e\r\nf", "a|b\tc|d e/f", '\t'},
        /* records of several lines */
        {"a,\"b\nc\",d\ne", "a|b\nc|d/e", ','},
        {"a,\"b\r\nc\"\"\n\nd\"\r\ne", "a|b\nc\"\n\nd/e", ','},
        {"a,\"b\nc,d\ne,f\n", UNCLOSED "a/c,d\ne,f\n", ','},
        {"a,\"b\nc,\"d\n", STRAY "a/c,\"d\n", ','},
        /* what ends a value and is none of it */
        {"\"a\n\",\"b\t\",\"c\r\n\"", "a|b|c", ','},
        {"\"a\r\",b", "a|b", ','},
    };
    char joined[256];
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        split(cases[i].text, cases[i].separator, joined, sizeof joined);
        assert_string_equal(joined, cases[i].fields);
    }
}

static const char *take(struct splitter *splitter, const char *line, size_t length,
                        struct row *row_r)
{
    struct span rest = {line, length};
    return splitter_take(splitter, &rest, row_r);
}

static void splitter_is_good_after_a_fault(void **state)
{
    static const char *const bad[] = {"a\"b", "\"a", "\"a\"b", "\"x\",b\rc", "\"a\n\"b"};
    struct splitter *splitter = splitter_new(64, ',');
    struct row row;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_non_null(take(splitter, bad[i], strlen(bad[i]), &row));
        assert_null(take(splitter, "\"1\"\"\",2", 7, &row));
        assert_int_equal(row.count, 2);
        assert_memory_equal(row.fields[0].data, "1\"", 2);
        assert_int_equal(row.fields[1].length, 1);
    }
    splitter_free(splitter);
}

static void long_records_and_many_fields(void **state)
{
    struct splitter *splitter = splitter_new(1100, ',');
    struct row row;
    char line[1101];
    (void)state;
    memset(line, 'x', sizeof line);
    line[2] = ',';
    assert_string_equal(take(splitter, line, 1101, &row), "the line is too long");
    assert_int_equal(row.count, 1); /* the field that was cut does not count */
    assert_memory_equal(row.fields[0].data, "xx", row.fields[0].length);
    line[2] = 'x';
    assert_null(take(splitter, line, 1100, &row));
    line[0] = line[1099] = '"';
    assert_null(take(splitter, line, 1100, &row));
    assert_int_equal(row.fields[0].length, 1098);
    line[10] = '\n';
    assert_null(take(splitter, line, 1100, &row));
    assert_int_equal(row.lines, 2);
    line[1099] = 'x';
    line[1100] = '"';
    assert_non_null(take(splitter, line, 1101, &row));
    memset(line, ',', sizeof line);
    assert_null(take(splitter, line, 1100, &row));
    assert_int_equal(row.count, 1101);
    line[0] = '\t';
    assert_null(take(splitter, line, 1100, &row));
    assert_int_equal(row.count, 1100);
    splitter_free(splitter);
}

static unsigned next_random(void)
{
    static unsigned random = 1;
    random = random * 1103515245u + 12345u;
    return random >> 16;
}

/* Simple lines do not go through libcsv; with a doubled mark behind them, they do.
 * Both must find the same fields, or a fault. */
static void short_way_equals_libcsv(void **state)
{
    static const char letters[] = "aB1 ,;  ,,\xc3\xa9\"\"\"";
    struct splitter *splitter = splitter_new(64, ',');
    int good = 0;
    (void)state;
    for (int round = 0; round < 200000; round++) {
        struct row plain, other;
        char line[64];
        size_t length = 1 + next_random() % 20;
        for (size_t i = 0; i < length; i++)
            line[i] = letters[next_random() % (sizeof letters - 1 - (round % 2 ? 3 : 0))];
        const char *fault = take(splitter, line, length, &plain);
        memcpy(line + length, ",\"\"\"q\"", 6);
        if (!fault && !plain.count) /* blank: behind it there is a comma */
            continue;
        const char *other_fault = take(splitter, line, length + 6, &other);
        if (fault || other_fault) {
            assert_true(fault && other_fault);
            continue;
        }
        good++;
        assert_int_equal(plain.count + 1, other.count);
        for (size_t i = 0; i < plain.count; i++)
            assert_true(span_equal(plain.fields[i], other.fields[i]));
    }
    assert_true(good > 50000);
    splitter_free(splitter);
}

static void ascii_is_told_from_the_rest(void **state)
{
    struct splitter *splitter = splitter_new(64, ',');
    struct row row;
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        for (int at = 0; at < 19; at++) {
            char line[19];
            if (byte == '"' || byte == '\n' || (byte == '\r' && at == 18))
                continue;
            memset(line, 'x', sizeof line);
            line[at] = (char)byte;
            take(splitter, line, sizeof line, &row);
            assert_int_equal(row.ascii, byte >= 0x20 && byte < 0x7f);
        }
    }
    splitter_free(splitter);
}

static void utf8_is_told_from_the_rest(void **state)
{
    static const struct {
        const char *text;
        size_t good; /* bytes before the fault */
    } cases[] = {
        {"", 0},
        {"plain text ~\t\x7f\xc2\x80", 16},
        {"\xc2\xa0 \xdf\xbf \xe0\xa0\x80 \xef\xbf\xbd \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", 23},
        {"\xed\xa0\x80 \xed\xbf\xbf", 7}, /* halves of pairs spoil their field only */
        {"a\x80", 1},
        {"\xc0\xaf", 0},
        {"ab\xc3", 2},
        {"\xc3\xb6\xc3(", 2},
        {"\xe0\x9f\xbf", 0},
        {"\xe2\x82", 0},
        {"\xf0\x8f\xbf\xbf", 0},
        {"\xf4\x90\x80\x80", 0},
        {"x\xff", 1},
        {"\xed\xa0", 0},
        {"\xed(\xa0", 0},
        {"\xed\xc0\xa0", 0},
        {"\xed\xa0(", 0},
        {"\xed\xa0\xc0", 0}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t length = strlen(cases[i].text), end;
        char *copy = malloc(length + 1);
        assert_non_null(copy);
        memcpy(copy, cases[i].text, length);
        assert_int_equal(columns_is_utf8((struct span){copy, length}, &end),
                         cases[i].good == length);
        assert_int_equal(end, cases[i].good);
        free(copy);
    }
}

/* Reads a header; NULL when it is good, otherwise why it is not. */
static const char *read_header_bytes(struct span rest, struct columns *columns)
{
    static struct reason why;
    struct splitter *splitter = splitter_new(ROW_LONGEST, ',');
    struct row row;
    why.text[0] = '\0';
    bool good = columns_take(splitter, &rest, &names, columns, &row, &why);
    assert_int_equal(good, why.text[0] == '\0');
    splitter_free(splitter);
    return good ? NULL : why.text;
}

static const char *read_header(const char *text, struct columns *columns)
{
    return read_header_bytes(span_of(text), columns);
}

static void header_is_understood(void **state)
{
    struct columns columns;
    (void)state;
    assert_null(read_header("name,\"team, old\",id,state,,avatar,role,\"\",ID,colour", &columns));
    assert_int_equal(columns.count, 10);
    assert_int_equal(columns.at[COLUMN_ID], 2);
    assert_int_equal(columns.at[COLUMN_NAME], 0);
    assert_int_equal(columns.at[COLUMN_AVATAR], 5);
    assert_int_equal(columns.at[COLUMN_ROLE], 6);
    assert_int_equal(columns.at[COLUMN_STATE], 3);
    assert_int_equal(columns.attribute_count, 2);
    assert_int_equal(columns.attributes[1].at, 9);
    assert_true(columns_has(&columns, "team, old"));
    assert_false(columns_has(&columns, "ID"));
    assert_null(read_header("id", &columns));
    assert_int_equal(columns.at[COLUMN_ROLE], SIZE_MAX);
    /* what stands before it */
    assert_null(read_header("\xef\xbb\xbfsep=;\r\nname;id\r\n", &columns));
    assert_int_equal(columns.at[COLUMN_ID], 1);
    assert_null(read_header("\"SEP=\t\"\n\nname\tid\n", &columns));
    assert_int_equal(columns.at[COLUMN_ID], 1);
    /* a column that nobody asks for: any name, however often */
    assert_null(read_header("a,a,te\xff,\"a\tb\nc\",id,a,colour,colour", &columns));
    assert_int_equal(columns.at[COLUMN_ID], 4);
    assert_int_equal(columns.attribute_count, 2);
}

static void header_is_refused(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"name,role",
         "no column \"id\" in the header (set id_column, or separator); it has \"name\", \"role\""},
        {"\"name\",\"role\"", "no column \"id\" in the header (set id_column, or separator)"},
        {"name;id", "no column \"id\" in the header: set separator = \";\""},
        {"id\tname", "no column \"id\" in the header: set separator = \"tab\""},
        {"id,id", "column \"id\" is twice in the header"},
        {"id,state,state", "column \"state\" is twice in the header"},
        {"", "the file is empty: its first line must name the columns"},
        {"\n \n\r\n", "the file is empty: its first line must name the columns"},
        {"sep=x\nid\n", "line 1 names a separator that is not supported"},
        {"sep=;;\nid\n", "line 1 names a separator that is not supported"},
        {"\"sep=;\nid\n", "the header, line 1: a quotation mark"},
        {"sep=;", "the file is empty: its first line must name the columns"},
        {"\nid,\"x\n1", "the header, line 2: a quotation mark that is not closed"},
    };
    struct columns columns;
    char many[8192] = "id";
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_memory_equal(read_header(cases[i].text, &columns), cases[i].reason,
                            strlen(cases[i].reason));
    assert_string_equal(read_header_bytes(SPAN("sep=\0\nid\n"), &columns),
                        read_header("sep=x\nid\n", &columns));
    for (size_t i = 1; i < ROW_FIELDS_MAX; i++)
        strcat(many, ",a");
    assert_null(read_header(many, &columns));
    strcat(many, ",a");
    assert_string_equal(read_header(many, &columns), "more than 1024 columns");
    memset(many, ';', strlen(many)); /* these would be too many, too */
    assert_memory_equal(read_header(many, &columns), "no column \"id\" in the header (set", 33);
}

static void records_are_checked(void **state)
{
    static const struct {
        const char *line, *fault;
    } cases[] = {
        {"1,Ann,http://x,admin,ACTIVE,blue,z", NULL},
        {"1", NULL}, /* it ends early */
        {"1,Ann,,", NULL},
        {"1,Ann,,,,,,,,", NULL}, /* too many fields, which are empty */
        {"1,Ann,,,,,,,,x", "more fields than the header has"},
        {"1,J\xc3\xb6rg,,,,,", NULL},
        {",Ann,,,,,", "the id is empty"},
        {"\"\",Ann,,,,,", "the id is empty"},
        {"\"1\x01\",J,,,,,", "the id is not plain text"},
        {"1,J\xf6rg,,,,,", "the name is not in the encoding of the file"},
        {"1,\"\xc3\",\"\xb6\",,,,", "the name is not in the encoding of the file"},
        {"1,,\xb6,,,,", "the avatar is not in the encoding of the file"},
        {"1,,,\xb6,,,", "the role is not in the encoding of the file"},
        {"1,,,,\xb6,,", "the state is not in the encoding of the file"},
        {"\xb6,,,,,,", "the id is not in the encoding of the file"},
        /* for the host to leave out: control characters, half a pair, attributes */
        {"1,\"a\tb\",\x01,,,\"a\tb\",", NULL},
        {"1,\xed\xa0\x80,,,,,", NULL},
        {"1,\xed\xa0,,,,,", "the name is not in the encoding of the file"},
        {"1,\xed\xa0x,,,,,", "the name is not in the encoding of the file"},
        {"1,\xed\xa0\xc0,,,,,", "the name is not in the encoding of the file"},
        {"1,\xed\xc0\x80,,,,,", "the name is not in the encoding of the file"},
        {"1,\xed\x7f\x80,,,,,", "the name is not in the encoding of the file"},
        {"1,,,,,\xff,\xfe", NULL},
    };
    struct columns columns;
    struct splitter *splitter = splitter_new(ROW_LONGEST, ',');
    struct row row;
    char id[130], many[ROW_FIELDS_MAX + 1];
    (void)state;
    assert_null(read_header("id,name,avatar,role,state,colour,", &columns));
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_null(take(splitter, cases[i].line, strlen(cases[i].line), &row));
        const char *fault = columns_fault(&columns, &row);
        if (!cases[i].fault)
            assert_null(fault);
        else
            assert_string_equal(fault, cases[i].fault);
    }
    memset(many, ',', sizeof many);
    many[0] = '1';
    assert_null(take(splitter, many, ROW_FIELDS_MAX, &row));
    assert_null(columns_fault(&columns, &row));
    assert_null(take(splitter, many, ROW_FIELDS_MAX + 1, &row));
    assert_string_equal(columns_fault(&columns, &row), "more fields than the header has");
    memset(id, 'x', sizeof id);
    assert_null(take(splitter, id, 128, &row));
    assert_null(columns_fault(&columns, &row));
    assert_null(take(splitter, id, 129, &row));
    assert_string_equal(columns_fault(&columns, &row), "the id is longer than 128 bytes");
    splitter_free(splitter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_split),
        cmocka_unit_test(splitter_is_good_after_a_fault),
        cmocka_unit_test(long_records_and_many_fields),
        cmocka_unit_test(short_way_equals_libcsv),
        cmocka_unit_test(ascii_is_told_from_the_rest),
        cmocka_unit_test(utf8_is_told_from_the_rest),
        cmocka_unit_test(header_is_understood),
        cmocka_unit_test(header_is_refused),
        cmocka_unit_test(records_are_checked),
    };
    return cmocka_run_group_tests_name("file_row", tests, NULL, NULL);
}
