/* SPDX-License-Identifier: MIT
 * What doctor sees from outside: the API at its URL, with and without credentials. */
#include "doctor_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define GUEST_PATH "/v2/apps/me/members/guest-chat-tokens"
#define SOMEBODY   "memberchatdoctor" /* asked for where no member is named */

/* What an answer is, as far as its remedy goes. */
enum kind {
    ISSUED,         /* is handled where it may come */
    NO_CREDENTIALS, /* the errorCodes of the API */
    BAD_CREDENTIALS,
    NO_GUESTS,
    DENIED,
    NO_MEMBER,
    WRONG_MOUNT,
    THROTTLED,
    OUR_FAULT,
    STORE_DOWN,
    OTHER_CODE,
    REDIRECT, /* answers of the web server */
    SOURCE_TEXT,
    OTHER_PAGE,
    OTHER_401,
    OTHER_403,
    OTHER_404,
    OTHER_405,
    OTHER_500,
    NO_UPSTREAM,
    UPSTREAM_SLOW,
    OTHER_STATUS,
    KINDS
};

static const struct {
    const char *code;
    enum kind kind;
} codes[] = {
    {"EMPTY_APP_CREDENTIALS", NO_CREDENTIALS}, {"INVALID_APP_CREDENTIALS", BAD_CREDENTIALS},
    {"GUESTS_NOT_ALLOWED", NO_GUESTS},         {"MEMBER_DENIED", DENIED},
    {"MEMBER_NOT_FOUND", NO_MEMBER},           {"RESOURCE_NOT_FOUND", WRONG_MOUNT},
    {"TOO_MANY_REQUESTS", THROTTLED},          {"INTERNAL_SERVER_ERROR", OUR_FAULT},
    {"MEMBER_STORE_UNAVAILABLE", STORE_DOWN},
};

static const struct {
    int status;
    enum kind kind;
} statuses[] = {
    {401, OTHER_401}, {403, OTHER_403},   {404, OTHER_404},   {405, OTHER_405},
    {500, OTHER_500}, {502, NO_UPSTREAM}, {503, NO_UPSTREAM}, {504, UPSTREAM_SLOW},
};

/* What to say of each kind, behind the URL and the status. */
static const char *const words[KINDS] = {
    [NO_CREDENTIALS] = "the web server keeps the Authorization header back; set \"CGIPassAuth On\" "
                       "or SetEnvIf Authorization \"(.*)\" HTTP_AUTHORIZATION=$1 (see conf/), or "
                       "let clients send X-Api-Key and X-Api-Secret",
    [BAD_CREDENTIALS] = "the API key or secret is wrong here; compare --key and --secret-file with "
                        "the configuration that this mount reads (MEMBERCHAT_CONF)",
    [NO_GUESTS] = "the app allows no guests; set guests = true if it should",
    [DENIED] = "the member is in the denied_file of the app; name another one",
    [NO_MEMBER] = "no member was asked for; the web server changes the path on its way",
    [WRONG_MOUNT] = "memberchat runs, but not at this mount; let MEMBERCHAT_BASE_PATH, the mount "
                    "in the web server's configuration and the path of the URL be the same",
    [THROTTLED] = "too many requests or wrong credentials came from this address; try again later",
    [OUR_FAULT] = "memberchat met a fault of its own or of its configuration",
    [STORE_DOWN] = "the member store does not answer; start its server, or let this host connect",
    [OTHER_CODE] = "an answer of memberchat that was not expected; its log may tell more",
    [SOURCE_TEXT] = "the web server shows the program instead of running it; switch CGI on: "
                    "\"Options +ExecCGI\" and \"AddHandler cgi-script .cgi\", or ask the host to",
    [OTHER_PAGE] = "a page that is not memberchat's; mount memberchat at this path, or correct "
                   "the URL",
    [OTHER_401] = "the web server wants a password of its own; take AuthType and \"Require "
                  "valid-user\" from this path (\"Require all granted\")",
    [OTHER_403] = "the web server forbids it; check that the program has mode 755, that the "
                  "folders above may be entered, \"Options +ExecCGI\" and \"Require all granted\"",
    [OTHER_404] = "the web server has nothing at this path; upload the folder with its .htaccess "
                  "(a name with a dot may be hidden), and see that AllowOverride is not None",
    [OTHER_405] = "the web server allows no POST here: it takes the path for a file; see that "
                  "the rule for memberchat comes first",
    [OTHER_500] = "the web server could not run memberchat; its error log has the reason "
                  "(a line of .htaccess that is not allowed, modes, suEXEC, CRLF)",
    [NO_UPSTREAM] = "the web server does not reach memberchat; start it, and compare the socket's "
                    "path and mode with the web server's configuration",
    [UPSTREAM_SLOW] = "memberchat did not answer the web server in time; its log tells which store "
                      "was slow",
    [OTHER_STATUS] = "a status that memberchat does not send; the web server's error log may have "
                     "the reason",
};

