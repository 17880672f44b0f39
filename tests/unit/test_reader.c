/* SPDX-License-Identifier: MIT
 * The syntax of the configuration: what is read, and what is refused in which words. */
#include "settings/reader.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct arena arena;
static struct reader_result result;
static struct reader_fault fault;

static int stop(void **state)
{
    arena_free(&arena);
    return scratch_stop(state);
}

static bool read_span(struct span text)
{
    arena_free(&arena);
    return reader_read(scratch_write("test.conf", text), &arena, &result, &fault);
}

static bool read_text(const char *text)
{
    return read_span(span_of(text));
}

/* A tree as text: a=1 s="x" g={ ... } l=( ... ) */
static void write_node(const struct config_node *node, struct bytes *out)
{
    bytes_addf(out, "%s%s", node->name ? node->name : "", node->name ? "=" : "");
    switch (node->kind) {
    case CONFIG_KIND_STRING:
        bytes_addf(out, "\"%s\"", node->string);
        break;
    case CONFIG_KIND_INTEGER:
        bytes_add_number(out, node->integer);
        break;
    case CONFIG_KIND_FLOAT:
        bytes_addf(out, "%g!", node->fraction);
        break;
    case CONFIG_KIND_BOOL:
        bytes_add_string(out, node->boolean ? "true" : "false");
        break;
    default:
        bytes_add_string(out, node->kind == CONFIG_KIND_GROUP ? "{" : "(");
        for (const struct config_node *child = node->first; child; child = child->next)
            write_node(child, out);
        bytes_add_string(out, node->kind == CONFIG_KIND_GROUP ? "}" : ")");
    }
    bytes_add_string(out, " ");
}

static void expect_tree(const char *text, const char *wanted)
{
    struct bytes out = {0};
    if (!read_text(text))
        fail_msg("%s: line %u: %s", text, fault.line, fault.why.text);
    for (const struct config_node *child = result.root->first; child; child = child->next)
        write_node(child, &out);
    expect(strcmp(bytes_string(&out), wanted) == 0, "%s\ngave   %s\nwanted %s", text,
           bytes_string(&out), wanted);
    bytes_free(&out);
}

