/* SPDX-License-Identifier: MIT */
#include "client.h"

#include "base/clock.h"
#include "older.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    IDLE_S = 50,     /* servers close what idles for 60 s or more: be earlier */
    LIFE_S = 300,    /* after that a new connection follows a change of address */
    RESOLVED_S = 30, /* how long a resolved name is good */
    TRUSTED_S = 300  /* how long a CA file that was read is good */
};

struct rest_client {
    const struct rest_settings *settings;
    CURLSH *share;
    pthread_mutex_t locks[CURL_LOCK_DATA_LAST];
};

struct rest_wire {
    CURL *easy;
    const struct rest_settings *settings;
    CURLcode fault; /* the first option that libcurl did not take */
    struct curl_slist lines[REST_LINES_MAX];
    struct span body; /* what is left to send */
    struct bytes answer;
    size_t most;
    bool head_complete, too_large;
    char trouble[CURL_ERROR_SIZE];
};

/* ---- Shared ---- */

static void lock_share(CURL *easy, curl_lock_data data, curl_lock_access access, void *client)
{
    (void)easy;
    (void)access;
    pthread_mutex_lock(&((struct rest_client *)client)->locks[data]);
}

static void unlock_share(CURL *easy, curl_lock_data data, void *client)
{
    (void)easy;
    pthread_mutex_unlock(&((struct rest_client *)client)->locks[data]);
}

static pthread_mutex_t start_lock = PTHREAD_MUTEX_INITIALIZER; /* guards `started` */
static bool started;

static bool start_curl(void)
{
    pthread_mutex_lock(&start_lock);
    started = started || curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    bool good = started;
    pthread_mutex_unlock(&start_lock);
    return good;
}

static bool set_share(struct rest_client *client)
{
    CURLSH *share = client->share;
    return curl_share_setopt(share, CURLSHOPT_LOCKFUNC, lock_share) == CURLSHE_OK &&
           curl_share_setopt(share, CURLSHOPT_UNLOCKFUNC, unlock_share) == CURLSHE_OK &&
           curl_share_setopt(share, CURLSHOPT_USERDATA, client) == CURLSHE_OK &&
           curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) == CURLSHE_OK &&
           curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK;
}

struct rest_client *rest_client_new(const struct rest_settings *settings)
{
    struct rest_client *client = start_curl() ? calloc(1, sizeof *client) : NULL;
    if (!client)
        return NULL;
    client->settings = settings;
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_init(&client->locks[i], NULL);
    client->share = curl_share_init();
    if (client->share && set_share(client))
        return client;
    rest_client_free(client);
    return NULL;
}

void rest_client_free(struct rest_client *client)
{
    if (!client)
        return;
    curl_share_cleanup(client->share);
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_destroy(&client->locks[i]);
    free(client);
}

/* ---- One connection ---- */

/* Takes a part of the answer; less than all of it ends the exchange. */
static size_t take_part(char *bytes, size_t size, size_t count, void *handle)
{
    struct rest_wire *wire = handle;
    size_t length = size * count;
    wire->too_large = length > wire->most - wire->answer.length;
    if (wire->too_large)
        return 0;
    bytes_add(&wire->answer, bytes, length);
    return wire->answer.failed ? 0 : length;
}

/* libcurl takes a head that ends in the middle for a whole one. */
static size_t see_line(char *line, size_t size, size_t count, void *handle)
{
    struct rest_wire *wire = handle;
    size_t length = size * count;
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0)
        wire->head_complete = false;
    else if (length > 0 && (*line == '\r' || *line == '\n'))
        wire->head_complete = true;
    return length;
}

/* There is no way back to the start of the body, so libcurl, which repeats a request when
 * its connection turns out to be dead, cannot repeat a POST. */
static size_t give_part(char *out, size_t size, size_t count, void *handle)
{
    struct rest_wire *wire = handle;
    size_t length = size * count < wire->body.length ? size * count : wire->body.length;
    memcpy(out, wire->body.data, length);
    wire->body = (struct span){wire->body.data + length, wire->body.length - length};
    return length;
}

static void keep_fault(struct rest_wire *wire, CURLcode code)
{
    if (wire->fault == CURLE_OK)
        wire->fault = code;
}

