#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds the harnesses with clang's fuzzer, and runs each for a while on a copy of
# its seeds.  What is found is in build-fuzz/, named crash-*.
# usage: run.sh SOURCE-FOLDER SECONDS [HARNESS...]
set -eu
source=$(cd "$1" && pwd)
seconds=$2
shift 2
[ $# -gt 0 ] || set -- json route credentials intake csv ldap value rest_answer rest_template claims jws
CLANG=${CLANG:-clang}
command -v "$CLANG" >/dev/null || { echo "make fuzz needs clang" >&2; exit 1; }

mkdir -p build-fuzz
cd build-fuzz
flags="-g -O1 -std=gnu11 -D_GNU_SOURCE -DPACKAGE_VERSION=\"fuzz\" -DDEFAULT_CONFIG=\"\"
    -DDEFAULT_PLUGIN_FOLDER=\"\" -I. -I$source/src -I$source/include -I$source
    $(pkg-config --cflags json-c nettle)"
checks="address,undefined -fno-sanitize-recover=all"
resident="cgi conn crew listen main park server snapshot threads upkeep"

mkdir -p api && sh "$source/tools/c_string.sh" "$source/docs/openapi.json" >api/openapi.inc
objects=
for file in "$source"/base/*.c "$source"/src/api/*.c "$source"/src/settings/*.c "$source"/src/token/*.c \
    "$source"/src/members/*.c "$source"/src/host/*.c "$source"/src/server/*.c \
    "$source"/plugins/file/columns.c "$source"/plugins/file/encoding.c "$source"/plugins/file/row.c \
    "$source"/plugins/ldap/filter.c "$source"/plugins/ldap/referral.c "$source"/plugins/ldap/uri.c \
    "$source"/plugins/rest/answer.c "$source"/plugins/rest/template.c "$source"/plugins/rest/text.c; do
    case " $resident " in *" $(basename "$file" .c) "*) continue ;; esac
    name=${file#"$source"/}
    object=$(echo "${name%.c}.o" | tr / -)
    objects="$objects $object"
    if [ ! -e "$object" ] || [ "$file" -nt "$object" ]; then
        $CLANG $flags -fsanitize=fuzzer-no-link,$checks -c -o "$object" "$file"
    fi
done
for harness; do
    $CLANG $flags -fsanitize=fuzzer,$checks -o "fuzz_$harness" "$source/tests/fuzz/fuzz_$harness.c" \
        $objects $(pkg-config --libs json-c nettle) -lcsv -lpthread -ldl
    mkdir -p "corpus_$harness"
    if ! "./fuzz_$harness" -max_total_time="$seconds" "corpus_$harness" \
        "$source/tests/fuzz/corpus/$harness" >"fuzz_$harness.log" 2>&1; then
        tail -n 50 "fuzz_$harness.log"
        exit 1
    fi
    echo "$harness: nothing found in $seconds s"
done
