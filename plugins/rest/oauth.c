/* SPDX-License-Identifier: MIT */
#include "oauth.h"

#include "base/clock.h"
#include "base/file.h"
#include "secret.h"
#include "token.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    SECRET_MAX = 1024,
    ANSWER_MAX = 65536,
    AHEAD_MS = 60000,     /* a token is fetched again this long before its end, or a quarter */
    REFUSED_MS = 5000,    /* pause after a refusal, so that no account is locked */
    UNANSWERED_MS = 1000, /* and after no answer */
};

struct rest_oauth {
    const struct rest_settings *settings;
    struct rest_client *client;
    const char *secret_path;
    _Atomic unsigned refusals; /* of tokens, one after the other */
    pthread_mutex_t lock;      /* guards what follows; never held while fetching */
    pthread_cond_t fetched;
    bool fetching;
    unsigned fetches; /* that have ended */
    struct rest_token token;
    unsigned number;                          /* of the token */
    int64_t renew_at, expires_at, fetched_at; /* clock_monotonic_ms() */
    enum memberchat_outcome outcome;          /* of the last fetch, with its reason */
    struct reason why;
    int64_t pause_until;
    struct file_stamp secret; /* as the last fetch saw it */
    bool in_body;             /* the token's server wants our credentials there */
};

static const char *setting(const struct rest_oauth *oauth, const char *name)
{
    return rest_map_value(&oauth->settings->oauth2, name);
}

bool rest_oauth_check(const struct rest_settings *settings, bool *exposed_r, struct reason *why)
{
    struct bytes secret = {0};
    bool good = rest_secret_read(rest_map_value(&settings->oauth2, "client_secret_file"),
                                 SECRET_MAX, true, &secret, exposed_r, why);
    bytes_free(&secret);
    return good;
}

struct rest_oauth *rest_oauth_new(const struct rest_settings *settings, struct rest_client *client)
{
    struct rest_oauth *oauth = calloc(1, sizeof *oauth);
    if (!oauth)
        return NULL;
    oauth->settings = settings;
    oauth->client = client;
    oauth->secret_path = setting(oauth, "client_secret_file");
    pthread_mutex_init(&oauth->lock, NULL);
    clock_cond_init(&oauth->fetched);
    return oauth;
}

void rest_oauth_free(struct rest_oauth *oauth)
{
    if (!oauth)
        return;
    bytes_free(&oauth->token.text);
    pthread_cond_destroy(&oauth->fetched);
    pthread_mutex_destroy(&oauth->lock);
    free(oauth);
}

/* ---- Fetching ---- */

/* Name and value of a form, where there is a value. */
static void add_field(struct bytes *form, const char *name, struct span value)
{
    if (!value.data)
        return;
    if (form->length)
        bytes_add(form, "&", 1);
    bytes_add_string(form, name);
    bytes_add(form, "=", 1);
    bytes_add_percent(form, value);
}

/* One request (RFC 6749, section 4.4.2), with our credentials as Basic, where they are encoded
 * once more (section 2.3.1), or in the body. */
static enum memberchat_outcome request_token(const struct rest_oauth *oauth, struct rest_wire *wire,
                                             struct span secret, bool in_body, int64_t deadline,
                                             struct rest_reply *reply_r)
{
    static const char *const lines[] = {
        "Content-Type: application/x-www-form-urlencoded",
        "Accept: application/json",
        "User-Agent: memberchat",
        "Expect:",
    };
    struct span id = span_of(setting(oauth, "client_id"));
    struct bytes form = {0}, user = {0}, password = {0};
    add_field(&form, "grant_type", span_of("client_credentials"));
    add_field(&form, "scope", span_of(setting(oauth, "scope")));
    add_field(&form, "audience", span_of(setting(oauth, "audience")));
    if (in_body) {
        add_field(&form, "client_id", id);
        add_field(&form, "client_secret", secret);
    }
    bytes_add_percent(&user, id);
    bytes_add_percent(&password, secret);
    struct rest_request request = {.url = setting(oauth, "token_url"),
                                   .post = true,
                                   .body = bytes_span(&form),
                                   .lines = lines,
                                   .line_count = sizeof lines / sizeof *lines,
                                   .scheme = in_body ? REST_ANONYMOUS : REST_BASIC,
                                   .user = bytes_string(&user),
                                   .secret = bytes_string(&password),
                                   .deadline = deadline,
                                   .most = ANSWER_MAX};
    bool good = !form.failed && !user.failed && !password.failed;
    if (good)
        rest_wire_exchange(wire, &request, reply_r);
    bytes_free(&form);
    bytes_free(&user);
    bytes_free(&password);
    return good ? MEMBERCHAT_FOUND : MEMBERCHAT_UNAVAILABLE;
}