/* Sets an option, and keeps the first fault. */
#define SET(WIRE, OPTION, VALUE) keep_fault(WIRE, curl_easy_setopt((WIRE)->easy, OPTION, VALUE))

static void set_tls(struct rest_wire *wire)
{
    const struct rest_settings *settings = wire->settings;
    SET(wire, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(wire, CURLOPT_SSL_VERIFYPEER, (long)settings->tls_verify);
    SET(wire, CURLOPT_SSL_VERIFYHOST, settings->tls_verify ? 2L : 0L);
    if (settings->ca_file) {
        SET(wire, CURLOPT_CAINFO, settings->ca_file);
        SET(wire, CURLOPT_CAPATH, NULL); /* else the system's would count, too */
    }
    if (settings->cert_file) {
        SET(wire, CURLOPT_SSLCERT, settings->cert_file);
        SET(wire, CURLOPT_SSLKEY, settings->key_file ? settings->key_file : settings->cert_file);
    }
    /* not every TLS library can, and nothing depends on it */
    IF_CURL_7_87(curl_easy_setopt(wire->easy, CURLOPT_CA_CACHE_TIMEOUT, (long)TRUSTED_S);)
}

/* Those that this libcurl can decompress. */
static const char *encodings(void)
{
    int features = curl_version_info(CURLVERSION_NOW)->features;
    if (!(features & CURL_VERSION_LIBZ))
        return NULL;
    return features & CURL_VERSION_BROTLI ? "gzip, deflate, br" : "gzip, deflate";
}

/* Nothing comes from the environment, and libcurl does nothing on its own account. */
static void set_manners(struct rest_wire *wire)
{
    const struct rest_settings *settings = wire->settings;
    SET(wire, CURLOPT_NOSIGNAL, 1L);
    IF_CURL_7_87(SET(wire, CURLOPT_QUICK_EXIT, 1L);) /* the resolver may hang, we do not */
    SET_PROTOCOLS(wire);
    SET(wire, CURLOPT_FOLLOWLOCATION, 0L);
    SET(wire, CURLOPT_PROXY, settings->proxy ? settings->proxy : "");
    SET(wire, CURLOPT_NOPROXY, "");
    SET(wire, CURLOPT_PATH_AS_IS, 1L);
    SET(wire, CURLOPT_HTTP_VERSION,
        settings->http_version == REST_HTTP_2 ? (long)CURL_HTTP_VERSION_2TLS
                                              : (long)CURL_HTTP_VERSION_1_1);
    SET(wire, CURLOPT_MAXCONNECTS, 1L);
    SET(wire, CURLOPT_MAXAGE_CONN, (long)IDLE_S);
    IF_CURL_7_80(SET(wire, CURLOPT_MAXLIFETIME_CONN, (long)LIFE_S);)
    SET(wire, CURLOPT_DNS_CACHE_TIMEOUT, (long)RESOLVED_S);
    SET(wire, CURLOPT_TCP_KEEPALIVE, 1L);
    SET(wire, CURLOPT_ACCEPT_ENCODING, encodings());
}

struct rest_wire *rest_wire_new(struct rest_client *client)
{
    struct rest_wire *wire = calloc(1, sizeof *wire);
    if (!wire)
        return NULL;
    wire->settings = client->settings;
    wire->easy = curl_easy_init();
    if (wire->easy) {
        set_manners(wire);
        set_tls(wire);
        SET(wire, CURLOPT_SHARE, client->share);
        SET(wire, CURLOPT_ERRORBUFFER, wire->trouble);
        SET(wire, CURLOPT_HEADERFUNCTION, see_line);
        SET(wire, CURLOPT_HEADERDATA, wire);
        SET(wire, CURLOPT_WRITEFUNCTION, take_part);
        SET(wire, CURLOPT_WRITEDATA, wire);
        SET(wire, CURLOPT_READFUNCTION, give_part);
        SET(wire, CURLOPT_READDATA, wire);
    }
    if (wire->easy && wire->fault != CURLE_OUT_OF_MEMORY)
        return wire;
    rest_wire_free(wire);
    return NULL;
}

void rest_wire_free(struct rest_wire *wire)
{
    curl_easy_cleanup(wire->easy);
    bytes_free(&wire->answer);
    free(wire);
}

bool rest_wire_is_kept(const struct rest_wire *wire)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    return curl_easy_getinfo(wire->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
           fd != CURL_SOCKET_BAD;
}

/* ---- An exchange ---- */

static void set_credentials(struct rest_wire *wire, const struct rest_request *request)
{
    bool basic = request->scheme == REST_BASIC, bearer = request->scheme == REST_BEARER;
    SET(wire, CURLOPT_HTTPAUTH, bearer ? (long)CURLAUTH_BEARER : (long)CURLAUTH_BASIC);
    SET(wire, CURLOPT_USERNAME, basic ? request->user : NULL);
    SET(wire, CURLOPT_PASSWORD, basic ? request->secret : NULL);
    SET(wire, CURLOPT_XOAUTH2_BEARER, bearer ? request->secret : NULL);
}

static void set_request(struct rest_wire *wire, const struct rest_request *request)
{
    int64_t left = clock_left_ms(request->deadline);
    int64_t timeout = left < wire->settings->timeout ? left : wire->settings->timeout;
    int64_t patience = wire->settings->connect_timeout;
    for (size_t i = 0; i < request->line_count; i++)
        wire->lines[i] =
            (struct curl_slist){.data = (char *)(uintptr_t)request->lines[i],
                                .next = i + 1 < request->line_count ? &wire->lines[i + 1] : NULL};
    SET(wire, CURLOPT_URL, request->url);
    SET(wire, CURLOPT_HTTPHEADER, wire->lines);
    SET(wire, CURLOPT_TIMEOUT_MS, (long)timeout);
    SET(wire, CURLOPT_CONNECTTIMEOUT_MS, (long)(patience < timeout ? patience : timeout));
    SET(wire, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->most);
    if (request->post) {
        SET(wire, CURLOPT_POST, 1L);
        SET(wire, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.length);
    } else {
        SET(wire, CURLOPT_HTTPGET, 1L);
    }
    set_credentials(wire, request);
    wire->body = request->body;
    wire->most = (size_t)request->most;
    wire->head_complete = false;
    wire->too_large = false;
    wire->trouble[0] = '\0';
    bytes_reset(&wire->answer);
}

/* An alert of the other side, which it will send again: it does not like our certificate, or
 * what we speak.  In TLS 1.3 it comes when the answer is read.  libcurl has no code for it. */
static bool is_final_alert(const char *trouble)
{
    return strstr(trouble, " alert ") && !strstr(trouble, "internal error");
}

static enum rest_end judge_transfer(CURLcode code, const struct rest_wire *wire)
{
    static const CURLcode impossible[] = {
        CURLE_UNSUPPORTED_PROTOCOL, /* an answer in HTTP/0.9 is one, too */
        CURLE_URL_MALFORMAT,         CURLE_NOT_BUILT_IN,        CURLE_BAD_FUNCTION_ARGUMENT,
        CURLE_UNKNOWN_OPTION,        CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED,
        CURLE_SSL_CERTPROBLEM,       CURLE_SSL_CIPHER,          CURLE_PEER_FAILED_VERIFICATION,
        CURLE_SSL_CACERT_BADFILE,    CURLE_SSL_ISSUER_ERROR,    CURLE_SSL_PINNEDPUBKEYNOTMATCH,
        CURLE_SSL_INVALIDCERTSTATUS, CLIENT_CERTIFICATE_WANTED,
    };
    if (wire->answer.failed)
        return REST_NO_ANSWER;
    if (code == CURLE_OK)
        return wire->head_complete ? REST_ANSWERED : REST_NO_ANSWER;
    if (wire->too_large || code == CURLE_FILESIZE_EXCEEDED)
        return REST_TOO_LARGE;
    if (code == CURLE_OPERATION_TIMEDOUT)
        return REST_LATE;
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++)
        if (code == impossible[i])
            return REST_IMPOSSIBLE;
    return is_final_alert(wire->trouble) ? REST_IMPOSSIBLE : REST_NO_ANSWER;
}

