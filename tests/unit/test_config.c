/* SPDX-License-Identifier: MIT
 * Reading a file: its tree, and how mistakes are told. */
#include "settings/config.h"

#include "support.h"

#include "base/file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct config_report report;

static int start(void **state)
{
    report = (struct config_report){0};
    return scratch_start(state);
}

static int stop(void **state)
{
    config_report_free(&report);
    return scratch_stop(state);
}

static struct config *open_text(const char *text)
{
    return config_open(scratch_write("test.conf", span_of(text)), &report);
}

static unsigned count_in(const char *text, const char *part)
{
    unsigned count = 0;
    while ((text = strstr(text, part))) {
        text += strlen(part);
        count++;
    }
    return count;
}

static void tree_is_walked(void **state)
{
    struct config *config =
        open_text("a = 1\nb = 12345678901L\nc = 1.5\nd = true\ne = \"x\"\n"
                  "f = [ 1, 2 ]\ng = ( \"a\" )\nh = { i = { j = \"deep\" } }\n");
    (void)state;
    assert_non_null(config);
    assert_int_equal(report.errors, 0);
    const struct config_node *root = config_root(config);
    static const enum config_kind kinds[] = {
        CONFIG_KIND_INTEGER, CONFIG_KIND_INTEGER, CONFIG_KIND_FLOAT, CONFIG_KIND_BOOL,
        CONFIG_KIND_STRING,  CONFIG_KIND_LIST,    CONFIG_KIND_LIST,  CONFIG_KIND_GROUP};
    assert_int_equal(config_count(root), COUNT(kinds));
    const struct config_node *node = config_first(root);
    for (unsigned i = 0; i < COUNT(kinds); i++, node = config_next(node)) {
        const char name[] = {(char)('a' + i), '\0'};
        assert_string_equal(config_name(node), name);
        assert_int_equal(config_kind(node), kinds[i]);
        assert_ptr_equal(config_child(root, name), node);
        assert_int_equal(config_is_group(node), kinds[i] == CONFIG_KIND_GROUP);
    }
    assert_null(node);
    assert_int_equal(config_integer(config_child(root, "b")), 12345678901);
    assert_true(config_bool(config_child(root, "d")));
    assert_string_equal(config_string(config_child(root, "e")), "x");
    assert_int_equal(config_count(config_child(root, "f")), 2);
    assert_null(config_child(root, "nothing"));
    assert_null(config_child(config_child(root, "e"), "nothing"));
    assert_null(config_child(NULL, "nothing"));
    assert_false(config_is_group(NULL));
    config_close(config);
    config_close(NULL);
}

static void unreadable_files(void **state)
{
    (void)state;
    assert_null(config_open(scratch_path("nothing.conf"), &report));
    assert_int_equal(report.errors, 1);
    expect_contains(bytes_string(&report.text), "nothing.conf: cannot be read: No such file");
    assert_null(config_open(scratch_path("."), &report));
    assert_int_equal(report.errors, 2);
    expect_contains(bytes_string(&report.text), "is not a file");
}

