/* SPDX-License-Identifier: MIT */
#include "access_token.h"

#include "base/text.h"

#include <string.h>

#define RENEWAL_GRACE (24 * 60 * 60) /* seconds */

/* RFC 7519, section 4.1.3: one string or several. */
static bool is_for_audience(struct json_object *claims, const char *audience)
{
    struct json_object *value;
    enum json_kind kind = json_find(claims, "aud", &value);
    if (kind == JSON_STRING)
        return span_equal(json_text(value), span_of(audience));
    for (size_t i = 0; kind == JSON_ARRAY && i < json_length(value); i++) {
        struct json_object *one = json_element(value, i);
        if (json_kind_of(one) == JSON_STRING && span_equal(json_text(one), span_of(audience)))
            return true;
    }
    return false;
}

/* `appId` may only be missing where the app's template removes it, and where the token gives nobody
 * an identity. */
static enum jws_verdict verify_own(const struct app *app, struct span token, bool may_lack_app,
                                   struct jws *jws_r)
{
    struct span app_id;
    const struct jws_rules rules = {
        .keys = &app->keys, .ours = true, .type = app->profile.claims->type};
    enum jws_verdict verdict = jws_verify(token, &rules, jws_r);
    if (verdict != JWS_GOOD ||
        (json_member(jws_r->claims, "appId", &app_id) == JSON_ABSENT && may_lack_app))
        return verdict;
    return span_equal(app_id, span_of(app->id)) ? JWS_GOOD
                                                : jws_refuse(jws_r, "it is a token of another app");
}

static enum jws_verdict verify_outside(const struct app *app, struct span token, struct jws *jws_r)
{
    const struct access_settings *access = &app->access;
    const struct jws_rules rules = {.keys = &app->access_keys};
    enum jws_verdict verdict = jws_verify(token, &rules, jws_r);
    if (verdict != JWS_GOOD)
        return verdict;
    if (!span_equal(json_string_member(jws_r->claims, "iss"), span_of(access->issuer)))
        return jws_refuse(jws_r, "its issuer is not the one that is configured");
    if (access->audience && !is_for_audience(jws_r->claims, access->audience))
        return jws_refuse(jws_r, "its audience is not the one that is configured");
    return JWS_GOOD;
}

/* Whether a token was issued before the app's tokens_not_before.  The iat of a token of ours lies
 * the clock skew before that. */
static enum jws_verdict check_issued(const struct app *app, struct jws *jws)
{
    int64_t issued;
    if (app->tokens_not_before == 0)
        return JWS_GOOD;
    if (!json_floor_member(jws->claims, "iat", &issued))
        return jws_refuse(jws, "it does not say when it was issued (iat)");
    if (jws->ours && __builtin_add_overflow(issued, app->token.clock_skew_ms / 1000, &issued))
        issued = INT64_MAX;
    return issued < app->tokens_not_before
               ? jws_refuse(jws, "it was issued before the time from which on tokens are accepted")
               : JWS_GOOD;
}

/* The guest's id: the claim sub without the prefix that the app's guests have. */
static enum jws_verdict take_id(struct access_token *access, struct span prefix)
{
    struct span sub = json_string_member(access->jws.claims, "sub");
    if (prefix.length && sub.length > prefix.length &&
        memcmp(sub.data, prefix.data, prefix.length) == 0)
        sub = (struct span){sub.data + prefix.length, sub.length - prefix.length};
    if (sub.length == 0 || sub.length > MEMBERCHAT_ID_MAX || !text_is_plain(sub))
        return jws_refuse(&access->jws, "its sub cannot be the id of a guest");
    access->id = sub;
    return JWS_GOOD;
}

/* The guest's previous name or avatar; a claim that a template has made into something else does
 * not count. */
static struct span take_claim(const struct access_token *access, const char *name, size_t max)
{
    struct span value = json_string_member(access->jws.claims, name);
    return value.length <= max && text_is_plain(value) ? value : SPAN_NONE;
}

static enum jws_verdict check_own(const struct app *app, struct span token, int64_t now,
                                  struct access_token *access)
{
    enum jws_verdict verdict = verify_own(app, token, false, &access->jws);
    if (verdict != JWS_GOOD)
        return verdict;
    if (!span_equal(json_string_member(access->jws.claims, "role"), span_of(CLAIMS_ROLE_GUEST)))
        return jws_refuse(&access->jws, "it is not a guest's token");
    verdict = jws_check_time(&access->jws, now, RENEWAL_GRACE);
    if (verdict == JWS_GOOD)
        verdict = check_issued(app, &access->jws);
    if (verdict == JWS_GOOD)
        verdict = take_id(access, span_of(app->settings.guest_id_prefix));
    access->name = take_claim(access, "name", MEMBERCHAT_NAME_MAX);
    access->avatar = take_claim(access, "picture", MEMBERCHAT_AVATAR_MAX);
    return verdict;
}

static enum jws_verdict check_outside(const struct app *app, struct span token, int64_t now,
                                      struct access_token *access)
{
    enum jws_verdict verdict = verify_outside(app, token, &access->jws);
    if (verdict == JWS_GOOD)
        verdict = jws_check_time(&access->jws, now, 0);
    if (verdict == JWS_GOOD)
        verdict = check_issued(app, &access->jws);
    return verdict == JWS_GOOD ? take_id(access, SPAN_NONE) : verdict;
}

/* Whether a token that is not ours may be an outside issuer's. */
static bool is_outside(const struct app *app, const struct jws *jws, enum jws_verdict verdict)
{
    return verdict != JWS_FAILED && !jws->key && app->access_keys.count > 0;
}

/* For a token that neither could have issued: the verdict on it as one of the app's own. */
static enum jws_verdict choose(enum jws_verdict own, const char *fault, enum jws_verdict outside,
                               struct jws *jws)
{
    if (outside != JWS_NO_KEY)
        return outside;
    jws->fault = fault;
    return own;
}

enum jws_verdict access_token_check(const struct app *app, struct span token, int64_t now,
                                    struct access_token *access_r)
{
    *access_r = (struct access_token){0};
    enum jws_verdict own = check_own(app, token, now, access_r);
    const char *fault = access_r->jws.fault;
    if (!is_outside(app, &access_r->jws, own))
        return own;
    access_token_free(access_r);
    return choose(own, fault, check_outside(app, token, now, access_r), &access_r->jws);
}

enum jws_verdict access_token_inspect(const struct app *app, struct span token, int64_t now,
                                      struct jws *jws_r)
{
    enum jws_verdict verdict = verify_own(app, token, true, jws_r);
    const char *fault = jws_r->fault;
    if (is_outside(app, jws_r, verdict)) {
        jws_free(jws_r);
        verdict = choose(verdict, fault, verify_outside(app, token, jws_r), jws_r);
    }
    return verdict == JWS_GOOD ? jws_check_time(jws_r, now, 0) : verdict;
}

void access_token_free(struct access_token *access)
{
    jws_free(&access->jws);
    *access = (struct access_token){0};
}
