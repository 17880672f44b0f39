/* SPDX-License-Identifier: MIT
 * The API secrets of an app. */
#include "settings_private.h"

#include "common_secrets.h"

#include "base/file.h"
#include "base/text.h"

#include <string.h>

#define SECRET_MIN 16
#define SECRET_MAX 1024

static void add_secret(const struct loading *loading, struct app *app,
                       const struct config_node *group, const char *key, struct span secret)
{
    if (secret.length < SECRET_MIN || secret.length > SECRET_MAX)
        config_error(loading->report, group, key,
                     "the API secret has %zu byte%s; it must have %d to %d: memberchat new-app "
                     "makes a good one",
                     secret.length, text_plural(secret.length), SECRET_MIN, SECRET_MAX);
    else
        crypto_sha256(secret, app->secrets[app->secret_count++]);
}

static bool parse_digest(const char *hex, uint8_t digest_r[SHA256_LENGTH])
{
    if (strlen(hex) != 2 * SHA256_LENGTH)
        return false;
    for (size_t i = 0; i < SHA256_LENGTH; i++) {
        int high = text_hex_digit(hex[2 * i]), low = text_hex_digit(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        digest_r[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static void add_digest(const struct loading *loading, struct app *app,
                       const struct config_node *group, const char *hex)
{
    uint8_t *digest = app->secrets[app->secret_count];
    if (!parse_digest(hex, digest))
        config_error(loading->report, group, "api_secret_sha256",
                     "must be 64 hexadecimal digits, as sha256sum prints them");
    else if (common_secret_find(digest))
        config_error(loading->report, group, "api_secret_sha256",
                     "is the digest of nothing, or of a secret that anyone would try first: "
                     "memberchat new-app makes a good one");
    else
        app->secret_count++;
}

/* A secret a line, one or two. */
static void read_secret_file(const struct loading *loading, struct app *app,
                             const struct config_node *group)
{
    const char *const key = "api_secret_file", *path = app->settings.secret_file;
    struct bytes file = {0};
    struct reason why = {0};
    bool exposed = false;
    size_t lines = 0;
    if (!file_read_secret(path, 4 * SECRET_MAX, &file, &exposed, &why)) {
        config_error(loading->report, group, key, "%s", why.text);
        goto out;
    }
    if (exposed)
        config_warning(loading->report, group, key,
                       "any user of this machine can read %s: chmod o-rwx it", path);
    settings_check_folder(loading, group, key, path);
    struct span rest = bytes_span(&file), line;
    for (; lines < APP_SECRETS_MAX && span_next_line(&rest, &line); lines++) {
        line.length -= line.length && line.data[line.length - 1] == '\r';
        add_secret(loading, app, group, key, line);
    }
    if (rest.length || lines == 0)
        config_error(loading->report, group, key,
                     "%s must hold the API secret in its first line, at most a second secret in "
                     "the next, and nothing else",
                     path);
out:
    bytes_free(&file);
}

static void wipe_list(const struct memberchat_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        explicit_bzero((char *)list->items[i], strlen(list->items[i]));
}

void settings_read_secrets(const struct loading *loading, struct app *app,
                           const struct config_node *group)
{
    const struct app_settings *values = &app->settings;
    int kinds = (config_child(group, "api_secret") != NULL) +
                (config_child(group, "api_secret_sha256") != NULL) +
                (config_child(group, "api_secret_file") != NULL);
    if (kinds != 1) {
        config_error(loading->report, group, NULL,
                     "needs exactly one of api_secret_sha256, api_secret and api_secret_file");
        return;
    }
    for (size_t i = 0; i < values->secrets.count && i < APP_SECRETS_MAX; i++)
        add_secret(loading, app, group, "api_secret", span_of(values->secrets.items[i]));
    for (size_t i = 0; i < values->digests.count && i < APP_SECRETS_MAX; i++)
        add_digest(loading, app, group, values->digests.items[i]);
    if (values->secret_file)
        read_secret_file(loading, app, group);
    wipe_list(&values->secrets);
    wipe_list(&values->digests);
}
