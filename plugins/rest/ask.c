/* SPDX-License-Identifier: MIT
 *
 * rest_ask.c: see rest_ask.h.
 */
#include "ask.h"

#include "template.h"

#include <string.h>
#include <strings.h>

enum { REDIRECTS_MAX = 5 };

/* Everything that is sent, and the memory of it. */
struct message {
    struct rest_text url, body, authorization, request_id;
    struct rest_text expanded[REST_HEADERS_MAX]; /* headers with placeholders */
    const char *lines[REST_LINES_MAX];
    size_t line_count;
    unsigned credentials; /* which ones */
};

static void free_message(struct message *message)
{
    rest_text_free(&message->url);
    rest_text_free(&message->body);
    rest_text_free(&message->authorization);
    rest_text_free(&message->request_id);
    for (size_t i = 0; i < REST_HEADERS_MAX; i++)
        rest_text_free(&message->expanded[i]);
}

static void add_line(struct message *message, const char *line)
{
    message->lines[message->line_count++] = line;
}

static bool has_header(const struct memberchat_list *headers, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < headers->count; i++)
        if (strncasecmp(headers->items[i], name, length) == 0 && headers->items[i][length] == ':')
            return true;
    return false;
}

/* What every request has, unless the configuration says otherwise. */
static void add_own_lines(struct message *message, const struct rest_settings *settings)
{
    const struct memberchat_list *headers = &settings->headers;
    if (!has_header(headers, "Accept"))
        add_line(message, "Accept: application/json");
    if (!has_header(headers, "User-Agent"))
        add_line(message, "User-Agent: memberchat");
    if (settings->method == REST_POST) {
        add_line(message, "Expect:"); /* none: it would cost a round trip */
        if (!has_header(headers, "Content-Type"))
            add_line(message, "Content-Type: application/json");
    }
}

static void add_configured_lines(struct message *message, const struct rest_settings *settings,
                                 const struct rest_values *values)
{
    for (size_t i = 0; i < settings->headers.count; i++) {
        const char *header = settings->headers.items[i];
        if (strchr(header, '{')) {
            rest_template_expand(&message->expanded[i], header, values, REST_PERCENT);
            header = rest_text_string(&message->expanded[i]);
        }
        if (*header)
            add_line(message, header);
    }
}

/* False: no memory. */
static bool write_message(const struct rest_question *question, struct message *message)
{
    const struct rest_settings *settings = question->settings;
    const struct rest_values values = {question->id.bytes, question->app_id, question->id.length,
                                       strlen(question->app_id)};
    bool failed = false;
    rest_template_expand(&message->url, settings->url, &values, REST_PERCENT);
    if (settings->body)
        rest_template_expand(&message->body, settings->body, &values, REST_JSON);
    add_own_lines(message, settings);
    add_configured_lines(message, settings, &values);
    if (*question->request_id && !has_header(&settings->headers, "X-Request-Id")) {
        rest_text_add_string(&message->request_id, "X-Request-Id: ");
        rest_text_add_string(&message->request_id, question->request_id);
        add_line(message, rest_text_string(&message->request_id));
    }
    message->credentials = rest_credentials_copy(question->credentials, &message->authorization);
    if (message->authorization.length)
        add_line(message, rest_text_string(&message->authorization));
    for (size_t i = 0; i < REST_HEADERS_MAX; i++)
        failed |= message->expanded[i].failed;
    rest_text_string(&message->url);
    return !failed && !message->url.failed && !message->body.failed &&
           !message->request_id.failed && !message->authorization.failed;
}

static bool is_redirect(const struct rest_settings *settings, const struct rest_reply *reply)
{
    bool unchanged = reply->status == 307 || reply->status == 308;
    bool as_get = reply->status >= 301 && reply->status <= 303 && settings->method == REST_GET;
    return reply->end == REST_ANSWERED && reply->location && (unchanged || as_get);
}

/* Why a redirect is not followed; NULL when it is. */
static const char *refuse_redirect(const struct message *message, const struct rest_reply *reply,
                                   int redirects)
{
    if (redirects == REDIRECTS_MAX)
        return "it redirects again and again";
    if (!rest_client_same_place(message->url.bytes, reply->location))
        return "it redirects to another place than its own host";
    return NULL;
}

/* Sends a message, and again to where it is redirected.  False: with a reason. */
static bool send_message(const struct rest_question *question, struct message *message,
                         struct rest_wire *wire, struct rest_reply *reply_r,
                         struct rest_reason *reason)
{
    const struct rest_settings *settings = question->settings;
    for (int redirects = 0;; redirects++) {
        int64_t left = question->deadline - question->services->now(question->services);
        struct rest_request request = {.url = message->url.bytes,
                                       .body = message->body.bytes,
                                       .body_length = message->body.length,
                                       .headers = message->lines,
                                       .header_count = message->line_count,
                                       .timeout =
                                           left < settings->timeout ? left : settings->timeout};
        if (left <= 0) {
            *reply_r = (struct rest_reply){.end = REST_NO_ANSWER, .trouble = "no time is left"};
            return true;
        }
        rest_wire_exchange(wire, &request, reply_r);
        if (!settings->follow_redirects || !is_redirect(settings, reply_r))
            return true;
        const char *refusal = refuse_redirect(message, reply_r, redirects);
        if (refusal) {
            rest_reason_set(reason, "HTTP status %ld: %s", reply_r->status, refusal);
            return false;
        }
        rest_text_reset(&message->url);
        rest_text_add(&message->url, reply_r->location, strlen(reply_r->location) + 1);
        if (message->url.failed) {
            rest_reason_set(reason, "out of memory");
            return false;
        }
    }
}

static enum memberchat_outcome judge(const struct rest_settings *settings,
                                     const struct rest_reply *reply, struct rest_reason *reason)
{
    enum memberchat_outcome outcome;
    switch (reply->end) {
    case REST_NO_ANSWER:
        rest_reason_set(reason, "%s", reply->trouble);
        return MEMBERCHAT_UNAVAILABLE;
    case REST_IMPOSSIBLE:
        rest_reason_set(reason, "%s", reply->trouble);
        return MEMBERCHAT_MISCONFIGURED;
    case REST_ANSWERED:
    case REST_TOO_LARGE:
        break;
    }
    outcome = rest_answer_status(settings, reply->status, reason);
    if (outcome != MEMBERCHAT_FOUND || reply->end == REST_ANSWERED)
        return outcome;
    rest_reason_set(reason, "the answer is larger than \"max_body\" (%lld bytes)",
                    (long long)settings->max_body);
    return MEMBERCHAT_MISCONFIGURED;
}

enum memberchat_outcome rest_ask(const struct rest_question *question, struct rest_wire *wire,
                                 struct rest_reply *reply_r, struct rest_reason *reason)
{
    bool again = true, refused_us = true;
    bool sent = false;
    *reply_r = (struct rest_reply){0};
    for (int tries = 0; tries < 2 && again; tries++) {
        struct message message = {0};
        if (!write_message(question, &message)) {
            rest_reason_set(reason, "out of memory");
            free_message(&message);
            return MEMBERCHAT_UNAVAILABLE;
        }
        sent = send_message(question, &message, wire, reply_r, reason);
        refused_us = sent && reply_r->end == REST_ANSWERED && reply_r->status == 401;
        again =
            refused_us && rest_credentials_refresh(question->credentials) != message.credentials;
        free_message(&message);
    }
    return sent ? judge(question->settings, reply_r, reason) : MEMBERCHAT_MISCONFIGURED;
}
