/* SPDX-License-Identifier: MIT
 * Where a redirect leads: a URL that a server sent, against the one that was asked. */
#include "fuzz.h"

#include "plugins/rest/client.h"

#include <string.h>
#include <strings.h>

const char fuzz_corpus[] = "rest_place";

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Our credentials go there: read in the plainest way, the text names the same host and port. */
static void check_own(const char *text)
{
    char host[64] = "";
    size_t length = 0;
    must(strncasecmp(text, "https://", 8) == 0);
    const char *at = text + 8, *end = at + strcspn(at, "/?#");
    must(!memchr(at, '@', (size_t)(end - at)) && !memchr(at, '\\', (size_t)(end - at)));
    for (; at < end && *at != ':' && length + 1 < sizeof host; at++)
        if (*at == '%') {
            host[length++] = (char)(hex(at[1]) << 4 | hex(at[2]));
            at += 2;
        } else {
            host[length++] = *at;
        }
    must(strcasecmp(host, "a.example") == 0);
    must(*at == ':' && strtol(at + 1, NULL, 10) == 8443);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char asked[] = "https://a.example:8443/members/1";
    struct rest_place from, to;
    char *text = malloc(size + 1);
    must(text && rest_place_read(asked, &from) == REST_URL_GOOD);
    memcpy(text, data, size);
    text[size] = '\0';
    if (rest_place_read(text, &to) == REST_URL_GOOD) {
        must(*to.host && *to.port && (rest_place_is_https(&to) || !strcmp(to.scheme, "http")));
        must(rest_place_may_lead_to(&to, &to) == !to.credentials);
        if (rest_place_may_lead_to(&from, &to))
            check_own(text);
    }
    free(text);
    return 0;
}
