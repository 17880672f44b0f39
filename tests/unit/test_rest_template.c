/* SPDX-License-Identifier: MIT
 * What is sent in the name of an id: it stays one piece of what is around it. */
#include "plugins/rest/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *expand(struct bytes *out, const char *template, const char *id, size_t length,
                          bool json)
{
    const struct rest_values values = {{id, length}, {"my/app", 6}};
    bytes_reset(out);
    rest_template_expand(out, template, &values, json);
    return bytes_string(out);
}

static void placeholders(void **state)
{
    static const struct {
        const char *template, *expanded;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"{id}", "a%20b"},
        {"/x/{id}/y?z={id}", "/x/a%20b/y?z=a%20b"},
        {"{appId}/{id}", "my%2Fapp/a%20b"},
        {"{id}{id}{appId}", "a%20ba%20bmy%2Fapp"},
        {"{", "{"},
        {"{{id}}", "{a%20b}"},
        {"{id", "{id"},
        {"{ID}{Id}{ id}", "{ID}{Id}{ id}"},
        {"{appid}", "{appid}"},
    };
    struct bytes out = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(expand(&out, rows[i].template, "a b", 3, false), rows[i].expanded);
    bytes_free(&out);
}

/* What a value holds is never looked at again. */
static void values_are_no_templates(void **state)
{
    struct bytes out = {0};
    (void)state;
    assert_string_equal(expand(&out, "{id}", "{appId}{id}", 11, true), "{appId}{id}");
    assert_string_equal(expand(&out, "<{id}>", "{id}", 4, false), "<%7Bid%7D>");
    bytes_free(&out);
}

/* RFC 3986, section 2.3: these 66 stay, and all others become a triplet. */
static void every_byte_in_percent(void **state)
{
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    struct bytes out = {0};
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        const char byte = (char)c;
        const char *text = expand(&out, "{id}", &byte, 1, false);
        if (c && strchr(unreserved, (int)c)) {
            assert_int_equal(out.length, 1);
            assert_int_equal((unsigned char)*text, c);
        } else {
            assert_int_equal(out.length, 3);
            assert_int_equal(text[0], '%');
            assert_int_equal(strtol(text + 1, NULL, 16), c);
        }
    }
    bytes_free(&out);
}

/* RFC 8259, section 7. */
static void every_byte_in_json(void **state)
{
    struct bytes out = {0};
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        const char byte = (char)c;
        const char *text = expand(&out, "{id}", &byte, 1, true);
        if (c < 0x20) {
            assert_int_equal(out.length, 6);
            assert_memory_equal(text, "\\u00", 4);
            assert_int_equal(strtol(text + 4, NULL, 16), c);
        } else if (c == '"' || c == '\\') {
            assert_int_equal(out.length, 2);
            assert_int_equal(text[0], '\\');
        } else {
            assert_int_equal(out.length, 1);
            assert_int_equal((unsigned char)*text, c);
        }
    }
    bytes_free(&out);
}

static void urls(void **state)
{
    static const struct {
        const char *url, *complaint; /* NULL: it is good */
    } rows[] = {
        {"https://x/{id}", NULL},
        {"https://x?{id}", NULL},
        {"https://x/a/{id}/b?c={appId}&d={id}", NULL},
        {"https://x/", NULL},
        {"https://{id}/", "in its host"},
        {"https://{id}", "in its host"},
        {"https://x.{appId}.com/", "in its host"},
        {"{id}://x/", "in its host"},
        {"https://x:{id}/", "in its host"},
        {"https://x/{name}", "no other braces"},
        {"https://x/{id}}", "no other braces"},
        {"https://x/{id", "no other braces"},
        {"https://x/#{id}", "fragment"},
        {"https://x/ {id}", "blank"},
        {"https://x/\n{id}", "control character"},
        {"https://x/\x7f{id}", "control character"},
        {"https://x/\xc3\xbc{id}", "not ASCII"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reason reason = {""};
        bool good = rest_template_check_url(rows[i].url, &reason);
        if (good != !rows[i].complaint || (!good && !strstr(reason.text, rows[i].complaint)))
            fail_msg("%s: %s", rows[i].url, reason.text);
    }
}

static void ids_that_are_paths(void **state)
{
    static const struct {
        const char *id;
        bool takes;
    } rows[] = {
        {"a", true},       {"a.b", true},    {"...", true},    {"a..b", true},   {"a/b", true},
        {"..a", true},     {"a..", true},    {"/", true},      {"//", true},     {".", false},
        {"..", false},     {"./", false},    {"/.", false},    {"../a", false},  {"a/..", false},
        {"a/../b", false}, {"a/./b", false}, {"a\\..", false}, {"..\\a", false}, {"/../", false},
        {"%2e%2e", true},  {"", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *id = rows[i].id;
        size_t length = strlen(id);
        if (rest_template_takes_id("https://x/m/{id}", (struct span){id, length}) != rows[i].takes)
            fail_msg("%s in a path", id);
        assert_int_equal(rest_template_takes_id("https://x/m/{id}?a=b", (struct span){id, length}),
                         rows[i].takes);
        assert_true(rest_template_takes_id("https://x/m?id={id}", (struct span){id, length}));
        assert_true(rest_template_takes_id("https://x?id={id}", (struct span){id, length}));
        assert_true(rest_template_takes_id("https://x/find", (struct span){id, length}));
    }
    assert_true(rest_template_takes_id("https://x/{id}", (struct span){"..\0", 3}));
}

static void names_of_placeholders(void **state)
{
    (void)state;
    assert_true(rest_template_has_id("a{id}b"));
    assert_false(rest_template_has_id("a{appId}b"));
    assert_true(rest_template_has_app("a{appId}b"));
    assert_false(rest_template_has_app("a{id}b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(placeholders),
        cmocka_unit_test(values_are_no_templates),
        cmocka_unit_test(every_byte_in_percent),
        cmocka_unit_test(every_byte_in_json),
        cmocka_unit_test(urls),
        cmocka_unit_test(ids_that_are_paths),
        cmocka_unit_test(names_of_placeholders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
