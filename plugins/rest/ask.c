/* SPDX-License-Identifier: MIT */
#include "ask.h"

#include "answer.h"
#include "base/clock.h"
#include "template.h"

#include <string.h>

enum { REDIRECTS_MAX = 5 };

/* ---- What is sent ---- */

struct message {
    struct bytes url, body;
    struct bytes head;             /* the lines, each with a NUL */
    size_t starts[REST_LINES_MAX]; /* where in it */
    const char *lines[REST_LINES_MAX];
    size_t count;
};

static void message_free(struct message *message)
{
    bytes_free(&message->url);
    bytes_free(&message->body);
    bytes_free(&message->head);
}

/* Begins a line of the head. */
static struct bytes *begin_line(struct message *message)
{
    message->starts[message->count++] = message->head.length;
    return &message->head;
}

static void add_line(struct message *message, const char *line)
{
    bytes_add(begin_line(message), line, strlen(line) + 1);
}

static bool has_header(const struct memberchat_list *headers, const char *name)
{
    for (size_t i = 0; i < headers->count; i++) {
        struct span given = {headers->items[i], strcspn(headers->items[i], ":")};
        if (span_equal_nocase(given, name))
            return true;
    }
    return false;
}

/* A header of ours, unless it has no value or the settings have one. */
static void add_own(struct message *message, const struct memberchat_list *headers,
                    const char *name, const char *value)
{
    if (!*value || has_header(headers, name))
        return;
    bytes_add_string(begin_line(message), name);
    bytes_add_string(&message->head, ": ");
    bytes_add(&message->head, value, strlen(value) + 1);
}

static void add_lines(struct message *message, const struct rest_question *question,
                      const struct rest_values *values)
{
    const struct rest_settings *settings = question->settings;
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
    for (size_t i = 0; i < headers->count; i++) {
        rest_template_expand(begin_line(message), headers->items[i], values, false);
        bytes_add(&message->head, "", 1);
    }
    add_own(message, headers, "X-Request-Id", question->request_id);
    add_own(message, headers, "traceparent", question->traceparent);
}

/* False: no memory. */
static bool write_message(const struct rest_question *question, struct message *message)
{
    const struct rest_settings *settings = question->settings;
    const struct rest_values values = {question->id, question->app_id};
    rest_template_expand(&message->url, settings->url, &values, false);
    bytes_string(&message->url);
    if (settings->body)
        rest_template_expand(&message->body, settings->body, &values, true);
    add_lines(message, question, &values);
    for (size_t i = 0; i < message->count && !message->head.failed; i++)
        message->lines[i] = message->head.data + message->starts[i];
    return !message->url.failed && !message->body.failed && !message->head.failed;
}

/* ---- Sending it ---- */

static bool take_wire(const struct rest_question *question, struct rest_exchange *exchange)
{
    enum pool_result result = pool_take(question->wires, question->deadline, NULL, &exchange->loan);
    exchange->reply = (struct rest_reply){.end = result == POOL_BUSY ? REST_BUSY : REST_NO_ANSWER,
                                          .trouble = "out of memory"};
    return result == POOL_GOOD;
}

/* The reply goes with it. */
static void give_wire(struct rest_exchange *exchange, struct pool *wires)
{
    if (exchange->loan)
        pool_give(wires, exchange->loan, exchange->reply.end != REST_LATE);
    exchange->loan = NULL;
    exchange->reply = (struct rest_reply){0};
}

/* On a kept connection a GET leaves a third of its time to another try. */
static int64_t first_deadline(const struct rest_question *question,
                              const struct rest_exchange *exchange)
{
    bool again = question->settings->method == REST_GET && rest_wire_is_kept(exchange->loan->thing);
    return question->deadline - (again ? clock_left_ms(question->deadline) / 3 : 0);
}

static void exchange_once(const struct rest_question *question, struct message *message,
                          struct rest_exchange *exchange)
{
    const struct rest_settings *settings = question->settings;
    struct rest_request request = {.url = message->url.data,
                                   .post = settings->method == REST_POST,
                                   .body = bytes_span(&message->body),
                                   .lines = message->lines,
                                   .line_count = message->count,
                                   .scheme = exchange->proof.scheme,
                                   .user = settings->username,
                                   .secret = exchange->proof.secret.data,
                                   .most = settings->max_body};
    if (!exchange->loan && !take_wire(question, exchange))
        return;
    request.deadline = first_deadline(question, exchange);
    rest_wire_exchange(exchange->loan->thing, &request, &exchange->reply);
    if (exchange->reply.end != REST_LATE || !exchange->reply.reused)
        return;
    pool_flush_before(question->wires, exchange->loan);
    if (request.post)
        return;
    give_wire(exchange, question->wires);
    if (!take_wire(question, exchange))
        return;
    request.deadline = question->deadline;
    rest_wire_exchange(exchange->loan->thing, &request, &exchange->reply);
}

static bool is_redirect(const struct rest_settings *settings, const struct rest_reply *reply)
{
    bool unchanged = reply->status == 307 || reply->status == 308;
    bool as_get = reply->status >= 301 && reply->status <= 303 && settings->method == REST_GET;
    return reply->end == REST_ANSWERED && reply->location && (unchanged || as_get);
}