static const char *describe(CURLcode code, const struct rest_wire *wire)
{
    if (wire->answer.failed)
        return "out of memory";
    if (code == CURLE_OK)
        return "the answer ends within its headers";
    return wire->trouble[0] ? wire->trouble : curl_easy_strerror(code);
}

/* Whether the request went out on a connection that was not made for it. */
static bool was_reused(CURL *easy)
{
    long made = 1, sent = 0;
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &made);
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
    return made == 0 && sent > 0;
}

void rest_wire_exchange(struct rest_wire *wire, const struct rest_request *request,
                        struct rest_reply *reply_r)
{
    if (clock_left_ms(request->deadline) == 0) {
        *reply_r = (struct rest_reply){.end = REST_NO_ANSWER, .trouble = "no time is left"};
        return;
    }
    curl_off_t wait = 0;
    char *location = NULL;
    set_request(wire, request);
    CURLcode code = wire->fault == CURLE_OK ? curl_easy_perform(wire->easy) : wire->fault;
    curl_easy_setopt(wire->easy, CURLOPT_HTTPHEADER, NULL); /* the caller's, and secret */
    if (wire->fault == CURLE_OUT_OF_MEMORY)                 /* next time there may be more */
        wire->fault = CURLE_OK;
    *reply_r = (struct rest_reply){.end = judge_transfer(code, wire),
                                   .reused = was_reused(wire->easy),
                                   .body = bytes_span(&wire->answer),
                                   .trouble = describe(code, wire)};
    curl_easy_getinfo(wire->easy, CURLINFO_RESPONSE_CODE, &reply_r->status);
    if (reply_r->status >= 300 && reply_r->status < 400)
        curl_easy_getinfo(wire->easy, CURLINFO_REDIRECT_URL, &location);
    else if (reply_r->status >= 400)
        curl_easy_getinfo(wire->easy, CURLINFO_RETRY_AFTER, &wait);
    reply_r->location = location;
    reply_r->retry_after = wait > 0 && wait < INT64_MAX / 1000 ? wait * 1000 : 0;
}

