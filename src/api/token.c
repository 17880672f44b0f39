/* SPDX-License-Identifier: MIT */
#include "token.h"

#include "base/clock.h"
#include "token/jws.h"
#include "base/random.h"

#define NOT_BEFORE_SECONDS 30 /* clocks differ */
#define JTI_BYTES          16 /* RFC 7519, section 4.1.7 */

const char *token_issue(const struct app *app, const struct token_subject *subject,
                        struct bytes *out, int64_t *expires_r)
{
    unsigned char random[JTI_BYTES];
    char jti[CRYPTO_ENCODED_MAX(JTI_BYTES)];
    int64_t now = clock_unix_seconds();
    random_fill(random, sizeof random);
    size_t length = crypto_base64url_to(jti, (struct span){(const char *)random, sizeof random});
    *expires_r = now + subject->ttl_ms / 1000;
    const struct claims_values values = {
        .texts = {[CLAIM_USER_ID] = subject->id,
                  [CLAIM_USER_NAME] = subject->name,
                  [CLAIM_AVATAR] = subject->avatar,
                  [CLAIM_ROLE] = subject->role,
                  [CLAIM_JTI] = {jti, length}},
        .numbers = {[CLAIM_IAT - CLAIM_IAT] = now,
                    [CLAIM_NBF - CLAIM_IAT] = now - NOT_BEFORE_SECONDS,
                    [CLAIM_EXP - CLAIM_IAT] = *expires_r},
        .member = subject->member,
    };
    size_t start = out->length;
    bytes_add_span(out, app->token_header);
    size_t payload = out->length;
    const char *refused = claims_render(app->claims, &values, out);
    if (!refused)
        jws_complete(app->key, out, start, payload);
    return refused;
}
