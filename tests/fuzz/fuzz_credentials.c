/* SPDX-License-Identifier: MIT
 * The Authorization header, and the two kinds of base64. */
#include "fuzz.h"

#include "credentials.h"
#include "crypto.h"

#include <string.h>

const char fuzz_corpus[] = "credentials";

/* What decodes is the only text of its value: encoding gives it back. */
static void check_base64url(struct span text)
{
    struct strbuf decoded = {0}, encoded = {0};
    if (crypto_base64url_decode(&decoded, text)) {
        crypto_base64url_encode(&encoded, strbuf_span(&decoded));
        must(span_equal(strbuf_span(&encoded), text));
    } else {
        must(decoded.length == 0);
    }
    strbuf_free(&decoded);
    strbuf_free(&encoded);
}

static void check_base64(struct span text)
{
    struct strbuf decoded = {0};
    if (crypto_base64_decode(&decoded, text))
        must(text.length % 4 == 0 && decoded.length <= text.length / 4 * 3);
    else
        must(decoded.length == 0);
    strbuf_free(&decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct settings settings = {0};
    const struct app *app = NULL;
    struct http_request request = {0};
    struct span text = {(const char *)data, size};
    request.authorizations[0] = text;
    must(credentials_check(&settings, &request, &app) != CREDENTIALS_GOOD && !app);
    check_base64url(text);
    check_base64(text);
    return 0;
}
