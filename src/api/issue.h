/* SPDX-License-Identifier: MIT */
#ifndef ISSUE_H
#define ISSUE_H

#include "exchange.h"

/* Issuing: a token for a guest or a member, or the reason why there is none. */
enum outcome issue_token(struct exchange *exchange);

/* The last part, once the app is known: for the guest in the request's body, or the member in
 * the route. */
enum outcome issue_for_guest(struct exchange *exchange);
enum outcome issue_for_member(struct exchange *exchange);

#endif
