/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include "base/clock.h"
#include "api/issue.h"
#include "api/reply.h"

#include <stdlib.h>
#include <string.h>

struct wishes {
    const char *member, *id, *name, *avatar;
    bool guest;
};

static void add_field(struct bytes *body, const char *name, const char *value)
{
    if (!value)
        return;
    bytes_addf(body, "%s\"%s\":", body->length > 1 ? "," : "", name);
    bytes_add_json(body, span_of(value));
}

/* The body that the API would get. */
static void write_guest(const struct wishes *wishes, struct bytes *body)
{
    bytes_add_string(body, "{");
    add_field(body, "appUserId", wishes->id);
    add_field(body, "appUserName", wishes->name);
    add_field(body, "appUserProfileImgUrl", wishes->avatar);
    bytes_add_string(body, "}");
}

static void take_id(struct route *route, struct span id)
{
    route->id_too_long = id.length > sizeof route->id;
    route->id_length = route->id_too_long ? 0 : id.length;
    memcpy(route->id, id.data, route->id_length);
}

/* The way of the API from behind the credentials on. */
static int issue(const struct settings *settings, const struct app *app,
                 const struct wishes *wishes)
{
    struct bytes body = {0};
    struct http_response response = {0};
    struct http_request request = {.deadline =
                                       clock_monotonic_ms() + settings->top.request_timeout_ms};
    struct exchange exchange = {
        .settings = settings, .request = &request, .response = &response, .app = app};
    enum outcome outcome;
    if (wishes->guest) {
        write_guest(wishes, &body);
        request.body = bytes_span(&body);
        outcome = body.failed ? OUTCOME_INTERNAL_SERVER_ERROR : issue_for_guest(&exchange);
    } else {
        take_id(&exchange.route, span_of(wishes->member));
        outcome = issue_for_member(&exchange);
    }
    if (outcome == OUTCOME_ANSWERED) {
        cli_print(&response.body);
    } else {
        reply_with_error(&exchange, outcome);
        cli_error("no token: %s",
                  response.body.failed ? "out of memory" : bytes_string(&response.body));
    }
    bytes_free(&exchange.message);
    bytes_free(&body);
    http_response_free(&response);
    return outcome == OUTCOME_ANSWERED ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(const struct cli *cli, int argc, char **argv)
{
    struct wishes wishes = {0};
    const char *app_id = NULL;
    struct config_report report = {0};
    const struct cli_option options[] = {
        {"--member", &wishes.member, NULL}, {"--guest", NULL, &wishes.guest},
        {"--id", &wishes.id, NULL},         {"--name", &wishes.name, NULL},
        {"--avatar", &wishes.avatar, NULL}, {NULL, NULL, NULL},
    };
    if (!cli_parse(cli, argc, argv, options, &app_id, 1) || !app_id ||
        wishes.guest == (wishes.member != NULL) ||
        (wishes.member && (wishes.id || wishes.name || wishes.avatar)))
        return cli_usage(cli);
    struct settings *settings = cli_load(cli);
    if (!settings)
        return EXIT_FAILURE;
    int code = EXIT_FAILURE;
    const struct app *app = cli_find_app(cli, settings, app_id);
    if (app && settings_open_app(settings, app, &report))
        code = issue(settings, app, &wishes);
    config_report_print(&report, stderr);
    config_report_free(&report);
    settings_free(settings);
    return code;
}

const struct cli_command cli_token = {
    .name = "token",
    .arguments = "APP --member ID | --guest [--id ID] [--name NAME] [--avatar URL]",
    .summary = "Issue a token, as the API would",
    .help = "Prints what the API would answer.  The token is a real one that opens the chat.\n",
    .examples = "  memberchat token my-app --member 4711\n"
                "  memberchat token my-app --guest --name Anna\n",
    .exits = "0 issued, 1 not issued: the error of the API is on standard error",
    .run = run,
};
