/* SPDX-License-Identifier: MIT */
#include "doctor_kind.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *code;
    enum doctor_kind kind;
} codes[] = {
    {"EMPTY_APP_CREDENTIALS", NO_CREDENTIALS}, {"INVALID_APP_CREDENTIALS", BAD_CREDENTIALS},
    {"GUESTS_NOT_ALLOWED", NO_GUESTS},         {"MEMBER_DENIED", DENIED},
    {"MEMBER_NOT_FOUND", NO_MEMBER},           {"RESOURCE_NOT_FOUND", WRONG_MOUNT},
    {"TOO_MANY_REQUESTS", THROTTLED},          {"INTERNAL_SERVER_ERROR", OUR_FAULT},
    {"MEMBER_STORE_UNAVAILABLE", STORE_DOWN},
};

static const struct {
    int status;
    enum doctor_kind kind;
} statuses[] = {
    {401, OTHER_401}, {403, OTHER_403},   {404, OTHER_404},   {405, OTHER_405},
    {500, OTHER_500}, {502, NO_UPSTREAM}, {503, NO_UPSTREAM}, {504, UPSTREAM_SLOW},
};

const char *const doctor_kind_words[KINDS] = {
    [NO_CREDENTIALS] = "the web server keeps the Authorization header back, and X-Api-Key and "
                       "X-Api-Secret, too; set \"CGIPassAuth On\" or SetEnvIf Authorization "
                       "\"(.*)\" HTTP_AUTHORIZATION=$1 (see conf/)",
    [PLAIN_ONLY] = "the web server keeps the Authorization header back, and lets X-Api-Key and "
                   "X-Api-Secret pass; let clients send those two, or set \"CGIPassAuth On\" or "
                   "SetEnvIf Authorization \"(.*)\" HTTP_AUTHORIZATION=$1 (see conf/)",
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

/* The value of "errorCode", the responder's mark in whatever a proxy makes of its answer. */
static enum doctor_kind kind_of_code(struct span body)
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

enum doctor_kind doctor_kind_of(const struct doctor_answer *answer)
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
