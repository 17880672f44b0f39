/* SPDX-License-Identifier: MIT */
#include "jwks.h"

#include <string.h>

/* The tag, also as a compressing web server changes it: "abc-gzip". */
static bool is_tag(struct span item, struct span etag)
{
    static const char *const endings[] = {"\"",         "-gzip\"",  "-br\"", "-zstd\"",
                                          "-deflate\"", "-bzip2\"", NULL};
    size_t length = etag.length - 1; /* without its quote */
    if (item.length < etag.length || memcmp(item.data, etag.data, length) != 0)
        return false;
    return span_is_one_of((struct span){item.data + length, item.length - length}, endings);
}

/* RFC 9110, section 13.1.2: "*", or a list of tags, weak ones too. */
static bool matches(struct span list, struct span etag)
{
    while (list.length) {
        const char *comma = memchr(list.data, ',', list.length);
        struct span item = {list.data, comma ? (size_t)(comma - list.data) : list.length};
        list.data += item.length + (comma != NULL);
        list.length -= item.length + (comma != NULL);
        while (item.length && memchr(" \t", *item.data, 2))
            item = (struct span){item.data + 1, item.length - 1};
        while (item.length && memchr(" \t", item.data[item.length - 1], 2))
            item.length--;
        if (item.length > 2 && memcmp(item.data, "W/", 2) == 0)
            item = (struct span){item.data + 2, item.length - 2};
        if (span_equal(item, span_of("*")) || is_tag(item, etag))
            return true;
    }
    return false;
}

enum outcome jwks_answer(struct exchange *exchange)
{
    const struct jwks *jwks = &exchange->settings->jwks;
    struct http_response *response = exchange->response;
    struct span etag = bytes_span(&jwks->etag);
    bool known = matches(exchange->request->if_none_match, etag);
    response->status = known ? 304 : 200;
    response->cache_control = "public, max-age=300";
    http_add_header(response, "ETag", etag);
    http_add_header(response, "Access-Control-Allow-Origin", span_of("*"));
    if (!known)
        bytes_add_span(&response->body, bytes_span(&jwks->text));
    return OUTCOME_ANSWERED;
}
