/* SPDX-License-Identifier: MIT */
#include "guest.h"

#include "base/clock.h"
#include "base/text.h"

#include <stddef.h>

/* Takes a field that is absent, null, or plain text of at most `max` bytes. */
static enum guest_verdict take(struct guest *guest, const char *name, size_t max,
                               struct span *value_r, struct bytes *why_r)
{
    switch (json_member(guest->body, name, value_r)) {
    case JSON_ABSENT:
    case JSON_NULL:
        return GUEST_GOOD;
    case JSON_STRING:
        break;
    default:
        bytes_addf(why_r, "%s must be a string or null", name);
        return GUEST_BAD_BODY;
    }
    if (value_r->length > max)
        bytes_addf(why_r, "%s is longer than %zu bytes", name, max);
    else if (!text_is_plain(*value_r))
        bytes_addf(why_r, "%s contains control characters", name);
    return why_r->length ? GUEST_BAD_BODY : GUEST_GOOD;
}

/* Whom an accessToken names: an appUserId beside it must say the same. */
static enum guest_verdict take_named_id(struct guest *guest, struct bytes *why_r)
{
    struct span sent = SPAN_NONE;
    enum guest_verdict verdict = take(guest, "appUserId", MEMBERCHAT_ID_MAX, &sent, why_r);
    guest->id = guest->access.id;
    if (verdict == GUEST_GOOD && sent.data && !span_equal(sent, guest->id)) {
        bytes_add_string(why_r, "accessToken is that of another guest than appUserId");
        verdict = GUEST_BAD_ACCESS_TOKEN;
    }
    return verdict;
}

static enum guest_verdict take_id(struct guest *guest, struct bytes *why_r)
{
    struct span id;
    if (guest->access.id.data)
        return take_named_id(guest, why_r);
    if (json_member(guest->body, "appUserId", &id) == JSON_STRING && !text_is_alphanumeric(id)) {
        bytes_add_string(why_r, "appUserId must be made of the characters A-Z, a-z and 0-9, and "
                                "must not be empty");
        return GUEST_BAD_ID;
    }
    return take(guest, "appUserId", MEMBERCHAT_ID_MAX, &guest->id, why_r);
}

static enum guest_verdict take_access_token(struct guest *guest, const struct app *app,
                                            struct bytes *why_r)
{
    struct span token;
    const char *fault;
    switch (json_member(guest->body, "accessToken", &token)) {
    case JSON_STRING:
        fault = access_token_check(app, token, clock_unix_seconds(), &guest->access);
        if (!fault)
            return GUEST_GOOD;
        bytes_addf(why_r, "accessToken is not valid: %s", fault);
        return GUEST_BAD_ACCESS_TOKEN;
    case JSON_ABSENT:
    case JSON_NULL:
        return GUEST_GOOD;
    default:
        bytes_add_string(why_r, "accessToken must be a string or null");
        return GUEST_BAD_BODY;
    }
}

static void fill_defaults(struct guest *guest)
{
    if (!guest->name.data)
        guest->name = guest->access.name;
    if (!guest->avatar.data)
        guest->avatar = guest->access.avatar;
    if (!guest->id.data) {
        ksuid_new(guest->made_id);
        guest->id = (struct span){guest->made_id, KSUID_LENGTH};
    }
    if (!guest->name.data) {
        bytes_add_string(&guest->made_name, "GUEST_");
        bytes_add_span(&guest->made_name, guest->id);
        guest->name = bytes_span(&guest->made_name);
    }
}

enum guest_verdict guest_read(struct guest *guest_r, const struct app *app, struct span body,
                              struct bytes *why_r)
{
    *guest_r = (struct guest){0};
    if (body.length) {
        bytes_add_string(why_r, "The request body is not a JSON object: ");
        guest_r->body = json_parse_object(body, why_r);
        if (!guest_r->body)
            return GUEST_BAD_BODY;
        bytes_reset(why_r);
        enum guest_verdict verdict = take_access_token(guest_r, app, why_r);
        if (verdict == GUEST_GOOD)
            verdict = take_id(guest_r, why_r);
        if (verdict == GUEST_GOOD)
            verdict = take(guest_r, "appUserName", MEMBERCHAT_NAME_MAX, &guest_r->name, why_r);
        if (verdict == GUEST_GOOD)
            verdict = take(guest_r, "appUserProfileImgUrl", MEMBERCHAT_AVATAR_MAX, &guest_r->avatar,
                           why_r);
        if (verdict != GUEST_GOOD)
            return verdict;
    }
    fill_defaults(guest_r);
    return GUEST_GOOD;
}

void guest_free(struct guest *guest)
{
    access_token_free(&guest->access);
    json_release(guest->body);
    bytes_free(&guest->made_name);
}
