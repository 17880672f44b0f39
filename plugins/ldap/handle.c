/* SPDX-License-Identifier: MIT */
#include "handle.h"

#include "base/clock.h"
#include "code.h"
#include "tls.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX   (16 * 1024 * 1024) /* bytes of one message of the server */
#define BUFFER_MAX    65536              /* a larger one is not kept for the next message */
#define PIECE         4096
#define OUT_OF_MEMORY "out of memory"
#define DAMAGED       "the answer is damaged"

struct ldap_handle {
    int fd;
    struct ldap_tls *tls; /* NULL: in clear text */
    int32_t last_id;
    struct bytes out, in; /* a request, and what came */
    size_t taken;         /* how much of `in` is the message that came last */
};

/* ---- Faults ---- */

/* A result code in the server's own words, and Active Directory's numbers in ours. */
static bool note_code(struct ldap_fault *fault, const char *what, const struct ldap_result *result)
{
    struct span words = result->words;
    const char *account = ldap_code_account(words);
    fault->verdict = ldap_code_verdict(result->code);
    if (fault->verdict == VERDICT_GOOD)
        return true;
    while (words.length &&
           (words.data[words.length - 1] == '\0' || words.data[words.length - 1] == '\n'))
        words.length--;
    reason_set(&fault->why, "%s: %s%s%s%s%.*s", what, account ? account : "", account ? ": " : "",
               ldap_code_name(result->code), words.length ? ": " : "", (int)words.length,
               words.length ? words.data : "");
    return false;
}

static bool lose(struct ldap_fault *fault, const char *what, const char *why)
{
    ldap_fault_set(fault, VERDICT_LOST, "%s: %s", what, why);
    return false;
}

/* After a partial read or write: waits until the socket is ready again.  False: with the fault. */
static bool await(const struct ldap_handle *handle, short events, const char *what,
                  int64_t deadline, struct ldap_fault *fault)
{
    int error = errno, ready = 0;
    int64_t left = clock_left_ms(deadline);
    struct pollfd waiting = {.fd = handle->fd, .events = events};
    if (error == EBADMSG)
        return lose(fault, what, DAMAGED);
    if (error != EAGAIN && error != EWOULDBLOCK && error != EINTR)
        return lose(fault, what, error ? strerror(error) : "the server closed the connection");
    /* what libldap has read ahead is not in the socket any more */
    if (left && events == POLLIN && handle->tls && ldap_tls_has_data(handle->tls))
        return true;
    if (left)
        ready = poll(&waiting, 1, (int)left);
    if (ready > 0 || (ready < 0 && errno == EINTR))
        return true;
    ldap_fault_set(fault, VERDICT_LATE, "%s: no answer in time", what);
    return false;
}

/* ---- Messages ---- */

/* Sends what is left of a request.  False: as ldap_tls_send(). */
static bool send_some(const struct ldap_handle *handle, struct span *rest)
{
    if (handle->tls)
        return ldap_tls_send(handle->tls, *rest);
    ssize_t sent = send(handle->fd, rest->data, rest->length, MSG_NOSIGNAL);
    if (sent < 0)
        return false;
    *rest = (struct span){rest->data + sent, rest->length - (size_t)sent};
    errno = EAGAIN;
    return rest->length == 0;
}

/* Sends what is in handle->out. */
static bool send_request(struct ldap_handle *handle, const char *what, int64_t deadline,
                         struct ldap_fault *fault)
{
    struct span rest = bytes_span(&handle->out);
    bool good = !handle->out.failed;
    if (!good)
        ldap_fault_set(fault, VERDICT_BUSY, OUT_OF_MEMORY);
    while (good && !send_some(handle, &rest))
        good = await(handle, POLLOUT, what, deadline, fault);
    bytes_reset(&handle->out);
    return good;
}

/* Reads until a whole message is in handle->in, in clear text.  False: as
 * ldap_tls_receive(). */
static bool read_some(struct ldap_handle *handle)
{
    struct bytes *in = &handle->in;
    size_t head, size = 0;
    for (;;) {
        errno = EBADMSG;
        if (!ldap_ber_size(bytes_span(in), &head, &size) || size > MESSAGE_MAX)
            return false;
        if (size && size <= in->length) {
            handle->taken = size;
            return in->data[0] == BER_SEQUENCE;
        }
        size_t missing = size > in->length + PIECE ? size - in->length : PIECE;
        char *room = bytes_reserve(in, missing);
        errno = ENOMEM;
        ssize_t got = room ? recv(handle->fd, room, missing, 0) : -1;
        if (got <= 0) {
            errno = got == 0 ? 0 : errno;
            return false;
        }
        in->length += (size_t)got;
    }
}

