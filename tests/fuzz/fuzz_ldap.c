/* SPDX-License-Identifier: MIT
 * The LDAP store: a first line that is a filter, a URI, a referral or a DN, and an id
 * behind it, which must stay a value whatever is in it; and all of it as an answer. */
#include "fuzz.h"

#include "base/srv.h"
#include "plugins/ldap/dn.h"
#include "plugins/ldap/entry.h"
#include "plugins/ldap/id.h"
#include "plugins/ldap/message.h"
#include "plugins/ldap/referral.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char fuzz_corpus[] = "ldap";

/* How many elements there are, each whole, and none deeper than a filter may be. */
static size_t count_elements(struct span bytes, int depth)
{
    struct span content;
    size_t count = 0;
    int tag;
    must(depth < 40);
    while (bytes.length) {
        must(ldap_ber_take(&bytes, &tag, &content));
        count += 1 + (tag & BER_CONSTRUCTED ? count_elements(content, depth + 1) : 0);
    }
    return count;
}

/* Whatever the id: the filter has the same parts. */
static void fill(const char *filter, struct span id)
{
    const struct ldap_terms plain = {.id = {"a", 1}, .dn = {"b", 1}}, terms = {.id = id};
    struct bytes one = {0}, other = {0};
    struct ldap_claims claims;
    ldap_filter_write(filter, &plain, &one);
    ldap_filter_write(filter, &terms, &other);
    must(count_elements(bytes_span(&one), 0) == count_elements(bytes_span(&other), 0));
    ldap_filter_claims(filter, &claims);
    must(claims.count <= LDAP_CLAIMS_MAX);
    bytes_free(&one);
    bytes_free(&other);
}

/* An answer of a server that means us no good. */
static void read_answer(struct span bytes)
{
    static const char *const names[] = {"cn"}, *const values[] = {"mail"};
    const struct ldap_settings settings = {.filter = "(|(uid={id})(cn=x{id}))",
                                           .id_attribute = "uid",
                                           .name_attribute = {names, 1},
                                           .attributes = {names, values, 1}};
    const struct ldap_terms terms = {.id = {"a", 1}};
    struct ldap_message message;
    struct ldap_result result;
    struct ldap_mapping mapping;
    struct ldap_entry entry;
    struct ldap_referrals referrals = {0};
    struct memberchat_services services = {.size = 0};
    struct reason why;
    if (!ldap_message_read(bytes, &message))
        return;
    if (ldap_message_result(message.content, &result))
        ldap_referrals_add(&referrals, result.urls);
    must(ldap_mapping_init(&mapping, &settings, &services, &why));
    ldap_entry_read(&mapping, &terms, message.content, &entry);
    ldap_entry_free(&entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
    size_t length = newline ? (size_t)(newline - data) : size;
    struct span id = {newline ? (const char *)newline + 1 : "", newline ? size - length - 1 : 0};
    struct ldap_referral referral;
    struct ldap_uri uri, again;
    struct bytes value = {0};
    struct srv srv;
    char guid[LDAP_GUID_BYTES], text[LDAP_GUID_TEXT];
    const char *why;
    char *line = calloc(1, length + 1);
    must(line);
    memcpy(line, data, length);
    /* an id may have any length here: the host's limit is not this code's */
    if (ldap_filter_check(line, LDAP_PLACE_ID, &why))
        fill(line, id);
    if (ldap_uri_parse(line, &uri, &why)) {
        must(ldap_uri_parse(uri.text, &again, &why));
        must(strcmp(uri.text, again.text) == 0 && strcmp(uri.host, again.host) == 0);
    }
    if (ldap_referral_parse(line, &referral, &why))
        must(referral.scope >= -1 && referral.scope <= 2);
    ldap_dn_value((struct span){line, length}, "cn", &value);
    must(value.length <= length);
    bytes_free(&value);
    must(ldap_id_same(id, id));
    if (srv_parse(data, size, &srv)) {
        must(srv.count <= SRV_MAX && srv.life > 0 && srv.life <= SRV_LIFE_MAX);
        for (size_t i = 0; i < srv.count; i++)
            must(*srv.targets[i].host && srv.targets[i].port);
    }
    if (ldap_guid_parse(id, guid)) {
        must(ldap_guid_format((struct span){guid, sizeof guid}, text));
        must(strncasecmp(text, id.data, sizeof text) == 0);
    }
    read_answer((struct span){(const char *)data, size});
    free(line);
    return 0;
}
