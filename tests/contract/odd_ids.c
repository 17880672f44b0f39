/* SPDX-License-Identifier: MIT
 * Ids that mean something to somebody: to a file format, a query, a shell, a path. */
#include "contract.h"

#define ID_128                                                                                     \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xx"                                                                                           \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

const char *const contract_odd_ids[] = {
    "a b",
    "a,b",
    "a;b",
    "a\"b",
    "a'b",
    "a\\b",
    "a/b",
    "../a",
    "a%b",
    "%41",
    "a+b",
    "a=b",
    "a*b",
    "(a)",
    "(&(a=*))",
    "a|b",
    "a&b",
    "a<b>",
    "#a",
    "a@b.c",
    "{id}",
    "$(a)",
    "`a`",
    "-a",
    "--",
    "null",
    "0",
    "00",
    "a?b=c",
    "a:b",
    "~",
    "UPPER",
    "upper",
    "J\xc3\xbcrgen",
    "\xe2\x82\xac",
    "\xf0\x9f\x98\x80",
    "e\xcc\x81",
    "\xc3\xa9",
    ID_128,
};
const size_t contract_odd_count = sizeof contract_odd_ids / sizeof *contract_odd_ids;
