/* SPDX-License-Identifier: MIT
 * What may hold anything in a PHP file: comments and strings. */
#ifndef PHP_TEXT_H
#define PHP_TEXT_H

#include "base/bytes.h"

/* What follows blanks and comments. */
const char *php_skip_blanks(const char *at);

/* What follows the string that begins here: in quotation marks or as a heredoc.  `at`: none does.
 */
const char *php_skip_string(const char *at);

/* Adds its value.  False: there is none, or a variable is in it. */
bool php_take_string(const char *at, struct bytes *value);

bool php_is_word(char c);

/* Whether a value is assigned here: by "=", and neither "==" nor "=>". */
bool php_is_equals(const char *at);

#endif