/* Says where a redirect leads that is not followed, without its query and user name. */
static enum memberchat_outcome refuse_redirect(const struct rest_reply *reply, const char *words,
                                               struct reason *why)
{
    const char *target = reply->location ? reply->location : "";
    size_t length = strcspn(target, "?#"), shown = length < 256 ? length : 256;
    const char *at = memchr(target, '@', length);
    if (at) {
        shown -= shown > (size_t)(at + 1 - target) ? (size_t)(at + 1 - target) : shown;
        target = at + 1;
    }
    reason_set(why, "HTTP status %ld: %s%s%.*s", reply->status, words, shown ? ": " : "",
               (int)shown, target);
    return MEMBERCHAT_MISCONFIGURED;
}

/* Goes where a redirect leads.  FOUND: the message has its URL. */
static enum memberchat_outcome follow(struct message *message, const struct rest_reply *reply,
                                      bool too_many, struct reason *why)
{
    struct rest_place from, to;
    enum rest_url good = rest_place_read(message->url.data, &from);
    if (good == REST_URL_GOOD)
        good = rest_place_read(reply->location, &to);
    if (good != REST_URL_NO_MEMORY && too_many)
        return refuse_redirect(reply, "it redirects again and again", why);
    if (good == REST_URL_BAD || (good == REST_URL_GOOD && !rest_place_may_lead_to(&from, &to)))
        return refuse_redirect(reply, "it redirects to another place than its own host", why);
    if (good == REST_URL_GOOD) {
        bytes_reset(&message->url);
        bytes_add(&message->url, reply->location, strlen(reply->location) + 1);
        if (!message->url.failed)
            return MEMBERCHAT_FOUND;
    }
    reason_set(why, "out of memory");
    return MEMBERCHAT_UNAVAILABLE;
}

static enum memberchat_outcome judge_status(const struct rest_settings *settings,
                                            const struct rest_reply *reply, struct reason *why)
{
    switch (reply->end) {
    case REST_NO_ANSWER:
    case REST_LATE:
        reason_set(why, "%s", reply->trouble);
        return MEMBERCHAT_UNAVAILABLE;
    case REST_BUSY:
        reason_set(why, "all %lld \"connections\" were in use until the deadline",
                   (long long)settings->connections);
        return MEMBERCHAT_UNAVAILABLE;
    case REST_IMPOSSIBLE:
        reason_set(why, "%s", reply->trouble);
        return MEMBERCHAT_MISCONFIGURED;
    case REST_ANSWERED:
    case REST_TOO_LARGE:
        break;
    }
    if (reply->status >= 300 && reply->status < 400)
        return refuse_redirect(reply, "a redirect, where none is followed", why);
    enum memberchat_outcome outcome = rest_answer_status(settings, reply->status, why);
    if (outcome != MEMBERCHAT_FOUND || reply->end == REST_ANSWERED)
        return outcome;
    reason_set(why, "the answer is larger than \"max_body\" (%lld bytes)",
               (long long)settings->max_body);
    return MEMBERCHAT_MISCONFIGURED;
}

/* Sends a message, and again to where it is redirected. */
static enum memberchat_outcome send_message(const struct rest_question *question,
                                            struct message *message, struct rest_exchange *exchange,
                                            struct reason *why)
{
    const struct rest_settings *settings = question->settings;
    for (int redirects = 0;; redirects++) {
        exchange_once(question, message, exchange);
        if (!settings->follow_redirects || !is_redirect(settings, &exchange->reply))
            return judge_status(settings, &exchange->reply, why);
        enum memberchat_outcome outcome =
            follow(message, &exchange->reply, redirects == REDIRECTS_MAX, why);
        if (outcome != MEMBERCHAT_FOUND)
            return outcome;
    }
}

/* Asks with the proof of the exchange. */
static enum memberchat_outcome ask_once(const struct rest_question *question,
                                        struct rest_exchange *exchange, struct reason *why)
{
    struct message message = {.count = 0};
    enum memberchat_outcome outcome = MEMBERCHAT_UNAVAILABLE;
    if (write_message(question, &message))
        outcome = send_message(question, &message, exchange, why);
    else
        reason_set(why, "out of memory");
    message_free(&message);
    return outcome;
}

enum memberchat_outcome rest_ask(const struct rest_question *question,
                                 struct rest_exchange *exchange, struct reason *why)
{
    enum memberchat_outcome outcome = MEMBERCHAT_UNAVAILABLE;
    bool again = true;
    for (int tries = 0; tries < 2 && again; tries++) {
        struct rest_proof proof;
        outcome = rest_credentials_take(question->credentials, question->deadline, &proof, why);
        if (outcome != MEMBERCHAT_FOUND)
            break;
        rest_proof_free(&exchange->proof);
        exchange->proof = proof;
        outcome = ask_once(question, exchange, why);
        bool answered = exchange->reply.end == REST_ANSWERED;
        again = answered && exchange->reply.status == 401 &&
                rest_credentials_renew(question->credentials, &exchange->proof);
        if (answered && exchange->reply.status != 401)
            rest_credentials_accept(question->credentials);
    }
    return outcome;
}

void rest_exchange_end(struct rest_exchange *exchange, struct pool *wires)
{
    give_wire(exchange, wires);
    rest_proof_free(&exchange->proof);
}
