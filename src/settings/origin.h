/* SPDX-License-Identifier: MIT
 * Origins of pages, as browsers send them. */
#ifndef ORIGIN_H
#define ORIGIN_H

#include <stdbool.h>

/* Whether a browser can send exactly this (RFC 6454, section 6.2, and the URL standard's
 * serialisation): scheme, host and port in lower case, no path, no default port, IPv6
 * addresses compressed.  "null" is not one: any page can send it. */
bool origin_is_exact(const char *text);

#endif
