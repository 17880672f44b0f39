/* SPDX-License-Identifier: MIT
 *
 * ldap_handle.c: see ldap_handle.h.  This file has all of libldap.
 *
 * What libldap 2.5 does, and what follows for the order of things here:
 * - TLS options of a handle count from LDAP_OPT_X_TLS_NEWCTX on; without it, or
 *   when it fails, those of the process do, and any certificate might pass.
 * - A handshake with a silent server ends only with LDAP_OPT_CONNECT_ASYNC.
 * - A handle whose connection broke stays broken.
 */
#include "handle.h"

#include "code.h"
#include "trust.h"

#include <lber.h>
#include <ldap.h>
#include <openldap.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define SIZE_LIMIT  2                  /* more than one is too many already */
#define MESSAGE_MAX (16 * 1024 * 1024) /* bytes of one message of the server */

_Static_assert(LDAP_SCOPE_BASE == 0 && LDAP_SCOPE_ONELEVEL == 1 && LDAP_SCOPE_SUBTREE == 2,
               "the choices of \"scope\" are in this order");

/* ---- What libldap has to say about TLS: only its debug log knows ---- */

enum { SILENT = 0, TRACE = 1 }; /* levels of that log */

static _Thread_local char tls_note[160];
static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static pthread_mutex_t tracing = PTHREAD_MUTEX_INITIALIZER;
static int handshakes; /* under way, for which the log is on */

static void keep_note(const char *message)
{
    if (tls_note[0] == '\0' && strncmp(message, "TLS: ", 5) == 0)
        snprintf(tls_note, sizeof tls_note, "%.*s", (int)strcspn(message + 5, "\n"), message + 5);
}

static void prepare(void)
{
    const int level = SILENT;

    ber_set_option(NULL, LBER_OPT_LOG_PRINT_FN, (void *)(uintptr_t)keep_note);
    ldap_set_option(NULL, LDAP_OPT_DEBUG_LEVEL, &level);
}

void ldap_handle_prepare(void)
{
    pthread_once(&prepared, prepare);
}

/* The log costs time, so it is on only while somebody needs it. */
static void trace(int more)
{
    int level;

    pthread_mutex_lock(&tracing);
    handshakes += more;
    level = handshakes > 0 ? TRACE : SILENT;
    ldap_set_option(NULL, LDAP_OPT_DEBUG_LEVEL, &level);
    pthread_mutex_unlock(&tracing);
}

/* ---- Waiting for answers ---- */

static struct timeval time_left(const struct ldap_watch *watch)
{
    int64_t left = ldap_watch_left(watch);

