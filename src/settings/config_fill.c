/* SPDX-License-Identifier: MIT */
#include "config_fill.h"

#include "config_value.h"

#include "base/text.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

/* One value on its way into a struct. */
struct slot {
    const struct config_node *group;
    const struct config_node *node; /* NULL: the default is read */
    const struct memberchat_key *key;
    void *out;
    struct arena *arena;
    struct config_report *report;
};

static const char *const kind_words[] = {
    [CONFIG_KIND_STRING] = "a string",  [CONFIG_KIND_INTEGER] = "a number",
    [CONFIG_KIND_FLOAT] = "a fraction", [CONFIG_KIND_BOOL] = "true or false",
    [CONFIG_KIND_GROUP] = "a group",    [CONFIG_KIND_LIST] = "a list",
};

static void report_kind(const struct slot *slot, const char *expected)
{
    config_error(slot->report, slot->group, slot->key->name, "expected %s, found %s", expected,
                 kind_words[config_kind(slot->node)]);
}

/* The text of a value that is written as a string; NULL after reporting. */
static const char *slot_text(const struct slot *slot, const char *expected)
{
    if (!slot->node)
        return slot->key->fallback;
    if (config_kind(slot->node) == CONFIG_KIND_STRING)
        return config_string(slot->node);
    report_kind(slot, expected);
    return NULL;
}

static bool in_range(const struct memberchat_key *key, int64_t value)
{
    return (key->min == 0 && key->max == 0) || (value >= key->min && value <= key->max);
}

static bool has_good_length(const struct slot *slot, size_t length, const char *one,
                            const char *many)
{
    long long min = slot->key->min, max = slot->key->max;
    const char *what = length == 1 ? one : many;
    if (!slot->node || in_range(slot->key, (int64_t)length))
        return true;
    if (min == max)
        config_error(slot->report, slot->group, slot->key->name, "has %zu %s; it must have %lld",
                     length, what, min);
    else
        config_error(slot->report, slot->group, slot->key->name,
                     "has %zu %s; it must have %lld to %lld", length, what, min, max);
    return false;
}

const char *config_resolve_path(const struct config_node *node, const char *path,
                                struct arena *arena)
{
    const char *file = node ? config_file(node) : "", *slash = strrchr(file, '/');
    char here[PATH_MAX];
    if (*path == '/')
        return arena_string(arena, span_of(path));
    if (slash && *file == '/')
        return arena_format(arena, "%.*s/%s", (int)(slash - file), file, path);
    if (!getcwd(here, sizeof here))
        return arena_string(arena, span_of(path));
    return arena_format(arena, "%s/%.*s%s%s", here, slash ? (int)(slash - file) : 0,
                        slash ? file : "", slash ? "/" : "", path);
}

static void fill_string(const struct slot *slot)
{
    const char *text = slot_text(slot, "a string in quotes");
    if (!text || !has_good_length(slot, strlen(text), "byte", "bytes"))
        return;
    *(const char **)slot->out = arena_string(slot->arena, span_of(text));
}

static void fill_path(const struct slot *slot)
{
    const char *text = slot_text(slot, "a path in quotes");
    if (!text)
        return;
    if (*text)
        *(const char **)slot->out =
            config_resolve_path(slot->node ? slot->node : slot->group, text, slot->arena);
    else
        config_error(slot->report, slot->group, slot->key->name, "is empty; it must be a path");
}

static void fill_bool(const struct slot *slot)
{
    if (!slot->node)
        *(bool *)slot->out = strcmp(slot->key->fallback, "true") == 0;
    else if (config_kind(slot->node) == CONFIG_KIND_BOOL)
        *(bool *)slot->out = config_bool(slot->node);
    else
        report_kind(slot, "true or false, without quotes");
}

static void fill_integer(const struct slot *slot)
{
    int64_t value = 0;
    if (!slot->node) {
        text_parse_integer(slot->key->fallback, &value);
    } else if (config_kind(slot->node) == CONFIG_KIND_INTEGER) {
        value = config_integer(slot->node);
    } else {
        report_kind(slot, "a whole number, without quotes");
        return;
    }
    if (!in_range(slot->key, value))
        config_error(slot->report, slot->group, slot->key->name, "is %lld; it must be %lld to %lld",
                     (long long)value, (long long)slot->key->min, (long long)slot->key->max);
    *(int64_t *)slot->out = value;
}

