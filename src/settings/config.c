/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "base/file.h"

#include <errno.h>
#include <libconfig.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct config {
    config_t libconfig; /* first: a setting points to it */
    struct arena arena;
    const char *path; /* of the file that was opened */
};

static const config_setting_t *setting_of(const struct config_node *node)
{
    return (const config_setting_t *)node;
}

static const struct config_node *node_of(const config_setting_t *setting)
{
    return (const struct config_node *)setting;
}

/* ---- Reporting ---- */

void config_report_free(struct config_report *report)
{
    bytes_free(&report->text);
}

static void add_path(struct bytes *out, const config_setting_t *setting)
{
    const config_setting_t *parent = config_setting_parent(setting);
    if (!parent)
        return;
    add_path(out, parent);
    if (config_setting_parent(parent))
        bytes_add_string(out, ".");
    if (config_setting_name(setting))
        bytes_add_string(out, config_setting_name(setting));
    else
        bytes_addf(out, "%d", config_setting_index(setting) + 1);
}

/* Adds the path of a file of the configuration.  libconfig names an included one
 * as its @include does, which counts from the folder of the first file; newer
 * versions have put that folder before it already. */
static void add_file(struct bytes *out, const struct config *config, const char *file)
{
    const char *folder = config_get_include_dir(&config->libconfig);
    size_t length = folder && strcmp(folder, ".") != 0 ? strlen(folder) : 0;
    file = file ? file : config->path;
    if (length && *file != '/' && strcmp(file, config->path) != 0 &&
        (strncmp(file, folder, length) != 0 || file[length] != '/'))
        bytes_addf(out, "%s/", folder);
    bytes_add_string(out, file);
}

static void add_source(struct bytes *out, const config_setting_t *setting)
{
    add_file(out, (const struct config *)setting->config, config_setting_source_file(setting));
}

/* Moves the last problem, from `last` on, in front of those about later lines of its
 * file, whose name has so many bytes. */
