/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "reader.h"

#include "base/file.h"
#include "host/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct config {
    struct arena arena;
    const struct config_node *root;
};

/* ---- Reporting ---- */

void config_report_free(struct config_report *report)
{
    bytes_free(&report->text);
}

void config_report_no_memory(struct config_report *report)
{
    report->errors += !report->out_of_memory;
    report->out_of_memory = true;
}

void config_report_each(struct config_report *report, void (*line)(struct span text, void *context),
                        void *context)
{
    struct span rest = report->text.failed ? SPAN_NONE : bytes_span(&report->text);
    struct span text;
    while (span_next_line(&rest, &text))
        line(text, context);
    if (report->out_of_memory || report->text.failed)
        line(span_of("the configuration cannot be read whole: out of memory"), context);
}

bool config_line_is_warning(struct span line, struct span *place_r, struct span *text_r)
{
    static const char mark[] = ": warning: ";
    const char *found = memmem(line.data, line.length, mark, sizeof mark - 1);
    if (!found)
        return false;
    *place_r = (struct span){line.data, (size_t)(found - line.data)};
    *text_r = (struct span){found + sizeof mark - 1, 0};
    text_r->length = (size_t)(line.data + line.length - text_r->data);
    return true;
}

static void print_line(struct span text, void *context)
{
    FILE *out = context;
    log_print_filtered(out, text);
    fputc('\n', out);
}

void config_report_print(struct config_report *report, FILE *out)
{
    config_report_each(report, print_line, out);
}

static void add_path(struct bytes *out, const struct config_node *node)
{
    if (!node->parent)
        return;
    add_path(out, node->parent);
    if (node->parent->parent)
        bytes_add_string(out, ".");
    if (node->name)
        bytes_add_string(out, node->name);
    else
        bytes_addf(out, "%u", node->index + 1);
}

/* A reason in one line, whatever the value in it holds. */
static void add_reason(struct bytes *out, const char *reason)
{
    for (const char *end; (end = strchr(reason, '\n')); reason = end + 1) {
        bytes_add(out, reason, (size_t)(end - reason));
        bytes_add_string(out, "\\x0a");
    }
    bytes_add_string(out, reason);
    bytes_add_string(out, "\n");
}

/* Moves the last problem, from `last` on, in front of those about later lines of its
 * file, whose name has `name_length` bytes. */
static void sort_in(struct bytes *text, size_t last, size_t name_length, unsigned line)
{
    struct bytes moved = {0};
    const char *start = bytes_string(text), *end = start + last, *place = start;
    if (text->failed)
        return;
    while (place < end && (strncmp(place, end, name_length + 1) != 0 ||
                           strtoul(place + name_length + 1, NULL, 10) <= line))
        place = strchr(place, '\n') + 1;
    bytes_copy(&moved, span_of(end));
    if (place < end && !moved.failed) {
        size_t at = (size_t)(place - start);
        memmove(text->data + at + moved.length, text->data + at, last - at);
        memcpy(text->data + at, moved.data, moved.length);
    }
    bytes_free(&moved);
}

void config_tell(struct config_report *report, enum config_severity severity,
                 const struct config_node *node, const char *key, const char *format, ...)
{
    const struct config_node *member = key ? config_child(node, key) : NULL;
    const struct config_node *place = member ? member : node;
    unsigned line = place->line + (place->line == 0); /* the root has no line */
    size_t before = report->text.length;
    char reason[REASON_MAX];
    va_list args;

    va_start(args, format);
    reason_write(reason, sizeof reason, format, args);
    va_end(args);
    bytes_add_string(&report->text, place->file);
    size_t name_length = report->text.length - before;
    bytes_addf(&report->text, ":%u: ", line);
    add_path(&report->text, node);
    if (key && node->parent)
        bytes_add_string(&report->text, ".");
    if (key)
        bytes_add_string(&report->text, key);
    bytes_add_string(&report->text, severity == CONFIG_WARNING ? ": warning: " : ": ");
    add_reason(&report->text, reason);
    sort_in(&report->text, before, name_length, line);
    report->errors += severity == CONFIG_ERROR;
    report->warnings += severity == CONFIG_WARNING;
}

void config_tell_file(struct config_report *report, enum config_severity severity, const char *path,
                      const char *format, ...)
{
    char reason[REASON_MAX];
    va_list args;
    va_start(args, format);
    reason_write(reason, sizeof reason, format, args);
    va_end(args);
    bytes_addf(&report->text, "%s: %s", path, severity == CONFIG_WARNING ? "warning: " : "");
    add_reason(&report->text, reason);
    report->errors += severity == CONFIG_ERROR;
    report->warnings += severity == CONFIG_WARNING;
}

void config_line_warning(struct config_report *report, const char *path, unsigned line,
                         const char *reason)
{
    bytes_addf(&report->text, "%s:%u: warning: ", path, line);
    add_reason(&report->text, reason);
    report->warnings++;
}

/* ---- The file and its tree ---- */

static void check_mode(const struct reader_file *file, struct config_report *report)
{
    mode_t folder;
    if (file_mode_refused(file->mode)) {
        config_tell_file(report, CONFIG_ERROR, file->path,
                         "any user of this machine can write to this file (mode %04o): "
                         "chmod o-rwx it, then look through it",
                         file->mode & 07777u);
    } else if (file_mode_exposed(file->mode)) {
        config_tell_file(report, CONFIG_WARNING, file->path,
                         "any user of this machine can read this file (mode %04o): chmod o-rwx it",
                         file->mode & 07777u);
    }
    if (file_is_replaceable(file->path, &folder))
        config_tell_file(report, CONFIG_WARNING, file->path,
                         "any user of this machine can replace files in its folder (mode %04o): "
                         "chmod o-w it",
                         (unsigned)folder);
}

