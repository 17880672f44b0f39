/* SPDX-License-Identifier: MIT
 * A file of text is read and never mapped: when a mapped file is truncated, the process
 * is killed. */
#include "members.h"

#include "compiled.h"
#include "encoding.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_LIMIT     (INT64_C(1) << 30)
#define COMPILED_LIMIT INT64_C(0xffffffff) /* of the offsets in a cdb */

/* One of the two is there. */
struct members {
    struct table *table;
    struct compiled *compiled;
};

/* ---- Loading ---- */

/* Opens a regular file, and nothing that could block.  -1: with a reason. */
static int open_members(const char *path, int64_t limit, struct file_stamp *stamp_r,
                        struct reason *why)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &status) != 0) {
        file_explain_unreadable(path, errno, why);
    } else if (!S_ISREG(status.st_mode)) {
        reason_set(why, "%s: not a regular file", path);
    } else if (status.st_size > limit) {
        reason_set(why, "%s: larger than %lld MiB", path, (long long)(limit >> 20));
    } else {
        *stamp_r = file_stamp_of(&status);
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Reads up to `size` bytes, fewer only at the end of the file.  -1: errno. */
static ssize_t read_file(int fd, char *to, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(fd, to + done, size - done);
        if (got < 0 && errno != EINTR)
            return -1;
        if (got == 0)
            break;
        done += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)done;
}

/* Reads the text of an open file whole.  LOAD_DONE: *text_r is from malloc. */
static enum load read_text(int fd, const char *path, const struct file_stamp *stamp, char **text_r,
                           struct reason *why)
{
    size_t size = (size_t)stamp->size;
    struct stat after;
    *text_r = malloc(size + 1);
    if (!*text_r) {
        reason_set(why, "%s: out of memory", path);
        return LOAD_FAILED;
    }
    /* one byte more than there should be shows a file that grew */
    ssize_t got = read_file(fd, *text_r, size + 1);
    if (got < 0 || fstat(fd, &after) != 0) {
        file_explain_unreadable(path, errno, why);
        return LOAD_FAILED;
    }
    struct file_stamp now = file_stamp_of(&after);
    if ((size_t)got == size && file_stamp_equal(stamp, &now))
        return LOAD_DONE;
    reason_set(why, "%s: it changed while it was read", path);
    return LOAD_CHANGING;
}

/* Whether the file was written less than a second ago (a time to come is not one). */
static bool stamp_is_fresh(const struct file_stamp *stamp)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t age = (int64_t)(now.tv_sec - stamp->modified.tv_sec) * 1000 +
                  (now.tv_nsec - stamp->modified.tv_nsec) / 1000000;
    return age >= 0 && age < 1000;
}

/* Makes a table of a text; takes it over. */
static enum load load_text(char *text, const struct file_settings *settings,
                           const struct table_report *report, const struct file_stamp *stamp,
                           struct table **table_r, struct reason *why)
{
    size_t size = (size_t)stamp->size;
    if (!encoding_convert(settings->encoding, &text, &size)) {
        free(text);
        reason_set(why, "%s: it cannot be converted from %s: %s", settings->path,
                   settings->encoding, strerror(errno));
        return LOAD_FAILED;
    }
    bool ended = size == 0 || text[size - 1] == '\n';
    if (!ended && stamp_is_fresh(stamp)) {
        free(text);
        reason_set(why, "%s: the last line has no line end yet: someone is still writing",
                   settings->path);
        return LOAD_CHANGING;
    }
    enum load result = table_build(text, size, settings, report, table_r, why);
    if (result != LOAD_DONE)
        reason_prefix(why, settings->path);
    else if (!ended)
        report->services->log(report->services, MEMBERCHAT_LOG_WARNING,
                              "%s: the last line has no line end: is the file complete?",
                              settings->path);
    return result;
}