static void sort_in(struct bytes *text, size_t last, size_t name_length, unsigned line)
{
    struct bytes moved = {0};
    if (text->failed)
        return;
    const char *start = bytes_string(text), *end = start + last, *place = start;
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

static void add_problem(struct config_report *report, const struct config_node *node,
                        const char *key, const char *kind, const char *format, va_list args)
{
    const config_setting_t *setting = setting_of(node);
    const config_setting_t *member =
        key && config_is_group(node) ? config_setting_get_member(setting, key) : NULL;
    const config_setting_t *place = member ? member : setting;
    unsigned line = config_setting_source_line(place);
    line += line == 0; /* the root is nowhere: what it lacks is told of the first line */
    size_t before = report->text.length;
    char reason[1024];

    vsnprintf(reason, sizeof reason, format, args);
    add_source(&report->text, place);
    size_t name_length = report->text.length - before;
    bytes_addf(&report->text, ":%u: ", line);
    add_path(&report->text, setting);
    if (key && config_setting_parent(setting))
        bytes_add_string(&report->text, ".");
    if (key)
        bytes_add_string(&report->text, key);
    bytes_addf(&report->text, ": %s%s\n", kind, reason);
    sort_in(&report->text, before, name_length, line);
}

void config_error(struct config_report *report, const struct config_node *node, const char *key,
                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_problem(report, node, key, "", format, args);
    va_end(args);
    report->errors++;
}

void config_warning(struct config_report *report, const struct config_node *node, const char *key,
                    const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add_problem(report, node, key, "warning: ", format, args);
    va_end(args);
    report->warnings++;
}

void config_file_error(struct config_report *report, const char *path, const char *format, ...)
{
    char reason[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    bytes_addf(&report->text, "%s: %s\n", path, reason);
    report->errors++;
}

/* ---- The file and its tree ---- */

static void check_mode(const char *path, struct config_report *report)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return;
    if (file_mode_refused(st.st_mode)) {
        config_file_error(report, path,
                          "any user of this machine can write to this file (mode %04o): "
                          "chmod o-rwx it, then look through it",
                          st.st_mode & 07777u);
    } else if (file_mode_exposed(st.st_mode)) {
        bytes_addf(&report->text,
                   "%s: warning: any user of this machine can read this file (mode %04o): "
                   "chmod o-rwx it\n",
                   path, st.st_mode & 07777u);
        report->warnings++;
    }
}

/* Every file of the tree once; `seen` has a line for each.  `around` is the file of
 * the group that the setting is in, as libconfig names it. */
static void check_modes(const config_setting_t *setting, const char *around, struct bytes *seen,
                        struct config_report *report)
{
    const char *file = config_setting_source_file(setting);
    struct bytes path = {0}, line = {0};
    if (file != around) {
        add_source(&path, setting);
        bytes_addf(&line, "\n%s\n", bytes_string(&path));
        if (!strstr(bytes_string(seen), bytes_string(&line))) {
            check_mode(bytes_string(&path), report);
            bytes_add_span(seen, bytes_span(&line));
        }
        bytes_free(&path);
        bytes_free(&line);
    }
    for (int i = 0; i < config_setting_length(setting); i++)
        if (config_setting_is_aggregate(setting))
            check_modes(config_setting_get_elem(setting, (unsigned)i), file, seen, report);
}

static void set_include_dir(config_t *libconfig, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    if (dir)
        config_set_include_dir(libconfig, dir);
    free(dir);
}

struct config *config_open(const char *path, struct config_report *report)
{
    struct config *config = calloc(1, sizeof *config);
    struct stat st;
    if (!config || stat(path, &st) != 0) {
        config_file_error(report, path, "cannot be read: %s", strerror(errno));
        free(config);
        return NULL;
    }
    config_init(&config->libconfig);
    config->path = arena_string(&config->arena, span_of(path));
    set_include_dir(&config->libconfig, path);
    if (!S_ISREG(st.st_mode) || !config_read_file(&config->libconfig, path)) {
        const char *file = config_error_file(&config->libconfig);
        const char *text = config_error_text(&config->libconfig);
        if (!S_ISREG(st.st_mode))
            config_file_error(report, path, "is not a file");
        else if (config_error_type(&config->libconfig) == CONFIG_ERR_FILE_IO)
            config_file_error(report, path, "cannot be read: %s", strerror(errno));
        else {
            add_file(&report->text, config, file);
            bytes_addf(&report->text, ":%d: %s%s\n", config_error_line(&config->libconfig), text,
                       strstr(text, "syntax")
                           ? " (look for a missing quote, bracket or \"=\" here or just above)"
                           : "");
            report->errors++;
        }
        config_close(config);
        return NULL;
    }
    struct bytes seen = {0};
    check_modes(config_root_setting(&config->libconfig), "", &seen, report);
    bytes_free(&seen);
    return config;
}

void config_close(struct config *config)
{
    if (!config)
        return;
    config_destroy(&config->libconfig);
    arena_free(&config->arena);
    free(config);
}

const struct config_node *config_root(const struct config *config)
{
    return node_of(config_root_setting(&config->libconfig));
}

const struct config_node *config_child(const struct config_node *group, const char *name)
{
    return config_is_group(group) ? node_of(config_setting_get_member(setting_of(group), name))
                                  : NULL;
}

const struct config_node *config_child_at(const struct config_node *group, unsigned index)
{
    return node_of(config_setting_get_elem(setting_of(group), index));
}

unsigned config_child_count(const struct config_node *group)
{
    return (unsigned)config_setting_length(setting_of(group));
}

const char *config_name(const struct config_node *node)
{
    return config_setting_name(setting_of(node));
}

bool config_is_group(const struct config_node *node)
{
    return node && config_setting_is_group(setting_of(node));
}

static void add_fingerprint(struct bytes *out, const config_setting_t *setting)
{
    if (config_setting_name(setting))
        bytes_add_json(out, span_of(config_setting_name(setting)));
    if (config_setting_is_aggregate(setting)) {
        bytes_add_string(out, "{");
        for (int i = 0; i < config_setting_length(setting); i++)
            add_fingerprint(out, config_setting_get_elem(setting, (unsigned)i));
        bytes_add_string(out, "}");
    } else if (config_setting_type(setting) == CONFIG_TYPE_STRING) {
        bytes_add_json(out, span_of(config_setting_get_string(setting)));
    } else {
        bytes_addf(out, "=%lld/%g", config_setting_get_int64(setting),
                   config_setting_get_float(setting));
    }
}

const char *config_fingerprint(const struct config_node *node, struct arena *arena)
{
    struct bytes text = {0};
    add_fingerprint(&text, setting_of(node));
    bytes_add_string(&text, "@");
    add_source(&text, setting_of(node));
    const char *result = arena_string(arena, bytes_span(&text));
    bytes_free(&text);
    return result;
}

/* ---- Values ---- */

enum config_kind config_kind(const struct config_node *node)
{
    switch (config_setting_type(setting_of(node))) {
    case CONFIG_TYPE_STRING:
        return CONFIG_KIND_STRING;
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        return CONFIG_KIND_INTEGER;
    case CONFIG_TYPE_FLOAT:
        return CONFIG_KIND_FLOAT;
    case CONFIG_TYPE_BOOL:
        return CONFIG_KIND_BOOL;
    case CONFIG_TYPE_GROUP:
        return CONFIG_KIND_GROUP;
    default:
        return CONFIG_KIND_LIST;
    }
}

const char *config_string(const struct config_node *node)
{
    return config_setting_get_string(setting_of(node));
}

int64_t config_integer(const struct config_node *node)
{
    return config_setting_get_int64(setting_of(node));
}

bool config_bool(const struct config_node *node)
{
    return config_setting_get_bool(setting_of(node)) != 0;
}

const char *config_file(const struct config_node *node, struct arena *arena)
{
    struct bytes path = {0};
    add_source(&path, setting_of(node));
    const char *result = arena_string(arena, bytes_span(&path));
    bytes_free(&path);
    return result;
}
