/* SPDX-License-Identifier: MIT
 * Origins that a browser can send, and those that would never match. */
#include "settings/origin.h"

#include "support.h"

#define LABEL "https://abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz."

static const struct {
    const char *text;
    bool exact;
} origin_rows[] = {
    {"https://www.example.com", true},
    {"http://localhost:3000", true},
    {"https://example.com:8443", true},
    {"https://example.com:80", true}, /* not the default of this scheme */
    {"http://example.com:443", true},
    {"https://xn--bcher-kva.example", true},
    {"chrome-extension://abcdefgh", true},
    {"http://192.0.2.1", true},
    {"http://192.0.2.1:8080", true},
    {"http://[::1]:3000", true},
    {"http://[2001:db8::1]", true},
    {"http://[2001:db8:0:1:1:1:1:1]", true},
    {"http://[2001:0:0:1::1]", true},
    {"http://[::ffff:c000:201]", true},
    {"http://example.com.", true},
    {"http://[::]", true},
    {"http://[1::]:3000", true},
    {"xttps://example.com:443", true},
    {"http://example.com:-5", false},
    {LABEL LABEL LABEL LABEL "example.com", false},
    {"https://example.com:443", false},
    {"http://example.com:80", false},
    {"http://example.com:0", false},
    {"http://example.com:08080", false},
    {"http://example.com:65536", false},
    {"http://example.com:", false},
    {"http://example.com:x", false},
    {"http://[2001:DB8::1]", false},
    {"http://[2001:db8:0:0:0:0:0:1]", false},
    {"http://[2001:0db8::1]", false},
    {"http://[2001::1:1:0:0:1]", true},
    {"http://[2001:0:0:1:1::1]", false},     /* the first of two equal runs is compressed */
    {"http://[2001:db8::1:1:1:1:1]", false}, /* a single group of zeros is not */
    {"http://[::ffff:192.0.2.1]", false},
    {"http://[::1]x", false},
    {"http://[::1", false},
    {"http://[::1]:80", false},
    {"http://[example.com]", false},
    {"http://192.0.2", false},
    {"http://192.0.2.01", false},
    {"http://3221225985", false},
    {"https://Example.com", false},
    {"HTTPS://example.com", false},
    {"https://example.com/", false},
    {"https://example.com/path", false},
    {"https://user@example.com", false},
    {"https://a, https://b", false},
    {"https://*.example.com", false},
    {"https://b\xc3\xbc"
     "cher.example",
     false},
    {"https://", false},
    {"://example.com", false},
    {"example.com", false},
    {"null", false},
    {"*", false}, /* which the configuration takes, but no browser sends */
    {"", false},
};

static void origins(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(origin_rows); i++)
        expect(origin_is_exact(origin_rows[i].text) == origin_rows[i].exact, "%s",
               origin_rows[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(origins)};
    return cmocka_run_group_tests_name("origin", tests, NULL, NULL);
}
