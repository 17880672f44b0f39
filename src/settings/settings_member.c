/* SPDX-License-Identifier: MIT
 * The group `member` of a store. */
#include "settings_private.h"

#include "base/text.h"
#include "members/mapping.h"

#include <string.h>

struct member_values {
    struct memberchat_list asked, names;
    const char *avatar, *role;
};

static const struct memberchat_key member_keys[] = {
    {MEMBERCHAT_KEY(struct member_values, asked, "asked", LIST, NULL, 0, 16,
                    "what is done to an id before the store is asked for it")},
    {MEMBERCHAT_KEY(struct member_values, names, "name", LIST, NULL, 1, 16,
                    "templates of the shown name; the first whose placeholders all have a value")},
    {MEMBERCHAT_KEY(struct member_values, avatar, "avatar", STRING, NULL, 1, 4096,
                    "a template of the URL of a picture")},
    {MEMBERCHAT_KEY(struct member_values, role, "role", STRING, NULL, 1, 4096,
                    "a template of the role, where no test of \"roles\" fits")},
    {.name = "roles", .type = CONFIG_GROUPS, .help = "tests that give a role; the first that fits"},
};

/* An element of `roles`. */
static const struct memberchat_key role_keys[] = {
    {MEMBERCHAT_KEY(struct mapping_rule, field, "field", STRING, NULL, 1, 64, "what is tested"),
     .flags = MEMBERCHAT_KEY_REQUIRED},
    {MEMBERCHAT_KEY(struct mapping_rule, is, "is", STRING, NULL, 1, 4096, "the value that fits")},
    {MEMBERCHAT_KEY(struct mapping_rule, contains, "contains", STRING, NULL, 1, 4096,
                    "a part of the values that fit")},
    {MEMBERCHAT_KEY(struct mapping_rule, role, "role", STRING, NULL, 1, MEMBERCHAT_ROLE_MAX,
                    "the role that it gives"),
     .flags = MEMBERCHAT_KEY_REQUIRED},
};

const struct settings_table settings_member_tables[] = {
    {"stores.NAME.member", member_keys, CONFIG_COUNT(member_keys)},
};

struct making {
    struct mapping *mapping;
    struct arena *arena;
    struct config_report *report;
};

static void read_role(const struct making *making, const struct config_node *group)
{
    struct mapping_rule rule = {0};
    const struct config_table table = CONFIG_TABLE(role_keys, &rule);
    struct reason why;
    unsigned errors = making->report->errors;
    config_fill(group, &table, 1, making->arena, making->report);
    if (making->report->errors != errors)
        return;
    if (!rule.is == !rule.contains)
        config_error(making->report, group, NULL, "give either \"is\" or \"contains\"");
    else if (!text_is_plain(span_of(rule.role)))
        config_error(making->report, group, "role", "must be UTF-8 without control characters");
    else if (strcmp(rule.role, "guest") == 0)
        config_error(making->report, group, "role", "\"guest\" is the role of guests only");
    else if (!mapping_add_rule(making->mapping, &rule, making->arena, &why))
        config_error(making->report, group, "field", "%s", why.text);
}

static void read_roles(const struct making *making, const struct config_node *roles)
{
    for (const struct config_node *node = config_first(roles); node; node = config_next(node)) {
        if (config_is_group(node))
            read_role(making, node);
        else
            config_error(making->report, node, NULL,
                         "expected a group such as { field = \"department\"; is = \"IT\"; "
                         "role = \"host\" }");
    }
}

const struct mapping *settings_read_member(const struct config_node *group, struct arena *arena,
                                           struct config_report *report)
{
    struct member_values values = {0};
    const struct config_table table = CONFIG_TABLE(member_keys, &values);
    const struct making making = {arena_alloc(arena, sizeof(struct mapping)), arena, report};
    struct mapping *mapping = making.mapping;
    const struct config_node *roles = config_child(group, "roles");
    struct reason why;
    if (!mapping)
        return NULL;
    config_fill(group, &table, 1, arena, report);
    for (size_t i = 0; i < values.asked.count; i++)
        if (!mapping_add_step(mapping, values.asked.items[i], arena, &why))
            config_error(report, group, "asked", "%s", why.text);
    for (size_t i = 0; i < values.names.count; i++)
        if (!mapping_add_name(mapping, values.names.items[i], arena, &why))
            config_error(report, group, "name", "%s", why.text);
    if (values.avatar && !mapping_set_avatar(mapping, values.avatar, arena, &why))
        config_error(report, group, "avatar", "%s", why.text);
    if (values.role && !mapping_set_role(mapping, values.role, arena, &why))
        config_error(report, group, "role", "%s", why.text);
    if (roles && config_kind(roles) == CONFIG_KIND_LIST)
        read_roles(&making, roles);
    return mapping;
}