/* ---- URLs ---- */

/* Copies one part of a URL; CURLUE_MALFORMED_INPUT when it does not fit. */
static CURLUcode get_part(CURLU *url, CURLUPart part, char *out, size_t room)
{
    char *text = NULL;
    CURLUcode code = curl_url_get(url, part, &text, CURLU_DEFAULT_PORT);
    if (code == CURLUE_OK && strlen(text) >= room)
        code = CURLUE_MALFORMED_INPUT;
    if (code == CURLUE_OK)
        strcpy(out, text);
    curl_free(text);
    return code;
}

static CURLUcode read_parts(CURLU *url, const char *text, struct rest_place *place)
{
    char user[256];
    CURLUcode code = url ? curl_url_set(url, CURLUPART_URL, text, 0) : CURLUE_OUT_OF_MEMORY;
    if (code == CURLUE_OK)
        code = get_part(url, CURLUPART_SCHEME, place->scheme, sizeof place->scheme);
    if (code == CURLUE_OK)
        code = get_part(url, CURLUPART_HOST, place->host, sizeof place->host);
    if (code == CURLUE_OK)
        code = get_part(url, CURLUPART_PORT, place->port, sizeof place->port);
    if (code != CURLUE_OK)
        return code;
    code = get_part(url, CURLUPART_USER, user, sizeof user);
    place->credentials = code == CURLUE_OK;
    return code == CURLUE_NO_USER ? CURLUE_OK : code;
}

/* libcurl would take what follows too many or too few slashes for a host. */
static bool has_host(const char *text)
{
    const char *rest = strstr(text, "://");
    return rest && rest == strchr(text, ':') && rest[3] && !strchr("/\\?#", rest[3]);
}

enum rest_url rest_place_read(const char *text, struct rest_place *place_r)
{
    *place_r = (struct rest_place){0};
    CURLU *url = curl_url();
    CURLUcode code = read_parts(url, text, place_r);
    curl_url_cleanup(url);
    if (code == CURLUE_OUT_OF_MEMORY)
        return REST_URL_NO_MEMORY;
    bool web = rest_place_is_https(place_r) || strcmp(place_r->scheme, "http") == 0;
    return code == CURLUE_OK && web && has_host(text) && *place_r->host ? REST_URL_GOOD
                                                                        : REST_URL_BAD;
}
