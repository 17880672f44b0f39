/* SPDX-License-Identifier: MIT
 * Whom a URL of HTTP leads to.  Pure functions. */
#ifndef REST_PLACE_H
#define REST_PLACE_H

#include <stdbool.h>

struct rest_place {
    char scheme[8], host[256], port[8];
    bool credentials; /* the URL has a user name in it */
};

bool rest_place_is_https(const struct rest_place *place);

/* Whether credentials for one place may go to another: same host and port, or same host and
 * now https. */
bool rest_place_may_lead_to(const struct rest_place *from, const struct rest_place *to);

#endif
