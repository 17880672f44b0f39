/* SPDX-License-Identifier: MIT
 * This file has all of libldap and liblber: the former makes the connection and its TLS,
 * the latter moves messages over it.
 *
 * What libldap 2.5 does, and what follows for the order of things here:
 * - TLS options of a handle count from LDAP_OPT_X_TLS_NEWCTX on; without it, or when it
 *   fails, those of the process do, and any certificate might pass.
 * - A handshake with a silent server ends only with LDAP_OPT_CONNECT_ASYNC.
 * - ldap_init_fd() does not notice that a layer of the connection could not be made for
 *   want of memory; the first read or write would end the process. */
#include "handle.h"

#include "base/clock.h"
#include "code.h"
#include "trust.h"

#include <errno.h>
#include <lber.h>
#include <ldap.h>
#include <openldap.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_MAX   (16 * 1024 * 1024) /* bytes of one message of the server */
#define BUFFER_MAX    65536              /* a larger one is not kept for the next message */
#define OUT_OF_MEMORY "out of memory"

struct ldap_handle {
    LDAP *session;
    Sockbuf *socket; /* the session's, with all its layers */
    int fd;
    int32_t last_id;
    struct bytes out, in; /* a request, and the message that came last */
};

/* ---- What libldap has to say about TLS: only its debug log knows ---- */

enum { SILENT = 0, TRACE = 1 }; /* levels of that log */

static _Thread_local char tls_note[160] __attribute__((tls_model("initial-exec")));
static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static pthread_mutex_t tracing = PTHREAD_MUTEX_INITIALIZER; /* guards handshakes */
static int handshakes;                                      /* under way: the log is on */

