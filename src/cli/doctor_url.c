/* SPDX-License-Identifier: MIT
 * What doctor sees from outside: the API at its URL, with and without credentials. */
#include "doctor_kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define GUEST_PATH "/v2/apps/me/members/guest-chat-tokens"
#define SOMEBODY   "memberchatdoctor" /* asked for where no member is named */

/* ---- Findings ---- */

static void say_transport(struct doctor *doctor, const char *url, enum doctor_transport transport)
{
    static const char *const reasons[] = {
        [DOCTOR_NO_MEMORY] = "out of memory, or of descriptors; try again",
        [DOCTOR_BAD_URL] = "cannot be called; write http://HOST/PATH or https://HOST/PATH, without "
                           "blanks, a password, \"?\" and \"#\"",
        [DOCTOR_NO_HOST] = "the name of the host has no address; correct it, or the DNS",
        [DOCTOR_NO_CONNECT] = "nobody listens there; start the web server, or correct host and "
                              "port",
        [DOCTOR_TIMEOUT] = "no answer within 10 seconds; look for a firewall, and whether the "
                           "web server or memberchat waits for something (a store, its log)",
        [DOCTOR_NOT_HTTP] = "no answer of a web server came; is it http or https, and the port "
                            "right?",
        [DOCTOR_TLS] = "TLS failed; the certificate may be expired, for another name, without its "
                       "chain, or of an unknown authority: curl -v tells which",
        [DOCTOR_NO_CURL] = "https needs curl, which is not installed; install it, or call from "
                           "another host",
    };
    doctor_say(doctor, DOCTOR_FAULT, "%s: %s", url, reasons[transport]);
}

static void say_redirect(struct doctor *doctor, const char *url, const struct doctor_answer *answer)
{
    struct span to = doctor_header(answer, "Location");
    bool keeps = answer->status == 307 || answer->status == 308;
    doctor_say(doctor, keeps ? DOCTOR_WARNING : DOCTOR_FAULT,
               "%s: %d: redirected to %.*s%s; let clients call that one, or take the redirect off "
               "this path",
               url, answer->status, (int)to.length, to.data ? to.data : "",
               keeps ? "" : ", which makes a GET of a POST");
}

/* Where to look for more of a 500. */
static const char *log_target(const struct doctor *doctor)
{
    return doctor->settings ? doctor->settings->log.target : "the target of its configuration";
}

/* The responder's own words on the path that it saw, up to the quote. */
static struct span mount_message(const struct doctor_answer *answer)
{
    static const char mark[] = "memberchat saw ";
    struct span body = answer->body;
    const char *start = memmem(body.data, body.length, mark, sizeof mark - 1);
    const char *end = start ? memchr(start, '"', body.length - (size_t)(start - body.data)) : NULL;
    return end ? (struct span){start, (size_t)(end - start)} : SPAN_NONE;
}

static void say_kind(struct doctor *doctor, const char *url, enum doctor_kind kind,
                     const struct doctor_answer *answer)
{
    struct span saw = kind == WRONG_MOUNT ? mount_message(answer) : SPAN_NONE;
    if (kind == REDIRECT)
        say_redirect(doctor, url, answer);
    else if (saw.data)
        doctor_say(doctor, DOCTOR_FAULT, "%s: %d: %s; %.*s", url, answer->status,
                   doctor_kind_words[kind], (int)saw.length, saw.data);
    else
        doctor_say(doctor, kind == THROTTLED ? DOCTOR_WARNING : DOCTOR_FAULT, "%s: %d: %s%s%s", url,
                   answer->status, doctor_kind_words[kind],
                   kind == OUR_FAULT ? "; its log has the reason: " : "",
                   kind == OUR_FAULT ? log_target(doctor) : "");
}

