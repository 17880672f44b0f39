/* SPDX-License-Identifier: MIT
 * Products whose members a store can read: their settings and their tables, as in conf/stores/. */
#ifndef PRODUCTS_H
#define PRODUCTS_H

#include <stdbool.h>

/* "~" stands for the table prefix, "@" for the database. */
struct product_tables {
    const char *query, *grants; /* a GRANT's columns and table a line */
};

struct product {
    const char *name, *file;
    bool constants;                                     /* define('NAME', ...), not $NAME = ... */
    const char *database, *host, *port, *prefix, *kind; /* the names of settings; NULL: none */
    const char *network;     /* the one that is true if there are several sites */
    const char *others[4];   /* those that have the people elsewhere: they must not be there */
    const char *harmless[5]; /* words in what such a file includes of the product itself */
    const char *member;
    struct product_tables usual, of_network, later;
    /* where the version is, and from which on `later` is right: 1042 is 1.42 */
    const char *version_file, *version;
    long since;
    const char *unknown_version; /* a comment for the group */
};

extern const struct product products[]; /* ends with a NULL name */

#endif
