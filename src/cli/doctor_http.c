/* SPDX-License-Identifier: MIT
 * One HTTP request: over a socket, or for https by curl(1).  No signal is handled here, so none
 * interrupts a call. */
#include "doctor_private.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, ANSWER_MAX = 256 * 1024 };

/* Waits until a descriptor is ready.  False: the deadline has passed. */
static bool wait_for(int fd, short events, int64_t deadline)
{
    struct pollfd poller = {.fd = fd, .events = events};
    return poll(&poller, 1, (int)clock_left_ms(deadline)) > 0;
}

static bool read_answer(int fd, int64_t deadline, struct bytes *out)
{
    while (out->length < ANSWER_MAX) {
        char *room = bytes_reserve(out, 4096);
        if (!room)
            return true;
        if (!wait_for(fd, POLLIN, deadline))
            return false;
        ssize_t count = read(fd, room, 4096);
        if (count <= 0)
            break;
        out->length += (size_t)count;
    }
    return true;
}

/* ---- http ---- */

/* A connection; -1: *transport_r says why not. */
static int connect_to(const char *host, const char *port, int64_t deadline,
                      enum doctor_transport *transport_r)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int fd = -1;
    *transport_r = DOCTOR_NO_HOST;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return -1;
    *transport_r = DOCTOR_NO_CONNECT;
    for (const struct addrinfo *to = found; to; to = to->ai_next) {
        int error = ETIMEDOUT;
        socklen_t length = sizeof error;
        fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
            continue;
        if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
            break;
        bool begun = errno == EINPROGRESS, ready = begun && wait_for(fd, POLLOUT, deadline);
        if (begun && !ready)
            *transport_r = DOCTOR_TIMEOUT;
        if (ready)
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
        if (error == 0)
            break;
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

/* http://HOST[:PORT]PATH, HOST perhaps in brackets (RFC 3986, section 3.2.2). */
struct parts {
    char host[256], port[8];
    struct span authority, path;
};

static bool split_url(const char *url, struct parts *parts_r)
{
    const char *authority = url + strlen("http://");
    size_t length = strcspn(authority, "/");
    parts_r->authority = (struct span){authority, length};
    parts_r->path = span_of(authority + length);
    bool brackets = *authority == '[';
    const char *end = brackets ? memchr(authority, ']', length) : NULL;
    const char *from = end ? end : authority;
    const char *colon = memchr(from, ':', length - (size_t)(from - authority));
    size_t host_length = brackets ? (end ? (size_t)(end - authority) - 1 : 0)
                                  : (colon ? (size_t)(colon - authority) : length);
    size_t port_length = colon ? length - (size_t)(colon + 1 - authority) : 0;
    if (host_length == 0 || host_length >= sizeof parts_r->host ||
        port_length >= sizeof parts_r->port || memchr(authority, '@', length))
        return false;
    snprintf(parts_r->host, sizeof parts_r->host, "%.*s", (int)host_length, authority + brackets);
    snprintf(parts_r->port, sizeof parts_r->port, "%.*s", port_length ? (int)port_length : 2,
             port_length ? colon + 1 : "80");
    return true;
}

/* `quoted`: as curl's files of options want them. */
static void add_headers(struct bytes *out, const struct doctor_headers *headers, bool quoted)
{
    for (size_t i = 0; i < sizeof headers->lines / sizeof *headers->lines; i++) {
        struct span line = bytes_span(&headers->lines[i]);
        if (!line.length)
            continue;
        bytes_add_string(out, quoted ? "header = " : "");
        if (quoted)
            bytes_add_quoted(out, line);
        else
            bytes_add_span(out, line);
        bytes_add_string(out, quoted ? "\n" : "\r\n");
    }
}

static enum doctor_transport post_plain(const char *url, const struct doctor_headers *headers,
                                        struct bytes *text_r)
{
    struct parts parts;
    struct bytes request = {0};
    enum doctor_transport transport;
    const int64_t deadline = clock_monotonic_ms() + PATIENCE_MS;
    if (!split_url(url, &parts))
        return DOCTOR_BAD_URL;
    int fd = connect_to(parts.host, parts.port, deadline, &transport);
    if (fd < 0)
        return transport;
    bytes_addf(&request, "POST %s HTTP/1.0\r\nHost: %.*s\r\n", parts.path.data,
               (int)parts.authority.length, parts.authority.data);
    add_headers(&request, headers, false);
    bytes_add_string(&request, "Content-Type: application/json\r\nContent-Length: 2\r\n"
                               "User-Agent: memberchat-doctor/" PACKAGE_VERSION "\r\n\r\n{}");
    transport = DOCTOR_ANSWERED;
    if (request.failed)
        transport = DOCTOR_NO_MEMORY;
    else if (!file_write_all(fd, bytes_span(&request)))
        transport = DOCTOR_NOT_HTTP;
    else if (!read_answer(fd, deadline, text_r))
        transport = DOCTOR_TIMEOUT;
    bytes_free(&request);
    close(fd);
    return transport;
}

/* ---- https ---- */

/* curl's exit codes that have a meaning here (curl(1)). */
static enum doctor_transport transport_of(int status)
{
    static const struct {
        int code;
        enum doctor_transport transport;
    } codes[] = {
        {0, DOCTOR_ANSWERED}, {3, DOCTOR_BAD_URL}, {6, DOCTOR_NO_HOST}, {7, DOCTOR_NO_CONNECT},
        {28, DOCTOR_TIMEOUT}, {35, DOCTOR_TLS},    {51, DOCTOR_TLS},    {58, DOCTOR_TLS},
        {60, DOCTOR_TLS},     {77, DOCTOR_TLS},    {83, DOCTOR_TLS},    {127, DOCTOR_NO_CURL},
    };
    if (!WIFEXITED(status))
        return DOCTOR_NOT_HTTP;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == WEXITSTATUS(status))
            return codes[i].transport;
    return DOCTOR_NOT_HTTP;
}

