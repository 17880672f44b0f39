/* SPDX-License-Identifier: MIT */
#include "token.h"

#include "clock.h"
#include "jws.h"
#include "random.h"

#define NOT_BEFORE_SECONDS 30 /* clocks differ */
#define JTI_BYTES          16

static void add_text(struct strbuf *claims, const char *name, struct span value)
{
    if (!value.data)
        return;
    strbuf_add(claims, ",\"", 2);
    strbuf_add_string(claims, name);
    strbuf_add(claims, "\":", 2);
    strbuf_add_json(claims, value);
}

/* RFC 7519, section 4.1.7 */
static void add_jti(struct strbuf *claims)
{
    unsigned char random[JTI_BYTES];
    random_fill(random, sizeof random);
    strbuf_add_string(claims, ",\"jti\":\"");
    crypto_base64url_encode(claims, (struct span){(const char *)random, sizeof random});
    strbuf_add_string(claims, "\"");
}

void token_issue(const struct app *app, const struct token_subject *subject, struct strbuf *out,
                 int64_t *expires_r)
{
    struct strbuf claims = {0};
    int64_t now = clock_unix_seconds();
    *expires_r = now + subject->ttl_ms / 1000;
    strbuf_add_string(&claims, "{\"iss\":");
    strbuf_add_json(&claims, span_of(app->token.issuer));
    add_text(&claims, "aud", span_of(app->token.audience));
    add_text(&claims, "sub", subject->id);
    strbuf_addf(&claims, ",\"iat\":%lld,\"nbf\":%lld,\"exp\":%lld", (long long)now,
                (long long)now - NOT_BEFORE_SECONDS, (long long)*expires_r);
    add_jti(&claims);
    add_text(&claims, "appId", span_of(app->id));
    add_text(&claims, "role", subject->role);
    add_text(&claims, "name", subject->name);
    add_text(&claims, "picture", subject->avatar);
    strbuf_add_string(&claims, "}");
    out->failed = out->failed || claims.failed;
    jws_sign(app->key, strbuf_span(&claims), out);
    strbuf_free(&claims);
}
