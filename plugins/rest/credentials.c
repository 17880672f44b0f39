/* SPDX-License-Identifier: MIT */
#include "credentials.h"

#include "base/file.h"
#include "oauth.h"
#include "secret.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    PASSWORD_MAX = 1024,
    TOKEN_MAX = 8192,
    TLS_FILES = 3,
    SHORTEST_SECRET = 4,
    SHORTEST_VALUE = 8
};

struct rest_credentials {
    const struct rest_settings *settings;
    const struct memberchat_services *services;
    const char *path; /* of the password or token; NULL: there is none */
    enum rest_scheme scheme;
    struct rest_oauth *oauth; /* fetches the tokens; NULL: they are not fetched */
    pthread_mutex_t lock;     /* guards what follows */
    struct bytes secret;
    struct file_stamp seen; /* the file, when it was last read, whatever came of it */
    unsigned number;        /* of the secret in force */
    struct file_stamp tls[TLS_FILES];
};

static void warn_of(const struct rest_credentials *credentials, const char *path)
{
    credentials->services->log(credentials->services, MEMBERCHAT_LOG_WARNING,
                               "any user of this machine can read %s: chmod o-rwx it", path);
}

/* Says which key has the fault. */
static bool blame(struct reason *why, const char *key)
{
    reason_prefix(why, key);
    return false;
}

/* Reads the secret; the caller holds the lock.  False: all is as it was. */
static bool read_secret(struct rest_credentials *credentials, bool warn, struct reason *why)
{
    bool basic = credentials->scheme == REST_BASIC, exposed;
    struct bytes fresh = {0};
    if (!rest_secret_read(credentials->path, basic ? PASSWORD_MAX : TOKEN_MAX, basic, &fresh,
                          &exposed, why)) {
        bytes_free(&fresh);
        return false;
    }
    if (exposed && warn)
        warn_of(credentials, credentials->path);
    bytes_free(&credentials->secret);
    credentials->secret = fresh;
    return true;
}

static bool check_tls_files(const struct rest_credentials *credentials, bool warn,
                            struct reason *why)
{
    const struct rest_settings *settings = credentials->settings;
    const char *key_path = settings->key_file ? settings->key_file : settings->cert_file;
    bool exposed = false;
    if (settings->ca_file && !file_check_pem(settings->ca_file, FILE_CERTIFICATE, &exposed, why))
        return blame(why, "ca_file");
    if (!settings->cert_file)
        return true;
    if (!file_check_pem(settings->cert_file, FILE_CERTIFICATE, &exposed, why))
        return blame(why, "cert_file");
    if (!file_check_pem(key_path, FILE_PRIVATE_KEY, &exposed, why))
        return blame(why, settings->key_file ? "key_file" : "cert_file");
    if (exposed && warn)
        warn_of(credentials, key_path);
    return true;
}

/* What is to be had before the first request. */
static bool prepare(struct rest_credentials *credentials, struct rest_client *client, bool warn,
                    struct reason *why)
{
    const struct rest_settings *settings = credentials->settings;
    bool exposed = false;
    if (!check_tls_files(credentials, warn, why))
        return false;
    if (credentials->path) {
        file_stamp_read(credentials->path, &credentials->seen); /* before: no change is lost */
        return read_secret(credentials, warn, why) ||
               blame(why, settings->password_file ? "password_file" : "bearer_token_file");
    }
    if (!settings->oauth2.count)
        return true;
    if (!rest_oauth_check(settings, &exposed, why))
        return blame(why, "oauth2");
    if (exposed && warn)
        warn_of(credentials, rest_map_value(&settings->oauth2, "client_secret_file"));
    credentials->oauth = client ? rest_oauth_new(settings, client) : NULL;
    if (client && !credentials->oauth)
        reason_set(why, "out of memory");
    return !client || credentials->oauth;
}

struct rest_credentials *rest_credentials_new(const struct rest_settings *settings,
                                              const struct memberchat_services *services,
                                              struct rest_client *client, bool warn,
                                              struct reason *why)
{
    bool bearer = settings->bearer_token_file || settings->oauth2.count;
    struct rest_credentials *credentials = calloc(1, sizeof *credentials);
    if (!credentials) {
        reason_set(why, "out of memory");
        return NULL;
    }
    credentials->settings = settings;
    credentials->services = services;
    credentials->path =
        settings->bearer_token_file ? settings->bearer_token_file : settings->password_file;
    credentials->scheme = bearer ? REST_BEARER : credentials->path ? REST_BASIC : REST_ANONYMOUS;
    pthread_mutex_init(&credentials->lock, NULL);
    rest_credentials_tls_changed(credentials);
    if (prepare(credentials, client, warn, why))
        return credentials;
    rest_credentials_free(credentials);
    return NULL;
}

void rest_credentials_free(struct rest_credentials *credentials)
{
    if (!credentials)
        return;
    rest_oauth_free(credentials->oauth);
    bytes_free(&credentials->secret);
    pthread_mutex_destroy(&credentials->lock);
    free(credentials);
}

