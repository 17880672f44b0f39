/* SPDX-License-Identifier: MIT */
#include "reader.h"

#include "lexer.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 100 /* groups and lists inside one another */

static bool read_value(struct lexer *lexer, struct config_node *node, unsigned depth);

static bool at_sign(const struct lexer *lexer, char sign)
{
    return lexer->token == TOKEN_SIGN && lexer->sign == sign;
}

/* Moves on if the sign is there. */
static bool accept(struct lexer *lexer, char sign)
{
    bool there = at_sign(lexer, sign);
    if (there)
        lexer_advance(lexer);
    return there;
}

static bool fail_expected(struct lexer *lexer, const char *expected)
{
    char buffer[64];
    lexer_fault(lexer,
                "syntax error: expected %s, found %s (a missing quotation mark, bracket or "
                "\"=\" just above can cause this)",
                expected, lexer_describe(lexer, buffer));
    return false;
}

static bool fail_no_memory(struct lexer *lexer)
{
    lexer->token = TOKEN_FAULT;
    lexer->fault->path = NULL;
    return false;
}

/* The next child of a group or list, at the place of the token at hand. */
static struct config_node *add_child(struct lexer *lexer, struct config_node *parent,
                                     struct config_node **last)
{
    struct config_node *child = arena_alloc(lexer->arena, sizeof *child);
    if (!child) {
        fail_no_memory(lexer);
        return NULL;
    }
    child->parent = parent;
    child->file = lexer->path;
    child->line = lexer->line;
    child->index = parent->count++;
    if (*last)
        (*last)->next = child;
    else
        parent->first = child;
    return *last = child;
}

/* ---- Groups ---- */

static int compare(const void *a, const void *b)
{
    const struct config_node *one = *(const struct config_node *const *)a;
    const struct config_node *other = *(const struct config_node *const *)b;
    int order = strcmp(one->name, other->name);
    return order ? order : (one->index > other->index) - (one->index < other->index);
}

static bool sort_names(struct lexer *lexer, struct config_node *group)
{
    size_t i = 0;
    group->by_name = arena_alloc(lexer->arena, (group->count + 1) * sizeof(void *));
    if (!group->by_name)
        return fail_no_memory(lexer);
    for (const struct config_node *child = group->first; child; child = child->next)
        group->by_name[i++] = child;
    qsort(group->by_name, group->count, sizeof *group->by_name, compare);
    return true;
}

/* NAME = VALUE, and a semicolon or comma that may follow. */
static bool read_setting(struct lexer *lexer, struct config_node *setting, unsigned depth)
{
    setting->name = arena_string(lexer->arena, lexer->name);
    if (!setting->name)
        return fail_no_memory(lexer);
    lexer_advance(lexer);
    if (!at_sign(lexer, '='))
        return fail_expected(lexer, "\"=\" after the name of a setting");
    lexer_advance(lexer);
    if (!read_value(lexer, setting, depth))
        return false;
    if (!accept(lexer, ';'))
        accept(lexer, ',');
    return true;
}

/* Takes off the children behind this one; NULL: all. */
static void cut_behind(struct config_node *group, struct config_node *last)
{
    if (last)
        last->next = NULL;
    else
        group->first = NULL;
    group->count = last ? last->index + 1 : 0;
}

/* The settings of a group, up to what is no name.  After a fault, those that are whole. */
static bool read_settings(struct lexer *lexer, struct config_node *group, unsigned depth)
{
    struct config_node *last = NULL, *whole = NULL;
    bool good = true;
    group->kind = CONFIG_KIND_GROUP;
    while (good && lexer->token == TOKEN_NAME) {
        whole = last;
        struct config_node *setting = add_child(lexer, group, &last);
        good = setting && read_setting(lexer, setting, depth);
    }
    if (!good)
        cut_behind(group, whole);
    return sort_names(lexer, group) && good && lexer->token != TOKEN_FAULT;
}

