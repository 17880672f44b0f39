/* SPDX-License-Identifier: MIT */
#include "credentials.h"

#include <string.h>
#include <strings.h>

/* The first that is not empty.  A header that was renamed on an internal redirect counts if the
 * plain one is missing. */
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

static enum credentials read_basic(const struct http_request *request,
                                   struct credentials_pair *pair)
{
    struct span encoded = basic_part(find_header(request));
    size_t length = 0;
    if (!encoded.data)
        return CREDENTIALS_NONE;
    if (encoded.length > CREDENTIALS_ENCODED_MAX ||
        !crypto_base64_decode(pair->bytes, encoded, &length))
        return CREDENTIALS_WRONG;
    const char *text = (const char *)pair->bytes, *colon = memchr(text, ':', length);
    if (!colon)
        return CREDENTIALS_WRONG;
    size_t key_length = (size_t)(colon - text);
    pair->key = (struct span){text, key_length};
    pair->secret = (struct span){colon + 1, length - key_length - 1};
    return CREDENTIALS_GOOD;
}

/* A header that is empty counts as absent. */
static bool agrees(struct span header, struct span other)
{
    return !header.length ||
           (header.length == other.length && crypto_equal(header.data, other.data, other.length));
}

enum credentials credentials_read(const struct http_request *request,
                                  struct credentials_pair *pair_r)
{
    struct span key = request->api_key, secret = request->api_secret;
    *pair_r = (struct credentials_pair){0};
    if (request->credentials_twice) /* a proxy in front may have checked the other ones */
        return CREDENTIALS_WRONG;
    enum credentials verdict = read_basic(request, pair_r);
    if (verdict == CREDENTIALS_NONE && key.length && secret.length) {
        pair_r->key = key;
        pair_r->secret = secret;
        return CREDENTIALS_GOOD;
    }
    if (verdict == CREDENTIALS_GOOD &&
        !(agrees(key, pair_r->key) && agrees(secret, pair_r->secret)))
        return CREDENTIALS_WRONG;
    return verdict;
}

enum credentials credentials_check(const struct settings *settings,
                                   const struct http_request *request, const struct app **app_r)
{
    struct credentials_pair pair;
    enum credentials verdict = credentials_read(request, &pair);
    *app_r = pair.key.data ? settings_find_app(settings, pair.key) : NULL;
    if (verdict == CREDENTIALS_GOOD && !settings_secret_matches(*app_r, pair.secret))
        verdict = CREDENTIALS_WRONG;
    explicit_bzero(&pair, sizeof pair);
    return verdict;
}