static void every_kind_of_value(void **state)
{
    static const struct {
        const char *text, *tree;
    } rows[] = {
        {"", ""},
        {"# nothing", ""},
        {"a=1", "a=1 "},
        {"a:1;b=2,c=3\nd=4", "a=1 b=2 c=3 d=4 "},
        {"a = +7; b = -7; c = 007", "a=7 b=-7 c=7 "},
        {"a = 0x1F; b = 0XffL; c = 12L; d = 12LL", "a=31 b=255 c=12 d=12 "},
        {"a = 9223372036854775807; b = -9223372036854775808",
         "a=9223372036854775807 b=-9223372036854775808 "},
        {"a = 4294967297", "a=4294967297 "},
        {"a = 1.5; b = .5; c = 2.; d = -1e3; e = 1.5E-1; f = 1e+2",
         "a=1.5! b=0.5! c=2! d=-1000! e=0.15! f=100! "},
        {"a = true; b = FALSE; c = TrUe", "a=true b=false c=true "},
        {"trueish = 1; *a_-9 = 2", "trueish=1 *a_-9=2 "},
        {"a = \"x\"", "a=\"x\" "},
        {"a = \"x\" \"y\"\n# here\n\"z\"; b = \"\" \"\"", "a=\"xyz\" b=\"\" "},
        {"a = \"\\\\ \\\" \\x41\\x4a \\d \\q\"", "a=\"\\ \" AJ \\d \\q\" "},
        {"a = \"\\t\\n\\r\\f\\a\\b\\v\"", "a=\"\t\n\r\f\a\b\v\" "},
        {"a = \"\\X41\"", "a=\"A\" "},
        {"a = \"\\xZ1 \\x4\"", "a=\"\\xZ1 \\x4\" "},
        {"a = \"two\nlines\"", "a=\"two\nlines\" "},
        {"a = \"# no comment // nor /* this */\"", "a=\"# no comment // nor /* this */\" "},
        {"a = \"\xc3\xa4\"", "a=\"\xc3\xa4\" "},
        {"a = []; b = (); c = {}", "a=() b=() c={} "},
        {"a = [1,2,]; b = (1,\"x\",[true],{y=1;},)", "a=(1 2 ) b=(1 \"x\" (true ) {y=1 } ) "},
        {"g = { h = { i = 1 } j = 2 }", "g={h={i=1 } j=2 } "},
        {"a = 1 // one\nb = 2 # two\n/* c = 3\n*/ d /**/ = 4", "a=1 b=2 d=4 "},
        {"\xef\xbb\xbf"
         "a = 1",
         "a=1 "},
        {"a = 1\r\nb = 2\r\n\fc = 3", "a=1 b=2 c=3 "},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_tree(rows[i].text, rows[i].tree);
}

static void mistakes_are_told_with_their_line(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
        const char *why;
    } rows[] = {
        {"a = 1\nb = {\nc = 2\n", 4, "expected a setting or \"}\", found the end of the file"},
        {"a = 1\nb = \n", 3, "expected a value, found the end of the file"},
        {"a 1\n", 1, "expected \"=\" after the name of a setting, found a number"},
        {"a = = 4", 1, "expected a value, found \"=\""},
        {"a = 'x'\n", 1, "syntax error: ' does not belong here (texts stand in \"...\")"},
        {"a =\n\u201cx\u201d", 2, "syntax error: \u201c does not belong here"},
        {"a = \xe9", 1, "syntax error: the byte 0xe9 does not belong here"},
        {"\n\na = yes\n", 3, "expected a value, found a word without quotation marks"},
        {"a = 1;;", 1, "expected a setting, found \";\""},
        {"a = [ 1, \"x\" ]\n", 1, "must be of one kind"},
        {"a = [ 1,\n 2,\n true ]", 3, "must be of one kind"},
        {"a = [ { } ]", 1, "expected a value or \"]\", found \"{\""},
        {"a = [ , ]", 1, "expected a value or \"]\", found \",\""},
        {"a = ( 1 2 )", 1, "expected a comma or \")\", found a number"},
        {"a = ( 1 ]", 1, "expected a comma or \")\", found \"]\""},
        {"}", 1, "expected a setting, found \"}\""},
        {"true = 1", 1, "expected a setting, found true or false"},
        {"\"a\" = 1", 1, "expected a setting, found a string"},
        {"a = 1\nb = \"x\n\n", 2, "the string that begins here has no closing quotation mark"},
        {"a = 1 /* \n", 1, "the comment that begins here has no \"*/\""},
        {"a = \"x\\x00y\"", 1, "must not contain a NUL"},
        {"a = 9223372036854775808", 1, "a number is too large"},
        {"a = 0x8000000000000000", 1, "is too large"},
        {"a = 12abc", 1, "begins like a number"},
        {"a = 0x", 1, "begins like a number"},
        {"a = 1.2.3", 1, "begins like a number"},
        {"a = -; b = 1", 1, "begins like a number"},
        {"a = .", 1, "begins like a number"},
        {"a = 1 @include \"x\"", 1, "\"@\" must begin a line"},
        {"@include x", 1, "of the form @include \"FILE\""},
        {"@included \"x\"", 1, "of the form @include \"FILE\""},
        {"\xff\xfe"
         "a",
         0, "is UTF-16"},
        {"\xfe\xff"
         "a",
         0, "is UTF-16"},
        {"a = \"\\", 1, "has no closing quotation mark"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect(!read_text(rows[i].text), "row %zu was taken", i);
        expect(fault.line == rows[i].line, "row %zu: line %u: %s", i, fault.line, fault.why.text);
        expect_contains(fault.why.text, rows[i].why);
        assert_string_equal(fault.path, scratch_path("test.conf"));
    }
    assert_false(read_span(SPAN("a = 1\nb\0 = 2")));
    assert_int_equal(fault.line, 2);
    expect_contains(fault.why.text, "the byte 0x00");
    assert_false(read_span(SPAN("a = \"x\0y\"")));
    assert_int_equal(fault.line, 1);
}

/* For those that can do with a part of it. */
static void what_is_whole_before_a_mistake(void **state)
{
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {"a = 1; b = { c = 2; d = }; e = 3", "{a=1 } "},
        {"a = { b = 1; c = [ 1, 2 ] }; d = \"x", "{a={b=1 c=(1 2 ) } } "},
        {"a = 1 b = ( 1, ( 2 )", "{a=1 } "},
        {"a = 1; b = 2; }", "{a=1 b=2 } "},
        {"a = 1; b", "{a=1 } "},
        {"a =", "{} "},
        {"=", "{} "},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes tree = {0};
        assert_false(read_text(rows[i].text));
        write_node(result.root, &tree);
        assert_string_equal(bytes_string(&tree), rows[i].wanted);
        bytes_free(&tree);
    }
}

