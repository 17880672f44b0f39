/* SPDX-License-Identifier: MIT
 * Who may see /metrics and /status. */
#ifndef STATUS_ACCESS_H
#define STATUS_ACCESS_H

#include "exchange.h"

enum status_access {
    STATUS_OPEN,
    STATUS_HIDDEN, /* as if the routes were not there */
    STATUS_ASKS,   /* for the password */
    STATUS_WRONG   /* another password came */
};

enum status_access status_access(const struct settings *settings,
                                 const struct http_request *request);

#endif
