/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include "base/random.h"

#include <stdlib.h>
#include <string.h>

#define SECRET_BYTES 32

void cli_make_secret(struct bytes *secret_r, struct bytes *digest_r)
{
    unsigned char random[SECRET_BYTES];
    uint8_t digest[SHA256_LENGTH];
    bool random_enough = random_fill(random, sizeof random);
    crypto_base64url_encode(secret_r, (struct span){(const char *)random, sizeof random});
    crypto_sha256(bytes_span(secret_r), digest);
    bytes_add_hex(digest_r, (struct span){(const char *)digest, sizeof digest});
    digest_r->failed = digest_r->failed || secret_r->failed || !random_enough;
    explicit_bzero(random, sizeof random);
}

static int print_secret(const struct app *app)
{
    struct bytes secret = {0}, digest = {0}, out = {0};
    cli_make_secret(&secret, &digest);
    bytes_addf(&out, "API secret: %s\n\n", bytes_string(&secret));
    bytes_addf(&out,
               "# The secret is shown this once.  This goes into apps.%s, in place of its\n"
               "# api_secret_sha256, api_secret or api_secret_file.  Both secrets are good then;\n"
               "# take the first away once no application server uses the old one.\n\n"
               "        api_secret_sha256 = [ \"",
               app->id);
    bytes_add_hex(&out, (struct span){(const char *)app->secrets[0], SHA256_LENGTH});
    bytes_addf(&out, "\",\n                              \"%s\" ]", bytes_string(&digest));
    out.failed = out.failed || digest.failed;
    cli_print(&out);
    bytes_free(&secret);
    bytes_free(&digest);
    bytes_free(&out);
    return EXIT_SUCCESS;
}

static int run(const struct cli *cli, int argc, char **argv)
{
    const struct cli_option options[] = {{NULL, NULL, NULL}};
    const char *id = NULL;
    if (!cli_parse(cli, argc, argv, options, &id, 1) || !id)
        return cli_usage(cli);
    struct settings *settings = cli_load(cli);
    const struct app *app = settings ? cli_find_app(cli, settings, id) : NULL;
    int code = EXIT_FAILURE;
    if (app && app->secret_count == APP_SECRETS_MAX)
        cli_error("the app \"%s\" has two secrets: take away the one that is no longer used first",
                  id);
    else if (app)
        code = print_secret(app);
    settings_free(settings);
    return code;
}

const struct cli_command cli_new_secret = {
    .name = "new-secret",
    .arguments = "APP",
    .summary = "Make a second API secret for an app",
    .help = "Prints a new API secret, which is shown only this once, and the setting that\n"
            "accepts it beside the app's present secret.  Changes no file.\n",
    .examples = "  memberchat new-secret my-app\n",
    .exits = "0 done, 1 not done: there is no such app, or it has two secrets",
    .run = run,
};
