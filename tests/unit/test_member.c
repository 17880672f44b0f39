/* SPDX-License-Identifier: MIT
 * What may be said of a member. */
#include "members/member.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *what;

static enum member_set set(struct member *member, enum memberchat_field field, struct span value)
{
    return member_set(member, field, value, &what);
}

static enum member_set add(struct member *member, struct span name, struct span value)
{
    return member_add_attribute(member, name, value, &what);
}

static void fields(void **state)
{
    struct member member = {0};
    (void)state;
    for (int field = MEMBERCHAT_ID; field <= MEMBERCHAT_ROLE; field++)
        expect_span(member_field(&member, (enum memberchat_field)field), NULL);
    assert_int_equal(set(&member, MEMBERCHAT_ID, SPAN("1")), MEMBER_SET);
    assert_int_equal(set(&member, MEMBERCHAT_NAME, SPAN("Ann")), MEMBER_SET);
    assert_int_equal(set(&member, MEMBERCHAT_NAME, SPAN("Anna")), MEMBER_SET);
    assert_int_equal(set(&member, MEMBERCHAT_ROLE, SPAN("host")), MEMBER_SET);
    assert_int_equal(set(&member, MEMBERCHAT_ROLE, SPAN("")), MEMBER_SET);
    assert_int_equal(set(&member, MEMBERCHAT_AVATAR, SPAN_NONE), MEMBER_SET);
    expect_span(member_field(&member, MEMBERCHAT_ID), "1");
    expect_span(member_field(&member, MEMBERCHAT_NAME), "Anna");
    expect_span(member_field(&member, MEMBERCHAT_ROLE), NULL);
    expect_span(member_field(&member, MEMBERCHAT_AVATAR), NULL);
    member_reset(&member);
    expect_span(member_field(&member, MEMBERCHAT_ID), NULL);
    member_free(&member);
}

static void what_cannot_be_used_is_left_out(void **state)
{
    static const struct {
        enum memberchat_field field;
        size_t max;
    } rows[] = {{MEMBERCHAT_ID, 128},
                {MEMBERCHAT_NAME, 256},
                {MEMBERCHAT_AVATAR, 2048},
                {MEMBERCHAT_ROLE, 64}};
    static const struct span bad[] = {LITERAL("a\nb"), LITERAL("a\0b"), LITERAL("a\xff"),
                                      LITERAL("half a pair: \xed\xa0\x80"), LITERAL("\xc2\x85")};
    struct member member = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = repeated('x', rows[i].max + 1);
        assert_int_equal(set(&member, rows[i].field, (struct span){text, rows[i].max}), MEMBER_SET);
        assert_int_equal(member_field(&member, rows[i].field).length, rows[i].max);
        assert_int_equal(set(&member, rows[i].field, (struct span){text, rows[i].max + 1}),
                         MEMBER_UNUSABLE);
        expect_contains(what, "longer than");
        assert_int_equal(member_field(&member, rows[i].field).length,
                         rows[i].field == MEMBERCHAT_NAME ? 256 : 0);
        for (size_t b = 0; b < COUNT(bad); b++) {
            assert_int_equal(set(&member, rows[i].field, bad[b]), MEMBER_UNUSABLE);
            expect_contains(what, "not UTF-8 without control characters");
            expect_span(member_field(&member, rows[i].field), NULL);
        }
        free(text);
    }
    assert_int_equal(set(&member, (enum memberchat_field)0, SPAN("x")), MEMBER_NONSENSE);
    assert_int_equal(set(&member, (enum memberchat_field)5, SPAN("x")), MEMBER_NONSENSE);
    assert_int_equal(set(&member, (enum memberchat_field) - 1, SPAN("x")), MEMBER_NONSENSE);
    member_free(&member);
}

static void names_are_cut_at_a_character(void **state)
{
    static const char *const characters[] = {"x", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    struct member member = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(characters); i++) {
        struct bytes text = {0};
        while (text.length <= 256)
            bytes_add_string(&text, characters[i]);
        assert_int_equal(set(&member, MEMBERCHAT_NAME, bytes_span(&text)), MEMBER_UNUSABLE);
        size_t size = strlen(characters[i]);
        struct span name = member_field(&member, MEMBERCHAT_NAME);
        assert_int_equal(name.length, 256 / size * size);
        assert_memory_equal(name.data, text.data, name.length);
        bytes_free(&text);
    }
    member_free(&member);
}