static void fill_duration(const struct slot *slot)
{
    const char *text =
        slot_text(slot, "a duration in quotes, such as \"500ms\", \"5s\" or \"10m\"");
    int64_t value = 0;
    char low[32], high[32];
    if (!text)
        return;
    if (!value_parse_duration(text, &value))
        config_error(slot->report, slot->group, slot->key->name,
                     "\"%s\" is not a duration; write it as \"500ms\", \"5s\", \"10m\", \"1h\" or "
                     "\"7d\"",
                     text);
    else if (!in_range(slot->key, value))
        config_error(slot->report, slot->group, slot->key->name,
                     "is \"%s\"; it must be \"%s\" to \"%s\"", text,
                     value_format_duration(slot->key->min, low),
                     value_format_duration(slot->key->max, high));
    *(int64_t *)slot->out = value;
}

static void fill_size(const struct slot *slot)
{
    bool number = slot->node && config_kind(slot->node) == CONFIG_KIND_INTEGER;
    const char *text = number ? "" : slot_text(slot, "a size, such as \"16k\" or \"1M\"");
    int64_t value = 0;
    char low[32], high[32];
    if (!text)
        return;
    if (number)
        value = config_integer(slot->node);
    if (!number && !value_parse_size(text, &value))
        config_error(slot->report, slot->group, slot->key->name,
                     "\"%s\" is not a size; write it as \"512\", \"16k\", \"1M\" or \"1G\"", text);
    else if (!in_range(slot->key, value))
        config_error(slot->report, slot->group, slot->key->name,
                     "is %lld byte%s; it must be \"%s\" to \"%s\"", (long long)value,
                     text_plural((uint64_t)value), value_format_size(slot->key->min, low),
                     value_format_size(slot->key->max, high));
    *(int64_t *)slot->out = value;
}

static void fill_choice(const struct slot *slot)
{
    const char *text = slot_text(slot, "a word in quotes");
    int64_t index = text ? value_find_choice(slot->key->choices, text) : -1;
    if (text && index < 0)
        config_error(slot->report, slot->group, slot->key->name, "is \"%s\"; it must be one of: %s",
                     text, slot->key->choices);
    *(int64_t *)slot->out = index;
}

/* An element of a list as text; NULL after reporting, or without memory. */
static const char *list_item(const struct slot *slot, const struct config_node *item)
{
    if (!item)
        return arena_string(slot->arena, span_of(slot->key->fallback));
    if (config_kind(item) == CONFIG_KIND_INTEGER && slot->key->flags & MEMBERCHAT_KEY_NUMBERS)
        return arena_format(slot->arena, "%lld", (long long)config_integer(item));
    if (config_kind(item) == CONFIG_KIND_STRING)
        return arena_string(slot->arena, span_of(config_string(item)));
    config_error(slot->report, item, NULL, "expected a string in quotes, found %s",
                 kind_words[config_kind(item)]);
    return NULL;
}

static void fill_list(const struct slot *slot)
{
    struct memberchat_list *list = slot->out;
    bool single = !slot->node || config_kind(slot->node) == CONFIG_KIND_STRING;
    if (!single && config_kind(slot->node) != CONFIG_KIND_LIST) {
        report_kind(slot, "a string in quotes, or a list such as [ \"a\", \"b\" ]");
        return;
    }
    size_t count = single ? 1 : config_count(slot->node);
    const char **items = arena_alloc(slot->arena, (count + 1) * sizeof *items);
    const struct config_node *item = single ? slot->node : config_first(slot->node);
    list->items = items;
    list->count = 0;
    for (size_t i = 0; items && i < count; i++) {
        items[list->count] = list_item(slot, item);
        list->count += items[list->count] != NULL;
        item = item ? config_next(item) : NULL;
    }
    has_good_length(slot, count, "entry", "entries");
}

static bool is_path(const struct memberchat_key *key, const char *name)
{
    size_t length = strlen(name), tail = strlen("_file");
    return key->flags & MEMBERCHAT_KEY_PATHS && length > tail &&
           strcmp(name + length - tail, "_file") == 0;
}

static void fill_map(const struct slot *slot)
{
    struct memberchat_map *map = slot->out;
    if (!slot->node)
        return;
    if (config_kind(slot->node) != CONFIG_KIND_GROUP) {
        report_kind(slot, "a group such as { a = \"b\"; }");
        return;
    }
    size_t count = config_count(slot->node);
    const char **names = arena_alloc(slot->arena, (count + 1) * sizeof *names);
    const char **values = arena_alloc(slot->arena, (count + 1) * sizeof *values);
    *map = (struct memberchat_map){.names = names, .values = values};
    if (!names || !values)
        return;
    for (const struct config_node *item = config_first(slot->node); item;
         item = config_next(item)) {
        const char *value = list_item(slot, item);
        values[map->count] = value && is_path(slot->key, config_name(item))
                                 ? config_resolve_path(item, value, slot->arena)
                                 : value;
        names[map->count] = arena_string(slot->arena, span_of(config_name(item)));
        map->count += names[map->count] && values[map->count];
    }
    has_good_length(slot, count, "entry", "entries");
}

