/* SPDX-License-Identifier: MIT
 *
 * rest_client.c: see rest_client.h.
 */
#include "client.h"

#include "base/networks.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    IDLE_S = 50,     /* servers close what idles for 60 s or more: be earlier */
    LIFE_S = 300,    /* after that a connection follows a change of address */
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
    struct curl_slist lines[REST_LINES_MAX];
    const char *body; /* what is left to send */
    size_t body_left;
    struct rest_text answer;
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

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_state;

static void start_curl(void)
{
    curl_state = curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct rest_client *rest_client_new(const struct rest_settings *settings)
{
    struct rest_client *client;
    pthread_once(&curl_once, start_curl);
    if (curl_state != CURLE_OK || !(client = calloc(1, sizeof *client)))
        return NULL;
    client->settings = settings;
    client->share = curl_share_init();
    if (!client->share) {
        free(client);
        return NULL;
    }
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_init(&client->locks[i], NULL);
    curl_share_setopt(client->share, CURLSHOPT_LOCKFUNC, lock_share);
    curl_share_setopt(client->share, CURLSHOPT_UNLOCKFUNC, unlock_share);
    curl_share_setopt(client->share, CURLSHOPT_USERDATA, client);
    curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    return client;
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
    if (length > (size_t)wire->settings->max_body - wire->answer.length) {
        wire->too_large = true;
        return 0;
    }
    rest_text_add(&wire->answer, bytes, length);
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

/* There is no way back to the start of the body: so libcurl, which sends a request
 * again when its connection turns out dead, cannot do that with a POST. */
static size_t give_part(char *out, size_t size, size_t count, void *handle)
{
    struct rest_wire *wire = handle;
    size_t length = size * count < wire->body_left ? size * count : wire->body_left;
    memcpy(out, wire->body, length);
    wire->body += length;
    wire->body_left -= length;
    return length;
}

static void set_tls(CURL *easy, const struct rest_settings *settings)
{
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, (long)settings->tls_verify);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, settings->tls_verify ? 2L : 0L);
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, (long)TRUSTED_S);
    if (settings->ca_file) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, settings->ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* else the system's would count, too */
    }
    if (settings->cert_file) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, settings->cert_file);
        curl_easy_setopt(easy, CURLOPT_SSLKEY,
                         settings->key_file ? settings->key_file : settings->cert_file);
    }
}

/* Nothing comes from the environment, and nothing is done on its own account. */
static void set_manners(CURL *easy, const struct rest_settings *settings)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* the resolver may hang, we do not */
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, settings->proxy ? settings->proxy : "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     settings->http_version == REST_HTTP_2 ? (long)CURL_HTTP_VERSION_2TLS
                                                           : (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_MAXCONNECTS, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_S);
    curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)LIFE_S);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, (long)RESOLVED_S);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)settings->max_body);
}

struct rest_wire *rest_wire_new(struct rest_client *client)
{
    struct rest_wire *wire = calloc(1, sizeof *wire);
    if (!wire || !(wire->easy = curl_easy_init())) {
        free(wire);
        return NULL;
    }
    CURL *easy = wire->easy;
    wire->settings = client->settings;
    set_manners(easy, client->settings);
    set_tls(easy, client->settings);
    curl_easy_setopt(easy, CURLOPT_SHARE, client->share);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, wire->trouble);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, see_line);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, wire);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_part);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, wire);
    if (client->settings->method == REST_POST) {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_part);
        curl_easy_setopt(easy, CURLOPT_READDATA, wire);
    }
    return wire;
}

void rest_wire_free(struct rest_wire *wire)
{
    curl_easy_cleanup(wire->easy);
    rest_text_free(&wire->answer);
    free(wire);
}

/* ---- An exchange ---- */

static void set_request(struct rest_wire *wire, const struct rest_request *request)
{
    CURL *easy = wire->easy;
    int64_t patience = wire->settings->connect_timeout;
    if (patience > request->timeout)
        patience = request->timeout;
    for (size_t i = 0; i < request->header_count; i++)
        wire->lines[i] =
            (struct curl_slist){.data = (char *)(uintptr_t)request->headers[i],
                                .next = i + 1 < request->header_count ? &wire->lines[i + 1] : NULL};
    curl_easy_setopt(easy, CURLOPT_URL, request->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->header_count ? wire->lines : NULL);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)patience);
    if (wire->settings->method == REST_POST)
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
    wire->body = request->body;
    wire->body_left = request->body_length;
    wire->head_complete = false;
    wire->too_large = false;
    wire->trouble[0] = '\0';
    rest_text_reset(&wire->answer);
}

