/* SPDX-License-Identifier: MIT
 * Says in words what a log has of a member or a request. */
#include "cli.h"

#include "api/access_log.h"
#include "base/file.h"
#include "host/log.h"
#include "log_line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOTHING_FOUND = 1, NOT_READ = 2, KEPT = 64, HASHES_MAX = 1024 };

struct search {
    const char *file, *member, *request;
    char (*hashes)[ACCESS_LOG_HASH_LENGTH + 1]; /* of the member's id, as each app would have it */
    size_t hash_count;
    bool unhashed; /* no configuration could be read, so ids were not hashed */
    struct kept {
        char request[72], message[2200];
    } kept[KEPT]; /* the last lines about any request: one of them may tell more */
    size_t next;
    char told[72]; /* the request that was explained last */
    bool found;
};

/* ---- Words ---- */

/* What a code means, and what to do. */
static const struct {
    const char *code, *words;
} meanings[] = {
    {"OK", "A token was issued."},
    {"MEMBER_NOT_FOUND",
     "The store does not know the id, or the member is not active: ask it with memberchat lookup."},
    {"MEMBER_DENIED",
     "A moderator has denied this id tokens: it is in the app's denied_file (memberchat allow)."},
    {"MEMBER_STORE_UNAVAILABLE",
     "The directory did not answer in time: memberchat check --online asks it."},
    {"INTERNAL_SERVER_ERROR",
     "Something has to be mended here: the lines of this request tell what, and memberchat check."},
    {"INVALID_APP_CREDENTIALS",
     "The application server came with a wrong API key or secret: compare its own with the app's."},
    {"EMPTY_APP_CREDENTIALS",
     "No credentials reached memberchat: the web server keeps the Authorization header back, or "
     "none was sent (memberchat doctor)."},
    {"INVALID_ACCESS_TOKEN",
     "The accessToken was not good: expired, of another app, from before tokens_not_before, or "
     "of another guest."},
    {"GUESTS_NOT_ALLOWED", "The app has guests = false."},
    {"INVALID_APP_USER_ID_FORMAT", "The guest's appUserId has characters other than letters and "
                                   "digits, or is empty."},
    {"INVALID_HTTP_MESSAGE_BODY", "The body of the request was not good; the answer said where."},
    {"TOO_MANY_REQUESTS",
     "There were too many wrong secrets from that client or for that key, or more tokens than "
     "limits.tokens_per_minute allows."},
    {"REQUEST_TOO_LARGE",
     "The body of the request was larger than body_limit, or its path and headers than 60 kB."},
    {"UNSUPPORTED_MEDIA_TYPE", "The body was not JSON, or had a Content-Encoding."},
    {"UNSUPPORTED_HTTP_METHOD", "The method is not one that this route has."},
    {"RESOURCE_NOT_FOUND", "The path is none of memberchat's: look at the mount and at the URL."},
};

static const char *meaning_of(const char *code)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (strcmp(meanings[i].code, code) == 0)
            return meanings[i].words;
    return "This version does not know that outcome.";
}

/* What comes from the file cannot steer a terminal. */
static void add(struct bytes *out, const char *before, const char *text, const char *after)
{
    if (!*text)
        return;
    bytes_add_string(out, before);
    log_add_filtered(out, span_of(text));
    bytes_add_string(out, after);
}

static void add_whom(struct bytes *out, const struct log_line *line)
{
    add(out, line->is_member ? "member " : "guest ", line->id, "");
    if (!line->id[0])
        bytes_add_string(out, line->is_member ? "a member" : line->app[0] ? "a guest" : "somebody");
    add(out, " of app ", line->app, "");
}

static void explain(const struct log_line *line)
{
    struct bytes out = {0};
    bool issued = strcmp(line->outcome, "OK") == 0;
    add(&out, "", line->time, "  ");
    add_whom(&out, line);
    bytes_add_string(&out, issued ? ": " : ": no token (");
    add(&out, "", line->status, " ");
    add(&out, "", line->outcome, issued ? "" : ")");
    bytes_addf(&out, "\n    %s\n   ", meaning_of(line->outcome));
    add(&out, " request ", line->request, "");
    add(&out, ", client ", line->client, "");
    add(&out, ", store ", line->store, "");
    add(&out, ", cache ", line->cache, "");
    add(&out, ", ", line->microseconds, " microseconds");
    cli_print(&out);
    bytes_free(&out);
}

static void print_message(const char *message)
{
    struct bytes out = {0};
    add(&out, "    the log: ", message, "");
    cli_print(&out);
    bytes_free(&out);
}

/* ---- Searching ---- */

/* Of a line that tells how a request ended. */
static bool is_wanted(const struct search *search, const struct log_line *line)
{
    if (search->request)
        return strcmp(line->request, search->request) == 0;
    if (!line->id[0])
        return false;
    bool same = strcmp(line->id, search->member) == 0;
    for (size_t i = 0; !same && i < search->hash_count; i++)
        same = strcmp(line->id, search->hashes[i]) == 0;
    return same;
}

