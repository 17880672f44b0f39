/* SPDX-License-Identifier: MIT
 * This file has all of libldap and liblber.
 *
 * What libldap 2.5 does, and what follows for the order of things here:
 * - TLS options of a session count from LDAP_OPT_X_TLS_NEWCTX on; without it, or when it
 *   fails, those of the process do, and any certificate might pass.
 * - A handshake with a silent server ends only with LDAP_OPT_CONNECT_ASYNC.
 * - A layer of a connection that could not be made for want of memory stays in its list,
 *   and ends the process when it is used or taken away. */
#include "tls.h"

#include "ber.h"
#include "base/clock.h"
#include "base/file.h"
#include "code.h"

#include <errno.h>
#include <lber.h>
#include <ldap.h>
#include <openldap.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_MAX (16 * 1024 * 1024) /* bytes of one message of the server */
#define NEEDED      100000             /* bytes that a new session may take */
#define READ_AHEAD  16384              /* bytes, as libldap has it */

struct ldap_tls {
    LDAP *session;
    Sockbuf *socket;          /* of the session, with all its layers */
    BerElement *coming, *out; /* messages in the middle of being moved; or NULL */
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

void ldap_tls_prepare(void)
{
    pthread_once(&prepared, prepare);
}

/* The log costs time, so it is on only during handshakes. */
static void trace(int more)
{
    pthread_mutex_lock(&tracing);
    handshakes += more;
    const int level = handshakes > 0 ? TRACE : SILENT;
    ldap_set_option(NULL, LDAP_OPT_DEBUG_LEVEL, &level);
    pthread_mutex_unlock(&tracing);
}

/* ---- Sessions ---- */

/* libldap asserts on memory that it did not get: ask for it first. */
static bool has_memory(void)
{
    void *room = malloc(NEEDED);
    free(room);
    return room != NULL;
}

static bool set_up(struct ldap_tls *tls)
{
    ber_len_t most = MESSAGE_MAX, ahead = READ_AHEAD;
    LDAP *session = tls->session;
    return ldap_set_option(session, LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_ON) == LDAP_SUCCESS &&
           ldap_get_option(session, LDAP_OPT_SOCKBUF, &tls->socket) == LDAP_SUCCESS &&
           ber_sockbuf_ctrl(tls->socket, LBER_SB_OPT_HAS_IO, &ber_sockbuf_io_tcp) == 1 &&
           ber_sockbuf_ctrl(tls->socket, LBER_SB_OPT_SET_MAX_INCOMING, &most) == 1 &&
           /* entry and result in one read() instead of four */
           ber_sockbuf_add_io(tls->socket, &ber_sockbuf_io_readahead, LBER_SBIOD_LEVEL_PROVIDER,
                              &ahead) == 0 &&
           /* which does not say whether it got its buffer, and asserts on it: this does */
           ber_sockbuf_ctrl(tls->socket, LBER_SB_OPT_SET_READAHEAD, &ahead) >= 0;
}

/* A session on the socket, which it takes over. */
static struct ldap_tls *new_session(int fd, const struct ldap_uri *uri)
{
    struct ldap_tls *tls = has_memory() ? calloc(1, sizeof *tls) : NULL;
    if (tls && ldap_init_fd(fd, LDAP_PROTO_TCP, uri->text, &tls->session) == LDAP_SUCCESS &&
        set_up(tls))
        return tls;
    close(fd); /* a session that is not whole cannot be freed, see above */
    free(tls);
    return NULL;
}

/* Every option is set, so that no ldap.conf or .ldaprc decides.  NEWCTX comes last. */
static bool set_options(LDAP *session, const struct ldap_settings *settings, const char *ca_file,
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
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (ldap_set_option(session, options[i].name, options[i].value) != LDAP_OPT_SUCCESS) {
            ldap_fault_set(fault, VERDICT_UNTRUSTED, "cannot use these files for TLS: %s",
                           *tls_note ? tls_note : "libldap does not say why");
            return false;
        }
    return true;
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
    if (!clock_left_ms(deadline) || code == LDAP_TIMEOUT || code == LDAP_X_CONNECTING)
        ldap_fault_set(fault, VERDICT_LATE, "TLS handshake: no answer in time");
    else
        ldap_code_handshake(*tls_note ? tls_note : ldap_err2string(code), fault);
    return false;
}

struct ldap_tls *ldap_tls_start(int fd, const struct ldap_uri *uri,
                                const struct ldap_settings *settings, int64_t deadline,
                                struct ldap_fault *fault)
{
    const char *ca_file = settings->ca_file ? settings->ca_file : file_system_certificates();
    if (settings->tls_verify && !ca_file) {
        close(fd);
        ldap_fault_set(fault, VERDICT_UNTRUSTED,
                       "this system has no file of certificate authorities: set \"ca_file\"");
        return NULL;
    }
    ldap_tls_prepare();
    struct ldap_tls *tls = new_session(fd, uri);
    if (!tls) {
        ldap_fault_set(fault, VERDICT_BUSY, "out of memory");
        return NULL;
    }
    *tls_note = '\0';
    trace(1);
    bool good = set_options(tls->session, settings, ca_file, fault) &&
                shake_hands(tls->session, deadline, fault);
    trace(-1);
    if (good)
        return tls;
    ldap_tls_free(tls);
    return NULL;
}

void ldap_tls_free(struct ldap_tls *tls)
{
    if (!tls)
        return;
    ber_free(tls->coming, 1);
    ber_free(tls->out, 1);
    errno = 0; /* else liblber takes a stale EINTR for its own, and never stops retrying */
    ldap_unbind_ext(tls->session, NULL, NULL);
    free(tls);
}

/* ---- Messages ---- */

bool ldap_tls_send(struct ldap_tls *tls, struct span message)
{
    struct berval copy;
    if (!tls->out) {
        tls->out = ber_alloc_t(LBER_USE_DER);
        if (!tls->out || ber_write(tls->out, message.data, message.length, 0) < 0) {
            errno = ENOMEM;
            return false;
        }
    }
    errno = 0;
    if (ber_flush2(tls->socket, tls->out, LBER_FLUSH_FREE_NEVER) != 0)
        return false;
    if (ber_flatten2(tls->out, &copy, 0) == 0)
        explicit_bzero(copy.bv_val, copy.bv_len); /* a password may be in it */
    ber_free(tls->out, 1);
    tls->out = NULL;
    return true;
}

bool ldap_tls_receive(struct ldap_tls *tls, struct bytes *in)
{
    ber_len_t length = 0;
    if (!tls->coming)
        tls->coming = ber_alloc_t(0);
    errno = tls->coming ? 0 : ENOMEM;
    ber_tag_t tag = tls->coming ? ber_get_next(tls->socket, &length, tls->coming) : LBER_DEFAULT;
    if (tag == LBER_DEFAULT)
        return false;
    char *room = bytes_reserve(in, length);
    bool good =
        room && tag == BER_SEQUENCE && ber_read(tls->coming, room, length) == (ber_slen_t)length;
    errno = !room ? ENOMEM : EBADMSG;
    if (good)
        in->length += length;
    ber_free(tls->coming, 1);
    tls->coming = NULL;
    return good;
}

bool ldap_tls_has_data(const struct ldap_tls *tls)
{
    return ber_sockbuf_ctrl(tls->socket, LBER_SB_OPT_DATA_READY, NULL) == 1;
}
