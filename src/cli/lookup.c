/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>

enum { EXIT_NOT_FOUND = 1, EXIT_UNAVAILABLE = 2, EXIT_MISCONFIGURED = 3 };

static void add_field(struct bytes *out, const char *name, struct span value)
{
    bytes_addf(out, ",\n  \"%s\": ", name);
    bytes_add_json(out, value);
}

static void print_member(const struct member *member)
{
    struct bytes out = {0};
    bytes_add_string(&out, "{\n  \"userId\": ");
    bytes_add_json(&out, member_field(member, MEMBERCHAT_ID));
    add_field(&out, "userName", member_field(member, MEMBERCHAT_NAME));
    add_field(&out, "avatarProfileUrl", member_field(member, MEMBERCHAT_AVATAR));
    add_field(&out, "role", member_field(member, MEMBERCHAT_ROLE));
    bytes_add_string(&out, ",\n  \"attributes\": {");
    for (size_t i = 0; i < member->attribute_count; i++) {
        bytes_add_string(&out, i ? ",\n    " : "\n    ");
        bytes_add_json(&out, member_attribute_name(member, i));
        bytes_add_string(&out, ": ");
        bytes_add_json(&out, member_attribute_value(member, i));
    }
    bytes_add_string(&out, member->attribute_count ? "\n  }\n}" : "}\n}");
    cli_print(&out);
    bytes_free(&out);
}

static int explain(const char *store, const char *what, const struct store_report *report, int code)
{
    cli_error("store %s: %s: %s", store, what,
              report->reason[0] ? report->reason : "no reason given");
    return code;
}

static int look_up(struct settings_store *entry, struct span id, int64_t timeout_ms)
{
    struct store_report report;
    struct member member = {0};
    int code = EXIT_SUCCESS;
    const struct store_question question = {.id = id,
                                            .deadline = clock_monotonic_ms() + timeout_ms};
    if (!store_open(entry->store, true, &report))
        return explain(entry->name, "misconfigured", &report, EXIT_MISCONFIGURED);
    switch (store_lookup(entry->store, &question, &member, &report)) {
    case MEMBERCHAT_FOUND:
        print_member(&member);
        break;
    case MEMBERCHAT_NOT_FOUND:
        cli_error("store %s: there is no active member \"%.*s\"", entry->name, (int)id.length,
                  id.data);
        code = EXIT_NOT_FOUND;
        break;
    case MEMBERCHAT_UNAVAILABLE:
        code = explain(entry->name, "unavailable", &report, EXIT_UNAVAILABLE);
        break;
    case MEMBERCHAT_MISCONFIGURED:
        code = explain(entry->name, "misconfigured", &report, EXIT_MISCONFIGURED);
    }
    member_free(&member);
    return code;
}

static int run(const struct cli *cli, int argc, char **argv)
{
    const struct cli_option options[] = {{NULL, NULL, NULL}};
    const char *words[2] = {NULL, NULL};
    if (!cli_parse(cli, argc, argv, options, words, 2) || !words[1])
        return cli_usage(cli);
    struct span id = span_of(words[1]);
    struct settings *settings = cli_load(cli);
    if (!settings)
        return EXIT_MISCONFIGURED;
    struct settings_store *entry = cli_find_store(cli, settings, words[0]);
    int code = EXIT_NOT_FOUND;
    if (!entry) {
        code = EXIT_MISCONFIGURED;
    } else if (id.length == 0 || id.length > MEMBERCHAT_ID_MAX || !text_is_plain(id)) {
        cli_error("no member has such an id: it must be 1 to %d bytes of UTF-8 without control "
                  "characters",
                  MEMBERCHAT_ID_MAX);
    } else {
        code = look_up(entry, id, settings->top.request_timeout_ms);
    }
    settings_free(settings);
    return code;
}

const struct cli_command cli_lookup = {
    .name = "lookup",
    .arguments = "STORE ID",
    .summary = "Look a member up in a store",
    .help = "Prints the member as JSON.  No cache is asked.\n",
    .examples = "  memberchat lookup members 4711\n",
    .exits = "0 found, 1 not found or not active, 2 the store is unavailable,\n"
             "3 something is misconfigured",
    .run = run,
};