static void keep(struct search *search, const struct log_line *line)
{
    struct kept *kept = &search->kept[search->next++ % KEPT];
    snprintf(kept->request, sizeof kept->request, "%s", line->request);
    snprintf(kept->message, sizeof kept->message, "%s", line->message);
}

/* What the log has said of the request before its end. */
static void print_kept(struct search *search, const char *request)
{
    for (size_t i = 0; i < KEPT; i++) {
        struct kept *kept = &search->kept[(search->next + i) % KEPT];
        if (*request && strcmp(kept->request, request) == 0) {
            print_message(kept->message);
            kept->request[0] = '\0';
        }
    }
}

static void look_at(struct search *search, const struct log_line *line)
{
    bool told = line->request[0] && strcmp(search->told, line->request) == 0;
    if (!line->is_answer) {
        if (told)
            print_message(line->message);
        else if (line->request[0])
            keep(search, line);
    } else if (is_wanted(search, line) && !told) {
        explain(line);
        print_kept(search, line->request);
        snprintf(search->told, sizeof search->told, "%s", line->request);
        search->found = true;
    }
}

static bool read_file(struct search *search)
{
    char *text = NULL;
    size_t size = 0;
    ssize_t length;
    bool is_input = strcmp(search->file, "-") == 0;
    FILE *in = is_input ? stdin : fopen(search->file, "re");
    struct log_line *line = malloc(sizeof *line);
    bool good = in && line;
    errno = line ? errno : ENOMEM;
    while (good && (length = getline(&text, &size, in)) > 0) {
        length -= text[length - 1] == '\n';
        if (log_line_read((struct span){text, (size_t)length}, line))
            look_at(search, line);
    }
    good = good && !ferror(in) && feof(in);
    if (!good) {
        struct reason why;
        file_explain_unreadable(search->file, errno, &why);
        cli_error("%s", why.text);
    }
    free(line);
    free(text);
    if (in && !is_input)
        fclose(in);
    return good;
}

/* The log may have a hash in place of the id.  Without a configuration it is not looked for. */
static void add_hashes(const struct cli *cli, struct search *search)
{
    static const struct settings_choice choice = {.parts = SETTINGS_APPS};
    struct config_report report = {0};
    struct settings *settings = settings_read(cli->config, cli->plugins, &choice, &report);
    search->hashes = calloc(HASHES_MAX, sizeof *search->hashes);
    for (size_t i = 0; settings && search->hashes && i < settings->app_count; i++) {
        const struct app *app = &settings->apps[i];
        for (size_t j = 0; j < app->secret_count && search->hash_count < HASHES_MAX; j++)
            access_log_hash(app->secrets[j], span_of(search->member),
                            search->hashes[search->hash_count++]);
    }
    search->unhashed = !settings;
    config_report_free(&report);
    settings_free(settings);
}

static int run(const struct cli *cli, int argc, char **argv)
{
    struct search *search = calloc(1, sizeof *search);
    int code = NOT_READ;
    if (!search) {
        cli_error("out of memory");
        return code;
    }
    const struct cli_option options[] = {{"--member", &search->member, NULL},
                                         {"--request", &search->request, NULL},
                                         {NULL, NULL, NULL}};
    if (!cli_parse(cli, argc, argv, options, &search->file, 1) || !search->file ||
        !search->member == !search->request) {
        code = cli_usage(cli);
        goto out;
    }
    if (search->member)
        add_hashes(cli, search);
    if (read_file(search))
        code = search->found ? EXIT_SUCCESS : NOTHING_FOUND;
    if (code == NOTHING_FOUND)
        cli_error("%s says nothing of the %s \"%s\" (refusals are in the log at level info, tokens "
                  "that were issued only with log.access)%s",
                  search->file, search->member ? "member" : "request",
                  search->member ? search->member : search->request,
                  search->unhashed ? "; ids that are hashed in it are not found, as the "
                                     "configuration is missing or has a mistake (memberchat check)"
                                   : "");
out:
    free(search->hashes);
    free(search);
    return code;
}

const struct cli_command cli_log = {
    .name = "log",
    .arguments = "FILE --member ID | --request ID",
    .summary = "Say why a member got no token",
    .help =
        "Reads a log or an access log, text or JSON (-: standard input), and says in words how\n"
        "each request for the member or guest ended, and what to do about it.  --request takes\n"
        "the X-Request-Id of an answer.  Ids that are hashed in the log are found, too.\n",
    .examples = "  memberchat log /var/log/memberchat/access.log --member 4711\n"
                "  journalctl -u memberchat | memberchat log - --member 4711\n",
    .exits = "0 found, 1 the log says nothing of it, 2 it cannot be read",
    .run = run,
};
