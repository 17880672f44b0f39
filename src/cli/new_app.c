/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include "base/random.h"

#include <stdlib.h>

#define KEY_BYTES 12

static int run(const struct cli *cli, int argc, char **argv)
{
    const struct cli_option options[] = {{NULL, NULL, NULL}};
    const char *name = NULL;
    struct bytes key = {0}, secret = {0}, digest = {0}, out = {0};
    unsigned char random[KEY_BYTES];
    if (!cli_parse(cli, argc, argv, options, &name, 1) || !name)
        return cli_usage(cli);
    if (!cli_check_group_name(name, " (app_id can be set to another)"))
        return EXIT_FAILURE;
    key.failed = !random_fill(random, sizeof random);
    bytes_addf(&key, "%s-", name);
    crypto_base64url_encode(&key, (struct span){(const char *)random, sizeof random});
    cli_make_secret(&secret, &digest);
    bytes_addf(&out, "API key:    %s\n", bytes_string(&key));
    bytes_addf(&out, "API secret: %s\n", bytes_string(&secret));
    bytes_add_string(&out, "\n# The secret is shown this once; the configuration holds its "
                           "SHA-256 only.\n"
                           "# A signing key, in the folder of the configuration:\n");
    bytes_addf(
        &out, "#   mkdir -p keys && memberchat keygen HS256 keys/%s.jwk && chmod 640 keys/%s.jwk\n",
        name, name);
    bytes_add_string(&out, "# This goes into the group \"apps\":\n\n");
    bytes_addf(&out, "    %s = {\n        api_key = \"%s\"\n", name, bytes_string(&key));
    bytes_addf(&out,
               "        api_secret_sha256 = [ \"%s\" ]\n        chat_server_url = "
               "\"wss://chat.example.com/ws\"\n"
               "        store = \"members\"\n"
               "        guest_id_prefix = \"guest_\"\n"
               "        token = { key_file = \"keys/%s.jwk\" }\n    }",
               bytes_string(&digest), name);
    out.failed = out.failed || key.failed || digest.failed; /* no key or secret that is empty */
    cli_print(&out);
    bytes_free(&key);
    bytes_free(&secret);
    bytes_free(&digest);
    bytes_free(&out);
    return EXIT_SUCCESS;
}

const struct cli_command cli_new_app = {
    .name = "new-app",
    .arguments = "NAME",
    .summary = "Make an API key, a secret and a block of configuration",
    .help = "Prints a new API key, its secret, which is shown only this once, and the group\n"
            "to paste into \"apps\".  Changes no file.\n",
    .examples = "  memberchat new-app my-app\n",
    .exits = "0 done, 1 the name cannot be used",
    .run = run,
};