void rest_credentials_refresh(struct rest_credentials *credentials)
{
    struct file_stamp stamp;
    struct reason why;
    if (!credentials->path)
        return;
    file_stamp_read(credentials->path, &stamp);
    pthread_mutex_lock(&credentials->lock);
    bool changed = !file_stamp_equal(&stamp, &credentials->seen);
    credentials->seen = stamp;
    bool read = changed && read_secret(credentials, true, &why);
    credentials->number += read;
    pthread_mutex_unlock(&credentials->lock);
    if (read)
        credentials->services->log(credentials->services, MEMBERCHAT_LOG_INFO,
                                   "%s has changed and was read again", credentials->path);
    else if (changed)
        credentials->services->log(credentials->services, MEMBERCHAT_LOG_WARNING,
                                   "%s; the old one stays in use", why.text);
}

bool rest_credentials_tls_changed(struct rest_credentials *credentials)
{
    const struct rest_settings *settings = credentials->settings;
    const char *const paths[TLS_FILES] = {settings->ca_file, settings->cert_file,
                                          settings->key_file};
    bool changed = false;
    for (size_t i = 0; i < TLS_FILES; i++) {
        struct file_stamp stamp = {0};
        if (paths[i])
            file_stamp_read(paths[i], &stamp);
        pthread_mutex_lock(&credentials->lock);
        changed |= !file_stamp_equal(&stamp, &credentials->tls[i]);
        credentials->tls[i] = stamp;
        pthread_mutex_unlock(&credentials->lock);
    }
    return changed;
}

enum memberchat_outcome rest_credentials_take(struct rest_credentials *credentials,
                                              int64_t deadline, struct rest_proof *proof_r,
                                              struct reason *why)
{
    *proof_r = (struct rest_proof){.scheme = credentials->scheme};
    enum memberchat_outcome outcome = MEMBERCHAT_FOUND;
    if (credentials->oauth) {
        outcome =
            rest_oauth_take(credentials->oauth, deadline, &proof_r->secret, &proof_r->number, why);
    } else {
        pthread_mutex_lock(&credentials->lock);
        bytes_add_span(&proof_r->secret, bytes_span(&credentials->secret));
        proof_r->number = credentials->number;
        pthread_mutex_unlock(&credentials->lock);
    }
    bytes_string(&proof_r->secret);
    if (outcome == MEMBERCHAT_FOUND && !proof_r->secret.failed)
        return MEMBERCHAT_FOUND;
    if (outcome == MEMBERCHAT_FOUND) {
        reason_set(why, "out of memory");
        outcome = MEMBERCHAT_UNAVAILABLE;
    }
    rest_proof_free(proof_r);
    return outcome;
}

bool rest_credentials_renew(struct rest_credentials *credentials, const struct rest_proof *proof)
{
    if (credentials->oauth)
        return rest_oauth_refuse(credentials->oauth, proof->number);
    rest_credentials_refresh(credentials);
    pthread_mutex_lock(&credentials->lock);
    bool changed = credentials->number != proof->number;
    pthread_mutex_unlock(&credentials->lock);
    return changed;
}

void rest_credentials_accept(struct rest_credentials *credentials)
{
    if (credentials->oauth)
        rest_oauth_accept(credentials->oauth);
}

void rest_proof_free(struct rest_proof *proof)
{
    bytes_free(&proof->secret);
}

/* ---- What must not be logged ---- */

static bool is_in(struct span text, struct span secret, size_t shortest)
{
    return secret.length >= shortest && memmem(text.data, text.length, secret.data, secret.length);
}

/* The same as Basic sends it (RFC 7617). */
static bool basic_is_in(const char *user, struct span secret, struct span text)
{
    struct bytes pair = {0}, basic = {0};
    bytes_add_string(&pair, user);
    bytes_add(&pair, ":", 1);
    bytes_add_span(&pair, secret);
    bytes_add_base64(&basic, bytes_span(&pair));
    bool found = pair.failed || basic.failed || is_in(text, bytes_span(&basic), SHORTEST_SECRET);
    bytes_free(&pair);
    bytes_free(&basic);
    return found;
}

bool rest_proof_is_in(const struct rest_proof *proof, const struct rest_settings *settings,
                      struct span text)
{
    const struct memberchat_list *headers = &settings->headers;
    struct span secret = bytes_span(&proof->secret);
    bool found = is_in(text, secret, SHORTEST_SECRET) ||
                 (proof->scheme == REST_BASIC && basic_is_in(settings->username, secret, text));
    for (size_t i = 0; i < headers->count && !found; i++) {
        const char *value = headers->items[i] + strcspn(headers->items[i], ":") + 1;
        found = is_in(text, span_of(value + strspn(value, " ")), SHORTEST_VALUE);
    }
    return found;
}
