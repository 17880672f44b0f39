#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# ./test.sh [STAGE...]: installs what the tests need, builds, tests; everything without a STAGE.
#   normal      build with -Werror, make check, system tests behind real web servers
#   sanitizers  the same under AddressSanitizer and UndefinedBehaviorSanitizer
#   kit         the kit for shared hosts, on hosts that allow little
#   packages    the Debian packages: built, installed, used, upgraded, purged
#   sites       WordPress and MediaWiki, installed, and their members
#   chat        tokens on RabbitMQ and ejabberd, the chat example in Chromium
#   examples    every command of README.md; the clients of examples/clients; the Postman collection
#   threads     make check and the threaded system tests under ThreadSanitizer
#   valgrind    make check and some system tests under valgrind
#   faults      a sample of make faults: allocations and system calls that fail
#   load        a thousand connections, good and hostile, while everything is restarted; two machines, one cut off
#   fuzz        everything built by clang without a warning; all harnesses for a few seconds each
#   distcheck   make distcheck
#   quickstart  quickstart.sh twice
# and two that everything does not include, since they load other releases of Debian first:
#   older       a release built and checked with the libraries of 2021
#   mysql       the SQL store with MySQL, of Debian's unstable release
# The last line is "N passed, N failed".  Logs are in build/test (or $MEMBERCHAT_TEST_AREA).
set -euo pipefail
cd "$(dirname "$0")"
. tools/common.sh

ALL_STAGES=(normal sanitizers kit packages sites chat examples threads valgrind faults load fuzz distcheck quickstart)
AREA=${MEMBERCHAT_TEST_AREA:-$PWD/build/test}
PYTHON=/usr/bin/python3 # the one that the packages are for
TEST_PACKAGES=(libcmocka-dev libconfig-dev prometheus valgrind mandoc python3 lighttpd apache2 libapache2-mod-fcgid nginx spawn-fcgi multiwatch
    brotli curl wrk xz-utils g++ python3-jwt python3-cryptography openssl slapd ldap-utils sqlite3 haproxy iproute2
    mariadb-server postgresql pgbouncer)
KIT_PACKAGES=(apache2-suexec-custom fcgiwrap musl-tools)
DEB_PACKAGES=(dpkg-dev debhelper apache2-dev lintian fakeroot fail2ban logrotate autopkgtest)
SITES_PACKAGES=(wordpress mediawiki php-cli php-mysql php-mbstring php-xml php-intl)
CHAT_PACKAGES=(rabbitmq-server ejabberd chromium)
EXAMPLE_PACKAGES=(php-cli php-curl default-jdk-headless apparmor selinux-policy-default policycoreutils-python-utils setools
    man-db)
running=() # process group: name of the step
passed=0
failed=0
began=0 # when the stage's tests were

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

log_of() {
    printf '%s/logs/%s.log' "$AREA" "${1// /-}"
}

# begin_step NAME COMMAND...: runs it beside others, its output in a log, until end_steps.
begin_step() {
    local name=$1
    shift
    set -m # a process group of its own
    "$@" >"$(log_of "$name")" 2>&1 </dev/null &
    set +m
    running[$!]=$name
}

# Waits for all steps that were begun, and counts their tests.
end_steps() {
    local process status name
    for process in "${!running[@]}"; do
        name=${running[$process]}
        status=0
        wait "$process" || status=$?
        unset "running[$process]"
        count "$name" "$(log_of "$name")" "$status"
    done
}

step() {
    begin_step "$@"
    end_steps
}

stop_running() {
    local group
    for group in "${!running[@]}"; do
        kill -- "-$group" 2>/dev/null || true
    done
}

# must NAME COMMAND...: a step without tests of its own; false when it fails.
must() {
    local name=$1
    shift
    began=$SECONDS
    if "$@" >"$(log_of "$name")" 2>&1 </dev/null; then
        return 0
    fi
    count "$name" "$(log_of "$name")" 1
    return 1
}

# ---- Steps

