/* SPDX-License-Identifier: MIT
 * The syntax is libconfig's: both read the same files to the same tree. */
#include "settings/reader.h"

#include "support.h"

#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;

static int stop(void **state)
{
    arena_free(&arena);
    return scratch_stop(state);
}

static void expect_same(const struct config_node *ours, const config_setting_t *theirs)
{
    const char *name = config_setting_name(theirs);
    assert_int_equal(name != NULL, ours->name != NULL);
    if (name)
        assert_string_equal(ours->name, name);
    switch (config_setting_type(theirs)) {
    case CONFIG_TYPE_STRING:
        assert_int_equal(ours->kind, CONFIG_KIND_STRING);
        assert_string_equal(ours->string, config_setting_get_string(theirs));
        break;
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        assert_int_equal(ours->kind, CONFIG_KIND_INTEGER);
        assert_int_equal(ours->integer, config_setting_get_int64(theirs));
        break;
    case CONFIG_TYPE_FLOAT:
        assert_int_equal(ours->kind, CONFIG_KIND_FLOAT);
        assert_true(ours->fraction == config_setting_get_float(theirs));
        break;
    case CONFIG_TYPE_BOOL:
        assert_int_equal(ours->kind, CONFIG_KIND_BOOL);
        assert_int_equal(ours->boolean, config_setting_get_bool(theirs));
        break;
    default:
        assert_int_equal(ours->kind == CONFIG_KIND_GROUP, config_setting_is_group(theirs) != 0);
        assert_int_equal(ours->count, config_setting_length(theirs));
        const struct config_node *child = ours->first;
        for (unsigned i = 0; i < ours->count; i++, child = child->next)
            expect_same(child, config_setting_get_elem(theirs, i));
    }
    if (ours->parent && config_setting_type(theirs) != CONFIG_TYPE_STRING)
        assert_int_equal(ours->line, config_setting_source_line(theirs));
}

/* Both read it, and alike. */
static void compare(const char *path)
{
    struct reader_result result;
    struct reader_fault fault;
    config_t theirs;
    char folder[512];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    config_init(&theirs);
    config_set_include_dir(&theirs, folder);
    int good = config_read_file(&theirs, path);
    expect(good, "%s: libconfig: %s\n%s", path, good ? "" : config_error_text(&theirs),
           scratch_read(path));
    arena_free(&arena);
    if (!reader_read(path, &arena, &result, &fault))
        fail_msg("%s:%u: %s", path, fault.line, fault.why.text);
    expect_same(result.root, config_root_setting(&theirs));
    config_destroy(&theirs);
}

static void texts(void **state)
{
    static const char *const rows[] = {
        "",
        "# only a comment\n",
        "a=1;b:2,c=3\nd = -4 e = +5",
        "a = 0x1F; b = 0Xff; c = 12345678901L; d = 0x1FFFFFFFFFL; e = 12LL",
        "a = 1.5; b = .5; c = 2.; d = -1e3; e = 1.5E-1; f = 1e5",
        "a = true; b = FALSE; c = TrUe; truth = 1; falsehood = 2",
        "*a_-9 = 2; A-b_c* = 3",
        "a = \"x\" \"y\"\n# here\n\"z\"; b = \"\"; c = \"\" \"\"",
        "a = \"\\\\ \\\" \\x41\\x4a \\d \\q \\' \\/\"",
        "a = \"\\t\\n\\r\\f\\xff\"",
        "a = \"\\xZ1 \\x4\"",
        "a = \"two\nlines\"; b = 1",
        "a = \"# no comment // nor /* this */\"",
        "a = \"\xc3\xa4 \xff\"",
        "a = []; b = (); c = {}",
        "a = [1,2]; b = (1,\"x\",[true],{y=1;},(),((1)))",
        "g = { h = { i = 1 } j = 2; }; k = 3,",
        "a = 1 // one\nb = 2 # two\n/* c = 3\n\n*/ d /**/ = 4\n/* * / **/e = 5",
        "a = 1\r\nb = 2\r\n\fc = 3\t",
        "a\n=\n1\n;\nb\n=\n(\n1\n,\n2\n)\n;",
        "a = { x = ( { b = [ \"1\", \"2\" ]; }, { b = [ ] } ) }\n",
        "a = ( 1, 2.5, \"x\", true )\n#end\n//end\n",
        "@include \"part.conf\"\nz = 1\n  @include \"part2.conf\"\ny = 2",
        "g = {\n@include \"part.conf\"\n}",
    };
    (void)state;
    scratch_write("part.conf", SPAN("b = 2\nc = { d = 3 }"));
    scratch_write("part2.conf", SPAN("bb = 2\n@include \"part3.conf\"\n"));
    scratch_write("part3.conf", SPAN("# x\nbbb = \"3\""));
    for (size_t i = 0; i < COUNT(rows); i++)
        compare(scratch_write("test.conf", span_of(rows[i])));
}

/* What libconfig refuses is refused, but for what the manual names: a comma behind the
 * last element, a byte order mark; settings that stand twice are found in config.c. */