    return (struct timeval){.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
}

/* A fault of a request or its answer, in libldap's words and the server's own. */
static enum ldap_verdict note_code(struct ldap_fault *fault, const char *what, int code,
                                   const char *words)
{
    bool more = words != NULL && *words != '\0';

    ldap_fault_set(fault, ldap_code_verdict(code), "%s: %s%s%s", what, ldap_err2string(code),
                   more ? ": " : "", more ? words : "");
    return fault->verdict;
}

/* Waits for the answer to a request that was sent.  GOOD: its result code is
 * *code_r, 0 or not, and *words_r the server's words, for ldap_memfree(); and
 * *answer_r, unless it is NULL, all that came, for ldap_msgfree(). */
static enum ldap_verdict await(LDAP *handle, const char *what, int id,
                               const struct ldap_watch *watch, int *code_r, char **words_r,
                               LDAPMessage **answer_r, struct ldap_fault *fault)
{
    struct timeval left = time_left(watch);
    LDAPMessage *answer = NULL;
    int kind = ldap_result(handle, id, LDAP_MSG_ALL, &left, &answer), code = LDAP_OTHER;

    *words_r = NULL;
    if (kind == 0) {
        ldap_abandon_ext(handle, id, NULL, NULL);
        ldap_fault_set(fault, VERDICT_LATE, "%s: no answer in time", what);
        return fault->verdict;
    }
    if (kind > 0)
        kind = ldap_parse_result(handle, answer, &code, NULL, words_r, NULL, NULL, 0);
    else
        ldap_get_option(handle, LDAP_OPT_RESULT_CODE, &kind);
    if (kind == LDAP_SUCCESS && answer_r != NULL)
        *answer_r = answer;
    else
        ldap_msgfree(answer);
    *code_r = code;
    return kind == LDAP_SUCCESS ? VERDICT_GOOD : note_code(fault, what, kind, NULL);
}

/* The same for requests whose answer is nothing but a result. */
static enum ldap_verdict await_success(LDAP *handle, const char *what, int id,
                                       const struct ldap_watch *watch, struct ldap_fault *fault)
{
    char *words;
    int code;
    enum ldap_verdict verdict = await(handle, what, id, watch, &code, &words, NULL, fault);

    if (verdict == VERDICT_GOOD && code != LDAP_SUCCESS)
        verdict = note_code(fault, what, code, words);
    ldap_memfree(words);
    return verdict;
}

/* ---- Connections ---- */

static bool set_up(LDAP *handle)
{
    const int version = LDAP_VERSION3, never = LDAP_DEREF_NEVER;
    ber_len_t most = MESSAGE_MAX;
    Sockbuf *socket;

    return ldap_set_option(handle, LDAP_OPT_PROTOCOL_VERSION, &version) == LDAP_SUCCESS &&
           ldap_set_option(handle, LDAP_OPT_DEREF, &never) == LDAP_SUCCESS &&
           ldap_set_option(handle, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == LDAP_SUCCESS &&
           ldap_set_option(handle, LDAP_OPT_RESTART, LDAP_OPT_ON) == LDAP_SUCCESS &&
           ldap_set_option(handle, LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_ON) == LDAP_SUCCESS &&
           ldap_get_option(handle, LDAP_OPT_SOCKBUF, &socket) == LDAP_SUCCESS &&
           ber_sockbuf_ctrl(socket, LBER_SB_OPT_SET_MAX_INCOMING, &most) == 1 &&
           /* entry and result in one read() instead of four */
           ber_sockbuf_add_io(socket, &ber_sockbuf_io_readahead, LBER_SBIOD_LEVEL_PROVIDER, NULL) ==
               0;
}

struct ldap *ldap_handle_new(int fd, const struct ldap_uri *uri, struct ldap_fault *fault)
{
    LDAP *handle = NULL;
    int protocol = uri->scheme == LDAP_SCHEME_LOCAL ? LDAP_PROTO_IPC : LDAP_PROTO_TCP;
    int code = ldap_init_fd(fd, protocol, uri->text, &handle);

    if (code != LDAP_SUCCESS) {
        close(fd);
        note_code(fault, "cannot make a handle", code, NULL);
        return NULL;
    }
    if (set_up(handle))
        return handle;
    ldap_fault_set(fault, VERDICT_WRONG, "this libldap lacks an option of version 2.5");
    ldap_handle_free(handle);
    return NULL;
}

/* Every option is set, so that no ldap.conf or .ldaprc decides.  NEWCTX comes last. */
static bool set_tls_options(LDAP *handle, const struct ldap_settings *settings, const char *ca_file,
                            struct ldap_fault *fault)
{
    const int verify = settings->tls_verify ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER;
    const int oldest = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2, client = 0;
    const struct {
        int name;
        const void *value;
    } options[] = {
        {LDAP_OPT_X_TLS_REQUIRE_CERT, &verify},
        {LDAP_OPT_X_TLS_PROTOCOL_MIN, &oldest},
        {LDAP_OPT_X_TLS_CACERTDIR, NULL},
        {LDAP_OPT_X_TLS_CACERTFILE, ca_file},
        {LDAP_OPT_X_TLS_CERTFILE, settings->cert_file},
        {LDAP_OPT_X_TLS_KEYFILE, settings->key_file},
        {LDAP_OPT_X_TLS_NEWCTX, &client},
    };
    size_t i;

    for (i = 0; i < sizeof options / sizeof options[0]; i++)
        if (ldap_set_option(handle, options[i].name, options[i].value) != LDAP_OPT_SUCCESS) {
            ldap_fault_set(fault, VERDICT_UNTRUSTED, "cannot use these files for TLS: %s",
                           tls_note[0] != '\0' ? tls_note : "libldap does not say why");
            return false;
        }
    return true;
}

/* The request and its answer only.  Whatever goes wrong, nothing may follow in clear text. */
static bool ask_for_tls(LDAP *handle, const struct ldap_watch *watch, struct ldap_fault *fault)
{
    int id, code = ldap_start_tls(handle, NULL, NULL, &id);

    if (code != LDAP_SUCCESS) {
        note_code(fault, "StartTLS", code, NULL);
        return false;
    }
    if (await_success(handle, "StartTLS", id, watch, fault) == VERDICT_GOOD)
        return true;
    if (fault->verdict == VERDICT_WRONG || fault->verdict == VERDICT_REFUSED)
        fault->verdict = VERDICT_UNTRUSTED;
    return false;
}

/* Why there is no TLS: time, a server that went away, or a reason not to trust it. */
static void note_handshake(const struct ldap_watch *watch, int code, struct ldap_fault *fault)
{
    const char *words = tls_note[0] != '\0' ? tls_note : ldap_err2string(code);

    if (ldap_watch_left(watch) == 0 || ldap_code_verdict(code) == VERDICT_LATE)
        ldap_fault_set(fault, VERDICT_LATE, "TLS handshake: no answer in time");
    else
        ldap_fault_set(fault, ldap_code_handshake(words), "TLS handshake: %s", words);
}

static bool shake_hands(LDAP *handle, const struct ldap_watch *watch, struct ldap_fault *fault)
{
    struct timeval left = time_left(watch);
    int code;

    ldap_set_option(handle, LDAP_OPT_NETWORK_TIMEOUT, &left);
    code = ldap_install_tls(handle);
    if (code == LDAP_SUCCESS && ldap_tls_inplace(handle))
        return true;
    note_handshake(watch, code, fault);
    return false;
}

bool ldap_handle_secure(struct ldap *handle, const struct ldap_uri *uri,
                        const struct ldap_settings *settings, const struct ldap_watch *watch,
                        struct ldap_fault *fault)
{
    const char *ca_file = ldap_trust_file(settings);
    bool good;

    if (settings->tls_verify && ca_file == NULL) {
        ldap_fault_set(fault, VERDICT_UNTRUSTED,
                       "this system has no file of certificate authorities: set \"ca_file\"");
        return false;
    }
    tls_note[0] = '\0';
    trace(1);
    good = set_tls_options(handle, settings, ca_file, fault) &&
           (uri->scheme == LDAP_SCHEME_TLS || ask_for_tls(handle, watch, fault)) &&
           shake_hands(handle, watch, fault);
    trace(-1);
    return good;
}

bool ldap_handle_bind(struct ldap *handle, const char *dn, const struct ldap_text *password,
                      const struct ldap_watch *watch, struct ldap_fault *fault)
{
    struct berval secret = {0, ""}; /* there, and empty: EXTERNAL wants no more than that */
    int id, code;

    if (password != NULL)
        secret = (struct berval){password->length, (char *)(uintptr_t)password->bytes};
    code = ldap_sasl_bind(handle, dn, password != NULL ? LDAP_SASL_SIMPLE : "EXTERNAL", &secret,
                          NULL, NULL, &id);
    if (code != LDAP_SUCCESS)
        return note_code(fault, "bind", code, NULL) == VERDICT_GOOD;
    return await_success(handle, "bind", id, watch, fault) == VERDICT_GOOD;
}

void ldap_handle_free(struct ldap *handle)
{
    ldap_unbind_ext(handle, NULL, NULL);
}

/* ---- What is in the answer to a search ---- */

static struct ldap_text text_of(const struct berval *value)
{
    return (struct ldap_text){value->bv_val, value->bv_len};
}

/* The values of an entry where they lie in the message. */
static bool read_values(LDAP *handle, LDAPMessage *entry, BerElement *ber,
                        const struct ldap_reader *reader)
{
    struct berval attribute, *values, *value;
    int code;

    while ((code = ldap_get_attribute_ber(handle, entry, ber, &attribute, &values)) ==
               LDAP_SUCCESS &&
           attribute.bv_val != NULL) {
        for (value = values; value != NULL && value->bv_val != NULL; value++)
            reader->value(reader->context, text_of(&attribute), text_of(value));
        ber_memfree(values);
    }
    return code == LDAP_SUCCESS;
}

/* The attributes and values of the first part of the entry's name (RFC 4514). */
static LDAPDN read_name(struct berval *dn, const struct ldap_reader *reader)
{
    LDAPDN parts = NULL;
    LDAPAVA **pair;

    if (ldap_bv2dn(dn, &parts, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS || parts == NULL)
        return NULL;
    for (pair = parts[0]; pair != NULL && *pair != NULL; pair++)
        reader->name(reader->context, text_of(&(*pair)->la_attr), text_of(&(*pair)->la_value));
    return parts;
}

static bool read_entry(LDAP *handle, LDAPMessage *entry, const struct ldap_reader *reader)
{
    BerElement *ber = NULL;
    LDAPDN name = NULL;
    struct berval dn;
    bool good;

    if (ldap_get_dn_ber(handle, entry, &ber, &dn) != LDAP_SUCCESS)
        return false;
    good = read_values(handle, entry, ber, reader);
    if (good && reader->wants_name(reader->context))
        name = read_name(&dn, reader);
    if (good)
        reader->done(reader->context);
    ldap_dnfree(name);
    ber_free(ber, 0);
    return good;
}

/* Adds the entries to *found, and reads the entry if it is the only one there.
 * False: what came is damaged. */
static bool read_entries(LDAP *handle, LDAPMessage *answer, const struct ldap_reader *reader,
                         struct ldap_found *found)
{
    LDAPMessage *first = ldap_first_entry(handle, answer), *entry;

    for (entry = first; entry != NULL; entry = ldap_next_entry(handle, entry)) {
        struct berval dn = {0, NULL};
        BerElement *ber = NULL;

        if (found->entries < 2 && ldap_get_dn_ber(handle, entry, &ber, &dn) == LDAP_SUCCESS)
            snprintf(found->dn[found->entries], sizeof found->dn[0], "%.*s", (int)dn.bv_len,
                     dn.bv_val);
        ber_free(ber, 0);
        found->entries++;
    }
    return first == NULL || found->entries > 1 || read_entry(handle, first, reader);
}

/* Of several URLs, all lead to the same: the first counts. */
static void add_referral(struct ldap_found *found, char **urls)
{
    struct ldap_referrals *referrals = &found->referrals;

    if (urls != NULL && urls[0] != NULL) {
        if (referrals->count < LDAP_REFERRALS_MAX)
            snprintf(referrals->urls[referrals->count], sizeof referrals->urls[0], "%s", urls[0]);
        referrals->count++;
    }
    ber_memvfree((void **)urls);
}

/* Adds where else to search: search references, and a referral instead of an answer. */
static void read_referrals(LDAP *handle, LDAPMessage *answer, struct ldap_found *found)
{
    LDAPMessage *reference = ldap_first_reference(handle, answer);
    char **urls = NULL;

    for (; reference != NULL; reference = ldap_next_reference(handle, reference))
        if (ldap_parse_reference(handle, reference, &urls, NULL, 0) == LDAP_SUCCESS)
            add_referral(found, urls);
    urls = NULL;
    if (ldap_parse_result(handle, answer, NULL, NULL, NULL, &urls, NULL, 0) == LDAP_SUCCESS)
        add_referral(found, urls);
}

/* ---- Searching ---- */

/* What came, by its result code. */
static enum ldap_verdict judge(LDAP *handle, LDAPMessage *answer, int code, const char *words,
                               const struct ldap_query *query, const struct ldap_reader *reader,
                               struct ldap_found *found, struct ldap_fault *fault)
{
    bool full = code == LDAP_SIZELIMIT_EXCEEDED;

    if (query->referrals)
        read_referrals(handle, answer, found);
    if (code == LDAP_REFERRAL && found->referrals.count > 0)
        return VERDICT_GOOD;
    if ((code == LDAP_SUCCESS || full) && !read_entries(handle, answer, reader, found))
        code = LDAP_DECODING_ERROR;
    if (code == LDAP_SUCCESS || (full && found->entries > 1))
        return VERDICT_GOOD;
    return note_code(fault, "search", code, words);
}

enum ldap_verdict ldap_handle_search(struct ldap *handle, const struct ldap_query *query,
                                     const struct ldap_watch *watch,
                                     const struct ldap_reader *reader, struct ldap_found *found,
                                     struct ldap_fault *fault)
{
    struct timeval limit = {.tv_sec = (query->timeout + 999) / 1000};
    enum ldap_verdict verdict;
    LDAPMessage *answer = NULL;
    char *words;
    int id, code = ldap_search_ext(handle, query->base, query->scope, query->filter,
                                   (char **)(uintptr_t)query->attributes, 0, NULL, NULL, &limit,
                                   SIZE_LIMIT, &id);

    if (code != LDAP_SUCCESS) {
        verdict = note_code(fault, "search", code, NULL);
        if (verdict == VERDICT_BUSY) /* it could not be sent: half of it may be on its way */
            verdict = fault->verdict = VERDICT_LOST;
        return verdict;
    }
    verdict = await(handle, "search", id, watch, &code, &words, &answer, fault);
    if (verdict == VERDICT_GOOD)
        verdict = judge(handle, answer, code, words, query, reader, found, fault);
    ldap_memfree(words);
    ldap_msgfree(answer);
    return verdict;
}
