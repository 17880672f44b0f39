/* SPDX-License-Identifier: MIT
 * The settings in a product's configuration, a PHP file.  Nothing of it is run: what code would
 * decide is not known, and that is said.  Pure. */
#ifndef PHP_H
#define PHP_H

#include "base/bytes.h"

#include <stdbool.h>

enum php_found {
    PHP_MISSING = 1,
    PHP_PLAIN,   /* a text that is known: strings, and what is joined of them */
    PHP_DIFFERS, /* set in several places, and code decides which counts */
    PHP_OTHER,   /* a function, an environment variable ... */
    PHP_HIDDEN,  /* perhaps set by what does not name it: define($name, ...), extract(), [$a, $b] =
                  */
    PHP_NO_MEMORY
};

/* define('NAME', value) or const NAME = value; otherwise $NAME = value.  *line_r: where. */
enum php_found php_find(const char *text, const char *name, bool constant, struct bytes *value_r,
                        unsigned *line_r);

/* The line of the first include or require whose file is not named by one of the words (a list
 * that ends with NULL); 0: there is none. */
unsigned php_find_include(const char *text, const char *const harmless[]);

#endif