static bool refuses_client(const struct rest_reply *reply)
{
    return reply->end == REST_ANSWERED && (reply->status == 400 || reply->status == 401);
}

/* Asks with a secret.  Where our credentials are refused as Basic, they may be wanted in the
 * body; *in_body remembers it, until they are refused there. */
static enum memberchat_outcome ask_for_token(const struct rest_oauth *oauth, struct span secret,
                                             int64_t deadline, bool *in_body,
                                             struct rest_token *token_r, struct reason *why)
{
    struct rest_wire *wire = rest_wire_new(oauth->client);
    struct rest_reply reply;
    reason_set(why, "out of memory");
    if (!wire)
        return MEMBERCHAT_UNAVAILABLE;
    enum memberchat_outcome outcome =
        request_token(oauth, wire, secret, *in_body, deadline, &reply);
    if (outcome == MEMBERCHAT_FOUND && *in_body && refuses_client(&reply)) {
        *in_body = false;
    } else if (outcome == MEMBERCHAT_FOUND && refuses_client(&reply)) {
        outcome = request_token(oauth, wire, secret, true, deadline, &reply);
        *in_body = outcome == MEMBERCHAT_FOUND && reply.end == REST_ANSWERED && reply.status == 200;
    }
    if (outcome == MEMBERCHAT_FOUND)
        outcome = rest_token_read(&reply, token_r, why);
    rest_wire_free(wire);
    return outcome;
}

static enum memberchat_outcome fetch(const struct rest_oauth *oauth, int64_t deadline,
                                     bool *in_body, struct rest_token *token_r, struct reason *why)
{
    struct bytes secret = {0};
    bool exposed;
    enum memberchat_outcome outcome = MEMBERCHAT_MISCONFIGURED;
    if (rest_secret_read(oauth->secret_path, SECRET_MAX, true, &secret, &exposed, why))
        outcome = ask_for_token(oauth, bytes_span(&secret), deadline, in_body, token_r, why);
    else if (file_error_passes(errno))
        outcome = MEMBERCHAT_UNAVAILABLE;
    bytes_free(&secret);
    return outcome;
}

/* ---- Sharing ---- */

/* Takes in what a fetch brought that began at `began`; the caller holds the lock. */
static void take_in(struct rest_oauth *oauth, int64_t began, struct rest_token *token)
{
    int64_t life = token->life_ms, ahead = life / 4 < AHEAD_MS ? life / 4 : AHEAD_MS;
    if (oauth->outcome == MEMBERCHAT_FOUND) {
        bytes_free(&oauth->token.text);
        oauth->token = *token;
        *token = (struct rest_token){0};
        oauth->number++;
        oauth->expires_at = began + life;
        oauth->renew_at = oauth->expires_at - ahead;
        oauth->fetched_at = clock_monotonic_ms();
        oauth->pause_until = 0;
    } else {
        bool refused = oauth->outcome == MEMBERCHAT_MISCONFIGURED;
        oauth->pause_until = clock_monotonic_ms() + (refused ? REFUSED_MS : UNANSWERED_MS);
    }
    bytes_free(&token->text);
}

