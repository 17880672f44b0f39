#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds the harnesses with clang's fuzzer, and runs each for a while on a copy of its seeds,
# $FUZZ_JOBS (1) of them at once.  What is found is in build-fuzz/, named crash-*.  The last line
# is "N passed, N failed".
# usage: run.sh SOURCE-FOLDER SECONDS [HARNESS...]
set -eu
source=$(cd "$1" && pwd)
seconds=$2
shift 2
[ $# -gt 0 ] || set -- access_token cdb certificate cgi claims client config credentials csv denied denied_file doctor \
    figures figures_file intake json jws keys ldap ldap_answer log member members params php request rest_answer rest_place \
    rest_template rest_token route sql_answer sql_query status throttle trace value
CLANG=${CLANG:-clang}
command -v "$CLANG" >/dev/null || { echo "make fuzz needs clang" >&2; exit 1; }

mkdir -p build-fuzz/objects build-fuzz/plugins
cd build-fuzz
flags="-g -O1 -std=gnu11 -D_GNU_SOURCE -fPIC -DPACKAGE_VERSION=\"fuzz\" -DDEFAULT_CONFIG=\"\"
    -DDEFAULT_PLUGIN_FOLDER=\"\" -DDEFAULT_RESPONDER=\"\" -DFUZZ_PLUGINS=\"$PWD/plugins\" -I. -I$source/src -I$source/include -I$source
    $(pkg-config --cflags json-c nettle libcrypto libcurl)"
checks="address,undefined -fno-sanitize-recover=all"
resident="conn crew listen main park sandbox server snapshot syscall_filter threads upkeep worker"

# compile FILE...: objects, where a file or any header is newer.
newest_header() {
    find "$source/base" "$source/src" "$source/include" "$source/plugins" "$source/modules" "$source/tests/fuzz" \
        -name '*.h' -newer "$1" 2>/dev/null | head -n 1
}
compile() {
    made=
    for file; do
        name=${file#"$source"/}
        object=objects/$(echo "${name%.c}.o" | tr / -)
        made="$made $object"
        if [ ! -e "$object" ] || [ "$file" -nt "$object" ] || [ "$(newest_header "$object")" ]; then
            $CLANG $flags -fsanitize=fuzzer-no-link,$checks -c -o "$object" "$file"
        fi
    done
}

mkdir -p api && sh "$source/tools/c_string.sh" "$source/docs/openapi.json" >api/openapi.inc
# what has main() or the threads of a server, or is the entrance of a plugin, is left out
files=
for file in "$source"/src/server/*.c "$source"/plugins/ldap/*.c "$source"/plugins/rest/*.c; do
    case " $resident store " in *" $(basename "$file" .c) "*) ;; *) files="$files $file" ;; esac
done
compile "$source"/base/*.c
base=$made
compile "$source"/plugins/file/*.c
$CLANG -shared -fsanitize=$checks -o plugins/store_file.so $made $base -lcsv -lcdb $(pkg-config --libs json-c nettle)
store=$made
compile "$source"/modules/*.c
$CLANG -shared -fsanitize=$checks -o plugins/sign_openssl.so $made $base $(pkg-config --libs json-c nettle libcrypto)
compile "$source"/src/api/*.c "$source"/src/settings/*.c "$source"/src/token/*.c "$source"/src/members/*.c \
    "$source"/src/host/*.c "$source"/src/figures/*.c "$source"/src/cli/log_line.c "$source"/src/cli/php*.c "$source"/src/cli/products.c \
    "$source"/src/cli/doctor_answer.c "$source"/src/cli/doctor_kind.c "$source"/plugins/sql/answer.c "$source"/plugins/sql/query.c \
    $files "$source"/tests/fuzz/scene.c "$source"/tests/fuzz/members_host.c "$source"/tests/fuzz/answer.c "$source"/tests/fuzz/hostile.c
rm -f libfuzzed.a
ar rcs libfuzzed.a $base $store $made
for harness; do
    $CLANG $flags -fsanitize=fuzzer,$checks -o "fuzz_$harness" "$source/tests/fuzz/fuzz_$harness.c" \
        libfuzzed.a $(pkg-config --libs json-c nettle libcurl libcrypto sqlite3) -lcsv -lcdb -lldap -llber -lpthread -ldl
done

# In a process of its own for each: "HARNESS: N runs, nothing found", or what was found, and where.
cat >run-one <<'ONE'
mkdir -p "corpus_$3"
if "./fuzz_$3" -max_total_time="$2" -print_final_stats=1 "corpus_$3" "$1/tests/fuzz/corpus/$3" >"fuzz_$3.log" 2>&1; then
    awk -v name="$3" '/^stat::number_of_executed_units/ { runs = $2 }
        / cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") edges = $(i + 1) }
        END { printf "%-14s %11d runs, %5d edges, nothing found\n", name, runs, edges }' "fuzz_$3.log"
else
    { echo "not ok - $3"; grep -E "^$1|ERROR: |^SUMMARY: |^Base64: | in .* $1" "fuzz_$3.log" | head -n 15; } >"found_$3"
    cat "found_$3" # at once: others write, too
fi
ONE
printf '%s\n' "$@" | xargs -P "${FUZZ_JOBS:-1}" -n 1 sh run-one "$source" "$seconds" | tee results
found=$(grep -c '^not ok' results || true)
echo "$(grep -c 'nothing found' results || true) passed, $found failed"
[ "$found" = 0 ]