static void bad_syntax_names_the_line(void **state)
{
    static const struct {
        const char *text;
        int line;
    } rows[] = {
        {"a = 1\nb = {\nc = 2\n", 0}, {"a = 1\nb = \n", 0}, {"a 1\n", 1}, {"a = 'x'\n", 1},
        {"a = [ 1, \"x\" ]\n", 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char place[32];
        report = (struct config_report){0};
        expect(!open_text(rows[i].text), "row %zu was taken", i);
        expect(report.errors == 1, "row %zu: %u errors", i, report.errors);
        snprintf(place, sizeof place, "test.conf:%d: ", rows[i].line);
        expect_contains(bytes_string(&report.text), rows[i].line ? place : "test.conf:");
        config_report_free(&report);
    }
    report = (struct config_report){0};
}

static void mistakes_are_told_with_their_place(void **state)
{
    struct config *config = open_text("a = 1\n\napps = {\n  one = {\n    key = 1\n  }\n}\n");
    (void)state;
    const struct config_node *root = config_root(config);
    const struct config_node *one = config_child(config_child(root, "apps"), "one");
    char wanted[512];
    config_error(&report, one, "key", "is %d", 7);
    config_error(&report, one, "other", "is missing");
    config_error(&report, one, NULL, "is bad");
    config_warning(&report, one, "key", "is odd");
    config_error(&report, root, "a", "is bad");
    const char *path = scratch_path("test.conf");
    snprintf(wanted, sizeof wanted,
             "%s:1: a: is bad\n%s:4: apps.one.other: is missing\n%s:4: apps.one: is bad\n"
             "%s:5: apps.one.key: is 7\n%s:5: apps.one.key: warning: is odd\n",
             path, path, path, path, path);
    assert_string_equal(bytes_string(&report.text), wanted);
    assert_int_equal(report.errors, 4);
    assert_int_equal(report.warnings, 1);
    config_close(config);
}

/* Nothing stands in the file, so the line is the first, but the file is named. */
static void what_the_root_lacks_names_the_file(void **state)
{
    struct config *config = open_text("a = 1\n");
    (void)state;
    config_error(&report, config_root(config), "stores", "is missing");
    expect_contains(bytes_string(&report.text), scratch_path("test.conf"));
    expect_contains(bytes_string(&report.text), "test.conf:1: stores: is missing\n");
    config_close(config);
}

static void included_files(void **state)
{
    scratch_write("part.conf", SPAN("b = 2\nc = { d = 3 }\n"));
    struct config *config = open_text("a = 1\n@include \"part.conf\"\ne = 4\n");
    (void)state;
    expect(config, "%s", bytes_string(&report.text));
    const struct config_node *root = config_root(config);
    assert_int_equal(config_count(root), 4);
    config_error(&report, config_child(root, "c"), "d", "is bad");
    char wanted[256];
    snprintf(wanted, sizeof wanted, "%s:2: c.d: is bad\n", scratch_path("part.conf"));
    assert_string_equal(bytes_string(&report.text), wanted);
    assert_string_equal(config_file(config_child(root, "e")), scratch_path("test.conf"));
    assert_string_equal(config_file(config_child(root, "b")), scratch_path("part.conf"));
    assert_int_equal(config_line(config_child(root, "e")), 3);
    config_close(config);

    assert_null(open_text("@include \"nothing.conf\"\n"));
    assert_int_equal(report.errors, 2);
    scratch_write("part.conf", SPAN("b = 2\nc 3\n"));
    assert_null(open_text("@include \"part.conf\"\n"));
    assert_int_equal(report.errors, 3);
    expect_contains(bytes_string(&report.text), scratch_path("part.conf:2: syntax error"));
}

static void doubles_are_told_with_both_lines(void **state)
{
    scratch_write("part.conf", SPAN("\na = 3\n"));
    struct config *config = open_text("a = 1\ng = {\n x = 1\n y = 1\n x = 2\n x = 3 }\na = 2\n"
                                      "@include \"part.conf\"\n");
    (void)state;
    assert_non_null(config);
    assert_int_equal(report.errors, 4);
    expect_contains(bytes_string(&report.text),
                    "test.conf:5: g.x: is set twice: first in line 3\n");
    expect_contains(bytes_string(&report.text),
                    "test.conf:6: g.x: is set twice: first in line 3\n");
    expect_contains(bytes_string(&report.text), "test.conf:7: a: is set twice: first in line 1\n");
    char wanted[512];
    snprintf(wanted, sizeof wanted, "part.conf:2: a: is set twice: first in %s, line 1\n",
             scratch_path("test.conf"));
    expect_contains(bytes_string(&report.text), wanted);
    assert_int_equal(config_integer(config_child(config_root(config), "a")), 1);
    config_close(config);
}

static void note_line(struct span line, void *context)
{
    struct bytes *lines = context;
    bytes_addf(lines, "[%.*s]", (int)line.length, line.data);
}

/* The counts are the verdict, whatever became of the text. */
static void memory_that_runs_out_is_an_error_in_words(void **state)
{
    struct bytes lines = {0};
    (void)state;
    config_tell_file(&report, CONFIG_ERROR, "x", "one");
    config_report_no_memory(&report);
    config_report_no_memory(&report);
    assert_int_equal(report.errors, 2);
    config_report_each(&report, note_line, &lines);
    assert_string_equal(bytes_string(&lines),
                        "[x: one][the configuration cannot be read whole: out of memory]");
    bytes_reset(&lines);
    report.text.failed = true;
    config_report_each(&report, note_line, &lines);
    assert_string_equal(bytes_string(&lines),
                        "[the configuration cannot be read whole: out of memory]");
    bytes_free(&lines);
}

/* Whatever the order in which they are found. */
static void mistakes_come_in_the_order_of_the_lines(void **state)
{
    static const char *const found[] = {"c", "a", "d", "b", "e", "a"};
    struct bytes wanted = {0};
    (void)state;
    scratch_write("part.conf", SPAN("\ne = 5\n"));
    struct config *config =
        open_text("a = 1\nb = 2\n\n\n\n\n\n\nc = 3\nd = 4\n@include \"part.conf\"\n");
    config_tell_file(&report, CONFIG_ERROR, "elsewhere", "comes first");
    for (size_t i = 0; i < COUNT(found); i++)
        config_error(&report, config_child(config_root(config), found[i]), NULL, "%zu", i);
    const char *path = scratch_path("test.conf");
    bytes_addf(&wanted,
               "elsewhere: comes first\n%s:1: a: 1\n%s:1: a: 5\n%s:2: b: 3\n%s:9: c: 0\n"
               "%s:10: d: 2\n%s:2: e: 4\n",
               path, path, path, path, path, scratch_path("part.conf"));
    assert_string_equal(bytes_string(&report.text), bytes_string(&wanted));
    bytes_free(&wanted);
    config_close(config);
}

static void permissions(void **state)
{
    static const struct {
        unsigned mode, errors, warnings;
    } rows[] = {{0600, 0, 0}, {0640, 0, 0}, {0660, 0, 0}, {0644, 0, 1}, {0666, 1, 0}, {0602, 1, 0}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        report = (struct config_report){0};
        config_close(
            config_open(scratch_write_mode("m.conf", SPAN("a = 1\n"), rows[i].mode), &report));
        expect(report.errors == rows[i].errors && report.warnings == rows[i].warnings,
               "mode %04o: %u, %u", rows[i].mode, report.errors, report.warnings);
        config_report_free(&report);
    }
    report = (struct config_report){0};
    assert_true(file_mode_refused(0602) && !file_mode_refused(0660));
    assert_true(file_mode_exposed(0604) && !file_mode_exposed(0660));
}

static void permissions_of_files_without_settings(void **state)
{
    scratch_write_mode("part.conf", SPAN("# nothing yet\n"), 0606);
    (void)state;
    config_close(open_text("@include \"part.conf\"\n"));
    assert_int_equal(report.errors, 1);
    expect_contains(bytes_string(&report.text), "part.conf: any user");
}

/* Whatever the order in which the settings of several files follow each other. */
static void permissions_of_every_file_once(void **state)
{
    scratch_write_mode("part.conf", SPAN("b = 2\n"), 0644);
    const char *path = scratch_write_mode(
        "test.conf", SPAN("a = 1\n@include \"part.conf\"\nc = {\n@include \"part.conf\"\n }\n"),
        0644);
    (void)state;
    config_close(config_open(path, &report));
    assert_int_equal(report.warnings, 2);
    assert_int_equal(count_in(bytes_string(&report.text), "part.conf: warning"), 1);
    assert_int_equal(count_in(bytes_string(&report.text), "test.conf: warning"), 1);
}

static void values_of_another_kind_are_none(void **state)
{
    struct config *config = open_text("text = \"x\"; number = 7; yes = true; fraction = 1.5");
    const struct config_node *root = config_root(config);
    (void)state;
    for (const struct config_node *node = config_first(root); node; node = config_next(node)) {
        bool text = strcmp(config_name(node), "text") == 0;
        bool number = strcmp(config_name(node), "number") == 0;
        assert_true((config_string(node) != NULL) == text);
        assert_int_equal(config_integer(node), number ? 7 : 0);
        assert_true(config_bool(node) == (strcmp(config_name(node), "yes") == 0));
    }
    config_close(config);
}

static void fingerprints(void **state)
{
    static const char *const different[] = {
        "g = { a = 1; b = [ \"x\", \"y\" ] }",
        "g = { a = 2; b = [ \"x\", \"y\" ] }",
        "g = { a = 1; b = [ \"x,y\" ] }",
        "g = { a = 1; b = [ \"x\" ]; y = 1 }",
        "g = { a = 1.5 }",
        "g = { a = true }",
        "g = { a = \"\" }",
        "g = { }",
    };
    struct arena arena = {0};
    const char *prints[COUNT(different)];
    (void)state;
    for (size_t i = 0; i < COUNT(different); i++) {
        struct config *config = open_text(different[i]);
        prints[i] = config_fingerprint(config_child(config_root(config), "g"), &arena);
        config_close(config);
        for (size_t j = 0; j < i; j++)
            expect(strcmp(prints[i], prints[j]) != 0, "rows %zu and %zu", i, j);
    }
    struct config *again = open_text("# moved\nx = 1\ng = {\n a = 1,\n b = [ \"x\", \"y\" ]\n}\n");
    assert_string_equal(config_fingerprint(config_child(config_root(again), "g"), &arena),
                        prints[0]);
    config_close(again);
    arena_free(&arena);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(tree_is_walked),
        TEST(unreadable_files),
        TEST(bad_syntax_names_the_line),
        TEST(mistakes_are_told_with_their_place),
        TEST(what_the_root_lacks_names_the_file),
        TEST(included_files),
        TEST(doubles_are_told_with_both_lines),
        TEST(memory_that_runs_out_is_an_error_in_words),
        TEST(mistakes_come_in_the_order_of_the_lines),
        TEST(permissions),
        TEST(permissions_of_files_without_settings),
        TEST(permissions_of_every_file_once),
        TEST(values_of_another_kind_are_none),
        TEST(fingerprints),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