static enum load load_compiled(int fd, const struct file_settings *settings,
                               const struct memberchat_services *services,
                               struct compiled **compiled_r, struct reason *why)
{
    struct column_names names = {.wanted = services->wanted};
    memcpy(names.of, settings->columns, sizeof names.of);
    enum load result = compiled_open(fd, &names, compiled_r, why);
    if (result != LOAD_DONE)
        reason_prefix(why, settings->path);
    return result;
}

static bool is_compiled(const char *path)
{
    size_t length = strlen(path);
    return length > 4 && strcmp(path + length - 4, ".cdb") == 0;
}

enum load members_load(const struct file_settings *settings, const struct table_report *report,
                       struct file_stamp *stamp_r, struct members **members_r, struct reason *why)
{
    bool compiled = is_compiled(settings->path);
    struct members *members = calloc(1, sizeof *members);
    enum load result = members ? LOAD_REFUSED : LOAD_FAILED;
    char *text = NULL;
    *stamp_r = (struct file_stamp){0};
    *members_r = NULL;
    reason_set(why, "%s: out of memory", settings->path);
    int fd =
        members ? open_members(settings->path, compiled ? COMPILED_LIMIT : TEXT_LIMIT, stamp_r, why)
                : -1;
    if (fd >= 0 && compiled) {
        result = load_compiled(fd, settings, report->services, &members->compiled, why);
    } else if (fd >= 0) {
        result = read_text(fd, settings->path, stamp_r, &text, why);
        if (result != LOAD_DONE)
            free(text);
        else
            result = load_text(text, settings, report, stamp_r, &members->table, why);
    }
    if (fd >= 0)
        close(fd);
    if (result == LOAD_DONE) {
        *members_r = members;
        return result;
    }
    free(members);
    if (result != LOAD_REFUSED)
        *stamp_r = (struct file_stamp){0};
    return result;
}

/* ---- Checking ---- */

static bool check_columns(const struct columns *columns, const struct memberchat_list *wanted,
                          const char *path, struct reason *why)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (!columns_has(columns, wanted->items[i])) {
            reason_set(why,
                       "%s: no column \"%s\" in the header, which a template of the store names",
                       path, wanted->items[i]);
            return false;
        }
    return true;
}

static bool check_text(const struct file_settings *settings,
                       const struct memberchat_services *services, struct span text,
                       struct reason *why)
{
    struct column_names names = {.wanted = services->wanted};
    struct splitter *splitter = splitter_new(ROW_LONGEST, table_separator(settings));
    struct columns columns;
    struct row row;
    memcpy(names.of, settings->columns, sizeof names.of);
    reason_set(why, "out of memory");
    bool good = splitter && encoding_is_text(settings->encoding, text, why) &&
                columns_take(splitter, &text, &names, &columns, &row, why);
    splitter_free(splitter);
    if (!good)
        reason_prefix(why, settings->path);
    return good && check_columns(&columns, &names.wanted, settings->path, why);
}

static bool check_start(int fd, const struct file_settings *settings,
                        const struct memberchat_services *services, struct reason *why)
{
    char *text = malloc(ROW_LONGEST);
    ssize_t got = text ? read_file(fd, text, ROW_LONGEST) : -1;
    size_t size = (size_t)got;
    bool good = got >= 0 && encoding_convert(settings->encoding, &text, &size);
    if (good)
        good = check_text(settings, services, (struct span){text, size}, why);
    else
        file_explain_unreadable(settings->path, errno, why);
    free(text);
    return good;
}

bool members_check(const struct file_settings *settings, const struct memberchat_services *services,
                   struct reason *why)
{
    bool compiled = is_compiled(settings->path);
    struct compiled *opened = NULL;
    struct file_stamp stamp;
    int fd = open_members(settings->path, compiled ? COMPILED_LIMIT : TEXT_LIMIT, &stamp, why);
    if (fd < 0)
        return false;
    bool good = compiled ? load_compiled(fd, settings, services, &opened, why) == LOAD_DONE &&
                               check_columns(compiled_columns(opened), &services->wanted,
                                             settings->path, why)
                         : check_start(fd, settings, services, why);
    compiled_close(opened);
    close(fd);
    return good;
}