static void refusals(void **state)
{
    static const char *const rows[] = {
        "a",           "a =",
        "a = ;",       "= 1",
        "1 = 1",       "a = b",
        "a = 1;;",     "a = { b }",
        "a = { b = 1", "a = [ 1",
        "a = ( 1",     "a = [ { } ]",
        "a = [ (1) ]", "a = [ 1, \"x\" ]",
        "a = [ , ]",   "a = ( , )",
        "}",           "a = 'x'",
        "a = \"x",     "a = @",
        "true = 1",    "a.b = 1",
        "a = -",       "$a = 1",
        "a = { } }",   "a = [ 1 2 ]",
        "\"a\" = 1",   "a = 1 = 2",
        "a = (;)",     "a = 1 ] ",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reader_result result;
        struct reader_fault fault;
        config_t theirs;
        config_init(&theirs);
        expect(!config_read_string(&theirs, rows[i]), "libconfig takes %s", rows[i]);
        config_destroy(&theirs);
        arena_free(&arena);
        expect(!reader_read(scratch_write("test.conf", span_of(rows[i])), &arena, &result, &fault),
               "%s was taken", rows[i]);
    }
}

/* "1a = 2" is two settings to libconfig; a comment and a string may lack their end. */
static bool is_stricter(const struct reader_fault *fault, bool ours)
{
    return !ours && (strstr(fault->why.text, "begins like a number") ||
                     strstr(fault->why.text, "that begins here has no"));
}

/* A comma behind the last element of a list. */
static bool is_extension(const char *text, bool ours)
{
    return ours && strchr(text, ',');
}

static unsigned long seed = 1;

static unsigned roll(unsigned sides)
{
    seed = seed * 6364136223846793005UL + 1442695040888963407UL;
    return (unsigned)(seed >> 33) % sides;
}

static void add_blank(struct bytes *text)
{
    static const char *const blanks[] = {" ", "", "\n", "\t", "# x\n", "// = }\n", "/* ; */"};
    bytes_add_string(text, blanks[roll(COUNT(blanks))]);
}

static void add_settings(struct bytes *text, unsigned depth);

static void add_value(struct bytes *text, unsigned depth)
{
    static const char *const values[] = {"1",   "-2",    "3.5",        "0x1f",        "5L",
                                         "1e5", "\"x\"", "\"\\n\\q\"", "\"a\" \"b\"", "true"};
    unsigned kind = roll(depth < 3 ? COUNT(values) + 3 : COUNT(values));
    if (kind < COUNT(values)) {
        bytes_add_string(text, values[kind]);
    } else if (kind == COUNT(values)) {
        bytes_add_string(text, "{");
        add_settings(text, depth + 1);
        bytes_add_string(text, "}");
    } else if (kind == COUNT(values) + 1) {
        bytes_add_string(text, roll(2) ? "[1 , 2]" : "[ \"\" ]");
    } else {
        bytes_add_string(text, "(");
        for (unsigned i = roll(3); i > 0; i--) {
            add_value(text, depth + 1);
            bytes_add_string(text, i > 1 ? "," : "");
        }
        bytes_add_string(text, ")");
    }
}

static void add_settings(struct bytes *text, unsigned depth)
{
    static const char *const signs[] = {"=", ":", " = "}, *const ends[] = {";", ",", "\n", " "};
    for (unsigned i = roll(4); i > 0; i--) {
        add_blank(text);
        bytes_addf(text, "n%u%s", i, signs[roll(COUNT(signs))]);
        add_blank(text);
        add_value(text, depth);
        bytes_add_string(text, ends[roll(COUNT(ends))]);
    }
    add_blank(text);
}

/* Texts by the rules of the syntax, of which half are broken then by a byte. */
static void random_texts(void **state)
{
    static const char bytes[] = "{}[]();,=:\"\\/*#\nx1.-L@ ";
    unsigned good = 0, refused = 0;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct bytes text = {0};
        struct reader_result result;
        struct reader_fault fault;
        config_t theirs;
        config_init(&theirs);
        add_settings(&text, 0);
        if (roll(2) && text.length)
            text.data[roll((unsigned)text.length)] = bytes[roll(sizeof bytes - 1)];
        bytes_add_string(&text, "\n"); /* libconfig fails at a comment that ends the file */
        bool taken = config_read_string(&theirs, bytes_string(&text));
        bool doubled = !taken && strstr(config_error_text(&theirs), "duplicate");
        arena_free(&arena);
        bool ours =
            reader_read(scratch_write("test.conf", bytes_span(&text)), &arena, &result, &fault);
        if (taken && ours)
            expect_same(result.root, config_root_setting(&theirs));
        else if (!doubled && taken != ours && !is_stricter(&fault, ours) &&
                 !is_extension(bytes_string(&text), ours))
            fail_msg("%s\nlibconfig: %d, ours: %s", bytes_string(&text), taken,
                     ours ? "taken" : fault.why.text);
        good += taken && ours;
        refused += !taken && !ours;
        config_destroy(&theirs);
        bytes_free(&text);
    }
    expect(good > 5000 && refused > 1000, "%u good, %u refused", good, refused);
}

static void files_of_ours(void **state)
{
    const char *build = getenv("BUILD"), *source = getenv("SOURCE");
    static const char *const names[] = {"openldap", "active-directory", "rest-user-api",
                                        "rest-member-api"};
    char path[1024];
    (void)state;
    for (size_t i = 0; source && i < COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/conf/stores/%s.conf", source, names[i]);
        compare(path);
    }
    if (build) {
        snprintf(path, sizeof path, "%s/conf/memberchat.conf", build);
        compare(path);
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_start, stop)
    const struct CMUnitTest tests[] = {
        TEST(texts),
        TEST(refusals),
        TEST(random_texts),
        TEST(files_of_ours),
    };
    return cmocka_run_group_tests_name("reader_libconfig", tests, NULL, NULL);
}
