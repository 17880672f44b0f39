/* SPDX-License-Identifier: MIT
 * One thread at a time is the writer; the others add their lines to the queue and go on.
 * No lock is held while writing. */
#include "log_sink.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    QUEUE_MAX = 128 * 1024,
    TELL_MAX = 512, /* beyond that, for the line that tells what was lost */
    ROUNDS_MAX = 16 /* after these another thread may be the writer */
};

struct target {
    unsigned users; /* the sink and the writer; the last one closes it */
    int fd;
    bool is_pipe, by_line; /* by_line: a datagram each, to the syslog daemon */
    bool torn;             /* the last line was not written to its end; the writer's */
    char path[];
};

struct queue {
    char data[QUEUE_MAX + TELL_MAX];
    size_t length;
};

static struct target standard_error = {.users = 1, .fd = STDERR_FILENO}; /* never closed */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static struct target *target = &standard_error;
static struct queue queues[2], *incoming = &queues[0];
static unsigned lost;
static bool writing;

static atomic_bool to_syslog;

/* The writer's. */
static struct queue *outgoing = &queues[1];
static size_t written;             /* of it */
static unsigned told;              /* lost lines that it tells of */
static const struct target *begun; /* has the first part of a line */

/* ---- Targets ---- */

static struct target *target_new(int fd, const char *path)
{
    struct stat status;
    struct target *made = fd >= 0 ? calloc(1, sizeof *made + strlen(path) + 1) : NULL;
    if (!made || fstat(fd, &status) != 0) {
        int saved = fd >= 0 && !made ? ENOMEM : errno;
        free(made);
        if (fd >= 0)
            close(fd);
        errno = saved;
        return NULL;
    }
    made->users = 1;
    made->fd = fd;
    made->is_pipe = S_ISFIFO(status.st_mode);
    strcpy(made->path, path);
    return made;
}

/* The caller holds the lock. */
static void target_release(struct target *old)
{
    if (--old->users == 0 && old != &standard_error) {
        close(old->fd);
        free(old);
    }
}

static bool use(struct target *made)
{
    if (!made)
        return false;
    pthread_mutex_lock(&lock);
    target_release(target);
    target = made;
    to_syslog = made->by_line;
    pthread_mutex_unlock(&lock);
    return true;
}

bool sink_use_stderr(void)
{
    pthread_mutex_lock(&lock);
    standard_error.users++;
    pthread_mutex_unlock(&lock);
    return use(&standard_error);
}

/* A FIFO is opened for reading, too: then it can be opened while no process reads it, and keeps
 * its lines while readers come and go. */
static struct target *open_file(const char *path)
{
    const int flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    struct stat status;
    bool is_fifo = stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
    int fd = is_fifo ? open(path, O_RDWR | flags, 0640) : -1;
    if (fd < 0)
        fd = open(path, O_WRONLY | flags, 0640);
    return target_new(fd, path);
}

bool sink_use_file(const char *path)
{
    return use(open_file(path));
}

static bool connect_syslog(const struct target *to)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", to->path);
    return connect(to->fd, (struct sockaddr *)&address, sizeof address) == 0;
}

/* syslog(3) would wait for a daemon that does not read. */
bool sink_use_syslog(const char *socket_path)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct target *made = target_new(fd, socket_path);
    if (!made)
        return false;
    made->by_line = true;
    connect_syslog(made);
    return use(made);
}

bool sink_is_syslog(void)
{
    return to_syslog;
}

bool sink_reopen(void)
{
    pthread_mutex_lock(&lock);
    bool due = target->path[0] && !target->by_line;
    char *path = due ? strdup(target->path) : NULL;
    pthread_mutex_unlock(&lock);
    bool good = !due || (path && use(open_file(path)));
    free(path);
    return good;
}

/* ---- Writing ---- */

enum result { WRITTEN, LATER, REFUSED };

/* The length of the whole lines that are at most `most` bytes long, or of the first line. */
static size_t lines_length(struct span text, size_t most)
{
    if (text.length <= most)
        return text.length;
    const char *end = memrchr(text.data, '\n', most);
    return end ? (size_t)(end - text.data) + 1 : most;
}

