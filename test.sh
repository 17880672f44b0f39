#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# ./test.sh [STAGE...]: installs what the tests need, builds, tests; everything without a STAGE.
#   normal      build with -Werror, make check, system tests behind real web servers
#   sanitizers  the same under AddressSanitizer and UndefinedBehaviorSanitizer
#   threads     make check and the threaded system tests under ThreadSanitizer
#   valgrind    make check and some system tests under valgrind
#   distcheck   make distcheck
#   quickstart  quickstart.sh twice
# The last line is "N passed, N failed".  Logs are in build/test (or $MEMBERCHAT_TEST_AREA).
set -euo pipefail
cd "$(dirname "$0")"
. tools/common.sh

ALL_STAGES=(normal sanitizers threads valgrind distcheck quickstart)
AREA=${MEMBERCHAT_TEST_AREA:-$PWD/build/test}
TEST_PACKAGES=(libcmocka-dev valgrind mandoc python3 lighttpd apache2 libapache2-mod-fcgid nginx spawn-fcgi multiwatch
    curl xz-utils g++)
passed=0
failed=0

# ---- Bookkeeping

# count NAME LOG STATUS: adds what the log of a step says about tests, and prints a line on it.
count() {
    local name=$1 log=$2 status=$3 good bad
    read -r good bad < <(summarize "$log")
    if [ "$bad" = 0 ] && { [ "$status" != 0 ] || [ "$good" = 0 ]; }; then
        bad=1
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
    printf '%-28s %5d passed, %d failed (%d s)\n' "$name" "$good" "$bad" $((SECONDS - began))
    [ "$bad" = 0 ] || show_failure "$log" "$status"
}

# Totals of automake ("# PASS: 3") and of ours ("3 passed, 0 failed").
summarize() {
    awk '/^# PASS: /                          { good += $3 }
         /^# (FAIL|ERROR|XPASS|SKIP): /       { bad += $3 }
         /^[0-9]+ passed, [0-9]+ failed$/     { good += $1; bad += $3 }
         END                                  { print good + 0, bad + 0 }' "$1"
}

show_failure() {
    local log=$1 status=$2
    echo "  status $status, log $log:"
    { grep -Ev '^(PASS:|ok |make)' "$log" | grep -E -A 20 '^(not ok|FAIL:|ERROR:)|[Ee]rror: ' || tail -n 25 "$log"; } |
        head -n 150 | sed "s/^/  | /" || true
}

