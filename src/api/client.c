/* SPDX-License-Identifier: MIT */
#include "client.h"

#include <string.h>

/* Without blanks, and without a port, as some proxies add it: "192.0.2.1:4000",
 * "[2001:db8::1]:443", "[2001:db8::1]". */
static struct span bare_address(struct span text)
{
    text = span_trim(text, " \t");
    if (!text.length)
        return text;
    const char *colon = memchr(text.data, ':', text.length);
    const char *bracket = *text.data == '[' ? memchr(text.data, ']', text.length) : NULL;
    if (bracket)
        return (struct span){text.data + 1, (size_t)(bracket - text.data) - 1};
    if (colon && colon == memrchr(text.data, ':', text.length) &&
        colon + 1 < text.data + text.length) /* one colon; "unix:" is a name */
        text.length = (size_t)(colon - text.data);
    return text;
}

const char *client_address(const struct settings *settings, const struct http_request *request,
                           char buffer[CLIENT_ADDRESS_SIZE])
{
    struct span address = request->remote_addr;
    struct span list = request->forwarded_for;
    for (;;) {
        address = bare_address(address);
        size_t length =
            address.length < CLIENT_ADDRESS_SIZE ? address.length : CLIENT_ADDRESS_SIZE - 1;
        if (length)
            memcpy(buffer, address.data, length);
        buffer[length] = '\0';
        bool more = list.length || request->forwarded_twice; /* the first of two may be empty */
        if (!more ||
            !networks_contain(settings->trusted_proxies, settings->trusted_proxy_count, buffer))
            return length ? buffer : "unknown";
        if (request->forwarded_twice) /* nobody knows which of the two this proxy wrote */
            return "unknown";
        const char *comma = memrchr(list.data, ',', list.length);
        size_t start = comma ? (size_t)(comma - list.data) + 1 : 0;
        address = (struct span){list.data + start, list.length - start};
        list.length = comma ? start - 1 : 0;
    }
}

bool client_is_certain(const struct settings *settings, const struct http_request *request)
{
    char peer[CLIENT_ADDRESS_SIZE];
    struct http_request bare = {.remote_addr = request->remote_addr};
    return (!request->forwarded_for.length && !request->forwarded_twice) ||
           networks_contain(settings->trusted_proxies, settings->trusted_proxy_count,
                            client_address(settings, &bare, peer));
}
