/* SPDX-License-Identifier: MIT
 * What a guest may say of itself. */
#include "api/guest.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct claims claims = {.type = "JWT"};
static const struct app app = {.id = "demo", .profile = {.claims = &claims}}; /* without a key */
static struct guest guest;
static struct reason why;

static enum guest_verdict read_body(struct span body)
{
    return guest_read(&guest, &app, body, &why);
}

static void nothing_given(void **state)
{
    static const struct span bodies[] = {
        {NULL, 0},
        LITERAL(""),
        LITERAL("{}"),
        LITERAL("{\"appUserId\":null,\"appUserName\":null,\"appUserProfileImgUrl\":null,"
                "\"accessToken\":null}"),
        LITERAL("{\"unknown\":{\"appUserId\":\"x\"},\"appuserid\":1}"),
        LITERAL("{\"x\":1,\"x\":{\"appUserId\":1,\"appUserId\":2}}"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        assert_int_equal(read_body(bodies[i]), GUEST_GOOD);
        assert_int_equal(guest.id.length, KSUID_LENGTH);
        assert_int_equal(guest.name.length, 6 + KSUID_LENGTH);
        assert_memory_equal(guest.name.data, "GUEST_", 6);
        assert_memory_equal(guest.name.data + 6, guest.id.data, KSUID_LENGTH);
        expect_span(guest.avatar, NULL);
        guest_free(&guest);
    }
}

static void what_is_given_stays(void **state)
{
    (void)state;
    assert_int_equal(
        read_body(SPAN("{\"appUserId\":\"Abc9\",\"appUserName\":\"J\\u00fcrgen \\\"x\\\"\","
                       "\"appUserProfileImgUrl\":\"not a URL\"}")),
        GUEST_GOOD);
    expect_span(guest.id, "Abc9");
    expect_span(guest.name, "J\xc3\xbcrgen \"x\"");
    expect_span(guest.avatar, "not a URL");
    guest_free(&guest);

    assert_int_equal(read_body(SPAN("{\"appUserId\":\"Abc9\"}")), GUEST_GOOD);
    expect_span(guest.name, "GUEST_Abc9");
    guest_free(&guest);

    /* forms send an empty text for what was left out */
    assert_int_equal(read_body(SPAN("{\"appUserName\":\"\",\"appUserProfileImgUrl\":\"\"}")),
                     GUEST_GOOD);
    assert_true(guest.name.length > 6 && memcmp(guest.name.data, "GUEST_", 6) == 0);
    assert_null(guest.avatar.data);
    guest_free(&guest);
}

static void bad_ids(void **state)
{
    static const struct span bodies[] = {
        LITERAL("{\"appUserId\":\"\"}"),         LITERAL("{\"appUserId\":\"a b\"}"),
        LITERAL("{\"appUserId\":\"a-b\"}"),      LITERAL("{\"appUserId\":\"a_b\"}"),
        LITERAL("{\"appUserId\":\"\xc3\xa9\"}"), LITERAL("{\"appUserId\":\"a\\u0000\"}"),
        LITERAL("{\"appUserId\":\"a\\n\"}"),     LITERAL("{\"appUserId\":\"../1\"}"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        expect(read_body(bodies[i]) == GUEST_BAD_ID, "%s", bodies[i].data);
        expect_contains(why.text, "appUserId");
        guest_free(&guest);
    }
}

static void bad_fields(void **state)
{
    static const struct {
        const char *body, *told;
    } rows[] = {
        {"{\"appUserId\":1}", "appUserId must be a string or null"},
        {"{\"appUserId\":true}", "appUserId must be a string or null"},
        {"{\"appUserName\":5}", "appUserName must be a string or null"},
        {"{\"appUserName\":[\"x\"]}", "appUserName must be a string or null"},
        {"{\"appUserName\":\"a\\nb\"}", "appUserName contains control characters"},
        {"{\"appUserName\":\"a\\u0000b\"}", "appUserName contains control characters"},
        {"{\"appUserName\":\"\\u0085\"}", "appUserName contains control characters"},
        {"{\"appUserProfileImgUrl\":{}}", "appUserProfileImgUrl must be a string or null"},
        {"{\"appUserProfileImgUrl\":\"\\u007f\"}", "appUserProfileImgUrl contains control"},
        {"{\"accessToken\":1}", "accessToken must be a string or null"},
        /* a field twice is one thing for us and another for somebody else; others may be */
        {"{\"appUserId\":\"a\",\"appUserId\":\"b\"}", "two members of one name"},
        {"{\"appUserId\":\"a\",\"\\u0061ppUserId\":\"a\"}", "two members of one name"},
        {"{\"appUserName\":null,\"x\":1,\"appUserName\":\"b\"}", "two members of one name"},
        {"{\"accessToken\":null,\"accessToken\":null}", "two members of one name"},
        {"[]", "not an object"},
        {"{\"appUserName\":\"x\"", "unexpected end"},
        {" ", "unexpected end"},
        {"nonsense", "at line 1, column 1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect(read_body(span_of(rows[i].body)) == GUEST_BAD_BODY, "%s", rows[i].body);
        expect_contains(why.text, rows[i].told);
        guest_free(&guest);
    }
}

static void lengths(void **state)
{
    static const struct {
        const char *name;
        size_t max;
    } rows[] = {{"appUserId", 128}, {"appUserName", 256}, {"appUserProfileImgUrl", 2048}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t extra = 0; extra < 2; extra++) {
            char *value = repeated('x', rows[i].max + extra);
            struct bytes body = {0};
            bytes_addf(&body, "{\"%s\":\"%s\"}", rows[i].name, value);
            enum guest_verdict verdict = read_body(bytes_span(&body));
            expect(verdict == (extra ? GUEST_BAD_BODY : GUEST_GOOD), "%s: %d", rows[i].name,
                   verdict);
            if (extra)
                expect_contains(why.text, rows[i].name);
            guest_free(&guest);
            bytes_free(&body);
            free(value);
        }
}

/* Whatever it says: there is no key to verify it with.  The good ones are in
 * test_access_token.c. */
static void access_tokens_are_refused(void **state)
{
    static const char *const bodies[] = {
        "{\"accessToken\":\"\"}",
        "{\"accessToken\":\"eyJhbGciOiJub25lIn0.e30.\"}",
        "{\"accessToken\":\"x\",\"appUserId\":\"a!\"}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        expect(read_body(span_of(bodies[i])) == GUEST_BAD_ACCESS_TOKEN, "%s", bodies[i]);
        guest_free(&guest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_given), cmocka_unit_test(what_is_given_stays),
        cmocka_unit_test(bad_ids),       cmocka_unit_test(bad_fields),
        cmocka_unit_test(lengths),       cmocka_unit_test(access_tokens_are_refused),
    };
    return cmocka_run_group_tests_name("guest", tests, NULL, NULL);
}
