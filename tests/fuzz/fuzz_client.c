/* SPDX-License-Identifier: MIT
 * The address of a client, which limits and /status believe: REMOTE_ADDR, and X-Forwarded-For
 * behind trusted proxies.  An input is the one, a line end, and the other. */
#include "fuzz.h"

#include "api/client.h"

#include <string.h>

const char fuzz_corpus[] = "client";

static struct network nets[4];
static const struct settings settings = {.trusted_proxies = nets, .trusted_proxy_count = 4};

static bool is_trusted(const char *address)
{
    return networks_contain(nets, 4, address);
}

/* The address is plain enough for a log and a key, and is the peer's own unless that is a proxy. */
static void check_address(const struct http_request *request, const char *address)
{
    const struct http_request bare = {.remote_addr = request->remote_addr};
    char peer[CLIENT_ADDRESS_SIZE];
    const char *own = client_address(&settings, &bare, peer);
    must(*address && strlen(address) < CLIENT_ADDRESS_SIZE);
    must(is_trusted(own) || strcmp(own, address) == 0);
    must(client_is_certain(&settings, request) ==
         (!request->forwarded_for.length || is_trusted(own)));
}

/* What somebody writes before the list that the proxies wrote changes nothing, as long as one of
 * its addresses is not a proxy's. */
static void check_forged(const struct http_request *request, const char *address)
{
    static const char forged[] = "10.0.0.1, 203.0.113.66,";
    struct bytes list = {0};
    char buffer[CLIENT_ADDRESS_SIZE];
    bytes_add_string(&list, forged);
    bytes_add_span(&list, request->forwarded_for);
    must(!list.failed);
    struct http_request longer = *request;
    longer.forwarded_for = bytes_span(&list);
    const char *now = client_address(&settings, &longer, buffer);
    must(is_trusted(address) ? *now != '\0' : strcmp(now, address) == 0);
    bytes_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const texts[] = {"10.0.0.0/8", "2001:db8::/32", "127.0.0.1", "unix:"};
    const char *text = (const char *)data, *end = size ? memchr(text, '\n', size) : NULL;
    size_t length = end ? (size_t)(end - text) : size;
    struct network net;
    char buffer[CLIENT_ADDRESS_SIZE], again[CLIENT_ADDRESS_SIZE];
    for (size_t i = 0; i < 4; i++)
        must(network_parse(texts[i], &nets[i]));
    if (memchr(data, '\0', size)) /* no transport lets one through */
        return 0;
    struct http_request request = {.remote_addr = {text, length}};
    if (end)
        request.forwarded_for = (struct span){end + 1, size - length - 1};
    const char *address = client_address(&settings, &request, buffer);
    check_address(&request, address);
    if (request.forwarded_for.length)
        check_forged(&request, address);
    request.forwarded_twice = true;
    const char *twice = client_address(&settings, &request, again);
    must(strcmp(twice, "unknown") == 0 || !is_trusted(twice));
    if (network_parse(address, &net))
        must(networks_contain(&net, 1, address) == (net.bits >= 128));
    return 0;
}
