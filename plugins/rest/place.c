/* SPDX-License-Identifier: MIT */
#include "place.h"

#include <string.h>
#include <strings.h>

bool rest_place_is_https(const struct rest_place *place)
{
    return strcmp(place->scheme, "https") == 0;
}

bool rest_place_may_lead_to(const struct rest_place *from, const struct rest_place *to)
{
    bool same_scheme = strcmp(from->scheme, to->scheme) == 0;
    return !to->credentials && strcasecmp(from->host, to->host) == 0 &&
           (same_scheme ? strcmp(from->port, to->port) == 0 : rest_place_is_https(to));
}