void members_free(struct members *members)
{
    if (!members)
        return;
    table_free(members->table);
    compiled_close(members->compiled);
    free(members);
}

/* ---- Asking ---- */

const struct columns *members_columns(const struct members *members)
{
    return members->table ? &members->table->columns : compiled_columns(members->compiled);
}

bool members_census(const struct members *members, const struct file_settings *settings,
                    struct census *census_r)
{
    if (!members->table)
        return compiled_census(members->compiled, settings, census_r);
    *census_r = members->table->census;
    return true;
}

size_t members_count(const struct members *members)
{
    return members->table ? members->table->census.members : compiled_count(members->compiled);
}

const struct table *members_table(const struct members *members)
{
    return members->table;
}

/* Describes the member of a record to the host. */
static enum memberchat_outcome tell(const struct columns *columns, const struct row *row,
                                    const struct file_settings *settings,
                                    const struct memberchat_services *services,
                                    struct memberchat_result *result)
{
    static const enum memberchat_field fields[] = {[COLUMN_ID] = MEMBERCHAT_ID,
                                                   [COLUMN_NAME] = MEMBERCHAT_NAME,
                                                   [COLUMN_AVATAR] = MEMBERCHAT_AVATAR,
                                                   [COLUMN_ROLE] = MEMBERCHAT_ROLE};
    struct span state = columns_field(columns, row, COLUMN_STATE);
    bool good = true;
    if (!table_is_active(settings, state)) {
        services->reason(result, "its state is \"%.*s\"", (int)state.length, state.data);
        return MEMBERCHAT_NOT_FOUND;
    }
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct span field = columns_field(columns, row, (enum column)i);
        if (field.length)
            good &= services->set(result, fields[i], field.data, field.length);
    }
    for (size_t i = 0; i < columns->attribute_count; i++) {
        struct span field = row_field(row, columns->attributes[i].at);
        struct span name = columns->attributes[i].name;
        if (field.length)
            good &=
                services->set_attribute(result, name.data, name.length, field.data, field.length);
    }
    return good ? MEMBERCHAT_FOUND : MEMBERCHAT_MISCONFIGURED;
}

static void explain_note(const struct table_note *note, const char *path,
                         const struct memberchat_services *services,
                         struct memberchat_result *result)
{
    if (note->first == note->line)
        services->reason(result, "line %zu of %s is bad: %s", note->line, path, note->fault);
    else
        services->reason(result, "lines %zu and %zu have the same id in %s", note->first,
                         note->line, path);
}

enum memberchat_outcome members_lookup(const struct members *members,
                                       const struct file_settings *settings, struct span id,
                                       const struct memberchat_services *services,
                                       struct memberchat_result *result)
{
    const struct table *table = members->table;
    struct splitter *splitter = table ? splitter_new(table->longest, table->separator)
                                      : compiled_splitter(members->compiled);
    enum memberchat_outcome outcome = MEMBERCHAT_MISCONFIGURED;
    struct table_note note;
    struct row row;
    if (!splitter) {
        services->reason(result, "out of memory");
        return MEMBERCHAT_UNAVAILABLE;
    }
    switch (table ? table_find(table, splitter, id, &row, &note)
                  : compiled_find(members->compiled, splitter, id, &row, &note)) {
    case ANSWER_HERE:
        outcome = tell(members_columns(members), &row, settings, services, result);
        break;
    case ANSWER_ABSENT:
        outcome = MEMBERCHAT_NOT_FOUND;
        break;
    case ANSWER_NOTED:
        explain_note(&note, settings->path, services, result);
        break;
    case ANSWER_BROKEN:
        services->reason(result, "%s is damaged: make it again with memberchat index",
                         settings->path);
    }
    splitter_free(splitter);
    return outcome;
}
