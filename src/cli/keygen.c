/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include "settings/config_value.h"
#include "base/file.h"
#include "token/keys_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

/* What goes into the file: PEM where its name says so, else a JWK. */
static void write_key(const struct key *key, struct span secret, bool pem, struct bytes *out)
{
    if (key->hmac)
        jwk_write_secret(key, secret, out);
    else if (!pem)
        jwk_write_private(key, out);
    else {
        char *room = bytes_reserve(out, SIGN_PEM_MAX);
        if (room)
            out->length += key->module->write_pem(key->handle, room);
        out->failed = out->failed || out->length == 0;
    }
    if (!pem)
        bytes_add_string(out, "\n");
}

/* A file that was not there before. */
static bool make_file(const char *path, struct span text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        cli_error("%s cannot be made: %s%s", path, strerror(errno),
                  errno == EEXIST ? ": no key is overwritten; choose another name"
                                  : file_making_remedy(errno));
        return false;
    }
    bool good = file_write_all(fd, text) && fsync(fd) == 0;
    if (!good)
        cli_error("%s cannot be written: %s", path, strerror(errno));
    close(fd);
    if (!good)
        unlink(path);
    return good;
}

static int generate(const struct cli *cli, enum algorithm algorithm, const char *id,
                    const char *path)
{
    struct bytes secret = {0}, file = {0}, public = {0};
    struct reason why = {0};
    struct key *key = key_generate(algorithm, id, cli->plugins, &secret, &why);
    bool pem = ends_with(path, ".pem"), done = false;
    if (!key) {
        cli_error("no key: %s", why.text);
    } else if (pem && key->hmac) {
        cli_error("a secret cannot be PEM: give the file another name than %s", path);
    } else {
        write_key(key, bytes_span(&secret), pem, &file);
        jwk_write_public(key, &public);
        if (file.failed || public.failed)
            cli_error("%s was not made: the key cannot be written out", path);
        else
            done = make_file(path, bytes_span(&file));
    }
    if (done)
        cli_print(&public);
    key_free(key);
    bytes_free(&secret);
    bytes_free(&file);
    bytes_free(&public);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(const struct cli *cli, int argc, char **argv)
{
    const char *words[2] = {NULL, NULL}, *id = NULL;
    const struct cli_option options[] = {{"--key-id", &id, NULL}, {NULL, NULL, NULL}};
    if (!cli_parse(cli, argc, argv, options, words, 2) || !words[1])
        return cli_usage(cli);
    int64_t algorithm = value_find_choice(ALGORITHM_NAMES, words[0]);
    if (algorithm < 0) {
        cli_error("\"%s\" is not an algorithm; it must be one of: " ALGORITHM_NAMES, words[0]);
        return EXIT_FAILURE;
    }
    return generate(cli, (enum algorithm)algorithm, id, words[1]);
}

const struct cli_command cli_keygen = {
    .name = "keygen",
    .arguments = "ALGORITHM [--key-id ID] FILE",
    .summary = "Make a key to sign tokens with",
    .help = "Writes a new private key with mode 0600 to FILE, which must not exist yet,\n"
            "as PEM if its name ends in .pem, otherwise as a JWK.  Prints the public key as a\n"
            "JWK; for a secret (HS256, HS384, HS512), only its key id.\n\n"
            "  --key-id ID  the key id (kid), by default the thumbprint; PEM cannot hold it,\n"
            "               so set key_id in the configuration, too\n\n"
            "Algorithms: " ALGORITHM_NAMES "\n",
    .examples = "  memberchat keygen HS256 keys/my-app.jwk\n"
                "  memberchat keygen ES256 --key-id 2026-11 keys/2026-11.pem\n",
    .exits = "0 done, 1 not done",
    .run = run,
};
