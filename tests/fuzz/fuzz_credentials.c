/* SPDX-License-Identifier: MIT
 * The Authorization header, and the two kinds of base64. */
#include "fuzz.h"

#include "api/credentials.h"
#include "base/crypto.h"

#include <stdlib.h>
#include <string.h>

const char fuzz_corpus[] = "credentials";

/* What decodes is the only text of its value: encoding gives it back. */
static void check_base64url(struct span text)
{
    struct bytes decoded = {0}, encoded = {0};
    if (crypto_base64url_decode(&decoded, text)) {
        crypto_base64url_encode(&encoded, bytes_span(&decoded));
        must(span_equal(bytes_span(&encoded), text));
    } else {
        must(decoded.length == 0);
    }
    bytes_free(&decoded);
    bytes_free(&encoded);
}

static void check_base64(struct span text)
{
    size_t length = 0, room = CRYPTO_DECODED_MAX(text.length);
    uint8_t *decoded = malloc(room ? room : 1);
    must(decoded);
    if (crypto_base64_decode(decoded, text, &length))
        must(text.length % 4 == 0 && length <= text.length / 4 * 3 && length <= room);
    free(decoded);
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
