/* SPDX-License-Identifier: MIT
 * An id on its way into URL, header and body: it stays one piece. */
#include "fuzz.h"

#include "plugins/rest/template.h"

#include <string.h>

const char fuzz_corpus[] = "rest_template";

static int hex(char c)
{
    const char *digits = "0123456789ABCDEF", *at = c ? strchr(digits, c) : NULL;
    must(at);
    return (int)(at - digits);
}

/* What is between the ends is visible, holds no separator, and is the id. */
static void check_url(const struct bytes *url, const char *id, size_t length)
{
    static const char before[] = "https://x/a/", after[] = "/b?c=d";
    size_t at = sizeof before - 1, end = url->length - (sizeof after - 1), read = 0;
    must(memcmp(url->data, before, at) == 0);
    must(memcmp(url->data + end, after, sizeof after - 1) == 0);
    while (at < end) {
        char c = url->data[at++];
        must(c > 0x20 && c < 0x7f && !strchr("/?#&=+:@\\\"'<>{}", c));
        if (c == '%') {
            must(at + 2 <= end);
            c = (char)(hex(url->data[at]) << 4 | hex(url->data[at + 1]));
            at += 2;
        }
        must(read < length && c == id[read++]);
    }
    must(read == length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *id = malloc(size + 1);
    struct bytes url = {0}, body = {0};
    must(id);
    if (size)
        memcpy(id, data, size);
    const struct rest_values values = {{id, size}, {"app", 3}};
    rest_template_expand(&url, "https://x/a/{id}/b?c=d", &values, false);
    check_url(&url, id, size);

    rest_template_expand(&body, "{\"a\":\"{id}\",\"b\":[\"x{id}y\"]}", &values, true);
    for (size_t i = 0; i < body.length; i++)
        must((unsigned char)body.data[i] >= 0x20);

    if (!rest_template_takes_id("https://x/{id}", values.id))
        must(memchr(id, '.', size));
    bytes_free(&url);
    bytes_free(&body);
    free(id);
    return 0;
}