# build NAME CONFIGURE-OPTION...: the programs, what make check needs, and what make bench does, so that it stays whole.
build() {
    local folder=$AREA/$1
    shift
    build_in "$folder" --enable-gcc-warnings "$@" && make -C "$folder" -j"$(nproc)" check TESTS= &&
        make -C "$folder" -j"$(nproc)" bench-programs # not at once: each would make what both need
}

# prepare TOOL NAME: a folder for the reports of a sanitizer or of valgrind, which are told of it.
prepare() {
    export MEMBERCHAT_REPORTS=$AREA/reports/$2
    rm -rf "$MEMBERCHAT_REPORTS"
    mkdir -p "$MEMBERCHAT_REPORTS"
    chmod 1777 "$MEMBERCHAT_REPORTS" # web servers' users write there, too
    case $1 in
    address)
        export MEMBERCHAT_SLOW=3 UBSAN_OPTIONS="print_stacktrace=1"
        export LSAN_OPTIONS="suppressions=$PWD/tests/system/lib/leaks.supp:print_suppressions=0"
        # Without the last one the leak check of gcc 12 takes some libraries' thread-local memory for that of an older
        # libc, now and then, and ends in "Tracer caught signal 11".
        export ASAN_OPTIONS="log_path=$MEMBERCHAT_REPORTS/asan:exitcode=99:detect_stack_use_after_return=1"
        export ASAN_OPTIONS="$ASAN_OPTIONS:intercept_tls_get_addr=0"
        ;;
    thread)
        export MEMBERCHAT_SLOW=4
        export TSAN_OPTIONS="log_path=$MEMBERCHAT_REPORTS/tsan:exitcode=99:second_deadlock_stack=1"
        ;;
    valgrind)
        export MEMBERCHAT_SLOW=10
        export MEMBERCHAT_WRAP="valgrind -q --leak-check=full --show-leak-kinds=definite \
--errors-for-leak-kinds=definite --error-exitcode=99 --num-callers=25 \
--suppressions=$PWD/tests/system/lib/valgrind.supp --log-file=$MEMBERCHAT_REPORTS/valgrind.%p"
        ;;
    esac
}

# tests_of BUILD: what make check runs, a name a line.
tests_of() {
    printf 'include Makefile\nprint: ; @printf "%%s\\n" $(TESTS)\n' | make -s -C "$1" -f - print
}

# Lines of reports that say nothing: of threads that end while leaks are looked for, and of seccomp(2) and mlock2(2),
# calls 317 and 325, which valgrind does not know.
HARMLESS='Unable to get registers from thread|^--[0-9]+-- (WARNING: unhandled amd64-linux syscall: (317|325)|You may be able|Read the file README_MISSING|Nevertheless we consider|it at http)'

