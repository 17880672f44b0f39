/* SPDX-License-Identifier: MIT
 * What an LDAP server sends, from the bytes of its connection to the member that the host is told
 * of: the answer to one search for the id "m1". */
#include "fuzz.h"

#include "base/clock.h"
#include "plugins/ldap/entry.h"
#include "plugins/ldap/handle.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char fuzz_corpus[] = "ldap_answer";

enum { MOST = 2, SENT_MAX = 65536 };

static const char *const names[] = {"cn"}, *const values[] = {"mail"};
static const char *const wanted[] = {"uid", "cn", "mail", NULL};
static const struct ldap_settings settings = {.filter = "(|(uid={id})(cn=x{id}))",
                                              .id_attribute = "uid",
                                              .avatar_attribute = "labeledURI",
                                              .role_attribute = "employeeType",
                                              .name_attribute = {names, 1},
                                              .attributes = {names, values, 1}};
static const struct ldap_query query = {.base = "dc=x",
                                        .scope = 2,
                                        .filter = "(|(uid={id})(cn=x{id}))",
                                        .terms = {.id = {"m1", 2}},
                                        .attributes = wanted,
                                        .timeout = 1000,
                                        .most = MOST,
                                        .referrals = true};

/* ---- The host ---- */

struct memberchat_result {
    bool has_id;
};

static bool set(struct memberchat_result *result, enum memberchat_field field, const char *value,
                size_t length)
{
    must(field >= MEMBERCHAT_ID && field <= MEMBERCHAT_ROLE && value && length > 0);
    result->has_id = result->has_id || field == MEMBERCHAT_ID;
    return true;
}

static bool set_attribute(struct memberchat_result *result, const char *name, size_t name_length,
                          const char *value, size_t value_length)
{
    must(result && name_length == strlen(name) && value && value_length > 0);
    return true;
}

static const struct memberchat_services services = {
    .size = sizeof services, .set = set, .set_attribute = set_attribute};

/* ---- What came ---- */

/* Whether the asked id stands in the bytes, blanks and case aside: else nobody may be found. */
static bool names_asked(struct span content)
{
    char *plain = malloc(content.length + 1);
    size_t length = 0;
    must(plain);
    for (size_t i = 0; i < content.length; i++)
        if (content.data[i] != ' ')
            plain[length++] = content.data[i];
    bool found = memmem(plain, length, "m1", 2) || memmem(plain, length, "M1", 2);
    free(plain);
    return found;
}

static void check_entry(struct span content)
{
    struct ldap_mapping mapping;
    struct ldap_entry entry;
    struct memberchat_result result = {0};
    struct reason why;
    const char *fault = NULL;
    must(ldap_mapping_init(&mapping, &settings, &services, &why));
    if (ldap_entry_read(&mapping, &query.terms, content, &entry)) {
        must(entry.claim != CLAIM_HOLDS || names_asked(content));
        must(entry.dn.data >= content.data &&
             entry.dn.data + entry.dn.length <= content.data + content.length);
        enum memberchat_outcome outcome =
            ldap_entry_tell(&entry, &mapping, &services, &result, &fault);
        must(outcome == MEMBERCHAT_FOUND || (outcome == MEMBERCHAT_MISCONFIGURED && fault));
        must((outcome == MEMBERCHAT_FOUND) == result.has_id);
    }
    ldap_entry_free(&entry);
}

static void check_found(const struct ldap_found *found, const struct ldap_fault *fault)
{
    struct span entries = bytes_span(&found->entries), content;
    struct ldap_referral referral;
    const char *wrong;
    size_t kept = 0;
    must(!found->entries.failed && strlen(fault->why.text) < sizeof fault->why.text);
    while (ldap_ber_take_as(&entries, 0x64, &content)) {
        check_entry(content);
        kept++;
    }
    must(entries.length == 0 && kept == (found->count < MOST ? found->count : MOST));
    for (size_t i = 0; i < found->referrals.count && i < LDAP_REFERRALS_MAX; i++)
        if (ldap_referral_parse(found->referrals.urls[i], &referral, &wrong))
            must(referral.scope >= -1 && referral.scope <= 2 && *referral.uri.host);
}

/* Searches, or binds, where these bytes are the answer and the connection ends behind them. */
static void ask(struct span bytes, bool bind)
{
    struct ldap_fault fault = {.verdict = VERDICT_GOOD};
    struct ldap_found found = {.count = 0};
    const int64_t deadline = clock_monotonic_ms() + 1000;
    int ends[2];
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    must(!bytes.length ||
         send(ends[1], bytes.data, bytes.length, MSG_NOSIGNAL) == (ssize_t)bytes.length);
    shutdown(ends[1], SHUT_WR);
    struct ldap_handle *handle = ldap_handle_new(ends[0], &fault);
    must(handle);
    if (bind) {
        const struct span password = {"p", 1};
        bool good = ldap_handle_bind(handle, "cn=x", &password, deadline, &fault);
        must(good == (fault.verdict == VERDICT_GOOD));
        must(!good || memchr(bytes.data, 0x61, bytes.length));
    } else {
        ldap_handle_search(handle, &query, deadline, &found, &fault);
        check_found(&found, &fault);
    }
    must(fault.verdict != VERDICT_LATE);
    ldap_handle_free(handle);
    ldap_found_free(&found);
    close(ends[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = {(const char *)data, size};
    if (size > SENT_MAX)
        return 0;
    ask(bytes, false);
    ask(bytes, true);
    return 0;
}
