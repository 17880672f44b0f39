/* SPDX-License-Identifier: MIT */
#ifndef ISSUE_H
#define ISSUE_H

#include "exchange.h"

/* The request path: a token for a guest or a member, or why there is none. */
enum outcome issue_token(struct exchange *exchange);

/* Its last part, from where the app is known: for the guest of the request's
 * body, for the member of the route. */
enum outcome issue_for_guest(struct exchange *exchange);
enum outcome issue_for_member(struct exchange *exchange);

#endif
