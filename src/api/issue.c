/* SPDX-License-Identifier: MIT */
#include "issue.h"

#include "cors.h"
#include "credentials.h"
#include "members/directory.h"
#include "guest.h"
#include "host/log.h"
#include "reply.h"
#include "throttle.h"
#include "base/text.h"

#include <string.h>

/* ---- The last step ---- */

/* Answers with a token.  TOKEN_REFUSED: *refused_r is a placeholder that the template cannot fill
 * in for the subject. */
static enum token_verdict answer(struct exchange *exchange, const struct token_subject *subject,
                                 struct span *refused_r)
{
    struct bytes *body = &exchange->response->body;
    struct reply_token reply = {.id = subject->id,
                                .name = subject->name,
                                .avatar = subject->avatar,
                                .lifetime = subject->ttl_ms / 1000};
    reply_begin_token(exchange);
    enum token_verdict verdict =
        token_issue(&exchange->app->profile, subject, body, &reply.expires, refused_r);
    reply_end_token(exchange, &reply);
    return body->failed ? TOKEN_FAILED : verdict;
}

static enum outcome fail(const struct app *app)
{
    log_error_limited("app %s: no token: memory, clock, random numbers or the signature failed",
                      app->id);
    return OUTCOME_INTERNAL_SERVER_ERROR;
}

/* ---- Guests ---- */

/* application/json, or anything that ends in +json (RFC 6838, section 4.2.8). */
static bool is_json(struct span content_type)
{
    size_t length = 0;
    while (length < content_type.length && !memchr("; \t", content_type.data[length], 3))
        length++;
    struct span type = {content_type.data, length};
    struct span suffix = {content_type.data + (length > 5 ? length - 5 : 0), length > 5 ? 5 : 0};
    return span_equal_nocase(type, "application/json") || span_equal_nocase(suffix, "+json");
}

/* Whether a Content-Encoding says that the body is encoded. */
static bool is_encoded(struct span encoding)
{
    return encoding.length && !span_equal_nocase(encoding, "identity");
}

/* A value that the template refuses came with the request. */
static enum outcome answer_guest(struct exchange *exchange, const struct guest *guest)
{
    const struct token_subject subject = {
        .id = guest->id,
        .name = guest->name,
        .avatar = guest->avatar,
        .role = span_of(CLAIMS_ROLE_GUEST),
        .ttl_ms = exchange->app->token.guest_ttl_ms,
    };
    struct span refused;
    if (!throttle_take_token(exchange))
        return OUTCOME_TOO_MANY_REQUESTS;
    switch (answer(exchange, &subject, &refused)) {
    case TOKEN_ISSUED:
        return OUTCOME_ANSWERED;
    case TOKEN_REFUSED:
        bytes_addf(&exchange->message,
                   "The tokens of this app need %.*s to be 1 to 128 of the characters A-Z, a-z, "
                   "0-9, _ and -",
                   (int)refused.length, refused.data);
        return OUTCOME_INVALID_HTTP_MESSAGE_BODY;
    default:
        return fail(exchange->app);
    }
}

/* A list may name guests with the app's prefix and without it. */
static bool is_denied(const struct app *app, const struct guest *guest)
{
    size_t prefix = strlen(app->settings.guest_id_prefix ? app->settings.guest_id_prefix : "");
    return denied_has(app->denied, guest->id) ||
           denied_has(app->denied,
                      (struct span){guest->id.data + prefix, guest->id.length - prefix});
}

static enum outcome refuse_body(struct exchange *exchange)
{
    bool number = http_content_length(exchange->request) != -2;
    bytes_add_string(&exchange->message, number
                                             ? "The request body did not arrive, or not all of it"
                                             : "The Content-Length is not a number of bytes");
    return OUTCOME_INVALID_HTTP_MESSAGE_BODY;
}

enum outcome issue_for_guest(struct exchange *exchange)
{
    static const enum outcome outcomes[] = {
        [GUEST_FAILED] = OUTCOME_INTERNAL_SERVER_ERROR,
        [GUEST_BAD_BODY] = OUTCOME_INVALID_HTTP_MESSAGE_BODY,
        [GUEST_BAD_ID] = OUTCOME_INVALID_APP_USER_ID_FORMAT,
        [GUEST_BAD_ACCESS_TOKEN] = OUTCOME_INVALID_ACCESS_TOKEN,
    };
    const struct http_request *request = exchange->request;
    struct guest guest;
    struct reason why = {0};
    if (!exchange->app->settings.guests)
        return OUTCOME_GUESTS_NOT_ALLOWED;
    if (request->body_state == HTTP_BODY_DROPPED) /* not valid when it came */
        return OUTCOME_INVALID_APP_CREDENTIALS;
    if (request->body_state == HTTP_BODY_BROKEN)
        return refuse_body(exchange);
    if (request->body.length && request->content_type.length && !is_json(request->content_type))
        return OUTCOME_UNSUPPORTED_MEDIA_TYPE;

    enum guest_verdict verdict = guest_read(&guest, exchange->app, request->body, &why);
    /* a web server's filter may have decoded the body without changing the header */
    if (verdict == GUEST_BAD_BODY && is_encoded(request->content_encoding)) {
        guest_free(&guest);
        return OUTCOME_UNSUPPORTED_ENCODING;
    }
    bytes_add_string(&exchange->message, why.text);
    enum outcome outcome = outcomes[verdict];
    if (verdict == GUEST_GOOD) {
        exchange_note_id(exchange, guest.id);
        outcome = is_denied(exchange->app, &guest) ? OUTCOME_MEMBER_DENIED
                                                   : answer_guest(exchange, &guest);
    }
    guest_free(&guest);
    return outcome;
}

/* ---- Members ---- */

