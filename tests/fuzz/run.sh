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
[ $# -gt 0 ] || set -- json route credentials frame csv ldap value rest_answer rest_template claims jws
CLANG=${CLANG:-clang}
command -v "$CLANG" >/dev/null || { echo "make fuzz needs clang" >&2; exit 1; }

mkdir -p build-fuzz
cd build-fuzz
flags="-g -O1 -std=gnu11 -D_GNU_SOURCE -DPACKAGE_VERSION=\"fuzz\" -DDEFAULT_CONFIG=\"\"
    -DDEFAULT_PLUGIN_FOLDER=\"\" -I$source/src -I$source/include -I$source/plugins
    $(pkg-config --cflags json-c libconfig nettle)"
checks="address,undefined -fno-sanitize-recover=all"
resident="cgi conn fastcgi listen main park server snapshot upkeep"

objects=
for file in "$source"/src/*.c "$source"/plugins/file_csv.c "$source"/plugins/file_text.c \
    "$source"/plugins/ldap_filter.c "$source"/plugins/ldap_referral.c "$source"/plugins/ldap_uri.c \
    "$source"/plugins/rest_answer.c "$source"/plugins/rest_template.c "$source"/plugins/rest_text.c; do
    name=$(basename "$file" .c)
    case " $resident " in *" $name "*) continue ;; esac
    objects="$objects $name.o"
    if [ ! -e "$name.o" ] || [ "$file" -nt "$name.o" ]; then
        $CLANG $flags -fsanitize=fuzzer-no-link,$checks -c -o "$name.o" "$file"
    fi
done
for harness; do
    $CLANG $flags -fsanitize=fuzzer,$checks -o "fuzz_$harness" "$source/tests/fuzz/fuzz_$harness.c" \
        $objects $(pkg-config --libs json-c libconfig nettle) -lcsv -lpthread -ldl
    mkdir -p "corpus_$harness"
    if ! "./fuzz_$harness" -max_total_time="$seconds" "corpus_$harness" \
        "$source/tests/fuzz/corpus/$harness" >"fuzz_$harness.log" 2>&1; then
        tail -n 50 "fuzz_$harness.log"
        exit 1
    fi
    echo "$harness: nothing found in $seconds s"
done