static void keep_note(const char *message)
{
    if (!*tls_note && strncmp(message, "TLS: ", 5) == 0)
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

/* The log costs time, so it is on only while a handshake needs it. */
static void trace(int more)
{
    pthread_mutex_lock(&tracing);
    handshakes += more;
    const int level = handshakes > 0 ? TRACE : SILENT;
    ldap_set_option(NULL, LDAP_OPT_DEBUG_LEVEL, &level);
    pthread_mutex_unlock(&tracing);
}

/* ---- Messages ---- */

/* A result code in the server's own words, and Active Directory's numbers in ours. */
static bool note_code(struct ldap_fault *fault, const char *what, int code, struct span words)
{
    if (code == LDAP_SUCCESS) {
        fault->verdict = VERDICT_GOOD;
        return true;
    }
    const char *account = ldap_code_account(words);
    while (words.length &&
           (words.data[words.length - 1] == '\0' || words.data[words.length - 1] == '\n'))
        words.length--;
    ldap_fault_set(fault, ldap_code_verdict(code), "%s: %s%s%s%s%.*s", what, account ? account : "",
                   account ? ": " : "", ldap_err2string(code), words.length ? ": " : "",
                   (int)words.length, words.length ? words.data : "");
    return false;
}

static bool lose(struct ldap_fault *fault, const char *what, const char *why)
{
    ldap_fault_set(fault, VERDICT_LOST, "%s: %s", what, why);
    return false;
}

/* After a read or write that could not do all: waits until another one may.  False: with
 * the fault. */
static bool await(const struct ldap_handle *handle, short events, const char *what,
                  int64_t deadline, struct ldap_fault *fault)
{
    int error = errno, ready = 0;
    int64_t left = clock_left_ms(deadline);
    struct pollfd waiting = {.fd = handle->fd, .events = events};
    if (error != EAGAIN && error != EWOULDBLOCK && error != EINTR)
        return lose(fault, what, error ? strerror(error) : "the server closed the connection");
    if (left)
        ready = poll(&waiting, 1, (int)left);
    if (ready > 0 || (ready < 0 && errno == EINTR))
        return true;
    ldap_fault_set(fault, VERDICT_LATE, "%s: no answer in time", what);
    return false;
}

/* Sends what is in handle->out. */
static bool send_request(struct ldap_handle *handle, const char *what, int64_t deadline,
                         struct ldap_fault *fault)
{
    struct span request = bytes_span(&handle->out);
    BerElement *ber = handle->out.failed ? NULL : ber_alloc_t(LBER_USE_DER);
    struct berval copy;
    bool good = ber && ber_write(ber, request.data, request.length, 0) > 0;
    if (!good)
        ldap_fault_set(fault, VERDICT_BUSY, OUT_OF_MEMORY);
    while (good && (errno = 0, ber_flush2(handle->socket, ber, LBER_FLUSH_FREE_NEVER)) != 0)
        good = await(handle, POLLOUT, what, deadline, fault);
    if (ber && ber_flatten2(ber, &copy, 0) == 0)
        explicit_bzero(copy.bv_val, copy.bv_len); /* a password may be in it */
    ber_free(ber, 1);
    bytes_reset(&handle->out);
    return good;
}

/* Reads one message into handle->in.  False: the connection is of no use any more. */
static bool receive(struct ldap_handle *handle, const char *what, int64_t deadline,
                    struct ldap_fault *fault)
{
    BerElement *ber = ber_alloc_t(0);
    ber_tag_t tag = LBER_DEFAULT;
    ber_len_t length = 0;
    bool good = ber || lose(fault, what, OUT_OF_MEMORY);
    if (handle->in.capacity > BUFFER_MAX)
        bytes_free(&handle->in);
    bytes_reset(&handle->in);
    errno = EAGAIN;
    /* the clock counts, too, for a server that never stops sending */
    if (good && (!clock_left_ms(deadline) ||
                 ber_sockbuf_ctrl(handle->socket, LBER_SB_OPT_DATA_READY, NULL) != 1))
        good = await(handle, POLLIN, what, deadline, fault);
    while (good && (errno = 0, tag = ber_get_next(handle->socket, &length, ber)) == LBER_DEFAULT)
        good = await(handle, POLLIN, what, deadline, fault);
    if (good) {
        char *room = bytes_reserve(&handle->in, length);
        if (!room)
            good = lose(fault, what, OUT_OF_MEMORY);
        else if (tag != BER_SEQUENCE || ber_read(ber, room, length) != (ber_slen_t)length)
            good = lose(fault, what, "the answer is damaged");
        else
            handle->in.length = length;
    }
    ber_free(ber, 1);
    return good;
}

/* Reads the next message that answers the last request. */
static bool receive_answer(struct ldap_handle *handle, const char *what, int64_t deadline,
                           struct ldap_message *message_r, struct ldap_fault *fault)
{
    struct ldap_result notice;
    do {
        if (!receive(handle, what, deadline, fault))
            return false;
        if (!ldap_message_read(bytes_span(&handle->in), message_r))
            return lose(fault, what, "the answer is damaged");
        /* RFC 4511, section 4.4.1: notice of disconnection */
        if (message_r->id == 0 && ldap_message_result(message_r->content, &notice)) {
            ldap_fault_set(fault, VERDICT_LOST, "%s: the server ends the connection: %.*s", what,
                           (int)notice.words.length, notice.words.data);
            return false;
        }
    } while (message_r->id != handle->last_id);
    return true;
}

static int32_t next_id(struct ldap_handle *handle)
{
    handle->last_id = handle->last_id % INT32_MAX + 1;
    return handle->last_id;
}

/* Sends a request whose answer is nothing but a result. */
static bool exchange(struct ldap_handle *handle, const char *what, int kind, int64_t deadline,
                     struct ldap_fault *fault)
{
    struct ldap_message message;
    struct ldap_result result;
    if (!send_request(handle, what, deadline, fault) ||
        !receive_answer(handle, what, deadline, &message, fault))
        return false;
    if (message.kind != kind || !ldap_message_result(message.content, &result))
        return lose(fault, what, "the answer is damaged");
    return note_code(fault, what, result.code, result.words);
}

/* ---- Connections ---- */

static bool set_up(struct ldap_handle *handle, Sockbuf_IO *layer)
{
    ber_len_t most = MESSAGE_MAX;
    LDAP *session = handle->session;
    return ldap_set_option(session, LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_ON) == LDAP_SUCCESS &&
           ldap_get_option(session, LDAP_OPT_SOCKBUF, &handle->socket) == LDAP_SUCCESS &&
           ber_sockbuf_ctrl(handle->socket, LBER_SB_OPT_HAS_IO, layer) == 1 &&
           ber_sockbuf_ctrl(handle->socket, LBER_SB_OPT_SET_MAX_INCOMING, &most) == 1 &&
           /* entry and result in one read() instead of four */
           ber_sockbuf_add_io(handle->socket, &ber_sockbuf_io_readahead, LBER_SBIOD_LEVEL_PROVIDER,
                              NULL) == 0;
}

struct ldap_handle *ldap_handle_new(int fd, const struct ldap_uri *uri, struct ldap_fault *fault)
{
    struct ldap_handle *handle = calloc(1, sizeof *handle);
    bool local = uri->scheme == LDAP_SCHEME_LOCAL;
    int code = handle ? ldap_init_fd(fd, local ? LDAP_PROTO_IPC : LDAP_PROTO_TCP, uri->text,
                                     &handle->session)
                      : LDAP_NO_MEMORY;
    if (code != LDAP_SUCCESS) {
        close(fd);
        free(handle);
        note_code(fault, "cannot make a handle", code, SPAN_NONE);
        return NULL;
    }
    handle->fd = fd;
    if (set_up(handle, local ? &ber_sockbuf_io_fd : &ber_sockbuf_io_tcp))
        return handle;
    ldap_fault_set(fault, VERDICT_BUSY, OUT_OF_MEMORY);
    ldap_handle_free(handle);
    return NULL;
}

/* Every option is set, so that no ldap.conf or .ldaprc decides.  NEWCTX comes last. */
static bool set_tls_options(LDAP *session, const struct ldap_settings *settings,
                            const char *ca_file, struct ldap_fault *fault)
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
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (ldap_set_option(session, options[i].name, options[i].value) != LDAP_OPT_SUCCESS) {
            ldap_fault_set(fault, VERDICT_UNTRUSTED, "cannot use these files for TLS: %s",
                           *tls_note ? tls_note : "libldap does not say why");
            return false;
        }
    return true;
}

