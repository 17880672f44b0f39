/* SPDX-License-Identifier: MIT
 * Who calls: HTTP Basic (RFC 7617) to one of the apps. */
#ifndef CREDENTIALS_H
#define CREDENTIALS_H

#include "http.h"
#include "settings/settings.h"

enum credentials {
    CREDENTIALS_NONE, /* no Basic credentials reached the program */
    CREDENTIALS_WRONG,
    CREDENTIALS_GOOD
};

/* Looks where web servers leave the header.  *app_r is set when they are good.
 * A wrong key takes the time that a wrong secret takes. */
enum credentials credentials_check(const struct settings *settings,
                                   const struct http_request *request, const struct app **app_r);

#endif
