/* SPDX-License-Identifier: MIT
 * Who calls: the key and secret of one of the apps, in HTTP Basic (RFC 7617) or in X-Api-Key and
 * X-Api-Secret, which arrive even if the web server withholds Authorization. */
#ifndef CREDENTIALS_H
#define CREDENTIALS_H

#include "http.h"
#include "settings/settings.h"

#define CREDENTIALS_ENCODED_MAX 4096

enum credentials {
    CREDENTIALS_NONE,  /* none reached the program */
    CREDENTIALS_WRONG, /* or there are two that differ */
    CREDENTIALS_GOOD
};

/* What a request signs in with; wipe it after use. */
struct credentials_pair {
    struct span key, secret; /* in `bytes`, or in the request */
    uint8_t bytes[CRYPTO_DECODED_MAX(CREDENTIALS_ENCODED_MAX)];
};

/* Good: there is a key and a secret, which may still be wrong. */
enum credentials credentials_read(const struct http_request *request,
                                  struct credentials_pair *pair_r);

/* Looks in every place where web servers put the header.  *app_r is the app that the key belongs
 * to, good or wrong, or NULL.  A wrong key takes the time that a wrong secret takes. */
enum credentials credentials_check(const struct settings *settings,
                                   const struct http_request *request, const struct app **app_r);

#endif
