/* SPDX-License-Identifier: MIT */
#include "credentials.h"

#include <string.h>
#include <strings.h>

#define ENCODED_MAX 4096

/* The first that is not empty; a header that was renamed on an internal redirect
 * counts where the plain one is missing. */
static struct span find_header(const struct http_request *request)
{
    for (size_t i = 0; i < HTTP_AUTHORIZATIONS; i++)
        if (request->authorizations[i].length)
            return request->authorizations[i];
    return SPAN_NONE;
}

/* What follows "Basic "; SPAN_NONE for another scheme. */
static struct span basic_part(struct span header)
{
    static const char scheme[] = "Basic";
    size_t length = sizeof scheme - 1;
    if (header.length <= length || strncasecmp(header.data, scheme, length) != 0 ||
        header.data[length] != ' ')
        return SPAN_NONE;
    while (length < header.length && header.data[length] == ' ')
        length++;
    while (header.length > length && header.data[header.length - 1] == ' ')
        header.length--;
    if (length == header.length)
        return SPAN_NONE;
    return (struct span){header.data + length, header.length - length};
}

/* Compares with all places, whatever the first ones say. */
static bool secret_matches(const struct app *app, struct span secret)
{
    static const uint8_t nobody[APP_SECRETS_MAX][SHA256_LENGTH];
    const uint8_t(*known)[SHA256_LENGTH] = app ? app->secrets : nobody;
    size_t count = app ? app->secret_count : 0;
    uint8_t digest[SHA256_LENGTH];
    bool match = false;
    crypto_sha256(secret, digest);
    for (size_t i = 0; i < APP_SECRETS_MAX; i++) {
        bool equal = crypto_equal(digest, known[i], SHA256_LENGTH);
        match = (equal && i < count) || match;
    }
    explicit_bzero(digest, sizeof digest);
    return match;
}

enum credentials credentials_check(const struct settings *settings,
                                   const struct http_request *request, const struct app **app_r)
{
    struct span encoded = basic_part(find_header(request));
    uint8_t pair[CRYPTO_DECODED_MAX(ENCODED_MAX)];
    size_t length = 0;
    enum credentials verdict = CREDENTIALS_WRONG;
    if (!encoded.data)
        return CREDENTIALS_NONE;
    if (encoded.length > ENCODED_MAX || !crypto_base64_decode_to(pair, encoded, &length))
        goto out;
    const char *text = (const char *)pair, *colon = memchr(text, ':', length);
    if (!colon)
        goto out;
    size_t key_length = (size_t)(colon - text);
    struct span key = {text, key_length};
    struct span secret = {colon + 1, length - key_length - 1};
    const struct app *app = settings_find_app(settings, key);
    if (secret_matches(app, secret)) {
        *app_r = app;
        verdict = CREDENTIALS_GOOD;
    }
out:
    explicit_bzero(pair, length);
    return verdict;
}
