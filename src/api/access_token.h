/* SPDX-License-Identifier: MIT
 * The accessToken of a guest request: an earlier token of ours to renew, or a JWT from a trusted
 * issuer. */
#ifndef ACCESS_TOKEN_H
#define ACCESS_TOKEN_H

#include "settings/settings.h"
#include "token/jws.h"

/* The guest that it names; the spans are valid until access_token_free(). */
struct access_token {
    struct jws jws;
    struct span id;           /* without the app's guest_id_prefix */
    struct span name, avatar; /* SPAN_NONE where the token does not say */
};

/* JWS_GOOD for a guest's token that this app issued, up to a day after it has expired, and for a
 * JWT that the app's access_token describes.  Else access_r->jws.fault says in words for the caller
 * what is wrong.  access_token_free() after each verdict. */
enum jws_verdict access_token_check(const struct app *app, struct span token, int64_t now,
                                    struct access_token *access_r);
void access_token_free(struct access_token *access);

/* The same, for inspection, of any token of this app that is good now, a member's too, or of such
 * a JWT.  jws_free() after each verdict. */
enum jws_verdict access_token_inspect(const struct app *app, struct span token, int64_t now,
                                      struct jws *jws_r);

#endif