/* A token's times are those of the server (RFC 9110, section 6.6.1). */
static void compare_clocks(struct doctor *doctor, const char *url,
                           const struct doctor_answer *answer)
{
    enum { SLACK = 60 };
    struct span date = doctor_header(answer, "Date");
    struct tm parts = {0};
    char text[64];
    if (!date.data || date.length >= sizeof text)
        return;
    snprintf(text, sizeof text, "%.*s", (int)date.length, date.data);
    if (!strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &parts))
        return;
    long long apart = (long long)timegm(&parts) - (long long)time(NULL);
    if (llabs(apart) > SLACK)
        doctor_say(doctor, DOCTOR_WARNING,
                   "%s: its clock is %lld seconds %s the one here; set them both (NTP), else "
                   "tokens are not valid yet, or no longer",
                   url, llabs(apart), apart > 0 ? "before" : "behind");
}

/* ---- The calls ---- */

/* One call; false: there was no answer, which was said. */
static bool call(struct doctor *doctor, const char *url, const struct doctor_headers *headers,
                 struct doctor_answer *answer_r, enum doctor_kind *kind_r)
{
    enum doctor_transport transport = doctor_post(url, headers, answer_r);
    if (transport == DOCTOR_ANSWERED)
        *kind_r = doctor_kind_of(answer_r);
    else
        say_transport(doctor, url, transport);
    return transport == DOCTOR_ANSWERED;
}

/* Without credentials; true: it is worth while to go on. */
static bool call_bare(struct doctor *doctor, const char *url)
{
    static const struct doctor_headers none;
    struct doctor_answer answer;
    enum doctor_kind kind;
    bool good = false;
    if (call(doctor, url, &none, &answer, &kind)) {
        good = kind == NO_CREDENTIALS;
        compare_clocks(doctor, url, &answer);
        if (good)
            doctor_say(doctor, DOCTOR_OK, "%s: memberchat answers", url);
        else if (kind == ISSUED || kind == NO_GUESTS || kind == BAD_CREDENTIALS)
            doctor_say(doctor, DOCTOR_FAULT,
                       "%s: %d: the web server adds credentials of its own, so everybody is let "
                       "in as one app; take them out of its configuration",
                       url, answer.status);
        else
            say_kind(doctor, url, kind, &answer);
    }
    doctor_answer_free(&answer);
    return good;
}

/* Both ways to send the credentials. */
enum { BASIC, PLAIN, WAYS };

/* Whether credentials arrived, which may be made up. */
static bool have_arrived(const struct doctor *doctor, enum doctor_kind kind)
{
    return kind == ISSUED || kind == NO_GUESTS || (!doctor->key && kind == BAD_CREDENTIALS);
}

static void say_arrived(struct doctor *doctor, const char *url, enum doctor_kind kind)
{
    doctor_say(doctor, DOCTOR_OK, "%s: the Authorization header arrives%s", url,
               kind == ISSUED      ? ", and a guest gets a token"
               : kind == NO_GUESTS ? ", and the app allows no guests"
                                   : "");
}

/* A guest's token: in Authorization, and where that gets lost in the other headers.  True: the
 * app's own credentials arrive, in this way. */
static bool call_guest(struct doctor *doctor, const char *url,
                       const struct doctor_headers ways[WAYS], size_t *way_r)
{
    struct doctor_answer answer, plain = {0};
    enum doctor_kind kind = OTHER_STATUS, second;
    bool arrived = false;
    *way_r = BASIC;
    if (call(doctor, url, &ways[BASIC], &answer, &kind)) {
        if (kind == NO_CREDENTIALS && call(doctor, url, &ways[PLAIN], &plain, &second)) {
            *way_r = PLAIN;
            arrived = have_arrived(doctor, second);
            say_kind(doctor, url, arrived ? PLAIN_ONLY : second, arrived ? &answer : &plain);
        } else if (kind != NO_CREDENTIALS) {
            arrived = have_arrived(doctor, kind);
            if (arrived)
                say_arrived(doctor, url, kind);
            else
                say_kind(doctor, url, kind, &answer);
        }
    }
    doctor_answer_free(&answer);
    doctor_answer_free(&plain);
    return arrived && doctor->key;
}