# unit_tests TOOL BUILD: fails, too, when there is a report that no test noticed.
unit_tests() {
    local build=$2 report status=0 only=()
    prepare "$1" check
    # libmariadb changes stacks by itself, which valgrind cannot follow: the contract's servers are for the sanitizers.
    [ "$1" != valgrind ] || only=(TESTS="$(tests_of "$build" | grep -v '^tests/contract/stores$' | xargs)")
    make -C "$build" -j$((2 * $(nproc))) check CHECK_WRAP="${MEMBERCHAT_WRAP:-}" "${only[@]}" || status=$?
    for report in "$MEMBERCHAT_REPORTS"/*; do
        if [ -e "$report" ] && grep -qvE "$HARMLESS" "$report"; then
            echo "ERROR: $report"
            cat "$report"
            status=1
        fi
    done
    return $status
}

# system_tests TOOL BUILD [NAME...]
system_tests() {
    local tool=$1 build=$2
    shift 2
    prepare "$tool" system
    MEMBERCHAT_BUILD=$build MEMBERCHAT_CLIENTS=$AREA/clients MEMBERCHAT_CHAT_CLIENTS=$AREA/chat-clients \
        MEMBERCHAT_EXAMPLE_CLIENTS=$AREA/example-clients \
        "$PYTHON" tests/system/run.py "$@"
}

# openapi_answers ANSWERS: every answer that the system tests saw, the description itself, and what is made from it, by
# validators that others keep.
openapi_answers() {
    local tools=$AREA/openapi/node_modules/.bin description=$PWD/docs/openapi.json good=0 bad=0 tool
    local collection=$PWD/docs/memberchat.postman_collection.json
    (cd "$AREA/openapi" && node answers.mjs "$description" "$1") || return
    for tool in "redocly lint" "spectral lint --fail-severity=hint -r .spectral.yaml"; do
        # shellcheck disable=SC2086 # a command and its words
        if (cd "$AREA/openapi" && "$tools"/$tool "$description"); then good=$((good + 1)); else bad=$((bad + 1)); fi
    done
    cp docs/memberchat.d.ts "$AREA/openapi/"
    if (cd "$AREA/openapi" && "$tools/tsc" --noEmit --strict types.ts); then good=$((good + 1)); else bad=$((bad + 1)); fi
    (cd "$AREA/openapi" && node collection.mjs "$collection") || bad=$((bad + 1))
    echo "$good passed, $bad failed"
}

# both STAGE TOOL BUILD [NAME...]: side by side, for they wait more than they work.
both() {
    local stage=$1 tool=$2 build=$3
    shift 3
    began=$SECONDS
    begin_step "$stage check" unit_tests "$tool" "$build"
    begin_step "$stage system" system_tests "$tool" "$build" "$@"
    end_steps
}

# install_clients FOLDER NAME: a copy of a folder, and the packages that it names.
install_clients() {
    mkdir -p "$AREA/$2" && cp "$1"/*.* "$AREA/$2/" && (cd "$AREA/$2" && npm ci --no-audit --no-fund)
}

distcheck() {
    make -C "$AREA/normal" -j"$(nproc)" distcheck
}

# A quickstart that ends well within a number of seconds counts as a test.
quickstart_within() {
    local seconds=$1 port
    # for minutes nobody listens there yet: a port that outgoing connections do not get either
    port=$("$PYTHON" -c '
import random, socket
for port in random.sample(range(20000, 32000), 100):
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        continue
    print(port)
    break')
    timeout "$seconds" ./quickstart.sh --once --port "$port" && echo "1 passed, 0 failed"
}

# ---- Stages

stage_normal() {
    must "normal build" build normal || return 0
    must "node clients" install_clients tests/system/clients clients || return 0
    must "openapi tools" install_clients tests/openapi openapi || return 0
    cp tests/openapi/.spectral.yaml "$AREA/openapi/"
    export MEMBERCHAT_ANSWERS=$AREA/answers.jsonl
    rm -f "$MEMBERCHAT_ANSWERS"
    both normal none "$AREA/normal"
    began=$SECONDS
    step "openapi" openapi_answers "$MEMBERCHAT_ANSWERS"
    unset MEMBERCHAT_ANSWERS
}

stage_sanitizers() {
    must "sanitizers build" build sanitizers --enable-sanitizers || return 0
    must "node clients" install_clients tests/system/clients clients || return 0
    both sanitizers address "$AREA/sanitizers"
}

stage_kit() {
    must "kit packages" install_missing "${KIT_PACKAGES[@]}" || return 0
    must "normal build" build normal || return 0
    began=$SECONDS
    step "kit" system_tests none "$AREA/normal" kit
}

stage_packages() {
    must "packaging tools" install_missing "${DEB_PACKAGES[@]}" || return 0
    began=$SECONDS
    step "packages" tests/packages/run.sh "$AREA/packages"
}

stage_sites() {
    must "products" install_missing "${SITES_PACKAGES[@]}" || return 0
    must "normal build" build normal || return 0
    began=$SECONDS
    step "sites" system_tests none "$AREA/normal" sites
}

stage_chat() {
    must "chat servers" install_missing "${CHAT_PACKAGES[@]}" || return 0
    must "normal build" build normal || return 0
    must "chat clients" install_clients tests/system/chat/clients chat-clients || return 0
    began=$SECONDS
    step "chat" system_tests none "$AREA/normal" chat
}

stage_examples() {
    must "languages of the examples" install_missing "${EXAMPLE_PACKAGES[@]}" || return 0
    must "normal build" build normal || return 0
    must "example tools" install_clients tests/system/examples/clients example-clients || return 0
    began=$SECONDS
    step "examples" system_tests none "$AREA/normal" examples
}

stage_threads() {
    must "threads build" build threads --enable-sanitizers=thread || return 0
    both threads thread "$AREA/threads" test_fastcgi test_peers test_serving test_process test_reload test_cache \
        test_store_ldap_failures test_store_ldap_failover test_store_rest_load \
        test_algorithms.Algorithms.test_many_at_once
}

stage_valgrind() {
    must "normal build" build normal || return 0
    began=$SECONDS
    step "valgrind check" unit_tests valgrind "$AREA/normal"
    began=$SECONDS # one after the other, for here they do work
    step "valgrind system" system_tests valgrind "$AREA/normal" test_fastcgi test_api test_json test_apps \
        test_cgi test_process.Reloading test_process.Stopping test_lighttpd.Spawned test_apache_fcgid.Fcgid \
        test_store_ldap.Api test_store_ldap.Cgi test_store_ldap_failures.Restarts
}

stage_faults() {
    must "normal build" build normal || return 0
    began=$SECONDS
    step "faults" make -C "$AREA/normal" faults FAULTS_EVERY=25
}

stage_load() {
    must "normal build" build normal || return 0
    began=$SECONDS
    step "load" make -C "$AREA/normal" load LOAD_SECONDS=15
    began=$SECONDS
    step "machines" make -C "$AREA/normal" machines
}

stage_fuzz() {
    must "clang" install_missing clang || return 0
    must "normal build" build normal || return 0
    must "clang build" build_in "$AREA/clang" --enable-gcc-warnings CC=clang CFLAGS="-g -O2" || return 0
    began=$SECONDS
    step "fuzz" make -C "$AREA/normal" fuzz FUZZ_SECONDS=5 FUZZ_JOBS="$(nproc)"
}

stage_distcheck() {
    must "normal build" build normal || return 0
    began=$SECONDS
    step "distcheck" distcheck
}

stage_older() {
    must "debootstrap" install_missing debootstrap || return 0
    must "normal build" build normal || return 0
    must "release" make -C "$AREA/normal" dist || return 0
    began=$SECONDS
    step "older" tests/older/run.sh "$AREA/older" "$(ls -t "$AREA"/normal/memberchat-*.tar.xz | head -n 1)"
}

stage_mysql() {
    must "debootstrap" install_missing debootstrap || return 0
    must "MySQL" tests/mysql/fetch.sh "$AREA/mysql" || return 0
    must "products" install_missing "${SITES_PACKAGES[@]}" "${KIT_PACKAGES[@]}" || return 0
    must "normal build" build normal || return 0
    began=$SECONDS
    export MEMBERCHAT_MYSQL=$AREA/mysql
    step "mysql check" make -C "$AREA/normal" check TESTS=tests/contract/stores
    began=$SECONDS
    step "mysql system" system_tests none "$AREA/normal" mysql sites test_store_sql test_store_sql_faults test_store_sql_failover test_store_sql_tls \
        test_store_sql_recipes kit.test_kit_sql.Mariadb.test_so_it_does_for_a_way_to_sign_in_that_must_be_loaded
    unset MEMBERCHAT_MYSQL
}

stage_quickstart() {
    began=$SECONDS
    step "quickstart" quickstart_within 300
    step "quickstart again" quickstart_within 60
}

main() {
    local stage stages=("$@")
    [ $# -gt 0 ] || stages=("${ALL_STAGES[@]}")
    for stage in "${stages[@]}"; do
        declare -F "stage_$stage" >/dev/null || die "$stage: no such stage (there are: ${ALL_STAGES[*]})"
    done
    trap stop_running EXIT
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
