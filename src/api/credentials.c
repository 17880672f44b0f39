/* SPDX-License-Identifier: MIT */
#include "credentials.h"

#include <string.h>
#include <strings.h>

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

enum credentials credentials_read(const struct http_request *request,
                                  struct credentials_pair *pair_r)
{
    struct span encoded = basic_part(find_header(request));
    size_t length = 0;
    *pair_r = (struct credentials_pair){.key = SPAN_NONE};
    if (!encoded.data)
        return CREDENTIALS_NONE;
    if (encoded.length > CREDENTIALS_ENCODED_MAX ||
        !crypto_base64_decode_to(pair_r->bytes, encoded, &length))
        return CREDENTIALS_WRONG;
    const char *text = (const char *)pair_r->bytes, *colon = memchr(text, ':', length);
    if (!colon)
        return CREDENTIALS_WRONG;
    size_t key_length = (size_t)(colon - text);
    pair_r->key = (struct span){text, key_length};
    pair_r->secret = (struct span){colon + 1, length - key_length - 1};
    return CREDENTIALS_GOOD;
}

enum credentials credentials_check(const struct settings *settings,
                                   const struct http_request *request, const struct app **app_r)
{
    struct credentials_pair pair;
    enum credentials verdict = credentials_read(request, &pair);
    if (verdict == CREDENTIALS_GOOD) {
        const struct app *app = settings_find_app(settings, pair.key);
        if (settings_secret_matches(app, pair.secret))
            *app_r = app;
        else
            verdict = CREDENTIALS_WRONG;
    }
    explicit_bzero(&pair, sizeof pair);
    return verdict;
}
