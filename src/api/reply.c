/* SPDX-License-Identifier: MIT */
#include "reply.h"

#include "base/date.h"

static const struct row {
    int status;
    const char *code, *message;
} rows[] = {
    [OUTCOME_INVALID_APP_USER_ID_FORMAT] = {400, "INVALID_APP_USER_ID_FORMAT",
                                            "appUserId is not alphanumeric"},
    [OUTCOME_INVALID_HTTP_MESSAGE_BODY] = {400, "INVALID_HTTP_MESSAGE_BODY",
                                           "The request body is not valid"},
    [OUTCOME_EMPTY_APP_CREDENTIALS] = {401, "EMPTY_APP_CREDENTIALS",
                                       "The API key and secret are missing: send them as HTTP "
                                       "Basic credentials.  If they were sent, the web server "
                                       "keeps the Authorization header back: let it pass, or send "
                                       "X-Api-Key and X-Api-Secret"},
    [OUTCOME_INVALID_APP_CREDENTIALS] = {401, "INVALID_APP_CREDENTIALS",
                                         "The API key or secret is wrong"},
    [OUTCOME_INVALID_ACCESS_TOKEN] = {401, "INVALID_ACCESS_TOKEN", "accessToken is not valid"},
    [OUTCOME_INVALID_STATUS_PASSWORD] = {401, "INVALID_STATUS_PASSWORD",
                                         "Send the password of the status page"},
    [OUTCOME_GUESTS_NOT_ALLOWED] = {403, "GUESTS_NOT_ALLOWED", "This app has no guests"},
    [OUTCOME_MEMBER_DENIED] = {403, "MEMBER_DENIED", "This person gets no token"},
    [OUTCOME_MEMBER_NOT_FOUND] = {404, "MEMBER_NOT_FOUND", "There is no such member"},
    [OUTCOME_RESOURCE_NOT_FOUND] = {404, "RESOURCE_NOT_FOUND", "There is nothing at this path"},
    [OUTCOME_UNSUPPORTED_HTTP_METHOD] = {405, "UNSUPPORTED_HTTP_METHOD",
                                         "This method is not supported here"},
    [OUTCOME_REQUEST_TOO_LARGE] = {413, "REQUEST_TOO_LARGE", "The request body is too large"},
    [OUTCOME_UNSUPPORTED_MEDIA_TYPE] = {415, "UNSUPPORTED_MEDIA_TYPE",
                                        "The request body must be application/json"},
    [OUTCOME_UNSUPPORTED_ENCODING] = {415, "UNSUPPORTED_MEDIA_TYPE",
                                      "The request body must not have a Content-Encoding"},
    [OUTCOME_TOO_MANY_REQUESTS] = {429, "TOO_MANY_REQUESTS",
                                   "There were too many requests with wrong credentials; "
                                   "try again later"},
    [OUTCOME_INTERNAL_SERVER_ERROR] = {500, "INTERNAL_SERVER_ERROR",
                                       "Something is wrong on the server; its log says what"},
    [OUTCOME_MEMBER_STORE_UNAVAILABLE] = {503, "MEMBER_STORE_UNAVAILABLE",
                                          "The member directory does not answer; try again "
                                          "later"},
};

void reply_begin_token(struct exchange *exchange)
{
    struct bytes *body = &exchange->response->body;
    exchange->response->status = 200;
    bytes_add_string(body, "{\"chatServerWebSocketUrl\":");
    bytes_add_json(body, span_of(exchange->app->settings.chat_server_url));
    bytes_add_string(body, ",\"chatToken\":\"");
}

void reply_end_token(struct exchange *exchange, const struct reply_token *answer)
{
    const struct app *app = exchange->app;
    struct bytes *body = &exchange->response->body;
    bytes_add_string(body, "\",\"appId\":");
    bytes_add_json(body, span_of(app->id));
    bytes_add_string(body, ",\"userId\":");
    bytes_add_json(body, answer->id);
    bytes_add_string(body, ",\"userName\":");
    bytes_add_json(body, answer->name);
    bytes_add_string(body, ",\"avatarProfileUrl\":");
    bytes_add_json(body, answer->avatar);
    if (app->settings.extended_response) {
        bytes_add_string(body, ",\"expiresAt\":\"");
        date_add(body, answer->expires);
        bytes_addf(body, "\",\"expiresIn\":%lld", (long long)answer->lifetime);
    }
    bytes_add_string(body, "}");
}

static void add_retry_after(struct exchange *exchange)
{
    struct bytes seconds = {0};
    int64_t ms = exchange->retry_after_ms;
    bytes_addf(&seconds, "%lld", ms <= 1000 ? 1LL : (long long)(ms / 1000 + (ms % 1000 != 0)));
    http_add_header(exchange->response, "Retry-After", bytes_span(&seconds));
    bytes_free(&seconds);
}

/* If memory ran out for the message, a part of it could mislead: the answer is a 500. */
static const struct row *row_of(const struct exchange *exchange, enum outcome outcome)
{
    return &rows[exchange->message.failed ? OUTCOME_INTERNAL_SERVER_ERROR : outcome];
}

const char *reply_code(const struct exchange *exchange, enum outcome outcome)
{
    return outcome == OUTCOME_ANSWERED ? "OK" : row_of(exchange, outcome)->code;
}

void reply_with_error(struct exchange *exchange, enum outcome outcome)
{
    const struct row *row = row_of(exchange, outcome);
    bool whole = !exchange->message.failed;
    struct http_response *response = exchange->response;
    bytes_reset(&response->body);
    response->status = row->status;
    response->content_type = response->cache_control = NULL; /* those of the answer that failed */
    if (outcome == OUTCOME_INVALID_ACCESS_TOKEN) /* browsers must not ask visitors for a password */
        http_add_header(response, "WWW-Authenticate", span_of("Bearer error=\"invalid_token\""));
    else if (row->status == 401)
        http_add_header(response, "WWW-Authenticate",
                        span_of("Basic realm=\"memberchat\", charset=\"UTF-8\""));
    if (outcome == OUTCOME_UNSUPPORTED_ENCODING)
        http_add_header(response, "Accept-Encoding", span_of("identity"));
    if (outcome == OUTCOME_UNSUPPORTED_HTTP_METHOD)
        http_add_header(response, "Allow", span_of(exchange->route.methods));
    if (outcome == OUTCOME_MEMBER_STORE_UNAVAILABLE || outcome == OUTCOME_TOO_MANY_REQUESTS)
        add_retry_after(exchange);
    bytes_add_string(&response->body, "{\"errorCode\":");
    bytes_add_json(&response->body, span_of(row->code));
    bytes_add_string(&response->body, ",\"errorMessage\":");
    bytes_add_json(&response->body, whole && exchange->message.length
                                        ? bytes_span(&exchange->message)
                                        : span_of(row->message));
    bytes_add_string(&response->body, "}");
}