/* The request and its answer only.  Whatever goes wrong, nothing may follow in clear text. */
static bool ask_for_tls(struct ldap_handle *handle, int64_t deadline, struct ldap_fault *fault)
{
    ldap_message_starttls(&handle->out, next_id(handle));
    if (exchange(handle, "StartTLS", MESSAGE_EXTENDED_DONE, deadline, fault))
        return true;
    if (fault->verdict == VERDICT_WRONG || fault->verdict == VERDICT_REFUSED)
        fault->verdict = VERDICT_UNTRUSTED;
    return false;
}

/* Why there is no TLS: time, a server that went away, or a reason not to trust it. */
static bool shake_hands(LDAP *session, int64_t deadline, struct ldap_fault *fault)
{
    int64_t left = clock_left_ms(deadline);
    struct timeval limit = {.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
    ldap_set_option(session, LDAP_OPT_NETWORK_TIMEOUT, &limit);
    int code = ldap_install_tls(session);
    if (code == LDAP_SUCCESS && ldap_tls_inplace(session))
        return true;
    if (!clock_left_ms(deadline) || ldap_code_verdict(code) == VERDICT_LATE)
        ldap_fault_set(fault, VERDICT_LATE, "TLS handshake: no answer in time");
    else
        ldap_code_handshake(*tls_note ? tls_note : ldap_err2string(code), fault);
    return false;
}

bool ldap_handle_secure(struct ldap_handle *handle, const struct ldap_uri *uri,
                        const struct ldap_settings *settings, int64_t deadline,
                        struct ldap_fault *fault)
{
    const char *ca_file = ldap_trust_file(settings);
    if (settings->tls_verify && !ca_file) {
        ldap_fault_set(fault, VERDICT_UNTRUSTED,
                       "this system has no file of certificate authorities: set \"ca_file\"");
        return false;
    }
    *tls_note = '\0';
    trace(1);
    bool good = set_tls_options(handle->session, settings, ca_file, fault) &&
                (uri->scheme == LDAP_SCHEME_TLS || ask_for_tls(handle, deadline, fault)) &&
                shake_hands(handle->session, deadline, fault);
    trace(-1);
    return good;
}

bool ldap_handle_bind(struct ldap_handle *handle, const char *dn, const struct span *password,
                      int64_t deadline, struct ldap_fault *fault)
{
    ldap_message_bind(&handle->out, next_id(handle), dn, password);
    return exchange(handle, "bind", MESSAGE_BIND_DONE, deadline, fault);
}

bool ldap_handle_is_quiet(const struct ldap_handle *handle)
{
    struct pollfd now = {.fd = handle->fd, .events = POLLIN};
    return poll(&now, 1, 0) == 0;
}

void ldap_handle_free(struct ldap_handle *handle)
{
    ldap_unbind_ext(handle->session, NULL, NULL);
    bytes_free(&handle->out);
    bytes_free(&handle->in);
    free(handle);
}

/* ---- Searching ---- */

void ldap_found_free(struct ldap_found *found)
{
    bytes_free(&found->entries);
}

/* What came, by its result code. */
static void judge(const struct ldap_result *result, const struct ldap_query *query,
                  struct ldap_found *found, struct ldap_fault *fault)
{
    bool full = result->code == LDAP_SIZELIMIT_EXCEEDED && found->count >= (size_t)query->most;
    if (query->referrals)
        ldap_referrals_add(&found->referrals, result->urls);
    note_code(fault, "search", result->code, result->words);
    if (full || (result->code == LDAP_REFERRAL && found->referrals.count > 0))
        fault->verdict = VERDICT_GOOD;
    if (found->entries.failed)
        ldap_fault_set(fault, VERDICT_BUSY, OUT_OF_MEMORY);
}

void ldap_handle_search(struct ldap_handle *handle, const struct ldap_query *query,
                        int64_t deadline, struct ldap_found *found, struct ldap_fault *fault)
{
    struct ldap_message message;
    struct ldap_result result;
    ldap_message_search(&handle->out, next_id(handle), query);
    bool good = send_request(handle, "search", deadline, fault);
    while (good && (good = receive_answer(handle, "search", deadline, &message, fault)) &&
           message.kind != MESSAGE_SEARCH_DONE) {
        if (message.kind == MESSAGE_ENTRY && found->count++ < (size_t)query->most)
            ldap_ber_add(&found->entries, MESSAGE_ENTRY, message.content);
        if (message.kind == MESSAGE_REFERENCE && query->referrals)
            ldap_referrals_add(&found->referrals, message.content);
    }
    if (good && ldap_message_result(message.content, &result))
        judge(&result, query, found, fault);
    else if (good)
        lose(fault, "search", "the answer is damaged");
}