static void call_member(struct doctor *doctor, const char *url,
                        const struct doctor_headers *headers)
{
    struct doctor_answer answer;
    enum doctor_kind kind;
    if (call(doctor, url, headers, &answer, &kind)) {
        if (kind == ISSUED || (kind == NO_MEMBER && !doctor->member))
            doctor_say(doctor, DOCTOR_OK, "%s: the members' store answers", url);
        else if (kind == NO_MEMBER)
            doctor_say(doctor, DOCTOR_WARNING,
                       "%s: 404: there is no active member \"%s\"; name one that there is, or look "
                       "into the store that this mount uses",
                       url, doctor->member);
        else if (kind == OUR_FAULT)
            doctor_say(doctor, DOCTOR_FAULT,
                       "%s: 500: guests get tokens and members do not, so it is the store; "
                       "memberchat check --online as the same user tells why, and the log: %s",
                       url, log_target(doctor));
        else
            say_kind(doctor, url, kind, &answer);
    }
    doctor_answer_free(&answer);
}

/* A password does not go over a network in the clear. */
static bool is_safe(const char *url)
{
    static const char *const starts[] = {"https://", "http://127.", "http://localhost",
                                         "http://[::1]"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncasecmp(url, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

/* The app's credentials, or some that nobody has.  False: no memory. */
static bool make_headers(const struct doctor *doctor, struct doctor_headers ways[WAYS])
{
    struct bytes pair = {0};
    struct span secret = doctor->key ? bytes_span(&doctor->secret) : span_of("x");
    const char *key = doctor->key ? doctor->key : "memberchat-doctor";
    bytes_addf(&pair, "%s:", key);
    bytes_add_span(&pair, secret);
    bytes_add_string(&ways[BASIC].lines[0], "Authorization: Basic ");
    bytes_add_base64(&ways[BASIC].lines[0], bytes_span(&pair));
    bytes_addf(&ways[PLAIN].lines[0], "X-Api-Key: %s", key);
    bytes_add_string(&ways[PLAIN].lines[1], "X-Api-Secret: ");
    bytes_add_span(&ways[PLAIN].lines[1], secret);
    bool good = !pair.failed && !ways[BASIC].lines[0].failed && !ways[PLAIN].lines[0].failed &&
                !ways[PLAIN].lines[1].failed;
    bytes_free(&pair);
    return good;
}

static void call_mount(struct doctor *doctor, const char *base, int length)
{
    struct bytes guest = {0}, member = {0};
    struct doctor_headers ways[WAYS] = {0};
    size_t way;
    bytes_addf(&guest, "%.*s" GUEST_PATH, length, base);
    bytes_addf(&member, "%.*s/v2/apps/me/members/", length, base);
    bytes_add_percent(&member, span_of(doctor->member ? doctor->member : SOMEBODY));
    bytes_add_string(&member, "/chat-tokens");
    bytes_string(&guest);
    bytes_string(&member);
    if (!make_headers(doctor, ways) || guest.failed || member.failed)
        say_transport(doctor, base, DOCTOR_NO_MEMORY);
    else if (call_bare(doctor, guest.data) && call_guest(doctor, guest.data, ways, &way))
        call_member(doctor, member.data, &ways[way]);
    for (size_t i = 0; i < WAYS; i++) {
        bytes_free(&ways[i].lines[0]);
        bytes_free(&ways[i].lines[1]);
    }
    bytes_free(&guest);
    bytes_free(&member);
}

void doctor_call(struct doctor *doctor)
{
    if (!doctor->url)
        return;
    size_t length = strlen(doctor->url);
    while (length > 0 && doctor->url[length - 1] == '/')
        length--;
    if (doctor->key && !is_safe(doctor->url)) {
        doctor_say(doctor, DOCTOR_FAULT,
                   "%s: the API secret would go over the network in the clear, so it was not sent; "
                   "use https",
                   doctor->url);
        return;
    }
    call_mount(doctor, doctor->url, (int)length);
}
