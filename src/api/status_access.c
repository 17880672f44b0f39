/* SPDX-License-Identifier: MIT */
#include "status_access.h"

#include "base/file.h"
#include "client.h"
#include "credentials.h"
#include "host/log.h"

#include <string.h>

#define PASSWORD_FILE_MAX 4096

/* The first line of the file.  It is read for each page, so a change needs no reload. */
static bool read_password(const char *path, struct bytes *file, struct span *password_r)
{
    struct reason why;
    bool exposed;
    if (!file_read_secret(path, PASSWORD_FILE_MAX, file, &exposed, &why)) {
        log_error_limited("status.password_file: %s", why.text);
        return false;
    }
    *password_r = bytes_span(file);
    const char *newline =
        password_r->length ? memchr(password_r->data, '\n', password_r->length) : NULL;
    if (newline)
        password_r->length = (size_t)(newline - password_r->data) + 1;
    password_r->length = file_line_length(*password_r);
    return password_r->length > 0;
}

/* Compares digests, so that the time does not reveal the length either. */
static bool is_password(const char *path, struct span sent)
{
    uint8_t wanted[SHA256_LENGTH], got[SHA256_LENGTH];
    struct bytes file = {0};
    struct span password = SPAN_NONE;
    bool known = read_password(path, &file, &password);
    crypto_sha256(known ? password : span_of("none"), wanted);
    crypto_sha256(sent, got);
    bool same = crypto_equal(wanted, got, sizeof wanted);
    explicit_bzero(wanted, sizeof wanted);
    explicit_bzero(got, sizeof got);
    bytes_free(&file);
    return known && same;
}

enum status_access status_access(const struct settings *settings,
                                 const struct http_request *request)
{
    const struct status_settings *status = &settings->status;
    char buffer[CLIENT_ADDRESS_SIZE];
    struct credentials_pair pair;
    if (status->allow.count && client_is_certain(settings, request) &&
        networks_contain(settings->status_allow, status->allow.count,
                         client_address(settings, request, buffer)))
        return STATUS_OPEN;
    if (!status->password_file)
        return STATUS_HIDDEN;
    enum credentials verdict = credentials_read(request, &pair);
    bool good = verdict == CREDENTIALS_GOOD && is_password(status->password_file, pair.secret);
    explicit_bzero(&pair, sizeof pair);
    return good ? STATUS_OPEN : verdict == CREDENTIALS_NONE ? STATUS_ASKS : STATUS_WRONG;
}