/* Each file once. */
static void check_modes(const struct reader_file *files, struct config_report *report)
{
    for (const struct reader_file *file = files; file; file = file->next) {
        const struct reader_file *first = files;
        while (strcmp(first->path, file->path) != 0)
            first = first->next;
        if (first == file)
            check_mode(file, report);
    }
}

static void check_doubles(const struct config_node *node, struct config_report *report)
{
    const struct config_node *first = NULL;
    for (unsigned i = 0; config_is_group(node) && i < node->count; i++) {
        const struct config_node *child = node->by_name[i];
        if (!first || strcmp(first->name, child->name) != 0)
            first = child;
        else if (first->file == child->file)
            config_error(report, child, NULL, "is set twice: first in line %u", first->line);
        else
            config_error(report, child, NULL, "is set twice: first in %s, line %u", first->file,
                         first->line);
    }
    for (const struct config_node *child = config_first(node); child; child = child->next)
        check_doubles(child, report);
}

static void report_fault(const struct reader_fault *fault, struct config_report *report)
{
    if (!fault->path) {
        config_report_no_memory(report);
    } else if (!fault->line) {
        config_tell_file(report, CONFIG_ERROR, fault->path, "%s", fault->why.text);
    } else {
        bytes_addf(&report->text, "%s:%u: ", fault->path, fault->line);
        add_reason(&report->text, fault->why.text);
        report->errors++;
    }
}

static struct config *open_file(const char *path, bool part, struct config_report *report)
{
    struct config *config = calloc(1, sizeof *config);
    struct reader_fault fault = {0};
    struct reader_result result;
    bool whole = config && reader_read(path, &config->arena, &result, &fault);
    if (!whole)
        report_fault(&fault, report);
    if (!whole && !(part && fault.path)) {
        config_close(config);
        return NULL;
    }
    config->root = result.root;
    check_modes(result.files, report);
    check_doubles(result.root, report);
    return config;
}

struct config *config_open(const char *path, struct config_report *report)
{
    return open_file(path, false, report);
}

struct config *config_open_part(const char *path, struct config_report *report)
{
    return open_file(path, true, report);
}

void config_close(struct config *config)
{
    if (!config)
        return;
    arena_free(&config->arena);
    free(config);
}

const struct config_node *config_root(const struct config *config)
{
    return config->root;
}

const struct config_node *config_child(const struct config_node *group, const char *name)
{
    unsigned low = 0, high = config_is_group(group) ? group->count : 0;
    while (low < high) { /* the first that is not before `name` */
        unsigned middle = low + (high - low) / 2;
        if (strcmp(group->by_name[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = config_is_group(group) && low < group->count &&
                 strcmp(group->by_name[low]->name, name) == 0;
    return found ? group->by_name[low] : NULL;
}

const struct config_node *config_first(const struct config_node *group)
{
    return group->count ? group->first : NULL;
}

const struct config_node *config_next(const struct config_node *node)
{
    return node->next;
}

unsigned config_count(const struct config_node *group)
{
    return group->count;
}

const char *config_name(const struct config_node *node)
{
    return node->name;
}

bool config_is_group(const struct config_node *node)
{
    return node && node->kind == CONFIG_KIND_GROUP;
}

static void add_fingerprint(struct bytes *out, const struct config_node *node)
{
    if (node->name)
        bytes_add_json(out, span_of(node->name));
    switch (node->kind) {
    case CONFIG_KIND_STRING:
        bytes_add_json(out, span_of(node->string));
        break;
    case CONFIG_KIND_GROUP:
    case CONFIG_KIND_LIST:
        bytes_add_string(out, "{");
        for (const struct config_node *child = node->first; child; child = child->next)
            add_fingerprint(out, child);
        bytes_add_string(out, "}");
        break;
    case CONFIG_KIND_FLOAT:
        bytes_addf(out, "=%.17g", node->fraction);
        break;
    case CONFIG_KIND_INTEGER:
        bytes_addf(out, "=%lld", (long long)node->integer);
        break;
    case CONFIG_KIND_BOOL:
        bytes_add_string(out, node->boolean ? "=true" : "=false");
    }
}

const char *config_fingerprint(const struct config_node *node, struct arena *arena)
{
    struct bytes text = {0};
    add_fingerprint(&text, node);
    bytes_add_string(&text, "@");
    bytes_add_string(&text, node->file);
    const char *result = text.failed ? NULL : arena_string(arena, bytes_span(&text));
    arena->failed |= text.failed;
    bytes_free(&text);
    return result;
}

/* ---- Values ---- */

enum config_kind config_kind(const struct config_node *node)
{
    return node->kind;
}

const char *config_string(const struct config_node *node)
{
    return node->kind == CONFIG_KIND_STRING ? node->string : NULL;
}

int64_t config_integer(const struct config_node *node)
{
    return node->kind == CONFIG_KIND_INTEGER ? node->integer : 0;
}

bool config_bool(const struct config_node *node)
{
    return node->kind == CONFIG_KIND_BOOL && node->boolean;
}

const char *config_file(const struct config_node *node)
{
    return node->file;
}

unsigned config_line(const struct config_node *node)
{
    return node->line;
}
