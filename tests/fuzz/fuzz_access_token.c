/* SPDX-License-Identifier: MIT
 * accessToken: nobody is a guest by a token that this app did not sign, and of those that it did
 * only guests' count. */
#include "scene.h"

#include "api/access_token.h"

#include <string.h>

const char fuzz_corpus[] = "access_token";

#define NOW 1700000000

static void check_guest(const struct access_token *access)
{
    int64_t expires;
    struct json_object *claims = access->jws.claims;
    must(access->jws.key && claims);
    must(span_equal(json_string_member(claims, "role"), span_of("guest")));
    must(span_equal(json_string_member(claims, "appId"), span_of("demo")));
    must(span_equal(json_string_member(claims, "sub"), access->id));
    must(access->id.length > 0 && access->id.length <= MEMBERCHAT_ID_MAX);
    must(access->name.length <= MEMBERCHAT_NAME_MAX);
    must(access->avatar.length <= MEMBERCHAT_AVATAR_MAX);
    must(json_floor_member(claims, "exp", &expires) && expires > NOW - 24 * 60 * 60 - 120);
}

static enum jws_verdict check(const struct app *app, struct span token)
{
    struct access_token access = {0};
    enum jws_verdict verdict = access_token_check(app, token, NOW, &access);
    must(verdict != JWS_FAILED);
    if (verdict == JWS_GOOD)
        check_guest(&access);
    else
        must(access.jws.fault && access.jws.fault[0]);
    access_token_free(&access);
    return verdict;
}

/* The claims, signed by the app: the seeds have nobody's signature. */
static void check_claims(const struct app *app, struct span claims)
{
    struct bytes token = {0};
    jws_write_header(app->keys.keys[0], "JWT", span_of(""), &token);
    size_t payload = token.length;
    bytes_add_span(&token, claims);
    jws_complete(app->keys.keys[0], &token, 0, payload);
    must(!token.failed);
    check(app, bytes_span(&token));
    bytes_free(&token);
}

/* A token as it came, or with an 's' in front claims to be signed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct settings *settings;
    if (!settings)
        settings = scene_settings();
    const struct app *app = &settings->apps[0];
    if (size && data[0] == 's')
        check_claims(app, (struct span){(const char *)data + 1, size - 1});
    else
        must(check(app, (struct span){(const char *)data, size}) != JWS_GOOD);
    return 0;
}
