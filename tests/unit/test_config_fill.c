/* SPDX-License-Identifier: MIT
 * From settings to structs: every type, every kind of mistake. */
#include "settings/config_fill.h"

#include "support.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct values {
    const char *text, *path, *usual, *must;
    bool flag;
    int64_t number, duration, size, choice;
    struct memberchat_list list, numbers;
    struct memberchat_map map, paths, pair;
};

static const struct memberchat_key keys[] = {
    {MEMBERCHAT_KEY(struct values, text, "text", STRING, "ab", 1, 4, "a text")},
    {MEMBERCHAT_KEY(struct values, path, "path", PATH, NULL, 0, 0, "a path")},
    {MEMBERCHAT_KEY(struct values, usual, "usual", PATH, "usual.pem", 0, 0, "a usual path")},
    {MEMBERCHAT_KEY(struct values, flag, "flag", BOOL, "true", 0, 0, "a flag")},
    {MEMBERCHAT_KEY(struct values, number, "number", INTEGER, "7", -5, 9, "a number")},
    {MEMBERCHAT_KEY(struct values, duration, "duration", DURATION, "2s", 1, 60000, "a time")},
    {MEMBERCHAT_KEY(struct values, size, "size", SIZE, "1k", 2, 4096, "a size")},
    {MEMBERCHAT_KEY(struct values, choice, "choice", CHOICE, "green", 0, 0, "a colour"),
     .choices = "red green blue"},
    {MEMBERCHAT_KEY(struct values, list, "list", LIST, "one", 1, 2, "a list")},
    {MEMBERCHAT_KEY(struct values, numbers, "numbers", LIST, NULL, 0, 3,
                    "a list that may hold numbers"),
     .flags = MEMBERCHAT_KEY_NUMBERS},
    {MEMBERCHAT_KEY(struct values, map, "map", MAP, NULL, 0, 2, "a map")},
    {MEMBERCHAT_KEY(struct values, paths, "paths", MAP, NULL, 0, 3, "a map with paths"),
     .flags = MEMBERCHAT_KEY_PATHS | MEMBERCHAT_KEY_NUMBERS},
    {MEMBERCHAT_KEY(struct values, pair, "pair", MAP, NULL, 2, 2, "two things")},
    {.name = "group", .type = CONFIG_GROUP, .help = "a group"},
};

static const struct memberchat_key more_keys[] = {
    {MEMBERCHAT_KEY(struct values, must, "must", STRING, NULL, 0, 0, "what must be there"),
     .flags = MEMBERCHAT_KEY_REQUIRED},
};

static struct values values;
static struct config_report report;
static struct arena arena;

static int start(void **state)
{
    values = (struct values){0};
    report = (struct config_report){0};
    return scratch_start(state);
}

static int stop(void **state)
{
    config_report_free(&report);
    arena_free(&arena);
    return scratch_stop(state);
}

/* Fills the values from the group g of a text. */
static const char *fill(const char *text)
{
    const struct config_table table = CONFIG_TABLE(keys, &values);
    config_report_free(&report);
    arena_free(&arena);
    report = (struct config_report){0};
    values = (struct values){0};
    struct config *config = config_open(scratch_write("test.conf", span_of(text)), &report);
    expect(config, "%s", bytes_string(&report.text));
    config_fill(config_child(config_root(config), "g"), &table, 1, &arena, &report);
    config_close(config);
    return bytes_string(&report.text);
}

static void check_defaults(void)
{
    assert_int_equal(report.errors, 0);
    assert_string_equal(values.text, "ab");
    assert_null(values.path);
    assert_true(values.flag);
    assert_int_equal(values.number, 7);
    assert_int_equal(values.duration, 2000);
    assert_int_equal(values.size, 1024);
    assert_int_equal(values.choice, 1);
    assert_int_equal(values.list.count, 1);
    assert_string_equal(values.list.items[0], "one");
    assert_int_equal(values.map.count, 0);
}

static void defaults(void **state)
{
    (void)state;
    char here[PATH_MAX];
    fill("g = { }");
    check_defaults();
    assert_string_equal(values.usual, scratch_path("usual.pem"));
    fill("x = 1"); /* no group at all */
    check_defaults();
    assert_non_null(getcwd(here, sizeof here));
    expect(strncmp(values.usual, here, strlen(here)) == 0, "%s", values.usual);
    assert_string_equal(values.usual + strlen(here), "/usual.pem");
}

