/* SPDX-License-Identifier: MIT
 * What may be said of a member. */
#include "members/member.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fields(void **state)
{
    struct member member = {0};
    (void)state;
    for (int field = MEMBERCHAT_ID; field <= MEMBERCHAT_ROLE; field++)
        expect_span(member_field(&member, (enum memberchat_field)field), NULL);
    assert_null(member_set(&member, MEMBERCHAT_ID, SPAN("1")));
    assert_null(member_set(&member, MEMBERCHAT_NAME, SPAN("Ann")));
    assert_null(member_set(&member, MEMBERCHAT_NAME, SPAN("Anna")));
    assert_null(member_set(&member, MEMBERCHAT_ROLE, SPAN("host")));
    assert_null(member_set(&member, MEMBERCHAT_ROLE, SPAN("")));
    assert_null(member_set(&member, MEMBERCHAT_AVATAR, SPAN_NONE));
    expect_span(member_field(&member, MEMBERCHAT_ID), "1");
    expect_span(member_field(&member, MEMBERCHAT_NAME), "Anna");
    expect_span(member_field(&member, MEMBERCHAT_ROLE), NULL);
    expect_span(member_field(&member, MEMBERCHAT_AVATAR), NULL);
    member_reset(&member);
    expect_span(member_field(&member, MEMBERCHAT_ID), NULL);
    member_free(&member);
}

static void limits(void **state)
{
    static const struct {
        enum memberchat_field field;
        size_t max;
    } rows[] = {{MEMBERCHAT_ID, 128},
                {MEMBERCHAT_NAME, 256},
                {MEMBERCHAT_AVATAR, 2048},
                {MEMBERCHAT_ROLE, 64}};
    struct member member = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = repeated('x', rows[i].max + 1);
        assert_null(member_set(&member, rows[i].field, (struct span){text, rows[i].max}));
        assert_non_null(member_set(&member, rows[i].field, (struct span){text, rows[i].max + 1}));
        assert_int_equal(member_field(&member, rows[i].field).length, rows[i].max);
        assert_non_null(member_set(&member, rows[i].field, SPAN("a\nb")));
        assert_non_null(member_set(&member, rows[i].field, SPAN("a\0b")));
        assert_non_null(member_set(&member, rows[i].field, SPAN("a\xff")));
        assert_int_equal(member_field(&member, rows[i].field).length, rows[i].max);
        free(text);
    }
    assert_non_null(member_set(&member, (enum memberchat_field)0, SPAN("x")));
    assert_non_null(member_set(&member, (enum memberchat_field)5, SPAN("x")));
    assert_non_null(member_set(&member, (enum memberchat_field) - 1, SPAN("x")));
    member_free(&member);
}

static void attributes(void **state)
{
    struct member member = {0};
    char *name = repeated('n', 65), *value = repeated('v', 4097), own[8];
    (void)state;
    assert_null(member_add_attribute(&member, SPAN("dept"), SPAN("sales")));
    assert_null(member_add_attribute(&member, SPAN("empty"), SPAN("")));
    assert_int_equal(member.attribute_count, 1);
    expect_span(member_attribute(&member, SPAN("dept")), "sales");
    expect_span(member_attribute(&member, SPAN("dep")), NULL);
    expect_span(member_attribute(&member, SPAN("empty")), NULL);
    assert_non_null(member_add_attribute(&member, SPAN(""), SPAN("x")));
    assert_non_null(member_add_attribute(&member, span_of(name), SPAN("x")));
    assert_non_null(member_add_attribute(&member, SPAN("x"), span_of(value)));
    assert_non_null(member_add_attribute(&member, SPAN("x\n"), SPAN("x")));
    assert_non_null(member_add_attribute(&member, SPAN("x"), SPAN("x\x01")));
    assert_null(member_add_attribute(&member, (struct span){name, 64}, (struct span){value, 4096}));
    for (int i = 2; i < 32; i++) {
        snprintf(own, sizeof own, "a%d", i);
        assert_null(member_add_attribute(&member, span_of(own), span_of(own)));
    }
    assert_non_null(member_add_attribute(&member, SPAN("last"), SPAN("x")));
    assert_int_equal(member.attribute_count, 32);
    expect_span(member_attribute_name(&member, 31), "a31");
    expect_span(member_attribute_value(&member, 31), "a31");
    expect_span(member_attribute(&member, SPAN("dept")), "sales");
    member_reset(&member);
    expect_span(member_attribute(&member, SPAN("dept")), NULL);
    member_free(&member);
    free(name);
    free(value);
}

static void copies(void **state)
{
    struct member from = {0}, to = {0};
    (void)state;
    assert_true(member_copy(&to, &from));
    member_set(&from, MEMBERCHAT_ID, SPAN("1"));
    member_add_attribute(&from, SPAN("a"), SPAN("b"));
    member_set(&to, MEMBERCHAT_NAME, SPAN("old"));
    member_add_attribute(&to, SPAN("c"), SPAN("d"));
    assert_true(member_copy(&to, &from));
    member_free(&from);
    expect_span(member_field(&to, MEMBERCHAT_ID), "1");
    expect_span(member_field(&to, MEMBERCHAT_NAME), NULL);
    expect_span(member_attribute(&to, SPAN("a")), "b");
    expect_span(member_attribute(&to, SPAN("c")), NULL);
    assert_true(member_copy(&to, &from)); /* nothing again */
    expect_span(member_field(&to, MEMBERCHAT_ID), NULL);
    assert_int_equal(to.attribute_count, 0);
    member_free(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),
        cmocka_unit_test(limits),
        cmocka_unit_test(attributes),
        cmocka_unit_test(copies),
    };
    return cmocka_run_group_tests_name("member", tests, NULL, NULL);
}
