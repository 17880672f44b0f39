/* SPDX-License-Identifier: MIT */
#include "guest.h"

#include "base/clock.h"
#include "base/text.h"

#define ID           "appUserId"
#define NAME         "appUserName"
#define AVATAR       "appUserProfileImgUrl"
#define ACCESS_TOKEN "accessToken"

/* A field that is there twice may mean one thing to us and another to a proxy that let it pass. */
static const char *const fields[] = {ID, NAME, AVATAR, ACCESS_TOKEN, NULL};

/* Takes a field that is absent, null, or plain text of at most `max` bytes. */
static enum guest_verdict take(const struct guest *guest, const char *name, size_t max,
                               struct span *value_r, struct reason *why)
{
    switch (json_member(guest->body, name, value_r)) {
    case JSON_ABSENT:
    case JSON_NULL:
        return GUEST_GOOD;
    case JSON_STRING:
        break;
    default:
        reason_set(why, "%s must be a string or null", name);
        return GUEST_BAD_BODY;
    }
    if (value_r->length == 0) /* forms send it for an empty field */
        *value_r = SPAN_NONE;
    if (value_r->length <= max && text_is_plain(*value_r))
        return GUEST_GOOD;
    if (value_r->length > max)
        reason_set(why, "%s is longer than %zu bytes", name, max);
    else
        reason_set(why, "%s contains control characters", name);
    return GUEST_BAD_BODY;
}

static enum guest_verdict take_access_token(struct guest *guest, const struct app *app,
                                            struct reason *why)
{
    struct span token;
    int64_t now;
    switch (json_member(guest->body, ACCESS_TOKEN, &token)) {
    case JSON_STRING:
        break;
    case JSON_ABSENT:
    case JSON_NULL:
        return GUEST_GOOD;
    default:
        reason_set(why, "accessToken must be a string or null");
        return GUEST_BAD_BODY;
    }
    if (!clock_unix_seconds(&now))
        return GUEST_FAILED;
    switch (access_token_check(app, token, now, &guest->access)) {
    case JWS_GOOD:
        return GUEST_GOOD;
    case JWS_FAILED:
        return GUEST_FAILED;
    default:
        reason_set(why, "accessToken is not valid: %s", guest->access.jws.fault);
        return GUEST_BAD_ACCESS_TOKEN;
    }
}

/* Whether an id that was sent is that of the accessToken, with the prefix or without it. */
static bool is_named(struct span sent, struct span prefix, struct span id)
{
    if (span_equal(sent, id))
        return true;
    return sent.length == prefix.length + id.length &&
           span_equal((struct span){sent.data, prefix.length}, prefix) &&
           span_equal((struct span){sent.data + prefix.length, id.length}, id);
}

static enum guest_verdict take_id(struct guest *guest, const struct app *app, struct reason *why)
{
    struct span sent = SPAN_NONE;
    enum json_kind kind = json_member(guest->body, ID, &sent);
    if (!guest->access.id.data && kind == JSON_STRING && !text_is_alphanumeric(sent)) {
        reason_set(why, "appUserId must be made of the characters A-Z, a-z and 0-9, and must not "
                        "be empty");
        return GUEST_BAD_ID;
    }
    enum guest_verdict verdict = take(guest, ID, MEMBERCHAT_ID_MAX, &guest->id, why);
    if (verdict != GUEST_GOOD || !guest->access.id.data)
        return verdict;
    guest->id = guest->access.id;
    if (!sent.data || is_named(sent, span_of(app->settings.guest_id_prefix), guest->id))
        return GUEST_GOOD;
    reason_set(why, "accessToken and appUserId name different guests");
    return GUEST_BAD_ACCESS_TOKEN;
}

static enum guest_verdict read_fields(struct guest *guest, const struct app *app,
                                      struct reason *why)
{
    enum guest_verdict verdict = take_access_token(guest, app, why);
    if (verdict == GUEST_GOOD)
        verdict = take_id(guest, app, why);
    if (verdict == GUEST_GOOD)
        verdict = take(guest, NAME, MEMBERCHAT_NAME_MAX, &guest->name, why);
    if (verdict == GUEST_GOOD)
        verdict = take(guest, AVATAR, MEMBERCHAT_AVATAR_MAX, &guest->avatar, why);
    return verdict;
}

static enum guest_verdict fill_defaults(struct guest *guest, struct span prefix)
{
    char made[KSUID_LENGTH];
    if (!guest->name.data)
        guest->name = guest->access.name;
    if (!guest->avatar.data)
        guest->avatar = guest->access.avatar;
    if (!guest->id.data) {
        if (!ksuid_new(made))
            return GUEST_FAILED;
        guest->id = (struct span){made, KSUID_LENGTH};
    }
    if (!guest->name.data) {
        bytes_add_string(&guest->made_name, "GUEST_");
        bytes_add_span(&guest->made_name, guest->id);
        guest->name = bytes_span(&guest->made_name);
    }
    bytes_add_span(&guest->made_id, prefix);
    bytes_add_span(&guest->made_id, guest->id);
    guest->id = bytes_span(&guest->made_id);
    return guest->made_id.failed || guest->made_name.failed ? GUEST_FAILED : GUEST_GOOD;
}

enum guest_verdict guest_read(struct guest *guest_r, const struct app *app, struct span body,
                              struct reason *why)
{
    struct reason fault;
    enum guest_verdict verdict = GUEST_GOOD;
    *guest_r = (struct guest){0};
    if (body.length) {
        switch (json_read_once(body, fields, &guest_r->body, &fault)) {
        case JSON_NO_MEMORY:
            return GUEST_FAILED;
        case JSON_BROKEN:
            reason_set(why, "The request body is not a JSON object: %s", fault.text);
            return GUEST_BAD_BODY;
        case JSON_GOOD:
            verdict = read_fields(guest_r, app, why);
        }
    }
    return verdict == GUEST_GOOD ? fill_defaults(guest_r, span_of(app->settings.guest_id_prefix))
                                 : verdict;
}

void guest_free(struct guest *guest)
{
    access_token_free(&guest->access);
    json_release(guest->body);
    bytes_free(&guest->made_id);
    bytes_free(&guest->made_name);
}
