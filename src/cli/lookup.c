/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>

enum { EXIT_NOT_FOUND = 1, EXIT_UNAVAILABLE = 2, EXIT_MISCONFIGURED = 3 };

/* The fields of a member, each with a name of its own, as lines of an object. */
static void add_fields(struct bytes *out, const struct member *member, const char *indent,
                       const char *const names[4])
{
    static const enum memberchat_field fields[] = {MEMBERCHAT_ID, MEMBERCHAT_NAME,
                                                   MEMBERCHAT_AVATAR, MEMBERCHAT_ROLE};
    for (size_t i = 0; i < 4; i++) {
        bytes_addf(out, "%s\n%s\"%s\": ", i ? "," : "", indent, names[i]);
        bytes_add_json(out, member_field(member, fields[i]));
    }
}

/* One value as a string, several as an array. */
static void add_values(struct bytes *out, const struct member *member, struct span name)
{
    struct span value;
    size_t index = 0;
    bool several = member_has_several(member, name);
    bytes_add_string(out, several ? "[" : "");
    for (size_t i = 0; (value = member_next_value(member, name, &index)).data; i++) {
        bytes_add_string(out, i ? ", " : "");
        bytes_add_json(out, value);
    }
    bytes_add_string(out, several ? "]" : "");
}

static void add_attributes(struct bytes *out, const struct member *member)
{
    bytes_add_string(out, ",\n  \"attributes\": {");
    for (size_t i = 0; i < member->attribute_count; i++) {
        struct span name = member_attribute_name(member, i);
        size_t first = 0;
        member_next_value(member, name, &first);
        if (first != i + 1) /* it was there before, with all its values */
            continue;
        bytes_add_string(out, i ? ",\n    " : "\n    ");
        bytes_add_json(out, name);
        bytes_add_string(out, ": ");
        add_values(out, member, name);
    }
    bytes_add_string(out, member->attribute_count ? "\n  }" : "}");
}

/* `delivered`: what the store said, where it has a mapping; else NULL. */
static void print_member(const struct member *member, const struct member *delivered)
{
    static const char *const names[] = {"userId", "userName", "avatarProfileUrl", "role"};
    static const char *const of_store[] = {"id", "name", "avatar", "role"};
    struct bytes out = {0};
    bytes_add_string(&out, "{");
    add_fields(&out, member, "  ", names);
    add_attributes(&out, member);
    if (delivered) {
        bytes_add_string(&out, ",\n  \"fromStore\": {");
        add_fields(&out, delivered, "    ", of_store);
        bytes_add_string(&out, "\n  }");
    }
    bytes_add_string(&out, "\n}");
    cli_print(&out);
    bytes_free(&out);
}

static int explain(const char *store, const char *what, const struct store_report *report, int code)
{
    cli_error("store %s: %s: %s", store, what,
              report->reason[0] ? report->reason : "no reason given");
    return code;
}

/* `asked` is the id that was given, `id` the one that the store was asked for. */
static int explain_absent(const char *store, struct span asked, struct span id,
                          const struct store_report *report)
{
    struct reason why = {0};
    if (report->reason[0])
        reason_set(&why, ": %s", report->reason);
    else if (!span_equal(asked, id))
        reason_set(&why, ", which \"asked\" makes of \"%.*s\"", (int)asked.length, asked.data);
    cli_error("store %s: there is no %smember \"%.*s\"%s", store,
              report->reason[0] ? "active " : "", (int)id.length, id.data, why.text);
    return EXIT_NOT_FOUND;
}

static int look_up(struct settings_store *entry, struct span id, int64_t timeout_ms)
{
    struct store_report report = {0};
    struct member member = {0}, delivered = {0};
    char room[MEMBERCHAT_ID_MAX];
    int code = EXIT_SUCCESS;
    if (!store_open(entry->store, MEMBERCHAT_OPEN_ONCE | MEMBERCHAT_OPEN_EXPLAIN, &report))
        return explain(entry->name, "misconfigured", &report, EXIT_MISCONFIGURED);
    bool mapped = store_has_mapping(entry->store);
    const struct store_question question = {.id = store_translate(entry->store, id, room),
                                            .deadline = clock_monotonic_ms() + timeout_ms,
                                            .delivered_r = mapped ? &delivered : NULL};
    if (!question.id.data)
        return explain_absent(entry->name, id, SPAN_NONE, &report);
    switch (store_lookup(entry->store, &question, &member, &report)) {
    case MEMBERCHAT_FOUND:
        print_member(&member, mapped ? &delivered : NULL);
        break;
    case MEMBERCHAT_NOT_FOUND:
        code = explain_absent(entry->name, id, question.id, &report);
        break;
    case MEMBERCHAT_UNAVAILABLE:
        code = explain(entry->name, "unavailable", &report, EXIT_UNAVAILABLE);
        break;
    case MEMBERCHAT_MISCONFIGURED:
        code = explain(entry->name, "misconfigured", &report, EXIT_MISCONFIGURED);
        break;
    }
    member_free(&member);
    member_free(&delivered);
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
    .help = "Prints the member as JSON, without using a cache.  If the store has a group\n"
            "\"member\", \"fromStore\" shows what the store itself said.\n",
    .examples = "  memberchat lookup members 4711\n",
    .exits = "0 found, 1 not found or not active, 2 the store is unavailable,\n"
             "3 something is misconfigured",
    .run = run,
};