# step NAME COMMAND...: runs it with its output in a log, and counts its tests.
step() {
    local name=$1 log status=0
    shift
    log=$AREA/logs/${name// /-}.log
    began=$SECONDS
    "$@" >"$log" 2>&1 </dev/null || status=$?
    count "$name" "$log" "$status"
}

# must NAME COMMAND...: a step without tests of its own; false when it fails.
must() {
    local name=$1 log
    shift
    log=$AREA/logs/${name// /-}.log
    began=$SECONDS
    if "$@" >"$log" 2>&1 </dev/null; then
        return 0
    fi
    count "$name" "$log" 1
    return 1
}

# ---- Steps

# build NAME CONFIGURE-OPTION...: the programs, and what make check needs.
build() {
    local folder=$AREA/$1
    shift
    build_in "$folder" --enable-gcc-warnings "$@" && make -C "$folder" -j"$(nproc)" check TESTS=
}

new_reports() {
    rm -rf "$AREA/reports"
    mkdir -p "$AREA/reports"
    chmod 1777 "$AREA/reports" # web servers' users write there, too
}

# Fails when a sanitizer or valgrind left a report, for tests that did not notice.
# (LeakSanitizer talks of registers where a thread ends while it looks; that is none.)
check_without_reports() {
    local build=$1 report status=0
    shift
    new_reports
    make -C "$build" -j$((2 * $(nproc))) check "$@" || status=$? # tests wait more than they work
    for report in "$AREA"/reports/*; do
        if [ -e "$report" ] && grep -qv 'Unable to get registers from thread' "$report"; then
            echo "ERROR: $report"
            cat "$report"
            status=1
        fi
    done
    return $status
}

# system_tests BUILD [NAME...]
system_tests() {
    local build=$1
    shift
    new_reports
    MEMBERCHAT_BUILD=$build MEMBERCHAT_CLIENTS=$AREA/clients MEMBERCHAT_REPORTS=$AREA/reports \
        python3 tests/system/run.py "$@"
}

install_clients() {
    mkdir -p "$AREA/clients" && cp tests/system/clients/* "$AREA/clients/" &&
        (cd "$AREA/clients" && npm ci --no-audit --no-fund)
}

distcheck() {
    make -C "$AREA/normal" -j"$(nproc)" distcheck
}

# A quickstart that ends well within a number of seconds counts as a test.
quickstart_within() {
    local seconds=$1 port
    port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    timeout "$seconds" ./quickstart.sh --once --port "$port" && echo "1 passed, 0 failed"
}

# ---- Stages

stage_normal() {
    must "normal build" build normal || return 0
    must "node clients" install_clients || return 0
    step "normal check" check_without_reports "$AREA/normal"
    step "normal system" system_tests "$AREA/normal"
}

stage_sanitizers() {
    must "sanitizers build" build sanitizers --enable-sanitizers || return 0
    must "node clients" install_clients || return 0
    export ASAN_OPTIONS="log_path=$AREA/reports/asan:exitcode=99:detect_stack_use_after_return=1"
    export UBSAN_OPTIONS="print_stacktrace=1"
    step "sanitizers check" check_without_reports "$AREA/sanitizers"
    MEMBERCHAT_SLOW=3 step "sanitizers system" system_tests "$AREA/sanitizers"
    unset ASAN_OPTIONS UBSAN_OPTIONS
}

stage_threads() {
    must "threads build" build threads --enable-sanitizers=thread || return 0
    export TSAN_OPTIONS="log_path=$AREA/reports/tsan:exitcode=99:second_deadlock_stack=1"
    step "threads check" check_without_reports "$AREA/threads"
    MEMBERCHAT_SLOW=4 step "threads system" system_tests "$AREA/threads" \
        test_fastcgi test_peers test_process test_reload test_cache
    unset TSAN_OPTIONS
}

stage_valgrind() {
    local valgrind="valgrind -q --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite \
--error-exitcode=99 --num-callers=25"
    must "normal build" build normal || return 0
    step "valgrind check" check_without_reports "$AREA/normal" \
        "CHECK_WRAP=$valgrind --log-file=$AREA/reports/valgrind.%p"
    MEMBERCHAT_SLOW=10 MEMBERCHAT_WRAP="$valgrind --log-file=$AREA/reports/valgrind.%p" \
        step "valgrind system" system_tests "$AREA/normal" test_fastcgi test_api test_json test_apps test_cgi \
        test_process.Reloading test_process.Stopping test_lighttpd.Spawned test_apache_fcgid.Fcgid
}

stage_distcheck() {
    must "normal build" build normal || return 0
    step "distcheck" distcheck
}

stage_quickstart() {
    step "quickstart" quickstart_within 300
    step "quickstart again" quickstart_within 60
}

main() {
    local stage stages=("$@")
    [ $# -gt 0 ] || stages=("${ALL_STAGES[@]}")
    for stage in "${stages[@]}"; do
        declare -F "stage_$stage" >/dev/null || die "$stage: no such stage (there are: ${ALL_STAGES[*]})"
    done
    mkdir -p "$AREA/logs"
    command -v node >/dev/null || TEST_PACKAGES+=(nodejs)
    command -v npm >/dev/null || TEST_PACKAGES+=(npm)
    install_missing "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
    if must "configure" make_configure; then
        for stage in "${stages[@]}"; do
            "stage_$stage"
        done
    fi
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

main "$@"
