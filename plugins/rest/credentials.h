/* SPDX-License-Identifier: MIT
 * What proves who we are, from files that change. */
#ifndef REST_CREDENTIALS_H
#define REST_CREDENTIALS_H

#include "base/reason.h"
#include "client.h"

struct rest_credentials;

/* Reads the files of the settings; `warn`: about those that other users can read.  Without a
 * client they are only checked.  NULL: with a reason. */
struct rest_credentials *rest_credentials_new(const struct rest_settings *settings,
                                              const struct memberchat_services *services,
                                              struct rest_client *client, bool warn,
                                              struct reason *why);
void rest_credentials_free(struct rest_credentials *credentials);

/* Reads a password or token again if its file has changed.  One that cannot be used leaves
 * the old one in force, and the log says so once. */
void rest_credentials_refresh(struct rest_credentials *credentials);

/* Whether a certificate or key file has changed since the last call. */
bool rest_credentials_tls_changed(struct rest_credentials *credentials);

/* The proof that a request carries.  Zero-initialised is none. */
struct rest_proof {
    enum rest_scheme scheme;
    struct bytes secret;
    unsigned number; /* changes with the secret */
};

/* FOUND: *proof_r is for the caller to free.  Otherwise UNAVAILABLE or MISCONFIGURED, with a
 * reason: there is none by the deadline. */
enum memberchat_outcome rest_credentials_take(struct rest_credentials *credentials,
                                              int64_t deadline, struct rest_proof *proof_r,
                                              struct reason *why);
void rest_proof_free(struct rest_proof *proof);

/* The service has refused a proof, with 401.  Whether another one can be had. */
bool rest_credentials_renew(struct rest_credentials *credentials, const struct rest_proof *proof);

/* The service has accepted one. */
void rest_credentials_accept(struct rest_credentials *credentials);

/* Whether a secret that a request carried is in a text on its way to the log; true, too, when
 * memory runs out. */
bool rest_proof_is_in(const struct rest_proof *proof, const struct rest_settings *settings,
                      struct span text);

#endif