/* ---- What an answer is ---- */

/* The value of "errorCode", the responder's mark in whatever a proxy makes of its answer. */
static enum kind kind_of_code(struct span body)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        char wanted[64];
        int length = snprintf(wanted, sizeof wanted, "\"%s\"", codes[i].code);
        if (memmem(body.data, body.length, wanted, (size_t)length))
            return codes[i].kind;
    }
    return OTHER_CODE;
}

static bool body_has(struct span body, const char *text)
{
    return memmem(body.data, body.length, text, strlen(text)) != NULL;
}

static bool body_starts(struct span body, const char *text)
{
    return body.length >= strlen(text) && memcmp(body.data, text, strlen(text)) == 0;
}

static enum kind kind_of(const struct doctor_answer *answer)
{
    struct span body = answer->body;
    if (answer->status / 100 == 3)
        return REDIRECT;
    if (body_has(body, "\"errorCode\""))
        return kind_of_code(body);
    if (answer->status == 200) {
        if (body_has(body, "\"chatToken\""))
            return ISSUED;
        return body_starts(body, "#!") || body_starts(body, "\177ELF") ? SOURCE_TEXT : OTHER_PAGE;
    }
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].status == answer->status)
            return statuses[i].kind;
    return OTHER_STATUS;
}

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

static void say_kind(struct doctor *doctor, const char *url, enum kind kind,
                     const struct doctor_answer *answer)
{
    if (kind == REDIRECT)
        say_redirect(doctor, url, answer);
    else
        doctor_say(doctor, kind == THROTTLED ? DOCTOR_WARNING : DOCTOR_FAULT, "%s: %d: %s%s%s", url,
                   answer->status, words[kind],
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
static bool call(struct doctor *doctor, const char *url, struct span authorization,
                 struct doctor_answer *answer_r, enum kind *kind_r)
{
    enum doctor_transport transport = doctor_post(url, authorization, answer_r);
    if (transport == DOCTOR_ANSWERED)
        *kind_r = kind_of(answer_r);
    else
        say_transport(doctor, url, transport);
    return transport == DOCTOR_ANSWERED;
}

/* Without credentials; true: it is worth while to go on. */
static bool call_bare(struct doctor *doctor, const char *url)
{
    struct doctor_answer answer;
    enum kind kind;
    bool good = false;
    if (call(doctor, url, SPAN_NONE, &answer, &kind)) {
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

/* A guest's token with credentials, which may be made up: that they arrive can be seen. */
static bool call_guest(struct doctor *doctor, const char *url, struct span authorization)
{
    struct doctor_answer answer;
    enum kind kind;
    bool good = false;
    if (call(doctor, url, authorization, &answer, &kind)) {
        bool made_up = !doctor->key && kind == BAD_CREDENTIALS;
        good = kind == ISSUED || kind == NO_GUESTS;
        if (good || made_up)
            doctor_say(doctor, DOCTOR_OK, "%s: the Authorization header arrives%s", url,
                       kind == ISSUED      ? ", and a guest gets a token"
                       : kind == NO_GUESTS ? ", and the app allows no guests"
                                           : "");
        else
            say_kind(doctor, url, kind, &answer);
    }
    doctor_answer_free(&answer);
    return good && doctor->key;
}

static void call_member(struct doctor *doctor, const char *url, struct span authorization)
{
    struct doctor_answer answer;
    enum kind kind;
    if (call(doctor, url, authorization, &answer, &kind)) {
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

static void call_mount(struct doctor *doctor, const char *base, int length)
{
    struct bytes guest = {0}, member = {0}, credentials = {0}, authorization = {0};
    bytes_addf(&guest, "%.*s" GUEST_PATH, length, base);
    bytes_addf(&member, "%.*s/v2/apps/me/members/", length, base);
    bytes_add_percent(&member, span_of(doctor->member ? doctor->member : SOMEBODY));
    bytes_add_string(&member, "/chat-tokens");
    bytes_addf(&credentials, "%s:", doctor->key ? doctor->key : "memberchat-doctor");
    bytes_add_span(&credentials, bytes_span(&doctor->secret));
    bytes_add_string(&authorization, "Basic ");
    bytes_add_base64(&authorization, bytes_span(&credentials));
    bytes_string(&guest);
    bytes_string(&member);
    if (guest.failed || member.failed || credentials.failed || authorization.failed)
        say_transport(doctor, base, DOCTOR_NO_MEMORY);
    else if (call_bare(doctor, guest.data) &&
             call_guest(doctor, guest.data, bytes_span(&authorization)))
        call_member(doctor, member.data, bytes_span(&authorization));
    bytes_free(&guest);
    bytes_free(&member);
    bytes_free(&credentials);
    bytes_free(&authorization);
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
