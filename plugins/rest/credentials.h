/* SPDX-License-Identifier: MIT
 * What proves who we are, from files that change. */
#ifndef REST_CREDENTIALS_H
#define REST_CREDENTIALS_H

#include "base/reason.h"
#include "client.h"

struct rest_credentials;

/* Reads the files of the settings; `warn`: about those that other users can read.  NULL:
 * with a reason. */
struct rest_credentials *rest_credentials_new(const struct rest_settings *settings,
                                              const struct memberchat_services *services, bool warn,
                                              struct reason *why);
void rest_credentials_free(struct rest_credentials *credentials);

/* Reads a password or token again if its file has changed.  One that cannot be used leaves
 * the old one in force, and the log says so once.  Returns the number of the one in force,
 * which changes with it. */
unsigned rest_credentials_refresh(struct rest_credentials *credentials);

/* Whether a certificate or key file has changed since the last call. */
bool rest_credentials_tls_changed(struct rest_credentials *credentials);

/* The proof that a request carries.  Zero-initialised is none. */
struct rest_proof {
    enum rest_scheme scheme;
    struct bytes secret; /* may have failed */
    unsigned number;
};

void rest_credentials_copy(struct rest_credentials *credentials, struct rest_proof *proof_r);
void rest_proof_free(struct rest_proof *proof);

/* Whether a secret of ours is in a text on its way to the log; true, too, when memory runs
 * out. */
bool rest_credentials_are_in(struct rest_credentials *credentials, struct span text);

#endif
