/* SPDX-License-Identifier: MIT
 *
 * rest_credentials.c: see rest_credentials.h.
 */
#include "credentials.h"

#include "file.h"

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
    const char *path;     /* of the password or token; NULL: there is none */
    pthread_mutex_t lock; /* guards what follows */
    struct rest_text secret, line;
    struct rest_stamp seen; /* the file, when it was read last, whatever came of it */
    unsigned number;        /* of the secret that is in force */
    struct rest_stamp tls[TLS_FILES];
};

/* RFC 4648, section 4. */
static void add_base64(struct rest_text *out, const char *bytes, size_t length)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length; i += 3) {
        unsigned bits = 0;
        char group[4];
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (i + j < length ? (unsigned char)bytes[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            group[j] = i + j > length ? '=' : alphabet[bits >> (18 - 6 * j) & 63];
        rest_text_add(out, group, sizeof group);
    }
}

/* RFC 6750, section 2.1, or RFC 7617, section 2. */
static void write_line(const struct rest_settings *settings, const struct rest_text *secret,
                       struct rest_text *line_r)
{
    struct rest_text pair = {0};
    rest_text_reset(line_r);
    if (settings->bearer_token_file) {
        rest_text_add_string(line_r, "Authorization: Bearer ");
        rest_text_add(line_r, secret->bytes, secret->length);
    } else {
        rest_text_add_string(&pair, settings->username);
        rest_text_add_string(&pair, ":");
        rest_text_add(&pair, secret->bytes, secret->length);
        rest_text_add_string(line_r, "Authorization: Basic ");
        add_base64(line_r, pair.bytes, pair.length);
        line_r->failed |= pair.failed;
        rest_text_free(&pair);
    }
}

static void warn_of(const struct rest_credentials *credentials, const char *path)
{
    credentials->services->log(credentials->services, MEMBERCHAT_LOG_WARNING,
                               "any user of this machine can read %s: chmod o-rwx it", path);
}

/* Reads the secret; the caller holds the lock.  False: with a reason, and all is
 * as it was. */
static bool read_secret(struct rest_credentials *credentials, bool warn, struct rest_reason *reason)
{
    bool bearer = credentials->settings->bearer_token_file != NULL;
    struct rest_text fresh = {0}, line = {0};
    bool exposed;
    bool good = rest_file_read_secret(credentials->path, bearer ? TOKEN_MAX : PASSWORD_MAX, !bearer,
                                      &fresh, &exposed, reason);
    if (good) {
        write_line(credentials->settings, &fresh, &line);
        good = !fresh.failed && !line.failed;
        if (!good)
            rest_reason_set(reason, "out of memory");
    }
    if (!good) {
        rest_text_free(&fresh);
        rest_text_free(&line);
        return false;
    }
    if (exposed && warn)
        warn_of(credentials, credentials->path);
    rest_text_free(&credentials->secret);
    rest_text_free(&credentials->line);
    credentials->secret = fresh;
    credentials->line = line;
    return true;
}

static const char *tls_path(const struct rest_settings *settings, size_t index)
{
    const char *const paths[TLS_FILES] = {settings->ca_file, settings->cert_file,
                                          settings->key_file};
    return paths[index];
}

static bool check_tls_files(const struct rest_credentials *credentials, bool warn,
                            struct rest_reason *reason)
{
    const struct rest_settings *settings = credentials->settings;
    const char *key_path = settings->key_file ? settings->key_file : settings->cert_file;
    bool exposed = false;
    if (settings->ca_file &&
        !rest_file_check_pem(settings->ca_file, REST_CERTIFICATE, &exposed, reason))
        return false;
    if (!settings->cert_file)
        return true;
    if (!rest_file_check_pem(settings->cert_file, REST_CERTIFICATE, &exposed, reason) ||
        !rest_file_check_pem(key_path, REST_KEY, &exposed, reason))
        return false;
    if (exposed && warn)
        warn_of(credentials, key_path);
    return true;
}

struct rest_credentials *rest_credentials_new(const struct rest_settings *settings,
                                              const struct memberchat_services *services, bool warn,
                                              struct rest_reason *reason)
{
    struct rest_credentials *credentials = calloc(1, sizeof *credentials);
    if (!credentials) {
        rest_reason_set(reason, "out of memory");
        return NULL;
    }
    credentials->settings = settings;
    credentials->services = services;
    credentials->path =
        settings->bearer_token_file ? settings->bearer_token_file : settings->password_file;
    pthread_mutex_init(&credentials->lock, NULL);
    rest_credentials_tls_changed(credentials);
    bool good = check_tls_files(credentials, warn, reason);
    if (good && credentials->path) {
        credentials->seen = rest_stamp_read(credentials->path); /* before: no change is lost */
        good = read_secret(credentials, warn, reason);
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
    rest_text_free(&credentials->secret);
    rest_text_free(&credentials->line);
    pthread_mutex_destroy(&credentials->lock);
    free(credentials);
}

unsigned rest_credentials_refresh(struct rest_credentials *credentials)
{
    struct rest_reason reason;
    if (!credentials->path)
        return 0;
    struct rest_stamp stamp = rest_stamp_read(credentials->path);
    pthread_mutex_lock(&credentials->lock);
    if (!rest_stamp_equal(&stamp, &credentials->seen)) {
        credentials->seen = stamp;
        if (read_secret(credentials, true, &reason)) {
            credentials->number++;
            credentials->services->log(credentials->services, MEMBERCHAT_LOG_INFO,
                                       "%s: read anew, for it changed", credentials->path);
        } else {
            credentials->services->log(credentials->services, MEMBERCHAT_LOG_WARNING,
                                       "%s; the old one stays in use", reason.text);
        }
    }
    unsigned number = credentials->number;
    pthread_mutex_unlock(&credentials->lock);
    return number;
}

bool rest_credentials_tls_changed(struct rest_credentials *credentials)
{
    bool changed = false;
    pthread_mutex_lock(&credentials->lock);
    for (size_t i = 0; i < TLS_FILES; i++) {
        const char *path = tls_path(credentials->settings, i);
        struct rest_stamp stamp = path ? rest_stamp_read(path) : (struct rest_stamp){0};
        changed |= !rest_stamp_equal(&stamp, &credentials->tls[i]);
        credentials->tls[i] = stamp;
    }
    pthread_mutex_unlock(&credentials->lock);
    return changed;
}

unsigned rest_credentials_copy(struct rest_credentials *credentials, struct rest_text *out)
{
    pthread_mutex_lock(&credentials->lock);
    rest_text_add(out, credentials->line.bytes, credentials->line.length);
    unsigned number = credentials->number;
    pthread_mutex_unlock(&credentials->lock);
    return number;
}

static bool has(const char *text, size_t length, const char *secret, size_t secret_length,
                size_t shortest)
{
    return secret_length >= shortest && memmem(text, length, secret, secret_length);
}

bool rest_credentials_stand_in(struct rest_credentials *credentials, const char *text,
                               size_t length)
{
    const struct memberchat_list *headers = &credentials->settings->headers;
    pthread_mutex_lock(&credentials->lock);
    const struct rest_text *line = &credentials->line;
    size_t scheme = line->length ? strlen("Authorization: Basic ") : 0;
    bool found =
        has(text, length, credentials->secret.bytes, credentials->secret.length, SHORTEST_SECRET) ||
        has(text, length, line->bytes + scheme, line->length - scheme, SHORTEST_SECRET);
    pthread_mutex_unlock(&credentials->lock);
    for (size_t i = 0; i < headers->count && !found; i++) {
        const char *value = headers->items[i] + strcspn(headers->items[i], ":") + 1;
        value += strspn(value, " ");
        found = has(text, length, value, strlen(value), SHORTEST_VALUE);
    }
    return found;
}
