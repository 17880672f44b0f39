/* SPDX-License-Identifier: MIT */
#include "token.h"

#include "base/clock.h"
#include "base/random.h"
#include "jws.h"

#define JTI_BYTES 16 /* RFC 7519, section 4.1.7 */

bool token_profile_finish(struct token_profile *profile, struct arena *arena)
{
    struct bytes header = {0};
    jws_write_header(profile->key, profile->claims->type, profile->claims->more_header, &header);
    const char *text = header.failed ? NULL : arena_string(arena, bytes_span(&header));
    profile->header = (struct span){text, header.length};
    bytes_free(&header);
    return text != NULL;
}

enum token_verdict token_issue(const struct token_profile *profile,
                               const struct token_subject *subject, struct bytes *out,
                               int64_t *expires_r, struct span *refused_r)
{
    unsigned char random[JTI_BYTES];
    char jti[CRYPTO_ENCODED_MAX(JTI_BYTES)];
    int64_t now;
    if (!clock_unix_seconds(&now) || !random_fill(random, sizeof random))
        return TOKEN_FAILED;
    size_t length = crypto_base64url_to(jti, (struct span){(const char *)random, sizeof random});
    *expires_r = now + subject->ttl_ms / 1000;
    const struct claims_values values = {
        .texts = {[CLAIM_USER_ID] = subject->id,
                  [CLAIM_USER_NAME] = subject->name,
                  [CLAIM_AVATAR] = subject->avatar,
                  [CLAIM_ROLE] = subject->role,
                  [CLAIM_JTI] = {jti, length}},
        .numbers = {[CLAIM_IAT - CLAIM_IAT] = now - profile->clock_skew,
                    [CLAIM_NBF - CLAIM_IAT] = now - profile->clock_skew,
                    [CLAIM_EXP - CLAIM_IAT] = *expires_r},
        .member = subject->member,
    };
    size_t start = out->length;
    bytes_add_span(out, profile->header);
    size_t payload = out->length;
    if (!claims_render(profile->claims, &values, out, refused_r))
        return out->failed ? TOKEN_FAILED : TOKEN_REFUSED;
    jws_complete(profile->key, out, start, payload);
    return out->failed ? TOKEN_FAILED : TOKEN_ISSUED;
}