/* Fetches a token for all; the caller holds the lock, which is released meanwhile. */
static void fetch_for_all(struct rest_oauth *oauth, int64_t deadline)
{
    struct rest_token token = {0};
    struct file_stamp secret;
    struct reason why = {""};
    bool in_body = oauth->in_body;
    oauth->fetching = true;
    pthread_mutex_unlock(&oauth->lock);
    int64_t began = clock_monotonic_ms();
    file_stamp_read(oauth->secret_path, &secret);
    enum memberchat_outcome outcome = fetch(oauth, deadline, &in_body, &token, &why);
    pthread_mutex_lock(&oauth->lock);
    oauth->fetching = false;
    oauth->fetches++;
    oauth->outcome = outcome;
    oauth->why = why;
    oauth->in_body = in_body;
    oauth->secret = secret;
    take_in(oauth, began, &token);
    pthread_cond_broadcast(&oauth->fetched);
}

/* Waits for the fetch that is under way; the caller holds the lock.  False: not in time. */
static bool await_fetch(struct rest_oauth *oauth, int64_t deadline)
{
    const struct timespec until = clock_deadline(deadline);
    unsigned before = oauth->fetches;
    int late = 0;
    while (oauth->fetches == before && !late)
        late = pthread_cond_timedwait(&oauth->fetched, &oauth->lock, &until);
    return oauth->fetches != before;
}

/* Whether a failed fetch must not be repeated yet. */
static bool is_paused(const struct rest_oauth *oauth, int64_t now)
{
    struct file_stamp secret;
    if (now >= oauth->pause_until)
        return false;
    file_stamp_read(oauth->secret_path, &secret);
    return file_stamp_equal(&secret, &oauth->secret);
}

/* Sees to it that there is a token, or the outcome says why not; the caller holds the lock.
 * False: not in time. */
static bool provide(struct rest_oauth *oauth, int64_t deadline)
{
    int64_t now = clock_monotonic_ms();
    bool good = oauth->token.text.length && now < oauth->expires_at;
    if (good && (now < oauth->renew_at || oauth->fetching || is_paused(oauth, now)))
        return true;
    if (oauth->fetching)
        return await_fetch(oauth, deadline);
    if (!is_paused(oauth, now)) /* with a token that is still good, half of the time is kept */
        fetch_for_all(oauth, good ? deadline - clock_left_ms(deadline) / 2 : deadline);
    return true;
}

enum memberchat_outcome rest_oauth_take(struct rest_oauth *oauth, int64_t deadline,
                                        struct bytes *token_r, unsigned *number_r,
                                        struct reason *why)
{
    pthread_mutex_lock(&oauth->lock);
    bool in_time = provide(oauth, deadline), any = oauth->token.text.length;
    bool good = any && clock_monotonic_ms() < oauth->expires_at;
    enum memberchat_outcome outcome = good ? MEMBERCHAT_FOUND : oauth->outcome;
    if (good || (in_time && any && outcome == MEMBERCHAT_FOUND)) {
        bytes_add_span(token_r, bytes_span(&oauth->token.text));
        *number_r = oauth->number;
    } else if (!in_time || outcome == MEMBERCHAT_FOUND) {
        outcome = MEMBERCHAT_UNAVAILABLE;
        reason_set(why, "\"token_url\" gave no token in time");
    } else {
        *why = oauth->why;
    }
    pthread_mutex_unlock(&oauth->lock);
    return outcome;
}

bool rest_oauth_refuse(struct rest_oauth *oauth, unsigned number)
{
    int64_t now = clock_monotonic_ms();
    bool again = true;
    pthread_mutex_lock(&oauth->lock);
    if (number == oauth->number && oauth->token.text.length) { /* it has not been refused yet */
        bool fresh = now - oauth->fetched_at < REFUSED_MS && now < oauth->expires_at;
        again = !fresh || atomic_fetch_add(&oauth->refusals, 1) == 0;
        if (again)
            bytes_reset(&oauth->token.text);
    }
    pthread_mutex_unlock(&oauth->lock);
    return again;
}

void rest_oauth_accept(struct rest_oauth *oauth)
{
    if (atomic_load(&oauth->refusals))
        atomic_store(&oauth->refusals, 0);
}