/* Drops the message that was read, and keeps what came behind it. */
static void drop_message(struct ldap_handle *handle)
{
    struct bytes *in = &handle->in;
    size_t rest = in->length - handle->taken;
    if (rest)
        memmove(in->data, in->data + handle->taken, rest);
    else if (in->capacity > BUFFER_MAX)
        bytes_free(in);
    in->length = rest;
    handle->taken = 0;
}

/* Reads one message.  False: the connection cannot be used again. */
static bool receive(struct ldap_handle *handle, const char *what, int64_t deadline,
                    struct span *message_r, struct ldap_fault *fault)
{
    struct span rest;
    bool good = true, ready;
    drop_message(handle);
    ready = handle->tls ? ldap_tls_has_data(handle->tls) : handle->in.length > 0;
    errno = EAGAIN;
    /* a server that never stops sending must not hold us past the deadline */
    if (!ready || !clock_left_ms(deadline))
        good = await(handle, POLLIN, what, deadline, fault);
    while (good && !(handle->tls ? ldap_tls_receive(handle->tls, &handle->in) : read_some(handle)))
        good = await(handle, POLLIN, what, deadline, fault);
    if (!good)
        return false;
    rest = *message_r = bytes_span(&handle->in);
    if (handle->tls)
        handle->taken = rest.length;
    return handle->tls || ldap_ber_take_as(&rest, BER_SEQUENCE, message_r) ||
           lose(fault, what, DAMAGED);
}

/* Reads the next message that answers the last request. */
static bool receive_answer(struct ldap_handle *handle, const char *what, int64_t deadline,
                           struct ldap_message *message_r, struct ldap_fault *fault)
{
    struct ldap_result notice;
    struct span bytes;
    do {
        if (!receive(handle, what, deadline, &bytes, fault))
            return false;
        if (!ldap_message_read(bytes, message_r))
            return lose(fault, what, DAMAGED);
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
        return lose(fault, what, DAMAGED);
    return note_code(fault, what, &result);
}

/* ---- Connections ---- */

struct ldap_handle *ldap_handle_new(int fd, struct ldap_fault *fault)
{
    struct ldap_handle *handle = calloc(1, sizeof *handle);
    if (handle) {
        handle->fd = fd;
    } else {
        close(fd);
        ldap_fault_set(fault, VERDICT_BUSY, OUT_OF_MEMORY);
    }
    return handle;
}

/* Exchanges only the request and its answer.  Whatever goes wrong, nothing more may be sent in
 * clear text, and nothing that came in clear text may count as a later answer. */
static bool ask_for_tls(struct ldap_handle *handle, int64_t deadline, struct ldap_fault *fault)
{
    ldap_message_starttls(&handle->out, next_id(handle));
    if (exchange(handle, "StartTLS", MESSAGE_EXTENDED_DONE, deadline, fault))
        return handle->taken == handle->in.length || lose(fault, "StartTLS", DAMAGED);
    if (fault->verdict == VERDICT_WRONG || fault->verdict == VERDICT_REFUSED)
        fault->verdict = VERDICT_UNTRUSTED;
    return false;
}

bool ldap_handle_secure(struct ldap_handle *handle, const struct ldap_uri *uri,
                        const struct ldap_settings *settings, int64_t deadline,
                        struct ldap_fault *fault)
{
    if (uri->scheme != LDAP_SCHEME_TLS && !ask_for_tls(handle, deadline, fault))
        return false;
    drop_message(handle);
    int fd = handle->fd;
    handle->tls = ldap_tls_start(fd, uri, settings, deadline, fault);
    handle->fd = handle->tls ? fd : -1;
    return handle->tls != NULL;
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
    if (handle->tls) {
        ldap_tls_free(handle->tls);
    } else if (handle->fd >= 0) {
        ldap_message_unbind(&handle->out, next_id(handle));
        struct span good_bye = bytes_span(&handle->out);
        if (good_bye.length)
            send_some(handle, &good_bye);
        close(handle->fd);
    }
    bytes_free(&handle->out);
    bytes_free(&handle->in);
    free(handle);
}

/* ---- Searching ---- */

void ldap_found_free(struct ldap_found *found)
{
    bytes_free(&found->entries);
}

/* Judges what came by its result code. */
static void judge_result(const struct ldap_result *result, const struct ldap_query *query,
                         struct ldap_found *found, struct ldap_fault *fault)
{
    bool full = result->code == LDAP_CODE_SIZE_LIMIT && found->count >= (size_t)query->most;
    found->limited = query->survey && (result->code == LDAP_CODE_SIZE_LIMIT ||
                                       result->code == LDAP_CODE_TIME_LIMIT ||
                                       result->code == LDAP_CODE_ADMIN_LIMIT);
    if (query->referrals)
        ldap_referrals_add(&found->referrals, result->urls);
    note_code(fault, "search", result);
    if (full || found->limited ||
        (result->code == LDAP_CODE_REFERRAL && found->referrals.count > 0))
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
        judge_result(&result, query, found, fault);
    else if (good)
        lose(fault, "search", DAMAGED);
}
