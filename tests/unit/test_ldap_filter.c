/* SPDX-License-Identifier: MIT
 * Search filters as bytes: libldap's own encoder, when it has memory, says the same. */
#include "plugins/ldap/ber.h"
#include "plugins/ldap/filter.h"
#include "support.h"

#include <lber.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ldap_pvt_put_filter(BerElement *ber, const char *text); /* exported, and in no header */

static struct bytes written;

static void write_filter(const char *template, struct span id)
{
    const struct ldap_terms terms = {.id = id, .dn = SPAN("cn=a,dc=b")};
    bytes_free(&written);
    written = (struct bytes){0};
    ldap_filter_write(template, &terms, &written);
    assert_false(written.failed);
}

static void expect_as_libldap(const char *text)
{
    BerElement *ber = ber_alloc_t(LBER_USE_DER);
    struct berval theirs;
    expect(ldap_pvt_put_filter(ber, text) == 0, "libldap refuses %s", text);
    assert_int_equal(ber_flatten2(ber, &theirs, 0), 0);
    expect(written.length == theirs.bv_len &&
               memcmp(written.data, theirs.bv_val, theirs.bv_len) == 0,
           "%s: other bytes than libldap's", text);
    ber_free(ber, 1);
}

static void same_as_libldap(void **state)
{
    static const char *const filters[] = {
        "(uid=m1)",
        "(uid=)",
        "(&(objectClass=inetOrgPerson)(uid=a))",
        "(& (objectClass=person) (| (uid=a) (mail=b) ) )",
        "(&)",
        "(|)",
        "(!(uid=a))",
        "(uid~=a)",
        "(uid>=a)",
        "(uid<=a)",
        "(uid:caseExactMatch:=a)",
        "(cn:dn:2.5.13.5:=a)",
        "(cn:dn:=a)",
        "(cn:=a)",
        "(:2.5.13.5:=a)",
        "(:dn:2.5.13.5:=a)",
        "(&(uid=a)(userAccountControl:1.2.840.113556.1.4.803:=2))",
        "(cn=\\28\\29\\2a\\5c)",
        "(cn=*a*b*)",
        "(cn=a*)",
        "(cn=*a)",
        "(cn=a*b*c)",
        "(cn=*\\2a*)",
        "(o=*)",
        "(cn;lang-de=a)",
        "(cn=J\xc3\xbcrgen, und so = weiter)",
        "(objectGUID=\\00\\ff\\2a)",
    };
    char longer[700] = "(cn=";
    (void)state;
    for (size_t i = 0; i < COUNT(filters); i++) {
        write_filter(filters[i], SPAN_NONE);
        expect_as_libldap(filters[i]);
    }
    for (size_t length = 100; length < 600; length += 1) { /* lengths of one, two, three bytes */
        memset(longer + 4, 'x', length);
        strcpy(longer + 4 + length, ")");
        write_filter(longer, SPAN_NONE);
        expect_as_libldap(longer);
    }
}

/* The template with each byte of the id escaped. */
static char *escaped(const char *template, struct span id)
{
    struct bytes out = {0};
    for (; *template; template ++) {
        if (strncmp(template, "{id}", 4) != 0) {
            bytes_add(&out, template, 1);
            continue;
        }
        for (size_t i = 0; i < id.length; i++)
            bytes_addf(&out, "\\%02x", (unsigned char)id.data[i]);
        template += 3;
    }
    char *text = strdup(bytes_string(&out));
    bytes_free(&out);
    return text;
}

