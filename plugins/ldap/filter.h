/* SPDX-License-Identifier: MIT
 *
 * ldap_filter.h: the search filter, a template with {id} in it.  Pure.
 */
#ifndef MEMBERCHAT_LDAP_FILTER_H
#define MEMBERCHAT_LDAP_FILTER_H

#include <stdbool.h>
#include <stddef.h>

enum { LDAP_FILTER_MAX = 4096 }; /* bytes of a template */

/* Whether a text is one filter as of RFC 4515, {id} taken for a value.  With
 * `id`, {id} must be there, and only where a value stands; without it, nowhere.
 * NULL when it is good, else what is wrong. */
const char *ldap_filter_check(const char *text, bool id);

/* How many bytes ldap_filter_fill() writes at most for an id of `length`. */
size_t ldap_filter_size(const char *filter, const char *active, size_t length);

/* Writes the filter with each {id} replaced by the id, of which only letters,
 * digits and a few harmless bytes stand as they are: the rest is escaped as RFC
 * 4515, section 3, says, so that an id can never be more than a value.  With
 * `active` (or NULL), both must match. */
void ldap_filter_fill(const char *filter, const char *active, const char *id, size_t length,
                      char *out);

#endif
