/* SPDX-License-Identifier: MIT
 * The texts of the LDAP store: a first line that is a filter, a URI or a referral,
 * and an id behind it, which must stay a value whatever is in it. */
#include "fuzz.h"

#include "plugins/ldap/filter.h"
#include "plugins/ldap/referral.h"

#include <stdlib.h>
#include <string.h>

const char fuzz_corpus[] = "ldap";

static size_t count(const char *text, char byte)
{
    size_t found = 0;
    for (; *text; text++)
        found += *text == byte;
    return found;
}

static void fill(const char *filter, const char *id, size_t length)
{
    size_t size = ldap_filter_size(filter, "(!(o=x))", length);
    char *out = malloc(size);
    must(out);
    ldap_filter_fill(filter, "(!(o=x))", id, length, out);
    must(strlen(out) < size);
    must(!ldap_filter_check(out, false));
    must(count(out, '(') == count(filter, '(') + 3 && count(out, ')') == count(filter, ')') + 3);
    must(count(out, '*') == count(filter, '*'));
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
    size_t length = newline ? (size_t)(newline - data) : size;
    struct ldap_referral referral;
    struct ldap_uri uri, again;
    char *line = calloc(1, length + 1);
    must(line);
    memcpy(line, data, length);
    /* an id may have any length here: the host's limit is not this code's */
    if (!ldap_filter_check(line, true))
        fill(line, newline ? (const char *)newline + 1 : "", newline ? size - length - 1 : 0);
    if (!ldap_uri_parse(line, &uri)) {
        must(!ldap_uri_parse(uri.text, &again));
        must(strcmp(uri.text, again.text) == 0 && strcmp(uri.host, again.host) == 0);
        ldap_uri_is_loopback(&uri);
    }
    if (!ldap_referral_parse(line, &referral))
        must(referral.scope >= -1 && referral.scope <= 2);
    free(line);
    return 0;
}