static void ids_are_nothing_but_values(void **state)
{
    static const struct span ids[] = {
        LITERAL("m1"),           LITERAL("*"),       LITERAL("a*"),   LITERAL(")(uid=*"),
        LITERAL("x)(|(uid=*))"), LITERAL("\\"),      LITERAL("\\2a"), LITERAL("a\0b"),
        LITERAL("\0"),           LITERAL("{id}"),    LITERAL("{dn}"), LITERAL(" a "),
        LITERAL("\xff\x80"),     LITERAL("a&b|c!d"),
    };
    static const char *const templates[] = {
        "(uid={id})",   "(&(o=x)(uid={id}))",         "(|(uid={id})(mail={id}@x))", "(uid={id}*)",
        "(uid=*{id}*)", "(uid:caseExactMatch:={id})", "(!(uid=pre-{id}))",          "(uid~={id})"};
    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++)
        for (size_t j = 0; j < COUNT(templates); j++) {
            char *text = escaped(templates[j], ids[i]);
            write_filter(templates[j], ids[i]);
            expect_as_libldap(text);
            free(text);
        }
    for (int byte = 0; byte < 256; byte++) {
        const char id[3] = {'a', (char)byte, 'b'};
        char *text = escaped("(&(o=x)(uid={id}))", (struct span){id, 3});
        write_filter("(&(o=x)(uid={id}))", (struct span){id, 3});
        expect_as_libldap(text);
        free(text);
    }
    write_filter("(member={dn})", SPAN("x"));
    expect_as_libldap("(member=cn=a,dc=b)");
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
    const char *why = NULL;
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        expect(ldap_filter_check(good[i], LDAP_PLACE_ID, &why), "%s: %s", good[i], why);
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
        "(uid:x={id})",
        "(uid>={id}*)",
        "(uid:=*{id})",
        "(uid:a:b:={id})",
        "(:={id})",
        "(uid::={id})",
        "(uid:2.5.13.5:dn:={id})",
        "(uid:dn:2.5.13.5:dn:={id})",
        "(uid:x:>={id})",
        "(&(uid={id})(member={dn}))",
        "(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(uid={id}))))))))))))))))))",
    };
    const char *why;
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        expect(!ldap_filter_check(bad[i], LDAP_PLACE_ID, &why), "%s is taken for good", bad[i]);
        assert_non_null(why);
    }
    assert_true(ldap_filter_check("(!(o=x))", LDAP_PLACE_NONE, &why));
    assert_false(ldap_filter_check("(uid={id})", LDAP_PLACE_NONE, &why));
    assert_true(ldap_filter_check("(member={dn})", LDAP_PLACE_ANY, &why));
}

static void claims(void **state)
{
    static const struct {
        const char *filter, *claims;
    } rows[] = {
        {"(uid={id})", "uid={id} "},
        {"(&(objectClass=person)(|(uid={id})(mail={id}@x)))", "uid={id} mail={id}@x "},
        {"(sAMAccountName:caseExactMatch:={id})", "sAMAccountName={id} "},
        {"(cn;lang-de={id})", "cn;lang-de={id} "},
        {"(&(uid={id})(!(uid={id})))", ""},
        {"(uid={id}*)", ""},
        {"(|(uid={id})(cn=*{id}*))", ""},
        {"(uid~={id})", ""},
        {"(cn:dn:={id})", ""},
        {"(:dn:2.5.13.5:={id})", ""},
        {"(0.9.2342.19200300.100.1.1={id})", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ldap_claims found;
        char text[200] = "";
        ldap_filter_claims(rows[i].filter, &found);
        for (size_t j = 0; j < found.count; j++)
            sprintf(text + strlen(text), "%.*s=%.*s ", (int)found.items[j].attribute.length,
                    found.items[j].attribute.data, (int)found.items[j].value.length,
                    found.items[j].value.data);
        assert_string_equal(text, rows[i].claims);
    }
}

/* Of more alternatives than are noted, none is. */
static void so_many_claims(void **state)
{
    (void)state;
    for (size_t count = LDAP_CLAIMS_MAX; count < LDAP_CLAIMS_MAX + 2; count++) {
        struct ldap_claims found;
        char filter[20 * (LDAP_CLAIMS_MAX + 2)] = "(|";
        for (size_t i = 0; i < count; i++)
            sprintf(filter + strlen(filter), "(a%zu={id})", i);
        strcat(filter, ")");
        ldap_filter_claims(filter, &found);
        assert_int_equal(found.count, count > LDAP_CLAIMS_MAX ? 0 : count);
    }
}

/* Who they are does not matter: presence in the place of a value. */
static void anybody(void **state)
{
    static const struct {
        const char *template, *text;
    } rows[] = {
        {"(uid={id})", "(uid=*)"},
        {"(&(objectClass=person)(|(uid={id})(mail={id}@x)))",
         "(&(objectClass=person)(|(uid=*)(mail=*)))"},
        {"(cn=*{id}*)", "(cn=*)"},
        {"(uid:caseExactMatch:={id})", "(uid=*)"},
        {"(:2.5.13.5:={id})", "(objectClass=*)"},
        {"(cn=a)", "(cn=a)"},
    };
    const struct ldap_terms terms = {.anybody = true};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        bytes_free(&written);
        written = (struct bytes){0};
        ldap_filter_write(rows[i].template, &terms, &written);
        expect_as_libldap(rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_libldap), cmocka_unit_test(ids_are_nothing_but_values),
        cmocka_unit_test(good_templates),  cmocka_unit_test(bad_templates),
        cmocka_unit_test(claims),          cmocka_unit_test(anybody),
        cmocka_unit_test(so_many_claims),
    };
    return cmocka_run_group_tests_name("ldap_filter", tests, NULL, NULL);
}