static void fill_switch(const struct slot *slot)
{
    if (!slot->node || config_kind(slot->node) == CONFIG_KIND_BOOL)
        *(const char **)slot->out = slot->node && config_bool(slot->node) ? "" : NULL;
    else if (config_kind(slot->node) == CONFIG_KIND_STRING)
        fill_path(slot);
    else
        report_kind(slot, "true, false or a path in quotes");
}

/* Groups have no fallback, so that there is a node. */
static void fill_group(const struct slot *slot)
{
    if (config_kind(slot->node) != CONFIG_KIND_GROUP)
        report_kind(slot, "a group in braces");
}

static void fill_groups(const struct slot *slot)
{
    if (config_kind(slot->node) != CONFIG_KIND_LIST)
        report_kind(slot, "a list of groups in parentheses");
}

static void fill_slot(const struct slot *slot)
{
    static void (*const by_type[])(const struct slot *) = {
        [MEMBERCHAT_STRING] = fill_string,     [MEMBERCHAT_PATH] = fill_path,
        [MEMBERCHAT_BOOL] = fill_bool,         [MEMBERCHAT_INTEGER] = fill_integer,
        [MEMBERCHAT_DURATION] = fill_duration, [MEMBERCHAT_SIZE] = fill_size,
        [MEMBERCHAT_CHOICE] = fill_choice,     [MEMBERCHAT_LIST] = fill_list,
        [MEMBERCHAT_MAP] = fill_map,           [CONFIG_GROUP] = fill_group,
        [CONFIG_GROUPS] = fill_groups,         [CONFIG_SWITCH] = fill_switch,
    };
    by_type[slot->key->type](slot);
}

/* ---- Keys that no table has ---- */

static const struct memberchat_key *find_key(const struct config_table *tables, size_t count,
                                             const char *name)
{
    for (size_t t = 0; t < count; t++)
        for (size_t k = 0; k < tables[t].count; k++)
            if (strcmp(tables[t].keys[k].name, name) == 0)
                return &tables[t].keys[k];
    return NULL;
}

static struct value_match find_similar_key(const struct config_table *tables, size_t count,
                                           const char *name)
{
    struct value_match match = value_match_start(name);
    for (size_t t = 0; t < count; t++)
        for (size_t k = 0; k < tables[t].count; k++)
            value_match_try(&match, tables[t].keys[k].name);
    return match;
}

static void report_unknown(const struct config_node *group, const struct config_table *tables,
                           size_t count, struct config_report *report)
{
    for (const struct config_node *child = config_first(group); child; child = config_next(child)) {
        const char *name = config_name(child);
        if (find_key(tables, count, name))
            continue;
        struct value_match match = find_similar_key(tables, count, name);
        config_error(report, child, NULL, "unknown key%s%s%s", VALUE_MATCH_HINT(&match));
    }
}

/* Whether an unknown key will be told that it may be meant to be this one. */
static bool is_misspelt(const struct config_node *group, const struct config_table *tables,
                        size_t count, const char *key)
{
    for (const struct config_node *child = config_first(group); child; child = config_next(child)) {
        const char *name = config_name(child);
        if (!find_key(tables, count, name) && find_similar_key(tables, count, name).best == key)
            return true;
    }
    return false;
}

void config_fill(const struct config_node *group, const struct config_table *tables,
                 size_t table_count, struct arena *arena, struct config_report *report)
{
    for (size_t t = 0; t < table_count; t++) {
        for (size_t k = 0; k < tables[t].count; k++) {
            const struct memberchat_key *key = &tables[t].keys[k];
            struct slot slot = {.group = group,
                                .node = group ? config_child(group, key->name) : NULL,
                                .key = key,
                                .out = (char *)tables[t].settings + key->offset,
                                .arena = arena,
                                .report = report};
            if (slot.node || key->fallback)
                fill_slot(&slot);
            else if (group && key->flags & MEMBERCHAT_KEY_REQUIRED &&
                     !is_misspelt(group, tables, table_count, key->name))
                config_error(report, group, key->name, "is missing: %s", key->help);
        }
    }
    if (group)
        report_unknown(group, tables, table_count, report);
    if (arena->failed)
        config_report_no_memory(report);
}
