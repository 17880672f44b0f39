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

static struct target standard_error = {.fd = STDERR_FILENO}; /* never closed */

struct sink {
    pthread_mutex_t lock; /* guards what follows */
    struct target *target;
    struct queue *incoming;
    unsigned lost;
    bool writing;

    atomic_bool to_syslog;

    /* The writer's. */
    struct queue *outgoing;
    size_t written;             /* of it */
    unsigned told;              /* lost lines that it tells of */
    const struct target *begun; /* has the first part of a line */
};

/* Apart, since what is zero at the start takes no place in the programs. */
static struct queue log_queues[2], access_queues[2];

#define SINK(queues)                                                                               \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .target = &standard_error, .incoming = &(queues)[0],    \
        .outgoing = &(queues)[1],                                                                  \
    }

struct sink sink_log = SINK(log_queues), sink_access = SINK(access_queues);

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

/* The caller holds the lock of the one sink that has it. */
static void target_hold(struct target *to)
{
    if (to != &standard_error)
        to->users++;
}

static void target_release(struct target *old)
{
    if (old != &standard_error && --old->users == 0) {
        close(old->fd);
        free(old);
    }
}

static bool use(struct sink *sink, struct target *made)
{
    if (!made)
        return false;
    pthread_mutex_lock(&sink->lock);
    target_release(sink->target);
    sink->target = made;
    sink->to_syslog = made->by_line;
    pthread_mutex_unlock(&sink->lock);
    return true;
}

bool sink_use_stderr(struct sink *sink)
{
    return use(sink, &standard_error);
}

/* A FIFO is opened for reading, too: then it can be opened while no process reads it, and keeps
 * its lines while readers come and go. */
static struct target *target_open(const char *path)
{
    const int flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    struct stat status;
    bool is_fifo = stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
    int fd = is_fifo ? open(path, O_RDWR | flags, 0640) : -1;
    if (fd < 0)
        fd = open(path, O_WRONLY | flags, 0640);
    return target_new(fd, path);
}

bool sink_use_file(struct sink *sink, const char *path)
{
    return use(sink, target_open(path));
}

static bool connect_syslog(const struct target *to)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", to->path);
    return connect(to->fd, (struct sockaddr *)&address, sizeof address) == 0;
}

/* syslog(3) would wait for a daemon that does not read. */
bool sink_use_syslog(struct sink *sink, const char *socket_path)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct target *made = target_new(fd, socket_path);
    if (!made)
        return false;
    made->by_line = true;
    connect_syslog(made);
    return use(sink, made);
}

bool sink_is_syslog(const struct sink *sink)
{
    return sink->to_syslog;
}

bool sink_reopen(struct sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    const struct target *target = sink->target;
    bool due = target != &standard_error && !target->by_line;
    char *path = due ? strdup(target->path) : NULL;
    pthread_mutex_unlock(&sink->lock);
    bool good = !due || (path && use(sink, target_open(path)));
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

static struct span rest(const struct sink *sink)
{
    return (struct span){sink->outgoing->data + sink->written,
                         sink->outgoing->length - sink->written};
}

/* What is left of a line whose first part went elsewhere. */
static void skip_part(struct sink *sink)
{
    const char *end = memchr(rest(sink).data, '\n', rest(sink).length);
    sink->written = end ? (size_t)(end - sink->outgoing->data) + 1 : sink->outgoing->length;
}

static enum result write_rest(struct sink *sink, struct target *to)
{
    if (sink->begun && sink->begun != to)
        skip_part(sink);
    if (to->torn && write_now(to, (struct span){"\n", 1}) == 1)
        to->torn = false;
    while (sink->written < sink->outgoing->length) {
        ssize_t count = write_now(to, rest(sink));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            bool part = sink->written > 0 && sink->outgoing->data[sink->written - 1] != '\n';
            bool later = errno == EAGAIN;
            sink->begun = later && part ? to : NULL;
            to->torn = to->torn || (part && !later);
            return later ? LATER : REFUSED;
        }
        sink->written += (size_t)count;
    }
    sink->begun = NULL;
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
static void take(struct sink *sink, sink_tell tell)
{
    struct queue *empty = sink->outgoing;
    sink->outgoing = sink->incoming;
    sink->incoming = empty;
    sink->incoming->length = 0;
    sink->written = 0;
    sink->told = sink->lost;
    char memory[TELL_MAX];
    struct bytes line = bytes_within(memory, sizeof memory);
    if (sink->lost)
        tell(&line, sink->lost);
    if (line.failed)
        sink->told = 0;
    else if (sink->lost)
        memcpy(sink->outgoing->data + sink->outgoing->length, line.data, line.length);
    sink->outgoing->length += sink->told ? line.length : 0;
    sink->lost -= sink->told;
}

/* The caller is the writer, and no longer when this returns: true, if all is written. */
static bool write_out(struct sink *sink, sink_tell tell)
{
    enum result result = WRITTEN;
    bool all = false;
    for (int round = 0; !all && result != LATER && round < ROUNDS_MAX; round++) {
        pthread_mutex_lock(&sink->lock);
        if (sink->written == sink->outgoing->length)
            take(sink, tell);
        struct target *to = sink->target;
        target_hold(to);
        pthread_mutex_unlock(&sink->lock);

        result = write_rest(sink, to);

        pthread_mutex_lock(&sink->lock);
        target_release(to);
        if (result == REFUSED) {
            sink->lost += sink->told + count_lines(rest(sink)) - (sink->told ? 1 : 0);
            sink->written = sink->outgoing->length;
        }
        all = sink->written == sink->outgoing->length && sink->incoming->length == 0 &&
              (sink->lost == 0 || result == REFUSED);
        sink->writing = !all && result != LATER && round + 1 < ROUNDS_MAX;
        pthread_mutex_unlock(&sink->lock);
    }
    return all;
}

static bool become_writer(struct sink *sink)
{
    bool free_now = !sink->writing;
    sink->writing = true;
    return free_now;
}

void sink_add(struct sink *sink, const struct bytes *line, sink_tell tell)
{
    pthread_mutex_lock(&sink->lock);
    if (line->failed || line->length > QUEUE_MAX - sink->incoming->length) {
        sink->lost++;
    } else {
        memcpy(sink->incoming->data + sink->incoming->length, line->data, line->length);
        sink->incoming->length += line->length;
    }
    bool mine = become_writer(sink);
    pthread_mutex_unlock(&sink->lock);
    if (mine)
        write_out(sink, tell);
}

bool sink_flush(struct sink *sink, sink_tell tell, int64_t patience_ms)
{
    int64_t end = clock_monotonic_ms() + patience_ms;
    for (;;) {
        pthread_mutex_lock(&sink->lock);
        bool nothing = !sink->writing && sink->written == sink->outgoing->length &&
                       sink->incoming->length == 0;
        bool mine = !nothing && become_writer(sink);
        pthread_mutex_unlock(&sink->lock);
        if (nothing || (mine && write_out(sink, tell)))
            return true;
        if (clock_monotonic_ms() >= end)
            return false;
        poll(NULL, 0, 10);
    }
}