static void every_type(void **state)
{
    (void)state;
    fill("g = { text = \"abcd\"; path = \"/a/b\"; flag = false; number = -5; duration = \"10ms\";"
         " size = \"4k\"; choice = \"blue\"; list = [ \"x\", \"y\" ]; map = { a = \"1\"; b = \"2\" "
         "};"
         " group = { anything = 1 } }");
    expect(report.errors == 0, "%s", bytes_string(&report.text));
    assert_string_equal(values.text, "abcd");
    assert_string_equal(values.path, "/a/b");
    assert_false(values.flag);
    assert_int_equal(values.number, -5);
    assert_int_equal(values.duration, 10);
    assert_int_equal(values.size, 4096);
    assert_int_equal(values.choice, 2);
    assert_int_equal(values.list.count, 2);
    assert_string_equal(values.list.items[1], "y");
    assert_int_equal(values.map.count, 2);
    assert_string_equal(values.map.names[1], "b");
    assert_string_equal(values.map.values[1], "2");

    fill("g = { size = 2048; list = \"single\"; number = 0x9 }");
    expect(report.errors == 0, "%s", bytes_string(&report.text));
    assert_int_equal(values.size, 2048);
    assert_int_equal(values.list.count, 1);
    assert_string_equal(values.list.items[0], "single");
    assert_int_equal(values.number, 9);
    fill("g = { numbers = [ 404, 0x10, -1 ] }");
    assert_int_equal(report.errors, 0);
    assert_int_equal(values.numbers.count, 3);
    assert_string_equal(values.numbers.items[0], "404");
    assert_string_equal(values.numbers.items[1], "16");
    assert_string_equal(values.numbers.items[2], "-1");
    fill("g = { paths = { a_file = \"/x/y\"; b_file = \"z\"; file = \"z\" } }");
    assert_int_equal(report.errors, 0);
    assert_string_equal(values.paths.values[0], "/x/y");
    expect(*values.paths.values[1] == '/' && strstr(values.paths.values[1], "/z"), "%s",
           values.paths.values[1]);
    assert_string_equal(values.paths.values[2], "z");
    fill("g = { paths = { a = 5 } }");
    assert_string_equal(values.paths.values[0], "5");
    fill("g = { numbers = \"single\" }");
    assert_string_equal(values.numbers.items[0], "single");
}

