/* SPDX-License-Identifier: MIT */
#include "credentials.h"

#include "base/file.h"

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
    pthread_mutex_t lock; /* guards what follows */
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

/* Reads the one line, without its end, that a file of secrets is: visible ASCII, and with
 * `blanks` also blanks. */
static bool read_line(const char *path, size_t most, bool blanks, struct bytes *out,
                      bool *exposed_r, struct reason *why)
{
    if (!file_read_secret(path, most + 2, out, exposed_r, why))
        return false;
    size_t length = out->length = file_line_length(bytes_span(out));
    if (length == 0)
        reason_set(why, "%s is empty", path);
    else if (length > most)
        reason_set(why, "%s is larger than %zu bytes", path, most);
    for (size_t i = 0; i < length; i++) {
        char c = out->data[i];
        if (c > 0x7e || c < (blanks ? 0x20 : 0x21)) {
            reason_set(why, "%s must be one line of visible ASCII; byte %zu is not", path, i + 1);
            return false;
        }
    }
    return length > 0 && length <= most;
}

/* Reads the secret; the caller holds the lock.  False: all is as it was. */
static bool read_secret(struct rest_credentials *credentials, bool warn, struct reason *why)
{
    bool basic = credentials->scheme == REST_BASIC, exposed;
    struct bytes fresh = {0};
    if (!read_line(credentials->path, basic ? PASSWORD_MAX : TOKEN_MAX, basic, &fresh, &exposed,
                   why)) {
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
        return false;
    if (!settings->cert_file)
        return true;
    if (!file_check_pem(settings->cert_file, FILE_CERTIFICATE, &exposed, why) ||
        !file_check_pem(key_path, FILE_PRIVATE_KEY, &exposed, why))
        return false;
    if (exposed && warn)
        warn_of(credentials, key_path);
    return true;
}

struct rest_credentials *rest_credentials_new(const struct rest_settings *settings,
                                              const struct memberchat_services *services, bool warn,
                                              struct reason *why)
{
    struct rest_credentials *credentials = calloc(1, sizeof *credentials);
    if (!credentials) {
        reason_set(why, "out of memory");
        return NULL;
    }
    credentials->settings = settings;
    credentials->services = services;
    credentials->path =
        settings->bearer_token_file ? settings->bearer_token_file : settings->password_file;
    credentials->scheme = settings->bearer_token_file ? REST_BEARER
                          : settings->password_file   ? REST_BASIC
                                                      : REST_ANONYMOUS;
    pthread_mutex_init(&credentials->lock, NULL);
    rest_credentials_tls_changed(credentials);
    bool good = check_tls_files(credentials, warn, why);
    if (good && credentials->path) {
        file_stamp_read(credentials->path, &credentials->seen); /* before: no change is lost */
        good = read_secret(credentials, warn, why);
    }
    if (good)
        return credentials;
    rest_credentials_free(credentials);
    return NULL;
}

void rest_credentials_free(struct rest_credentials *credentials)
{
    if (!credentials)
        return;
    bytes_free(&credentials->secret);
    pthread_mutex_destroy(&credentials->lock);
    free(credentials);
}

unsigned rest_credentials_refresh(struct rest_credentials *credentials)
{
    struct file_stamp stamp;
    struct reason why;
    if (!credentials->path)
        return 0;
    file_stamp_read(credentials->path, &stamp);
    pthread_mutex_lock(&credentials->lock);
    bool changed = !file_stamp_equal(&stamp, &credentials->seen);
    credentials->seen = stamp;
    bool read = changed && read_secret(credentials, true, &why);
    credentials->number += read;
    unsigned number = credentials->number;
    pthread_mutex_unlock(&credentials->lock);
    if (read)
        credentials->services->log(credentials->services, MEMBERCHAT_LOG_INFO,
                                   "%s has changed and was read again", credentials->path);
    else if (changed)
        credentials->services->log(credentials->services, MEMBERCHAT_LOG_WARNING,
                                   "%s; the old one stays in use", why.text);
    return number;
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

void rest_credentials_copy(struct rest_credentials *credentials, struct rest_proof *proof_r)
{
    *proof_r = (struct rest_proof){.scheme = credentials->scheme};
    pthread_mutex_lock(&credentials->lock);
    bytes_add_span(&proof_r->secret, bytes_span(&credentials->secret));
    proof_r->number = credentials->number;
    pthread_mutex_unlock(&credentials->lock);
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

bool rest_credentials_are_in(struct rest_credentials *credentials, struct span text)
{
    const struct memberchat_list *headers = &credentials->settings->headers;
    struct rest_proof proof;
    rest_credentials_copy(credentials, &proof);
    struct span secret = bytes_span(&proof.secret);
    bool found =
        proof.secret.failed || is_in(text, secret, SHORTEST_SECRET) ||
        (proof.scheme == REST_BASIC && basic_is_in(credentials->settings->username, secret, text));
    rest_proof_free(&proof);
    for (size_t i = 0; i < headers->count && !found; i++) {
        const char *value = headers->items[i] + strcspn(headers->items[i], ":") + 1;
        found = is_in(text, span_of(value + strspn(value, " ")), SHORTEST_VALUE);
    }
    return found;
}
