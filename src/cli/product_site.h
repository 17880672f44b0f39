/* SPDX-License-Identifier: MIT
 * The database of a site that runs a product, as the product's own configuration names it. */
#ifndef PRODUCT_SITE_H
#define PRODUCT_SITE_H

#include "products.h"

#include "base/bytes.h"

#include <stdbool.h>

#define PRODUCT_SITE_SOCKET "/run/mysqld/mysqld.sock" /* the usual one */

struct product_site {
    const struct product *product; /* the caller sets these two */
    const char *path;
    struct bytes text, database, host, port, prefix, kind, network, version;
    const struct product_tables *tables;
    const char *socket;               /* NULL: the server is asked over the network */
    const char *server, *server_port; /* the port may be empty */
    const char *account_host;         /* where the server sees its client: CREATE USER ...@'...' */
    bool unknown;                     /* a setting is missing, or code decides what it is */
    unsigned hiding_line;             /* the last one that was named because of that */
};

/* False: the database is not known, which was said on standard error. */
bool product_site_read(struct product_site *site);

void product_site_free(struct product_site *site);

#endif
