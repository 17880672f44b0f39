#!/bin/sh
# SPDX-License-Identifier: MIT
#
# make coverage: builds with --coverage in build-coverage, runs make check, the system tests and the
# fault campaign at each place in the code, and prints how many lines and branches of each folder they reach;
# those that they do not reach are in build-coverage/coverage.txt; of these, what tests/unreached.txt
# gives no reason for is printed.
# usage: coverage.sh SOURCE-FOLDER PYTHON [SYSTEM-TEST...]
set -eu
source=$(cd "$1" && pwd)
python=$2
shift 2
command -v gcovr >/dev/null || { echo "make coverage needs gcovr" >&2; exit 1; }
mkdir -p build-coverage
cd build-coverage
# The counts are written at exit(); nothing may end otherwise.
flags="-O0 -g --coverage -fprofile-update=atomic -D_exit=exit -D_Exit=exit"
[ -e Makefile ] || "$source/configure" CFLAGS="$flags" >configure.log
find . -name '*.gcda' -delete
make -j"$(nproc)" check TESTS= >build.log 2>&1
status=0
# The users of web servers count, too, in files that are there already.
find . -name '*.gcno' | sed 's/gcno$/gcda/' | xargs touch
find . -name '*.gcda' -exec chmod a+rw {} +
make -k check >check.log 2>&1 || status=1
grep -E '^# (TOTAL|PASS|FAIL|ERROR):' check.log || true
src/memberchat --help >help.log
src/memberchat.fcgi -V >>help.log
MEMBERCHAT_BUILD=$PWD MEMBERCHAT_SLOW=2 "$python" "$source/tests/system/run.py" "$@" >system.log 2>&1 || status=1
tail -n 1 system.log
# Judged without --coverage only: here the counts' own allocations fail, too.
FAULTS_COVERAGE=1 make faults FAULTS_EVERY="${FAULTS_EVERY:-place}" >faults.log 2>&1 || true
tail -n 1 faults.log
find . -name '*.gcda' -empty -delete

gcovr --root "$source" --object-directory . --filter "$source/(src|base|plugins|modules)/" \
    --exclude-unreachable-branches --gcov-ignore-parse-errors \
    --csv coverage.csv --json coverage.json --txt coverage.txt . >gcovr.log 2>&1 || { tail -n 20 gcovr.log; exit 1; }
awk -F, '
    function row(name, l, r, b, t) {
        printf "%-10s lines %6d of %6d %6.1f %%   branches %6d of %6d %6.1f %%\n",
            name, r, l, 100 * r / l, t, b, 100 * t / b
    }
    NR > 1 {
        split($1, path, "/")
        folder = path[1]
        lines[folder] += $2; reached[folder] += $3; branches[folder] += $5; taken[folder] += $6
    }
    END {
        for (folder in lines) {
            row(folder, lines[folder], reached[folder], branches[folder], taken[folder])
            l += lines[folder]; r += reached[folder]; b += branches[folder]; t += taken[folder]
        }
        row("all", l, r, b, t)
    }' coverage.csv
"$python" "$source/tools/unreached.py" "$source" coverage.json
exit $status
