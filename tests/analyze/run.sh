#!/bin/sh
# SPDX-License-Identifier: MIT
#
# make analyze: gcc -fanalyzer, clang-tidy (.clang-tidy says which checks) and cppcheck look at base,
# src, plugins and modules.  Prints what accepted.txt does not list, and nothing else.
# usage: run.sh SOURCE-FOLDER COMPILER-FLAG...
set -eu
source=$(cd "$1" && pwd)
shift
for tool in gcc clang-tidy cppcheck; do
    command -v $tool >/dev/null || { echo "make analyze needs $tool" >&2; exit 1; }
done
mkdir -p build-analyze
found=$PWD/build-analyze/found
accepted=$PWD/build-analyze/accepted
jobs=$(nproc)

# findings TOOL: lines as "TOOL FILE: MESSAGE [CHECK]", without line numbers, which change.
findings() {
    sed -n -E "s|^$source/||; s/^([^: ]+):[0-9]+(:[0-9]+)?: (warning|error|fatal error): (.*)\$/$1 \\1: \\4/p" | sort -u
}

files() {
    find "$source/base" "$source/src" "$source/plugins" "$source/modules" -name '*.c' -print0
}

# A tool that does not run finds nothing either.
failed() {
    echo "$source/tests/analyze/run.sh:1: error: this failed"
}

flags="-I$source -I$source/src -I$source/include"
{
    { files | xargs -0 -P "$jobs" -n 1 gcc -std=gnu11 $flags "$@" -O1 -fanalyzer -c -o /dev/null 2>&1 || failed; } | findings gcc
    printf '%s\n' -std=gnu11 $flags "$@" >build-analyze/compile_flags.txt
    { files | xargs -0 -P "$jobs" -n 4 clang-tidy --quiet -p build-analyze 2>/dev/null || failed; } | findings clang-tidy
    {
        cppcheck --quiet --enable=warning,portability,performance --std=c11 --library=posix -j "$jobs" \
            --template='{file}:{line}: warning: {message} [{id}]' $flags "$@" "$source/base" "$source/src" \
            "$source/plugins" "$source/modules" 2>&1 || failed
    } | findings cppcheck
} >"$found"
sed -E '/^#/d; s/  # .*//' "$source/tests/analyze/accepted.txt" >"$accepted"
! grep -vE -f "$accepted" "$found"