/* No directory is asked for an id that none can hold. */
static bool can_be_an_id(const struct route *route)
{
    return route->id_length > 0 && !route->id_too_long &&
           text_is_plain((struct span){route->id, route->id_length});
}

/* A store cannot turn a member into a guest: its role "guest" becomes "member", also if only a
 * template's filters turn it into "guest". */
static struct span role_of(const struct member *member)
{
    struct span role = member_field(member, MEMBERCHAT_ROLE);
    bool guest = span_equal_nocase(span_trim(role, " \t"), CLAIMS_ROLE_GUEST);
    return role.data && !guest ? role : span_of("member");
}

/* Whether a guest of the app may have the id, too; some chat servers ignore its case. */
static bool may_be_a_guest(const struct app *app, struct span id)
{
    const char *prefix = app->settings.guests ? app->settings.guest_id_prefix : NULL;
    size_t length = prefix ? strlen(prefix) : 0;
    return length && id.length > length &&
           span_equal_nocase((struct span){id.data, length}, prefix);
}

static enum outcome answer_member(struct exchange *exchange, const struct member *member)
{
    exchange_note_id(exchange, member_field(member, MEMBERCHAT_ID));
    if (denied_has(exchange->app->denied, member_field(member, MEMBERCHAT_ID)))
        return OUTCOME_MEMBER_DENIED;
    if (may_be_a_guest(exchange->app, member_field(member, MEMBERCHAT_ID))) {
        log_error_limited("app %s: no token: the ids of members must not begin with "
                          "guest_id_prefix, \"%s\", since a guest may have such an id, too: "
                          "choose another prefix",
                          exchange->app->id, exchange->app->settings.guest_id_prefix);
        return OUTCOME_INTERNAL_SERVER_ERROR;
    }
    const struct token_subject subject = {
        .id = member_field(member, MEMBERCHAT_ID),
        .name = member_field(member, MEMBERCHAT_NAME),
        .avatar = member_field(member, MEMBERCHAT_AVATAR),
        .role = role_of(member),
        .member = member,
        .ttl_ms = exchange->app->token.ttl_ms,
    };
    struct span refused;
    if (!throttle_take_token(exchange))
        return OUTCOME_TOO_MANY_REQUESTS;
    switch (answer(exchange, &subject, &refused)) {
    case TOKEN_ISSUED:
        return OUTCOME_ANSWERED;
    case TOKEN_REFUSED:
        log_error_limited("app %s: no token: the claims template needs %.*s to be 1 to 128 of the "
                          "characters A-Z, a-z, 0-9, _ and -, which it is not for every member",
                          exchange->app->id, (int)refused.length, refused.data);
        return OUTCOME_INTERNAL_SERVER_ERROR;
    default:
        return fail(exchange->app);
    }
}

enum outcome issue_for_member(struct exchange *exchange)
{
    const struct app *app = exchange->app;
    struct member member = {0};
    enum outcome outcome;
    if (!can_be_an_id(&exchange->route))
        return OUTCOME_MEMBER_NOT_FOUND;

    const struct store_question question = {
        .id = {exchange->route.id, exchange->route.id_length},
        .app_id = app->id,
        .deadline = exchange->request->deadline,
        .gate = exchange->request->gate,
    };
    if (denied_has(app->denied, question.id))
        return OUTCOME_MEMBER_DENIED;
    struct directory_answer found =
        directory_find(app->directories, app->store_count, &question, &member);
    exchange->notes.store = found.store;
    exchange->notes.cache = found.cache;
    switch (found.outcome) {
    case MEMBERCHAT_FOUND:
        outcome = answer_member(exchange, &member);
        break;
    case MEMBERCHAT_NOT_FOUND:
        outcome = OUTCOME_MEMBER_NOT_FOUND;
        break;
    case MEMBERCHAT_UNAVAILABLE:
        outcome = OUTCOME_MEMBER_STORE_UNAVAILABLE;
        exchange->retry_after_ms = found.retry_after_ms;
        break;
    case DIRECTORY_BUSY:
        outcome = OUTCOME_BUSY;
        break;
    default:
        outcome = OUTCOME_INTERNAL_SERVER_ERROR;
    }
    member_free(&member);
    return outcome;
}

/* ---- The path ---- */

static enum outcome answer_preflight(struct exchange *exchange)
{
    exchange->response->status = 204;
    http_add_header(exchange->response, "Allow", span_of(exchange->route.methods));
    cors_add_preflight(exchange->settings, exchange->request->origin, exchange->response);
    return OUTCOME_ANSWERED;
}

enum outcome issue_token(struct exchange *exchange)
{
    const struct http_request *request = exchange->request;
    if (span_equal(request->method, span_of("OPTIONS")))
        return answer_preflight(exchange);

    switch (credentials_check(exchange->settings, request, &exchange->named)) {
    case CREDENTIALS_NONE:
        return OUTCOME_EMPTY_APP_CREDENTIALS;
    case CREDENTIALS_WRONG:
        return throttle_wrong_credentials(exchange) ? OUTCOME_TOO_MANY_REQUESTS
                                                    : OUTCOME_INVALID_APP_CREDENTIALS;
    case CREDENTIALS_GOOD:
        exchange->app = exchange->named;
        cors_add_headers(exchange->app, request->origin, exchange->response);
    }

    if (request->body_state == HTTP_BODY_TOO_LARGE)
        return OUTCOME_REQUEST_TOO_LARGE;
    enum outcome outcome = OUTCOME_TOO_MANY_REQUESTS;
    if (throttle_has_token(exchange))
        outcome = exchange->route.kind == ROUTE_GUEST ? issue_for_guest(exchange)
                                                      : issue_for_member(exchange);
    throttle_add_headers(exchange);
    return outcome;
}
