#!/bin/sh
# SPDX-License-Identifier: MIT
#
# mandoc has nothing to say against any page, nor has groff, which man uses on most systems: no line is too long.
# From the environment: MANDOC, PAGES.
set -eu
set -- $PAGES
if [ -z "${MANDOC:-}" ]; then
    echo "ok 1 - the manual # mandoc is missing"
    echo "1..1"
    exit 0
fi
echo "1..$#"
number=0
for page; do
    number=$((number + 1))
    faults=$("$MANDOC" -Tlint -W warning "$page" || true)
    if command -v groff >/dev/null; then
        faults="$faults$(groff -mandoc -Tutf8 -ww -z -rLL=70n "$page" 2>&1)"
    fi
    if [ -z "$faults" ]; then
        echo "ok $number - $(basename "$page")"
    else
        echo "not ok $number - $(basename "$page")"
        echo "$faults" | sed 's/^/# /'
    fi
done
