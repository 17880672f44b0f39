#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The header of the plugin interface stands alone: in strict C99, and in C++ where
# there is a compiler for it.  From the environment: CC, CXX, HEADER.
set -eu
CC=${CC:-cc}
CXX=${CXX:-}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

compile() { # NUMBER NAME COMMAND...
    number=$1 name=$2
    shift 2
    if "$@" 2>"$folder/errors"; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        sed 's/^/# /' "$folder/errors"
    fi
}

echo "1..3"
printf '#include "%s"\n' "$HEADER" >"$folder/alone.c"
printf '#include "%s"\n#include "%s"\nint x(void); int x(void) { return memberchat_store_plugin() != 0; }\n' \
    "$HEADER" "$HEADER" >"$folder/alone.cc"
compile 1 "C99, pedantic" $CC -std=c99 -pedantic -Wall -Wextra -Wconversion -Werror -fsyntax-only "$folder/alone.c"
if [ -n "$CXX" ] && command -v "${CXX%% *}" >/dev/null; then
    compile 2 "C++" $CXX -x c++ -std=c++11 -pedantic -Wall -Wextra -Werror -fsyntax-only "$folder/alone.cc"
else
    echo "ok 2 - C++ # no compiler for it"
fi
lines=$(wc -l <"$HEADER")
if [ "$lines" -le 260 ]; then
    echo "ok 3 - it is short"
else
    echo "not ok 3 - it has $lines lines; 260 are the limit"
fi