static void mistakes(void **state)
{
    static const struct {
        const char *text, *told;
    } rows[] = {
        {"text = 1", "g.text: expected a string in quotes, found a number"},
        {"text = \"\"", "g.text: has 0 bytes; it must have 1 to 4"},
        {"text = \"abcde\"", "g.text: has 5 bytes; it must have 1 to 4"},
        {"text = [ \"a\" ]", "g.text: expected a string in quotes, found a list"},
        {"path = \"\"", "g.path: is empty"},
        {"path = true", "g.path: expected a path in quotes, found true or false"},
        {"flag = \"true\"", "g.flag: expected true or false, without quotes, found a string"},
        {"flag = 1", "g.flag: expected true or false"},
        {"number = \"7\"", "g.number: expected a whole number, without quotes, found a string"},
        {"number = 1.5", "g.number: expected a whole number, without quotes, found a fraction"},
        {"number = 10", "g.number: is 10; it must be -5 to 9"},
        {"number = -6", "g.number: is -6; it must be -5 to 9"},
        {"number = 4294967297L", "g.number: is 4294967297; it must be -5 to 9"},
        {"duration = 5", "g.duration: expected a duration in quotes"},
        {"duration = \"5\"", "g.duration: \"5\" is not a duration; write it as"},
        {"duration = \"0s\"", "g.duration: is \"0s\"; it must be \"1ms\" to \"1m\""},
        {"duration = \"2m\"", "g.duration: is \"2m\"; it must be \"1ms\" to \"1m\""},
        {"size = \"5kB\"", "g.size: \"5kB\" is not a size; write it as"},
        {"size = 1", "g.size: is 1 byte; it must be \"2\" to \"4k\""},
        {"size = \"1M\"", "g.size: is 1048576 bytes; it must be \"2\" to \"4k\""},
        {"size = true", "g.size: expected a size"},
        {"choice = \"pink\"", "g.choice: is \"pink\"; it must be one of: red green blue"},
        {"choice = 1", "g.choice: expected a word in quotes, found a number"},
        {"list = [ ]", "g.list: has 0 entries; it must have 1 to 2"},
        {"list = [ \"a\", \"b\", \"c\" ]", "g.list: has 3 entries; it must have 1 to 2"},
        {"pair = { a = \"b\" }", "g.pair: has 1 entry; it must have 2"},
        {"duration = \"1\ns\"", "g.duration: \"1\\x0as\" is not a duration; write it as"},
        {"list = [ 1 ]", "g.list.1: expected a string in quotes, found a number"},
        {"list = { a = \"b\" }", "g.list: expected a string in quotes, or a list such as"},
        {"map = \"x\"", "g.map: expected a group such as"},
        {"map = { a = 1 }", "g.map.a: expected a string in quotes, found a number"},
        {"map = { a = \"\"; b = \"\"; c = \"\" }", "g.map: has 3 entries; it must have 0 to 2"},
        {"group = \"x\"", "g.group: expected a group in braces, found a string"},
        {"numbr = 1", "g.numbr: unknown key (did you mean \"number\"?)"},
        {"Text = \"a\"", "g.Text: unknown key (did you mean \"text\"?)"},
        {"gruop = { }", "g.gruop: unknown key (did you mean \"group\"?)"},
        {"unheard_of = 1", "g.unheard_of: unknown key\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[128];
        snprintf(text, sizeof text, "g = { %s }", rows[i].text);
        const char *told = fill(text);
        expect(report.errors == 1, "%s: %u errors:\n%s", rows[i].text, report.errors, told);
        expect_contains(told, rows[i].told);
        expect_contains(told, "test.conf:1: ");
    }
}

static void all_mistakes_at_once(void **state)
{
    (void)state;
    const char *told = fill("g = {\n text = 1\n number = 100\n colour = 1\n list = [ 1, 2 ]\n}");
    assert_int_equal(report.errors, 5);
    expect_contains(told, "test.conf:2: g.text");
    expect_contains(told, "test.conf:3: g.number");
    expect_contains(told, "test.conf:4: g.colour");
    expect_contains(told, "test.conf:5: g.list.1");
    expect_contains(told, "test.conf:5: g.list.2");
}

static void required_keys_and_two_tables(void **state)
{
    const struct config_table tables[] = {CONFIG_TABLE(keys, &values),
                                          CONFIG_TABLE(more_keys, &values)};
    (void)state;
    struct config *config = config_open(
        scratch_write("test.conf",
                      SPAN("g = {\n text = \"x\" }\nh = { must = \"y\"; text = \"z\" }")),
        &report);
    config_fill(config_child(config_root(config), "g"), tables, 2, &arena, &report);
    assert_int_equal(report.errors, 1);
    expect_contains(bytes_string(&report.text),
                    "test.conf:1: g.must: is missing: what must be there");
    config_fill(config_child(config_root(config), "h"), tables, 2, &arena, &report);
    assert_int_equal(report.errors, 1);
    assert_string_equal(values.must, "y");
    assert_string_equal(values.text, "z");
    config_fill(NULL, tables, 2, &arena, &report); /* only for the defaults */
    assert_int_equal(report.errors, 1);
    config_close(config);
}

static void paths_start_at_their_file(void **state)
{
    char here[512];
    (void)state;
    fill("g = { path = \"sub/file\" }");
    assert_string_equal(values.path, scratch_path("sub/file"));

    scratch_write("part.conf", SPAN("g = { path = \"x\" }"));
    fill("@include \"part.conf\"");
    assert_string_equal(values.path, scratch_path("x"));

    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(scratch_path(".")), 0);
    const struct config_table table = CONFIG_TABLE(keys, &values);
    struct config *config = config_open("test.conf", &report);
    config_fill(config_child(config_root(config), "g"), &table, 1, &arena, &report);
    config_close(config);
    assert_int_equal(chdir(here), 0);
    assert_string_equal(values.path, scratch_path("x"));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(defaults),
        TEST(every_type),
        TEST(mistakes),
        TEST(all_mistakes_at_once),
        TEST(required_keys_and_two_tables),
        TEST(paths_start_at_their_file),
    };
    return cmocka_run_group_tests_name("config_fill", tests, NULL, NULL);
}
