/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include "api/access_token.h"
#include "base/clock.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOKEN_MAX (64 * 1024)

/* False: it cannot be read, or is too large. */
static bool read_token(struct bytes *token)
{
    return file_read_all(STDIN_FILENO, TOKEN_MAX, token) && token->length <= TOKEN_MAX;
}

static int verify(const struct app *app, struct span token)
{
    struct jws jws;
    struct bytes out = {0};
    int64_t now;
    if (!clock_unix_seconds(&now)) {
        cli_error("the clock cannot be read");
        return EXIT_FAILURE;
    }
    enum jws_verdict verdict = access_token_inspect(app, token, now, &jws);
    if (jws.claims) { /* signed by a known key, even if it has expired */
        bytes_add_string(&out, "{\"header\":");
        bytes_add_span(&out, bytes_span(&jws.header_text));
        bytes_add_string(&out, ",\"claims\":");
        bytes_add_span(&out, bytes_span(&jws.claims_text));
        bytes_add_string(&out, "}");
        cli_print(&out);
    }
    if (verdict != JWS_GOOD)
        cli_error("the token is not good: %s", jws.fault);
    jws_free(&jws);
    bytes_free(&out);
    return verdict == JWS_GOOD ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(const struct cli *cli, int argc, char **argv)
{
    const char *words[2] = {NULL, NULL};
    const struct cli_option options[] = {{NULL, NULL, NULL}};
    struct bytes input = {0};
    int code = EXIT_FAILURE;
    if (!cli_parse(cli, argc, argv, options, words, 2) || !words[1])
        return cli_usage(cli);
    struct settings *settings = cli_load(cli);
    const struct app *app = settings ? cli_find_app(cli, settings, words[0]) : NULL;
    bool from_input = strcmp(words[1], "-") == 0;
    if (app && from_input && !read_token(&input))
        cli_error("standard input cannot be read, or is larger than %d bytes", TOKEN_MAX);
    else if (app)
        code =
            verify(app, span_trim(from_input ? bytes_span(&input) : span_of(words[1]), " \t\r\n"));
    settings_free(settings);
    bytes_free(&input);
    return code;
}

const struct cli_command cli_verify = {
    .name = "verify",
    .arguments = "APP TOKEN | -",
    .summary = "Check a token and show what is in it",
    .help = "Checks the signature and the times of a token of APP, or of one that its\n"
            "access_token describes, and prints header and claims.  With -, reads the token\n"
            "from standard input, which other users of the machine cannot see.\n",
    .examples =
        "  memberchat token my-app --guest | jq -r .chatToken | memberchat verify my-app -\n",
    .exits = "0 good, 1 not good: standard error says why",
    .run = run,
};
