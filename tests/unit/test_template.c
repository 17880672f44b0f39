/* SPDX-License-Identifier: MIT
 * Templates: their parts, what filters make of a value, and which are refused. */
#include "base/template.h"

#include "short_memory.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

static struct arena arena;
static struct bytes out;
static struct reason why;

static int stop(void **state)
{
    (void)state;
    arena_free(&arena);
    bytes_free(&out);
    return 0;
}

static struct span find(void *context, const struct template_part *part)
{
    static const struct {
        const char *name;
        struct span value;
    } rows[] = {
        {"id", LITERAL("u-1")},
        {"name", LITERAL(" Ann \"A\" \xc3\x84\t")},
        {"mail", LITERAL(" A@B.example ")},
        {"First Name", LITERAL("Ann")},
        {"\xc3\x84", LITERAL("umlaut")},
        {"_id", LITERAL("7")},
        {"empty", LITERAL("")},
    };
    (void)context;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (span_equal(part->text, span_of(rows[i].name)))
            return rows[i].value;
    return SPAN_NONE;
}

static enum template_result render(const char *text, const struct template_part **part_r)
{
    struct template template;
    expect(template_parse(span_of(text), &arena, &template, &why), "%s: %s", text, why.text);
    bytes_reset(&out);
    return template_render(&template, find, NULL, &out, part_r);
}

static void what_a_template_becomes(void **state)
{
    static const struct {
        const char *template, *text;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"{id}", "u-1"},
        {"{First Name} {id}!", "Ann u-1!"},
        {"{\xc3\x84}{_id}", "umlaut7"},
        {"[{empty}]", "[]"},
        {"{none|=nobody}", "nobody"},
        {"{none|lower|=A|B}", "a|b"},
        {"{none|=}", ""},
        {"{name|trim}", "Ann \"A\" \xc3\x84"},
        {"{name|lower|trim}", "ann \"a\" \xc3\x84"},
        {"{name|trim|uri}", "Ann%20%22A%22%20%C3%84"},
        {"{name|uri|lower|trim}", "ann%20%22a%22%20%C3%84"},
        {"{mail|trim|lower}", "a@b.example"},
        /* printf a@b.example | sha256sum */
        {"{mail|trim|lower|sha256}",
         "ebb18a030bf15174f5714e24d63af1a81355c951ea7389bd2a9bd18e3d0c2477"},
        {"{mail|sha256|lower|trim}",
         "ebb18a030bf15174f5714e24d63af1a81355c951ea7389bd2a9bd18e3d0c2477"},
        {"{empty|sha256|id}", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"{name|trim|json}", "\"Ann \\\"A\\\" \xc3\x84\""},
        {"{none|json}", "null"},
        {"{empty|sha256|json}",
         "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\""},
        {"{id|id}", "u-1"},
        {"{none|id|=x}", "x"},
        {"{} {1} }{ {\"a\":{id}} {", "{} {1} }{ {\"a\":u-1} {"},
        {"/{{room}/{id}/{{", "/{room}/u-1/{"},
        {"{{id}", "{id}"},
        {"{{{id}", "{u-1"},
        {"{{{{id}", "{{id}"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect(render(rows[i].template, NULL) == TEMPLATE_FILLED, "%s", rows[i].template);
        expect(!strcmp(bytes_string(&out), rows[i].text), "%s: %s", rows[i].template,
               bytes_string(&out));
    }
}

static void what_cannot_be_filled_in(void **state)
{
    static const struct {
        const char *template, *part;
        enum template_result result;
    } rows[] = {
        {"{id} {none}", "{none}", TEMPLATE_NO_VALUE},
        {"{none|lower}", "{none|lower}", TEMPLATE_NO_VALUE},
        {"{name|id}", "{name|id}", TEMPLATE_REFUSED},
        {"{empty|id}", "{empty|id}", TEMPLATE_REFUSED},
        {"{none|id|=a b}", "{none|id|=a b}", TEMPLATE_REFUSED},
        {"{id}{name|id|json}", "{name|id|json}", TEMPLATE_REFUSED},
    };
    const struct template_part *part = NULL;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect(render(rows[i].template, &part) == rows[i].result, "%s", rows[i].template);
        expect_span(part->written, rows[i].part);
    }
}

static void what_is_no_template(void **state)
{
    static const struct {
        const char *template, *told;
    } rows[] = {
        {"x {id", "{id has no closing brace"},
        {"{id|upper}", "{id|upper}: \"upper\" is not a filter"},
        {"{id|}", "\"\" is not a filter"},
        {"{id|id|id |x}", "\"id \" is not a filter"},
        {"{id|in_string}", "is not a filter"},
    };
    struct template template;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect(!template_parse(span_of(rows[i].template), &arena, &template, &why), "%s was taken",
               rows[i].template);
        expect_contains(why.text, rows[i].told);
    }
}

static void an_id_has_at_most_128_bytes(void **state)
{
    char *id = repeated('a', 129);
    (void)state;
    bytes_reset(&out);
    assert_false(template_add(&out, TEMPLATE_ID, span_of(id)));
    assert_true(template_add(&out, TEMPLATE_ID, (struct span){id, 128}));
    assert_int_equal(out.length, 128);
    free(id);
}

static void inside_of_a_json_string(void **state)
{
    (void)state;
    bytes_reset(&out);
    template_add(&out, TEMPLATE_LOWER | TEMPLATE_IN_STRING, SPAN("A\"\n\\"));
    assert_string_equal(bytes_string(&out), "a\\\"\\u000a\\\\");
    bytes_reset(&out);
    template_add(&out, TEMPLATE_JSON | TEMPLATE_IN_STRING, SPAN("a\"b"));
    assert_string_equal(bytes_string(&out), "\\\"a\\\\\\\"b\\\"");
}

static void without_memory(void **state)
{
    static const unsigned filters[] = {TEMPLATE_JSON, TEMPLATE_SHA256, TEMPLATE_LOWER};
    struct template template;
    (void)state;
    short_memory_start(0, true);
    bool parsed = template_parse(SPAN("x {id}"), &arena, &template, &why);
    if (short_memory_stop()) {
        assert_false(parsed);
        assert_string_equal(why.text, "out of memory");
    }
    for (size_t i = 0; i < COUNT(filters); i++) {
        struct bytes text = {0};
        short_memory_start(0, true);
        template_add(&text, filters[i], SPAN("Ann"));
        assert_int_equal(short_memory_stop(), text.failed);
        bytes_free(&text);
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_teardown(function, stop)
    const struct CMUnitTest tests[] = {
        TEST(what_a_template_becomes), TEST(what_cannot_be_filled_in),
        TEST(what_is_no_template),     TEST(an_id_has_at_most_128_bytes),
        TEST(inside_of_a_json_string), TEST(without_memory),
    };
    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