static void ends_of_lines_are_no_part_of_a_value(void **state)
{
    struct member member = {0};
    (void)state;
    assert_int_equal(set(&member, MEMBERCHAT_NAME, SPAN("Ann\r\n")), MEMBER_SET);
    expect_span(member_field(&member, MEMBERCHAT_NAME), "Ann");
    assert_int_equal(set(&member, MEMBERCHAT_ROLE, SPAN("host \t\n\n")), MEMBER_SET);
    expect_span(member_field(&member, MEMBERCHAT_ROLE), "host ");
    assert_int_equal(set(&member, MEMBERCHAT_AVATAR, SPAN("\t")), MEMBER_SET);
    expect_span(member_field(&member, MEMBERCHAT_AVATAR), NULL);
    assert_int_equal(set(&member, MEMBERCHAT_NAME, SPAN("\nAnn")), MEMBER_UNUSABLE);
    assert_int_equal(add(&member, SPAN("mail"), SPAN("a@example.com\n")), MEMBER_SET);
    expect_span(member_attribute(&member, SPAN("mail")), "a@example.com");
    assert_int_equal(set(&member, MEMBERCHAT_ID, SPAN("1\n")), MEMBER_UNUSABLE); /* never bent */
    expect_span(member_field(&member, MEMBERCHAT_ID), NULL);
    member_free(&member);
}

static void attributes(void **state)
{
    struct member member = {0};
    char *name = repeated('n', 65), *value = repeated('v', 4097), own[8];
    (void)state;
    assert_int_equal(add(&member, SPAN("dept"), SPAN("sales")), MEMBER_SET);
    assert_int_equal(add(&member, SPAN("empty"), SPAN("")), MEMBER_SET);
    assert_int_equal(member.attribute_count, 1);
    expect_span(member_attribute(&member, SPAN("dept")), "sales");
    expect_span(member_attribute(&member, SPAN("dep")), NULL);
    expect_span(member_attribute(&member, SPAN("empty")), NULL);
    assert_int_equal(add(&member, SPAN(""), SPAN("x")), MEMBER_UNUSABLE);
    assert_int_equal(add(&member, span_of(name), SPAN("x")), MEMBER_UNUSABLE);
    assert_int_equal(add(&member, SPAN("x"), span_of(value)), MEMBER_UNUSABLE);
    assert_int_equal(add(&member, SPAN("x\n"), SPAN("x")), MEMBER_UNUSABLE);
    assert_int_equal(add(&member, SPAN("x"), SPAN("x\x01")), MEMBER_UNUSABLE);
    assert_int_equal(add(&member, (struct span){name, 64}, (struct span){value, 4096}), MEMBER_SET);
    for (int i = 2; i < 32; i++) {
        snprintf(own, sizeof own, "a%d", i);
        assert_int_equal(add(&member, span_of(own), span_of(own)), MEMBER_SET);
    }
    assert_int_equal(add(&member, SPAN("last"), SPAN("x")), MEMBER_UNUSABLE);
    assert_int_equal(add(&member, SPAN("dept"), SPAN("board")), MEMBER_SET);
    assert_int_equal(member.attribute_count, 33);
    expect_span(member_attribute_name(&member, 31), "a31");
    expect_span(member_attribute_value(&member, 31), "a31");
    expect_span(member_attribute(&member, SPAN("dept")), "sales");
    member_reset(&member);
    expect_span(member_attribute(&member, SPAN("dept")), NULL);
    member_free(&member);
    free(name);
    free(value);
}

static void several_values(void **state)
{
    struct member member = {0};
    size_t index = 0;
    char own[8];
    (void)state;
    add(&member, SPAN("groups"), SPAN("one"));
    add(&member, SPAN("dept"), SPAN("sales"));
    add(&member, SPAN("groups"), SPAN("two"));
    expect_span(member_attribute(&member, SPAN("groups")), "one");
    expect_span(member_next_value(&member, SPAN("groups"), &index), "one");
    expect_span(member_next_value(&member, SPAN("groups"), &index), "two");
    expect_span(member_next_value(&member, SPAN("groups"), &index), NULL);
    for (int i = 3; i < 1024; i++) {
        snprintf(own, sizeof own, "g%d", i);
        assert_int_equal(add(&member, SPAN("groups"), span_of(own)), MEMBER_SET);
    }
    assert_int_equal(add(&member, SPAN("groups"), SPAN("x")), MEMBER_UNUSABLE);
    assert_int_equal(add(&member, SPAN("more"), SPAN("x")), MEMBER_UNUSABLE);
    assert_int_equal(member.name_count, 2);
    member_free(&member);
}

static void copies(void **state)
{
    struct member from = {0}, to = {0};
    (void)state;
    assert_true(member_copy(&to, &from));
    set(&from, MEMBERCHAT_ID, SPAN("1"));
    add(&from, SPAN("a"), SPAN("b"));
    set(&to, MEMBERCHAT_NAME, SPAN("old"));
    add(&to, SPAN("c"), SPAN("d"));
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
        cmocka_unit_test(what_cannot_be_used_is_left_out),
        cmocka_unit_test(names_are_cut_at_a_character),
        cmocka_unit_test(ends_of_lines_are_no_part_of_a_value),
        cmocka_unit_test(attributes),
        cmocka_unit_test(several_values),
        cmocka_unit_test(copies),
    };
    return cmocka_run_group_tests_name("member", tests, NULL, NULL);
}