static _Noreturn void run_curl(const char *url, int input, int output)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0 || dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(nowhere, STDERR_FILENO) < 0)
        _exit(126);
    execlp("curl", "curl", "-q", "-g", "-s", "-i", "-K", "-", "--max-time", "10", "--data", "{}",
           "-H", "Content-Type: application/json", "-H", "Expect:", "--url", url, (char *)NULL);
    _exit(127);
}

static void close_end(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* The secret goes through a pipe: others can see arguments. */
static enum doctor_transport post_curl(const char *url, const struct doctor_headers *headers,
                                       struct bytes *text_r)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, status = 0;
    struct bytes options = {0};
    add_headers(&options, headers, true);
    bool ready = !options.failed && pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0;
    pid_t child = ready ? fork() : -1;
    if (child == 0)
        run_curl(url, in[0], out[1]);
    close_end(in[0]);
    close_end(out[1]);
    /* curl may end before it reads: then its exit status tells why */
    bool written = child > 0 && file_write_all(in[1], bytes_span(&options));
    close_end(in[1]);
    if (child > 0)
        read_answer(out[0], clock_monotonic_ms() + 2 * PATIENCE_MS, text_r);
    close_end(out[0]);
    bytes_free(&options);
    if (child < 0)
        return DOCTOR_NO_MEMORY;
    waitpid(child, &status, 0);
    if (text_r->length >= ANSWER_MAX) /* curl could not write the rest */
        return DOCTOR_ANSWERED;
    enum doctor_transport transport = transport_of(status);
    return transport == DOCTOR_ANSWERED && !written ? DOCTOR_NOT_HTTP : transport;
}

enum doctor_transport doctor_post(const char *url, const struct doctor_headers *headers,
                                  struct doctor_answer *answer_r)
{
    *answer_r = (struct doctor_answer){0};
    bool plain = strncasecmp(url, "http://", 7) == 0;
    if ((!plain && strncasecmp(url, "https://", 8) != 0) || strpbrk(url, " \t\r\n\"\\?#"))
        return DOCTOR_BAD_URL;
    enum doctor_transport transport = plain ? post_plain(url, headers, &answer_r->text)
                                            : post_curl(url, headers, &answer_r->text);
    if (transport == DOCTOR_ANSWERED && answer_r->text.failed)
        return DOCTOR_NO_MEMORY;
    if (transport == DOCTOR_ANSWERED && !doctor_answer_read(answer_r))
        return DOCTOR_NOT_HTTP;
    return transport;
}
