/* SPDX-License-Identifier: MIT
 *
 * test_ldap_filter.c: templates of search filters, and ids that want to be more than a value.
 */
#include "plugins/ldap/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* The filter in memory of exactly the size that was asked for. */
static char *fill(const char *filter, const char *active, const char *id, size_t length)
{
    char *out = malloc(ldap_filter_size(filter, active, length));

    assert_non_null(out);
    ldap_filter_fill(filter, active, id, length, out);
    return out;
}

static void ids_are_escaped(void **state)
{
    static const struct {
        const char *id;
        size_t length;
        const char *expected;
    } rows[] = {
        {"m1", 2, "(uid=m1)"},
        {"A.b-c_d@e.f", 11, "(uid=A.b-c_d@e.f)"},
        {"*", 1, "(uid=\\2a)"},
        {"a*", 2, "(uid=a\\2a)"},
        {")(uid=*", 7, "(uid=\\29\\28uid\\3d\\2a)"},
        {"x)(|(uid=*))", 12, "(uid=x\\29\\28\\7c\\28uid\\3d\\2a\\29\\29)"},
        {"\\", 1, "(uid=\\5c)"},
        {"\\2a", 3, "(uid=\\5c2a)"},
        {"a\0b", 3, "(uid=a\\00b)"},
        {"\0", 1, "(uid=\\00)"},
        {"{id}", 4, "(uid=\\7bid\\7d)"},
        {" a ", 3, "(uid=\\20a\\20)"},
        {"J\xc3\xbcrgen", 7, "(uid=J\\c3\\bcrgen)"},
        {"\xff\x80", 2, "(uid=\\ff\\80)"},
        {"a&b|c!d", 7, "(uid=a\\26b\\7cc\\21d)"},
        {"", 0, "(uid=)"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        char *filter = fill("(uid={id})", NULL, rows[i].id, rows[i].length);

        assert_string_equal(filter, rows[i].expected);
        assert_null(ldap_filter_check(filter, false));
        free(filter);
    }
}

/* Whatever the byte: the result is one filter, and no byte of it is special. */
static void every_byte_stays_a_value(void **state)
{
    int byte;

    (void)state;
    for (byte = 0; byte < 256; byte++) {
        char id[3] = {'a', (char)byte, 'b'};
        char *filter = fill("(&(o=x)(uid={id}))", NULL, id, sizeof id);

        assert_null(ldap_filter_check(filter, false));
        assert_null(strchr(filter, '*'));
        assert_int_equal(strspn(filter + strlen("(&(o=x)(uid="), "\\abcdefghijklmnopqrstuvwxyz"
                                                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                                 "0123456789-._@"),
                         strlen(filter) - strlen("(&(o=x)(uid=))") + 0);
        free(filter);
    }
}

static void templates_are_filled(void **state)
{
    char *filter = fill("(|(uid={id})(mail={id}@x))", "(!(o=y))", "a*", 2);

    (void)state;
    assert_string_equal(filter, "(&(|(uid=a\\2a)(mail=a\\2a@x))(!(o=y)))");
    free(filter);
}

static void good_templates(void **state)
{
    static const char *const good[] = {
        "(uid={id})",
        "(&(objectClass=inetOrgPerson)(uid={id}))",
        "(& (objectClass=person) (| (uid={id}) (mail={id}) ) )",
        "(!(uid={id}))",
        "(uid~={id})",
        "(uid>={id})",
        "(uid:caseExactMatch:={id})",
        "(cn:dn:2.5.13.5:={id})",
        "(&(uid={id})(userAccountControl:1.2.840.113556.1.4.803:=2))",
        "(&(uid={id})(cn=\\28\\29\\2a\\5c))",
        "(&(uid={id})(cn=*a*b*)(o=*))",
        "(cn;lang-de={id})",
        "(uid=prefix-{id}-suffix)",
        "(&(uid={id})(cn=J\xc3\xbcrgen, und so = weiter))",
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(good); i++)
        if (ldap_filter_check(good[i], true) != NULL)
            fail_msg("%s: %s", good[i], ldap_filter_check(good[i], true));
}

static void bad_templates(void **state)
{
    static const char *const bad[] = {
        "",
        "uid={id}",
        "(uid={id}",
        "(uid={id}))",
        "(uid={id})(o=x)",
        "((uid={id}))",
        "(uid=x)",
        "({id}=x)",
        "(uid{id}=x)",
        "(={id})",
        "(uid={ID})",
        "(uid={id)",
        "(uid=\\{id})",
        "(uid=\\2{id})",
        "(uid={id}\\)",
        "(uid=({id}))",
        "(&(uid={id})",
        "(&(uid={id})x)",
        "(!(uid={id})(o=x))",
        "(uid {id})",
        "(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(uid={id}))))))))))))))))))",
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(bad); i++)
        if (ldap_filter_check(bad[i], true) == NULL)
            fail_msg("%s is taken for good", bad[i]);
    assert_null(ldap_filter_check("(!(o=x))", false));
    assert_non_null(ldap_filter_check("(uid={id})", false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_escaped),      cmocka_unit_test(every_byte_stays_a_value),
        cmocka_unit_test(templates_are_filled), cmocka_unit_test(good_templates),
        cmocka_unit_test(bad_templates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
