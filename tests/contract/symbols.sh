#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every plugin and module that was built exports one symbol, and wants none of the host.
# From the environment: NM, PLUGINS (their folder), CORE (the library of the host).
set -eu
NM=${NM:-nm}

say() { # NUMBER NAME WRONG
    if [ -z "$3" ]; then
        echo "ok $1 - $2"
    else
        echo "not ok $1 - $2: $3"
    fi
}

set --
for plugin in "$PLUGINS"/store_*.so "$PLUGINS"/sign_*.so; do
    [ ! -e "$plugin" ] || set -- "$@" "$plugin"
done
if [ $# = 0 ]; then
    echo "1..0 # SKIP no plugin was built"
    exit 0
fi
echo "1..$(($# * 2))"
core=$($NM -g --defined-only "$CORE" | awk 'NF == 3 { print $3 }' | sort -u)
number=0
for plugin; do
    name=$(basename "$plugin")
    exported=$($NM -D --defined-only "$plugin" | awk '{ print $NF }' | tr '\n' ' ')
    case $name in
    sign_*) symbol=memberchat_sign_module ;;
    *) symbol=memberchat_store_plugin ;;
    esac
    wrong=
    [ "$exported" = "$symbol " ] || wrong="exports: ${exported:-nothing}"
    say $((number + 1)) "$name exports one symbol" "$wrong"
    wanted=$($NM -D --undefined-only "$plugin" | awk '{ sub(/@.*/, "", $NF); print $NF }' | sort -u)
    # names that stand in both lists; a line of each list is there once
    shared=$(printf '%s\n%s\n' "$core" "$wanted" | sort | uniq -d | tr '\n' ' ')
    say $((number + 2)) "$name calls no symbol of the host" "$shared"
    number=$((number + 2))
done
