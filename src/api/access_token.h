/* SPDX-License-Identifier: MIT
 * The token by which a guest says that it is the one of before, or whom somebody
 * else has signed in. */
#ifndef ACCESS_TOKEN_H
#define ACCESS_TOKEN_H

#include "token/jws.h"
#include "settings/settings.h"

/* Who it is; the spans are valid until access_token_free(). */
struct access_token {
    struct jws jws;
    struct span id, name, avatar; /* name, avatar: SPAN_NONE where it does not say */
};

/* NULL when it is a guest's token that this app issued, up to a day after it has
 * expired, or a JWT that the app's access_token describes.  Else what is wrong with
 * it, in words for the caller.  access_token_free() after either. */
const char *access_token_check(const struct app *app, struct span token, int64_t now,
                               struct access_token *access_r);
void access_token_free(struct access_token *access);

/* The same for any token of this app that is good now, a member's too, or such a
 * JWT: for people who want to know. */
const char *access_token_inspect(const struct app *app, struct span token, int64_t now,
                                 struct jws *jws_r);

#endif