/* An alert of the other side, which will send it again: it does not like our
 * certificate, or what we speak.  In TLS 1.3 it comes when the answer is read. */
static bool is_final_alert(const char *trouble)
{
    return strstr(trouble, " alert ") && !strstr(trouble, "internal error");
}

static enum rest_end judge(CURLcode code, const struct rest_wire *wire)
{
    static const CURLcode impossible[] = {
        CURLE_UNSUPPORTED_PROTOCOL, /* an answer in HTTP/0.9 is one, too */
        CURLE_URL_MALFORMAT,         CURLE_NOT_BUILT_IN,        CURLE_BAD_FUNCTION_ARGUMENT,
        CURLE_UNKNOWN_OPTION,        CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED,
        CURLE_SSL_CERTPROBLEM,       CURLE_SSL_CIPHER,          CURLE_PEER_FAILED_VERIFICATION,
        CURLE_SSL_CACERT_BADFILE,    CURLE_SSL_ISSUER_ERROR,    CURLE_SSL_PINNEDPUBKEYNOTMATCH,
        CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT,
    };
    if (code == CURLE_OK)
        return wire->head_complete ? REST_ANSWERED : REST_NO_ANSWER;
    if (wire->too_large || code == CURLE_FILESIZE_EXCEEDED)
        return REST_TOO_LARGE;
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++)
        if (code == impossible[i])
            return REST_IMPOSSIBLE;
    return is_final_alert(wire->trouble) ? REST_IMPOSSIBLE : REST_NO_ANSWER;
}

static const char *describe(CURLcode code, const struct rest_wire *wire)
{
    if (code == CURLE_OK)
        return "the answer ends within its headers";
    return wire->trouble[0] ? wire->trouble : curl_easy_strerror(code);
}

void rest_wire_exchange(struct rest_wire *wire, const struct rest_request *request,
                        struct rest_reply *reply_r)
{
    curl_off_t wait = 0;
    char *location = NULL;
    set_request(wire, request);
    CURLcode code = curl_easy_perform(wire->easy);
    curl_easy_setopt(wire->easy, CURLOPT_HTTPHEADER, NULL); /* the caller's, and secret */
    *reply_r = (struct rest_reply){.end = judge(code, wire),
                                   .body = wire->answer.bytes,
                                   .length = wire->answer.length,
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

struct url {
    CURLU *handle;
    char *scheme, *host, *port, *user;
};

static void url_free(struct url *url)
{
    curl_free(url->scheme);
    curl_free(url->host);
    curl_free(url->port);
    curl_free(url->user);
    curl_url_cleanup(url->handle);
}

/* False when it is none; url_free() in either case. */
static bool url_read(const char *text, struct url *url_r)
{
    *url_r = (struct url){.handle = curl_url()};
    if (!url_r->handle || curl_url_set(url_r->handle, CURLUPART_URL, text, 0) != CURLUE_OK)
        return false;
    curl_url_get(url_r->handle, CURLUPART_USER, &url_r->user, 0);
    return curl_url_get(url_r->handle, CURLUPART_SCHEME, &url_r->scheme, 0) == CURLUE_OK &&
           curl_url_get(url_r->handle, CURLUPART_HOST, &url_r->host, 0) == CURLUE_OK &&
           curl_url_get(url_r->handle, CURLUPART_PORT, &url_r->port, CURLU_DEFAULT_PORT) ==
               CURLUE_OK;
}

bool rest_client_same_place(const char *from, const char *to)
{
    struct url a, b;
    bool good = url_read(from, &a);
    good = url_read(to, &b) && good;
    bool same = good && !b.user && strcasecmp(a.host, b.host) == 0 &&
                (strcmp(b.scheme, "https") == 0 || strcmp(b.scheme, "http") == 0) &&
                (strcmp(a.scheme, b.scheme) == 0 ? strcmp(a.port, b.port) == 0
                                                 : strcmp(b.scheme, "https") == 0);
    url_free(&a);
    url_free(&b);
    return same;
}

/* libcurl would take what follows too many or too few slashes for a host. */
static bool has_host(const char *text)
{
    const char *rest = strstr(text, "://");
    return rest && rest == strchr(text, ':') && rest[3] && !strchr("/\\?#", rest[3]);
}

struct rest_place rest_client_read_url(const char *text)
{
    struct rest_place place = {0};
    struct url url;
    if (url_read(text, &url) && has_host(text) && *url.host)
        place = (struct rest_place){.valid = true,
                                    .http = strcmp(url.scheme, "http") == 0,
                                    .https = strcmp(url.scheme, "https") == 0,
                                    .credentials = url.user != NULL,
                                    .loopback = network_is_loopback(url.host)};
    url_free(&url);
    return place;
}
