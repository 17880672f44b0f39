/* SPDX-License-Identifier: MIT */
#include "access_token.h"

#include "base/text.h"
#include "token.h"

#define RENEWAL_GRACE (24 * 60 * 60) /* seconds */

/* RFC 7519, section 4.1.3: one string or several. */
static bool is_for_audience(struct json_object *claims, const char *audience)
{
    struct json_object *value;
    enum json_kind kind = json_find(claims, "aud", &value);
    if (kind == JSON_STRING)
        return span_equal(json_text(value), span_of(audience));
    for (size_t i = 0; kind == JSON_ARRAY && i < json_length(value); i++) {
        struct json_object *element = json_element(value, i);
        if (json_kind_of(element) == JSON_STRING &&
            span_equal(json_text(element), span_of(audience)))
            return true;
    }
    return false;
}

/* `appId` may only be missing where the app's template removes it, and where nobody
 * becomes somebody by it. */
static const char *verify_own(const struct app *app, struct span token, bool may_lack_app,
                              struct jws *jws_r)
{
    struct span app_id;
    const struct jws_rules rules = {.keys = &app->keys, .ours = true, .type = app->claims->type};
    const char *fault = jws_verify(token, &rules, jws_r);
    if (fault || (json_member(jws_r->claims, "appId", &app_id) == JSON_ABSENT && may_lack_app))
        return fault;
    return span_equal(app_id, span_of(app->id)) ? NULL : "it is a token of another app";
}

static const char *verify_outside(const struct app *app, struct span token, struct jws *jws_r)
{
    const struct access_settings *access = &app->access;
    const struct jws_rules rules = {.keys = &app->access_keys};
    const char *fault = jws_verify(token, &rules, jws_r);
    if (fault)
        return fault;
    if (!span_equal(json_string_member(jws_r->claims, "iss"), span_of(access->issuer)))
        return "its issuer is not the one that is configured";
    if (access->audience && !is_for_audience(jws_r->claims, access->audience))
        return "its audience is not the one that is configured";
    return NULL;
}

/* Who it is, from the claims. */
static const char *take_id(struct access_token *access)
{
    access->id = json_string_member(access->jws.claims, "sub");
    if (access->id.length == 0 || access->id.length > MEMBERCHAT_ID_MAX ||
        !text_is_plain(access->id))
        return "its sub is no id of a guest";
    return NULL;
}

/* What a guest was called before; a claim that a template has made into something
 * else does not count. */
static struct span take_claim(const struct access_token *access, const char *name, size_t max)
{
    struct span value = json_string_member(access->jws.claims, name);
    return value.length <= max && text_is_plain(value) ? value : SPAN_NONE;
}

static const char *check_own(const struct app *app, struct span token, int64_t now,
                             struct access_token *access)
{
    const char *fault = verify_own(app, token, false, &access->jws);
    if (fault)
        return fault;
    if (!span_equal(json_string_member(access->jws.claims, "role"), span_of(TOKEN_ROLE_GUEST)))
        return "it is not a guest's token";
    fault = jws_check_time(&access->jws, now, RENEWAL_GRACE);
    if (!fault)
        fault = take_id(access);
    access->name = take_claim(access, "name", MEMBERCHAT_NAME_MAX);
    access->avatar = take_claim(access, "picture", MEMBERCHAT_AVATAR_MAX);
    return fault;
}

static const char *check_outside(const struct app *app, struct span token, int64_t now,
                                 struct access_token *access)
{
    const char *fault = verify_outside(app, token, &access->jws);
    if (!fault)
        fault = jws_check_time(&access->jws, now, 0);
    return fault ? fault : take_id(access);
}

const char *access_token_check(const struct app *app, struct span token, int64_t now,
                               struct access_token *access_r)
{
    *access_r = (struct access_token){.id = SPAN_NONE};
    const char *fault = check_own(app, token, now, access_r);
    if (access_r->jws.key || !app->access_keys.count)
        return fault;
    access_token_free(access_r);
    const char *other = check_outside(app, token, now, access_r);
    return other == jws_no_key ? fault : other;
}

const char *access_token_inspect(const struct app *app, struct span token, int64_t now,
                                 struct jws *jws_r)
{
    const char *fault = verify_own(app, token, true, jws_r), *other = NULL;
    if (!jws_r->key && app->access_keys.count) {
        jws_free(jws_r);
        other = verify_outside(app, token, jws_r);
        fault = other == jws_no_key ? fault : other;
    }
    return fault ? fault : jws_check_time(jws_r, now, 0);
}

void access_token_free(struct access_token *access)
{
    jws_free(&access->jws);
    *access = (struct access_token){.id = SPAN_NONE};
}