static ssize_t send_line(const struct target *to, struct span text)
{
    const char *end = memchr(text.data, '\n', text.length);
    size_t length = end ? (size_t)(end - text.data) : text.length;
    ssize_t sent = send(to->fd, text.data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && (errno == ECONNREFUSED || errno == ENOTCONN || errno == ECONNRESET) &&
        connect_syslog(to))
        sent = send(to->fd, text.data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? -1 : (ssize_t)length + 1;
}

/* Others may have standard error, too, so it stays a descriptor that waits. */
static ssize_t write_stderr(struct span text)
{
    ssize_t count = send(STDERR_FILENO, text.data, text.length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0 || errno != ENOTSOCK)
        return count;
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&ready, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    return write(STDERR_FILENO, text.data, lines_length(text, PIPE_BUF));
}

/* As write(2), but never waits. */
static ssize_t write_now(const struct target *to, struct span text)
{
    if (to == &standard_error)
        return write_stderr(text);
    if (to->by_line)
        return send_line(to, text);
    return write(to->fd, text.data, to->is_pipe ? lines_length(text, PIPE_BUF) : text.length);
}

static struct span rest(void)
{
    return (struct span){outgoing->data + written, outgoing->length - written};
}

/* What is left of a line whose first part went elsewhere. */
static void skip_part(void)
{
    const char *end = memchr(rest().data, '\n', rest().length);
    written = end ? (size_t)(end - outgoing->data) + 1 : outgoing->length;
}

static enum result write_rest(struct target *to)
{
    if (begun && begun != to)
        skip_part();
    if (to->torn && rest().length && write_now(to, (struct span){"\n", 1}) == 1)
        to->torn = false;
    while (written < outgoing->length) {
        ssize_t count = write_now(to, rest());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            bool part = written > 0 && outgoing->data[written - 1] != '\n';
            bool later = errno == EAGAIN || errno == EWOULDBLOCK;
            begun = later && part ? to : NULL;
            to->torn = to->torn || (part && !later);
            return later ? LATER : REFUSED;
        }
        written += (size_t)count;
    }
    begun = NULL;
    return WRITTEN;
}

static unsigned count_lines(struct span text)
{
    unsigned lines = 0;
    for (size_t i = 0; i < text.length; i++)
        lines += text.data[i] == '\n';
    return lines;
}

/* Takes what has come in, and what there is to tell.  The caller holds the lock, and what
 * was taken before is written. */
static void take(sink_tell tell)
{
    struct queue *empty = outgoing;
    outgoing = incoming;
    incoming = empty;
    incoming->length = 0;
    written = 0;
    told = lost;
    char memory[TELL_MAX];
    struct bytes line = bytes_within(memory, sizeof memory);
    if (lost)
        tell(&line, lost);
    if (line.failed)
        told = 0;
    else if (lost)
        memcpy(outgoing->data + outgoing->length, line.data, line.length);
    outgoing->length += told ? line.length : 0;
    lost -= told;
}

/* The caller is the writer, and no longer when this returns: true, if all is written. */
static bool write_out(sink_tell tell)
{
    enum result result = WRITTEN;
    bool all = false;
    for (int round = 0; !all && result != LATER && round < ROUNDS_MAX; round++) {
        pthread_mutex_lock(&lock);
        if (written == outgoing->length)
            take(tell);
        struct target *to = target;
        to->users++;
        pthread_mutex_unlock(&lock);

        result = write_rest(to);

        pthread_mutex_lock(&lock);
        target_release(to);
        if (result == REFUSED) {
            lost += told + count_lines(rest()) - (told ? 1 : 0);
            written = outgoing->length;
        }
        all = written == outgoing->length && incoming->length == 0 &&
              (lost == 0 || result == REFUSED);
        writing = !all && result != LATER && round + 1 < ROUNDS_MAX;
        pthread_mutex_unlock(&lock);
    }
    return all;
}

static bool become_writer(void)
{
    bool free_now = !writing;
    writing = true;
    return free_now;
}

void sink_add(const struct bytes *line, sink_tell tell)
{
    pthread_mutex_lock(&lock);
    if (line->failed || line->length > QUEUE_MAX - incoming->length) {
        lost++;
    } else {
        memcpy(incoming->data + incoming->length, line->data, line->length);
        incoming->length += line->length;
    }
    bool mine = become_writer();
    pthread_mutex_unlock(&lock);
    if (mine)
        write_out(tell);
}

bool sink_flush(sink_tell tell, int64_t patience_ms)
{
    int64_t end = clock_monotonic_ms() + patience_ms;
    for (;;) {
        pthread_mutex_lock(&lock);
        bool nothing = !writing && written == outgoing->length && incoming->length == 0;
        bool mine = !nothing && become_writer();
        pthread_mutex_unlock(&lock);
        if (nothing || (mine && write_out(tell)))
            return true;
        if (clock_monotonic_ms() >= end)
            return false;
        poll(NULL, 0, 10);
    }
}