static void includes_stand_in_for_their_text(void **state)
{
    (void)state;
    mkdir(scratch_path("sub"), 0700);
    scratch_write("value.conf", SPAN("1; b = "));
    scratch_write("sub/deep.conf", SPAN("@include \"sub/deeper.conf\"\n"));
    scratch_write("sub/deeper.conf", SPAN("c = 3"));
    expect_tree("a =\n@include \"value.conf\"\n2\n \t@include \"sub/deep.conf\"\n# end",
                "a=1 b=2 c=3 ");
    const struct config_node *c = result.root->first->next->next;
    assert_string_equal(c->file, scratch_path("sub/deeper.conf"));
    assert_int_equal(c->line, 1);
    assert_string_equal(result.root->first->file, scratch_path("test.conf"));
    assert_int_equal(result.root->first->line, 1);
    size_t count = 0;
    for (const struct reader_file *file = result.files; file; file = file->next)
        count++;
    assert_int_equal(count, 4);

    assert_false(read_text("a = 1\n@include \"nothing.conf\"\n"));
    assert_string_equal(fault.path, scratch_path("test.conf"));
    assert_int_equal(fault.line, 2);
    expect_contains(fault.why.text, "nothing.conf cannot be read: No such file");
    assert_false(read_text("@include \"sub\"\n"));
    assert_int_equal(fault.line, 1);
    expect_contains(fault.why.text, "sub is not a file");
    assert_false(read_text("a = 1\n@include \"test.conf\"\n"));
    expect_contains(fault.why.text, "more than 10 files include one another");
}

static void absolute_includes(void **state)
{
    char text[512];
    (void)state;
    snprintf(text, sizeof text, "@include \"%s\"\n",
             scratch_write("part.conf", SPAN("a = \"\\\\\"\n")));
    expect_tree(text, "a=\"\\\" ");
}

static void nesting_has_a_limit(void **state)
{
    struct bytes text = {0};
    (void)state;
    bytes_add_string(&text, "a = ");
    for (int i = 0; i < 100000; i++)
        bytes_add_string(&text, "(");
    assert_false(read_span(bytes_span(&text)));
    expect_contains(fault.why.text, "inside one another");
    bytes_free(&text);
}

/* A large file takes the time of its bytes, not of the square of its names. */
static void many_names_in_one_group(void **state)
{
    enum { NAMES = 50000 };
    struct bytes text = {0};
    (void)state;
    for (int i = 0; i < NAMES; i++)
        bytes_addf(&text, "name%d = { x = %d }\n", i, i);
    expect(read_span(bytes_span(&text)), "%s", fault.why.text);
    assert_int_equal(result.root->count, NAMES);
    for (int i = 1; i < NAMES; i++)
        assert_true(strcmp(result.root->by_name[i - 1]->name, result.root->by_name[i]->name) < 0);
    bytes_free(&text);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_start, stop)
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_value),
        TEST(mistakes_are_told_with_their_line),
        TEST(what_is_whole_before_a_mistake),
        TEST(includes_stand_in_for_their_text),
        TEST(absolute_includes),
        TEST(nesting_has_a_limit),
        TEST(many_names_in_one_group),
    };
    return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
