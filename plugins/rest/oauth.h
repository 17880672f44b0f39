/* SPDX-License-Identifier: MIT
 * Access tokens for the client that we are (OAuth 2.0, RFC 6749, section 4.4): fetched ahead
 * of their end, by one thread for all. */
#ifndef REST_OAUTH_H
#define REST_OAUTH_H

#include "base/reason.h"
#include "client.h"

struct rest_oauth;

/* Whether the file of the client's secret can be used. */
bool rest_oauth_check(const struct rest_settings *settings, bool *exposed_r, struct reason *why);

/* NULL: no memory.  Nothing is fetched before it is needed. */
struct rest_oauth *rest_oauth_new(const struct rest_settings *settings, struct rest_client *client);
void rest_oauth_free(struct rest_oauth *oauth);

/* Appends a token, by the deadline, and tells its number.  FOUND; otherwise UNAVAILABLE or
 * MISCONFIGURED, with a reason. */
enum memberchat_outcome rest_oauth_take(struct rest_oauth *oauth, int64_t deadline,
                                        struct bytes *token_r, unsigned *number_r,
                                        struct reason *why);

/* The service has refused the token of this number.  Whether there may be a better one: tokens
 * that are refused one after the other are fetched every few seconds only. */
bool rest_oauth_refuse(struct rest_oauth *oauth, unsigned number);

/* The service has accepted a token. */
void rest_oauth_accept(struct rest_oauth *oauth);

#endif
