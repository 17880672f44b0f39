/* SPDX-License-Identifier: MIT */
#include "log.h"

#include "base/clock.h"
#include "base/bytes.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t sink_lock = PTHREAD_MUTEX_INITIALIZER; /* guards sink and recent */
static struct {
    int fd; /* -1: syslog */
    enum log_format format;
    char *path; /* NULL: not a file */
} sink = {STDERR_FILENO, LOG_FORMAT_TEXT, NULL};
static struct {
    uint64_t hash;
    int64_t until_ms;
    unsigned dropped;
} recent[64];
static atomic_int highest = LOG_LEVEL_INFO;
static _Thread_local const char *request_id;

static const struct {
    const char *word;
    int priority;
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", LOG_ERR},
    [LOG_LEVEL_WARNING] = {"warning", LOG_WARNING},
    [LOG_LEVEL_INFO] = {"info", LOG_INFO},
    [LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
};

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

bool log_configure(const char *target, enum log_level level, enum log_format format)
{
    int fd = STDERR_FILENO;
    char *path = NULL;
    if (strcmp(target, "syslog") == 0) {
        fd = -1;
        openlog("memberchat", LOG_PID, LOG_DAEMON);
    } else if (strcmp(target, "stderr") != 0) {
        fd = open_file(target);
        path = strdup(target);
        if (fd < 0 || !path) {
            free(path);
            return false;
        }
    }
    pthread_mutex_lock(&sink_lock);
    if (sink.path)
        close(sink.fd);
    free(sink.path);
    sink.fd = fd;
    sink.path = path;
    sink.format = format;
    pthread_mutex_unlock(&sink_lock);
    atomic_store(&highest, (int)level);
    return true;
}

void log_reopen(void)
{
    pthread_mutex_lock(&sink_lock);
    int fd = sink.path ? open_file(sink.path) : -1;
    if (fd >= 0) {
        close(sink.fd);
        sink.fd = fd;
    }
    pthread_mutex_unlock(&sink_lock);
}

void log_set_request(const char *id)
{
    request_id = id;
}

const char *log_request(void)
{
    return request_id;
}

bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&highest, memory_order_relaxed);
}

static void add_filtered(struct bytes *line, const char *message)
{
    struct span rest = span_of(message);
    while (rest.length) {
        size_t length = text_utf8_sequence(rest);
        if (length && text_is_plain((struct span){rest.data, length})) {
            bytes_add(line, rest.data, length);
        } else {
            length = 1;
            bytes_addf(line, "\\x%02x", (unsigned char)*rest.data);
        }
        rest.data += length;
        rest.length -= length;
    }
}

static void add_time(struct bytes *line)
{
    int64_t seconds;
    clock_unix_seconds(&seconds);
    time_t now = (time_t)seconds;
    struct tm tm;
    char text[sizeof "2026-11-22T23:59:59Z"];
    gmtime_r(&now, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    bytes_add_string(line, text);
}

static void format_text(struct bytes *line, enum log_level level, const char *message)
{
    add_time(line);
    bytes_addf(line, " memberchat[%d] %s: ", (int)getpid(), levels[level].word);
    if (request_id)
        bytes_addf(line, "[%s] ", request_id);
    bytes_add_string(line, message);
}

static void format_json(struct bytes *line, enum log_level level, const char *message)
{
    bytes_add_string(line, "{\"time\":\"");
    add_time(line);
    bytes_addf(line, "\",\"pid\":%d,\"level\":\"%s\",", (int)getpid(), levels[level].word);
    if (request_id) {
        bytes_add_string(line, "\"request\":");
        bytes_add_json(line, span_of(request_id));
        bytes_add_string(line, ",");
    }
    bytes_add_string(line, "\"message\":");
    bytes_add_json(line, span_of(message));
    bytes_add_string(line, "}");
}

static void format_command(struct bytes *line, enum log_level level, const char *message)
{
    bytes_addf(line, "memberchat: %s%s", level == LOG_LEVEL_WARNING ? "warning: " : "", message);
}

static void write_line(enum log_level level, const char *message)
{
    static void (*const formats[])(struct bytes *, enum log_level, const char *) = {
        [LOG_FORMAT_TEXT] = format_text,
        [LOG_FORMAT_JSON] = format_json,
        [LOG_FORMAT_COMMAND] = format_command,
    };
    struct bytes clean = {0}, line = {0};
    add_filtered(&clean, message);
    pthread_mutex_lock(&sink_lock);
    if (sink.fd < 0) {
        syslog(levels[level].priority, "%s%s%s%s", request_id ? "[" : "",
               request_id ? request_id : "", request_id ? "] " : "", bytes_string(&clean));
    } else {
        formats[sink.format](&line, level, bytes_string(&clean));
        bytes_add_string(&line, "\n");
        ssize_t written = write(sink.fd, bytes_string(&line), line.length);
        (void)written; /* a full disk must not stop the service */
    }
    pthread_mutex_unlock(&sink_lock);
    bytes_free(&clean);
    bytes_free(&line);
}

void log_message(enum log_level level, const char *format, va_list args)
{
    if (!log_enabled(level))
        return;
    int saved = errno;
    char message[2048];
    vsnprintf(message, sizeof message, format, args);
    write_line(level, message);
    errno = saved;
}

#define DEFINE_LOG(name, level)                                                                    \
    void name(const char *format, ...)                                                             \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, format);                                                                    \
        log_message(level, format, args);                                                          \
        va_end(args);                                                                              \
    }
DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)

/* Whether a text may be logged now; counts it when not.  A slot is shared by
 * the texts whose hashes meet in it, and the newest has it. */
static bool recent_admit(const char *message, unsigned *dropped_r)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (const char *p = message; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 1099511628211u;
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&sink_lock);
    size_t slot = hash % (sizeof recent / sizeof *recent);
    bool admit = recent[slot].hash != hash || now >= recent[slot].until_ms;
    *dropped_r = 0;
    if (!admit) {
        recent[slot].dropped++;
    } else {
        if (recent[slot].hash == hash)
            *dropped_r = recent[slot].dropped;
        recent[slot].hash = hash;
        recent[slot].dropped = 0;
        recent[slot].until_ms = now + 60000;
    }
    pthread_mutex_unlock(&sink_lock);
    return admit;
}

void log_error_limited(const char *format, ...)
{
    char message[2048];
    unsigned dropped;
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (!recent_admit(message, &dropped))
        return;
    if (dropped)
        log_error("%s (and %u times more since it was last logged)", message, dropped);
    else
        log_error("%s", message);
}
