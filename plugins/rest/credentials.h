/* SPDX-License-Identifier: MIT
 *
 * rest_credentials.h: what proves who we are, from files that change.
 */
#ifndef MEMBERCHAT_REST_CREDENTIALS_H
#define MEMBERCHAT_REST_CREDENTIALS_H

#include "settings.h"

struct rest_credentials;

/* Reads the files of the settings; `warn`: of those that others can read.  NULL:
 * with a reason. */
struct rest_credentials *rest_credentials_new(const struct rest_settings *settings,
                                              const struct memberchat_services *services, bool warn,
                                              struct rest_reason *reason);
void rest_credentials_free(struct rest_credentials *credentials);

/* Reads a password or token anew if its file changed.  One that cannot be used
 * leaves the old one in force, and the log says so once.  Returns which one is in
 * force, a number that changes with it. */
unsigned rest_credentials_refresh(struct rest_credentials *credentials);

/* Whether a certificate or key file is another than at the last call. */
bool rest_credentials_tls_changed(struct rest_credentials *credentials);

/* The line "Authorization: ...", empty when there are no credentials.  Returns
 * which one it is, as above. */
unsigned rest_credentials_copy(struct rest_credentials *credentials, struct rest_text *out);

/* Whether a secret of ours stands in a text that is on its way to the log. */
bool rest_credentials_stand_in(struct rest_credentials *credentials, const char *text,
                               size_t length);

#endif
