/* SPDX-License-Identifier: MIT */
#include "log.h"

#include "base/clock.h"
#include "base/bytes.h"
#include "base/date.h"
#include "base/hash.h"
#include "base/reason.h"
#include "base/text.h"
#include "log_sink.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

/* Lines take no memory, so that one can say that there is none: each byte of a message may become
 * \x and two digits, the backslash of which JSON doubles. */
enum { MESSAGE_MAX = 2048, CLEAN_MAX = 4 * MESSAGE_MAX, LINE_ROOM = 5 * MESSAGE_MAX + 512 };

static pthread_mutex_t recent_lock = PTHREAD_MUTEX_INITIALIZER; /* guards recents */
static struct recent {
    uint64_t hash;
    int64_t until_ms;
    unsigned dropped;
} recents[64];
static uint64_t recent_seed[2];
static pthread_once_t recent_once = PTHREAD_ONCE_INIT;
static atomic_int highest = LOG_LEVEL_INFO;
static atomic_int shape = LOG_FORMAT_TEXT;
static atomic_bool access_has_file;
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

bool log_configure(const char *target, enum log_level level, enum log_format format)
{
    bool good = strcmp(target, "stderr") == 0   ? sink_use_stderr(&sink_log)
                : strcmp(target, "syslog") == 0 ? sink_use_syslog(&sink_log, _PATH_LOG)
                                                : sink_use_file(&sink_log, target);
    if (!good)
        return false;
    atomic_store(&shape, (int)format);
    atomic_store(&highest, (int)level);
    return true;
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

/* Whether a character ends a line, or turns the direction of what follows it: a line could read as
 * another one. */
static bool is_misleading(struct span character)
{
    static const struct {
        const char *first, *last;
    } ranges[] = {
        {"\u061c", "\u061c"}, {"\u200e", "\u200f"}, {"\u2028", "\u202e"}, {"\u2066", "\u2069"}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (character.length == strlen(ranges[i].first) &&
            memcmp(character.data, ranges[i].first, character.length) >= 0 &&
            memcmp(character.data, ranges[i].last, character.length) <= 0)
            return true;
    return false;
}

void log_add_filtered(struct bytes *line, struct span text)
{
    struct span rest = text;
    while (rest.length) {
        size_t length = text_utf8_sequence(rest);
        struct span character = {rest.data, length};
        if (length && text_is_plain(character) && !is_misleading(character)) {
            bytes_add(line, rest.data, length);
        } else {
            length = 1;
            bytes_addf(line, "\\x%02x", (unsigned char)*rest.data);
        }
        rest.data += length;
        rest.length -= length;
    }
}

void log_print_filtered(FILE *out, struct span text)
{
    while (text.length) {
        char memory[4 * sizeof "\\x00"];
        struct bytes one = bytes_within(memory, sizeof memory);
        size_t length = text_utf8_sequence(text);
        length = length ? length : 1;
        log_add_filtered(&one, (struct span){text.data, length});
        fwrite(one.data, 1, one.length, out);
        text = (struct span){text.data + length, text.length - length};
    }
}

static void add_time(struct bytes *line)
{
    int64_t seconds = 0; /* a line without its time is better than none */
    (void)clock_unix_seconds(&seconds);
    date_add(line, seconds);
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

/* RFC 3164, section 4. */
static void begin_syslog(struct bytes *line, enum log_level level)
{
    int64_t seconds = 0;
    (void)clock_unix_seconds(&seconds);
    time_t now = (time_t)seconds;
    struct tm tm;
    char text[sizeof "Nov 22 23:59:59"];
    localtime_r(&now, &tm);
    strftime(text, sizeof text, "%h %e %T", &tm);
    bytes_addf(line, "<%d>%s memberchat[%d]: ", LOG_DAEMON | levels[level].priority, text,
               (int)getpid());
}

static void format_syslog(struct bytes *line, enum log_level level, const char *message)
{
    begin_syslog(line, level);
    if (request_id)
        bytes_addf(line, "[%s] ", request_id);
    bytes_add_string(line, message);
}

static void make_line(struct bytes *line, enum log_level level, const char *message)
{
    static void (*const formats[])(struct bytes *, enum log_level, const char *) = {
        [LOG_FORMAT_TEXT] = format_text,
        [LOG_FORMAT_JSON] = format_json,
        [LOG_FORMAT_COMMAND] = format_command,
    };
    char memory[CLEAN_MAX];
    struct bytes clean = bytes_within(memory, sizeof memory);
    log_add_filtered(&clean, span_of(message));
    if (sink_is_syslog(&sink_log))
        format_syslog(line, level, bytes_string(&clean));
    else
        formats[atomic_load(&shape)](line, level, bytes_string(&clean));
    bytes_add_string(line, "\n");
}

/* The lost lines belong to no request in particular. */
static void tell_lost(struct bytes *line, unsigned lost)
{
    const char *request = request_id;
    char message[100];
    request_id = NULL;
    snprintf(message, sizeof message, "%u line%s of the log could not be written and %s lost", lost,
             text_plural(lost), lost == 1 ? "is" : "are");
    make_line(line, LOG_LEVEL_WARNING, message);
    request_id = request;
}

void log_reopen(void)
{
    if (!sink_reopen(&sink_log))
        log_error("the log file cannot be opened again: %s", strerror(errno));
    if (!sink_reopen(&sink_access))
        log_error("the access log cannot be opened again: %s", strerror(errno));
}

bool log_flush(int64_t patience_ms)
{
    bool access = sink_flush(&sink_access, tell_lost, patience_ms);
    return sink_flush(&sink_log, tell_lost, patience_ms) && access;
}

/* ---- The access log ---- */

bool log_configure_access(const char *path)
{
    bool good = path ? sink_use_file(&sink_access, path) : sink_use_stderr(&sink_access);
    if (good)
        atomic_store(&access_has_file, path != NULL);
    return good;
}

enum log_format log_format(void)
{
    return (enum log_format)atomic_load_explicit(&shape, memory_order_relaxed);
}

void log_access(const struct bytes *text)
{
    char memory[LINE_ROOM];
    struct bytes line = bytes_within(memory, sizeof memory);
    bool own = atomic_load_explicit(&access_has_file, memory_order_relaxed);
    if (!own && sink_is_syslog(&sink_log))
        begin_syslog(&line, LOG_LEVEL_INFO);
    bytes_add_span(&line, bytes_span(text));
    bytes_add_string(&line, "\n");
    line.failed = line.failed || text->failed;
    sink_add(own ? &sink_access : &sink_log, &line, tell_lost);
}

__attribute__((format(printf, 2, 0))) static void log_message(enum log_level level,
                                                              const char *format, va_list args)
{
    if (!log_enabled(level))
        return;
    int saved = errno;
    char message[MESSAGE_MAX];
    reason_write(message, sizeof message, format, args);
    char memory[LINE_ROOM];
    struct bytes line = bytes_within(memory, sizeof memory);
    make_line(&line, level, message);
    sink_add(&sink_log, &line, tell_lost);
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

/* Without random numbers the seed stays zero: attackers could then displace other topics. */
static void make_seed(void)
{
    (void)hash_seed(recent_seed);
}

/* The place of a topic, or the one that is the first to be free again. */
static struct recent *recent_find(uint64_t hash)
{
    struct recent *place = &recents[0];
    for (size_t i = 0; i < sizeof recents / sizeof *recents; i++) {
        if (recents[i].hash == hash)
            return &recents[i];
        if (recents[i].until_ms < place->until_ms)
            place = &recents[i];
    }
    return place;
}

/* Whether a topic may be logged now; counts it when not. */
static bool recent_admit(const char *topic, unsigned *dropped_r)
{
    pthread_once(&recent_once, make_seed);
    uint64_t hash = hash_keyed(recent_seed, topic, strlen(topic));
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&recent_lock);
    struct recent *recent = recent_find(hash);
    bool same = recent->hash == hash;
    bool admit = !same || now >= recent->until_ms;
    *dropped_r = admit && same ? recent->dropped : 0;
    if (admit)
        *recent = (struct recent){hash, now + 60000, 0};
    else
        recent->dropped++;
    pthread_mutex_unlock(&recent_lock);
    return admit;
}

static void log_once(enum log_level level, const char *topic, const char *message)
{
    void (*const tell)(const char *, ...) = level == LOG_LEVEL_ERROR ? log_error : log_warning;
    unsigned dropped;
    if (!log_enabled(level) || !recent_admit(topic, &dropped))
        return;
    if (dropped)
        tell("%s (and %u more since it was last logged)", message, dropped);
    else
        tell("%s", message);
}

void log_error_limited(const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    reason_write(message, sizeof message, format, args);
    va_end(args);
    log_once(LOG_LEVEL_ERROR, message, message);
}

void log_warning_limited(const char *topic, const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    reason_write(message, sizeof message, format, args);
    va_end(args);
    log_once(LOG_LEVEL_WARNING, topic, message);
}