static bool read_group(struct lexer *lexer, struct config_node *group, unsigned depth)
{
    lexer_advance(lexer);
    if (!read_settings(lexer, group, depth))
        return false;
    if (!accept(lexer, '}'))
        return fail_expected(lexer, "a setting or \"}\"");
    return true;
}

/* ---- Lists and single values ---- */

/* Elements with commas between them; one after the last does no harm.  In brackets they
 * are single values of one kind, in parentheses anything. */
static bool read_list(struct lexer *lexer, struct config_node *list, unsigned depth)
{
    bool array = lexer->sign == '[';
    char end = array ? ']' : ')';
    struct config_node *last = NULL;
    list->kind = CONFIG_KIND_LIST;
    lexer_advance(lexer);
    while (!at_sign(lexer, end)) {
        struct config_node *element = add_child(lexer, list, &last);
        if (array && lexer->token == TOKEN_SIGN)
            return fail_expected(lexer, "a value or \"]\"");
        if (!element || !read_value(lexer, element, depth))
            return false;
        if (array && element->kind != list->first->kind) {
            lexer->path = element->file;
            lexer->line = element->line;
            lexer_fault(lexer, "the values between \"[\" and \"]\" must be of one kind");
            return false;
        }
        if (!accept(lexer, ',') && !at_sign(lexer, end))
            return fail_expected(lexer, array ? "a comma or \"]\"" : "a comma or \")\"");
    }
    lexer_advance(lexer);
    return true;
}

/* Strings that follow one another are one. */
static bool read_string(struct lexer *lexer, struct config_node *node)
{
    node->kind = CONFIG_KIND_STRING;
    node->string = "";
    while (lexer->token == TOKEN_STRING) {
        struct span part = bytes_span(&lexer->string);
        node->string = *node->string ? arena_format(lexer->arena, "%s%.*s", node->string,
                                                    (int)part.length, part.data)
                                     : arena_string(lexer->arena, part);
        if (!node->string)
            return fail_no_memory(lexer);
        lexer_advance(lexer);
    }
    return lexer->token != TOKEN_FAULT;
}

static bool read_value(struct lexer *lexer, struct config_node *node, unsigned depth)
{
    if (depth == DEPTH_MAX) {
        lexer_fault(lexer, "more than %d groups and lists inside one another", DEPTH_MAX);
        return false;
    }
    switch (lexer->token) {
    case TOKEN_STRING:
        return read_string(lexer, node);
    case TOKEN_INTEGER:
        node->kind = CONFIG_KIND_INTEGER;
        node->integer = lexer->integer;
        break;
    case TOKEN_FRACTION:
        node->kind = CONFIG_KIND_FLOAT;
        node->fraction = lexer->fraction;
        break;
    case TOKEN_BOOL:
        node->kind = CONFIG_KIND_BOOL;
        node->boolean = lexer->boolean;
        break;
    default:
        if (at_sign(lexer, '{'))
            return read_group(lexer, node, depth + 1);
        if (at_sign(lexer, '[') || at_sign(lexer, '('))
            return read_list(lexer, node, depth + 1);
        return fail_expected(lexer, "a value");
    }
    lexer_advance(lexer);
    return lexer->token != TOKEN_FAULT;
}

/* ---- The file ---- */

bool reader_read(const char *path, struct arena *arena, struct reader_result *result_r,
                 struct reader_fault *fault_r)
{
    struct lexer lexer;
    struct config_node *root = arena_alloc(arena, sizeof *root);
    *fault_r = (struct reader_fault){0};
    if (!root)
        return false;
    bool good = lexer_open(&lexer, path, arena, fault_r);
    root->file = lexer.path;
    good = good && read_settings(&lexer, root, 0);
    if (good && lexer.token != TOKEN_END)
        good = fail_expected(&lexer, "a setting");
    lexer_close(&lexer);
    *result_r = (struct reader_result){root, lexer.files};
    return good;
}
