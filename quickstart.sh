#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# ./quickstart.sh [--once] [--port N]: memberchat in one command.
# Installs what building and running needs (Debian packages, only what is missing), builds in
# build/quickstart, starts lighttpd with memberchat and a file of members on 127.0.0.1:8080, and
# asks for one guest token and one member token.  It stays until Ctrl-C; with --once it stops
# after the tokens and exits with 0 only if both were right.
set -euo pipefail
cd "$(dirname "$0")"
. tools/common.sh

APP=ffl-dev-1
MEMBER=1
FOLDER=$PWD/build/quickstart
PREFIX=$FOLDER/installed
CHAT_URL=wss://chat.example.com/ws
port=8080
once=false
instance=
server=

usage() {
    echo "usage: ./quickstart.sh [--once] [--port N]"
}

parse_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
        --once) once=true ;;
        --port)
            [ $# -gt 1 ] || die "--port needs a number"
            port=$2
            shift
            ;;
        -h | --help) usage && exit 0 ;;
        *) usage >&2 && exit 64 ;;
        esac
        shift
    done
    if ! [[ $port =~ ^[1-9][0-9]{0,4}$ ]] || [ "$port" -gt 65535 ]; then
        die "--port $port: not a port number"
    fi
}

say() {
    printf '\n==> %s\n' "$*"
}

quietly() {
    local log=$FOLDER/$1.log
    shift
    "$@" >"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        die "that failed; all of its output is in $log"
    }
}

port_is_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

clean_up() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    [ -z "$instance" ] || rm -rf "$instance"
}

build_and_install() {
    make_configure && build_in "$FOLDER" --prefix="$PREFIX" && make -C "$FOLDER" install
}

memberchat() {
    "$PREFIX/bin/memberchat" "$@"
}

# The folder of one installation: configuration, key, members.
make_instance() {
    instance=$(mktemp -d "${TMPDIR:-/tmp}/memberchat-quickstart.XXXXXX")
    cp conf/members.example.csv "$instance/members.csv"
    mkdir "$instance/keys"
    memberchat keygen HS256 "$instance/keys/$APP.jwk" >/dev/null
    memberchat new-app "$APP" >"$instance/new-app"
    api_key=$(sed -n 's/.*api_key *= *"\([^"]*\)".*/\1/p' "$instance/new-app")
    api_secret=$(sed -n 's/^API secret: *//p' "$instance/new-app")
    if [ -z "$api_key" ] || [ -z "$api_secret" ]; then
        die "memberchat new-app printed no key and secret"
    fi
    write_configuration
}

write_configuration() {
    (
        umask 077
        cat >"$instance/memberchat.conf" <<EOF
stores = {
    members = { plugin = "file"; path = "members.csv" }
}
apps = {
$(sed -n "/^ *$APP *= *{/,/^ *}/p" "$instance/new-app")
}
EOF
    )
}

write_server_configuration() {
    mkdir "$instance/www"
    cat >"$instance/lighttpd.conf" <<EOF
server.modules       = ( "mod_fastcgi" )
server.document-root = "$instance/www"
server.errorlog      = "$instance/lighttpd.log"
server.bind          = "127.0.0.1"
server.port          = $port
fastcgi.server = ( "/" => ((
    "bin-path"            => "$PREFIX/libexec/memberchat.fcgi",
    "socket"              => "$instance/memberchat.sock",
    "max-procs"           => 1,
    "check-local"         => "disable",
    "fix-root-scriptname" => "enable",
    "bin-environment"     => ( "MEMBERCHAT_CONF" => "$instance/memberchat.conf" )
)) )
EOF
}

start_server() {
    local lighttpd attempt
    write_server_configuration
    lighttpd=$(PATH=$PATH:/usr/sbin command -v lighttpd)
    "$lighttpd" -D -f "$instance/lighttpd.conf" &
    server=$!
    for attempt in {1..100}; do
        curl -sf -o /dev/null "http://127.0.0.1:$port/healthz" && return
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    cat "$instance/lighttpd.log" >&2
    die "lighttpd did not start (after $attempt tries)"
}

# ask PATH BODY: prints the curl line, runs it, prints the answer, and keeps it in $answer.
ask() {
    local url=http://127.0.0.1:$port/v2/apps/me/members/$1
    printf '\n$ curl -X POST -u %s:%s -H "Content-Type: application/json" -d '"'%s'"' %s\n' \
        "$api_key" "$api_secret" "$2" "$url"
    answer=$(curl -sS -X POST -u "$api_key:$api_secret" -H "Content-Type: application/json" -d "$2" "$url")
    printf '%s\n' "$answer"
}

# check_answer USER NAME AVATAR (patterns of values): all six members, in order.
check_answer() {
    local token='[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+' wanted
    wanted="^\{\"chatServerWebSocketUrl\": ?\"$CHAT_URL\", ?\"chatToken\": ?\"$token\", ?\"appId\": ?\"$APP\""
    wanted+=", ?\"userId\": ?\"$1\", ?\"userName\": ?\"$2\", ?\"avatarProfileUrl\": ?$3\}\$"
    [[ $answer =~ $wanted ]] || die "that is not the answer it should be"
}

issue_tokens() {
    say "A token for a guest:"
    ask guest-chat-tokens '{"appUserName": "Anna"}'
    check_answer 'guest_[0-9A-Za-z]{27}' Anna null
    say "A token for member $MEMBER, from the file of members:"
    ask "$MEMBER/chat-tokens" ''
    check_answer "$MEMBER" '[^"]+' '("[^"]+"|null)'
}

main() {
    parse_arguments "$@"
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    ! port_is_taken || die "port $port of 127.0.0.1 is in use; choose another with --port N"
    mkdir -p "$FOLDER"
    install_missing "${BUILD_PACKAGES[@]}" lighttpd curl
    say "Building memberchat in ${FOLDER#"$PWD/"}"
    quietly build build_and_install
    say "Making an app, $APP, and a file of members"
    make_instance
    memberchat check -c "$instance/memberchat.conf"
    memberchat lookup -c "$instance/memberchat.conf" members "$MEMBER"
    say "Starting lighttpd with memberchat on http://127.0.0.1:$port"
    start_server
    issue_tokens
    if $once; then
        say "Both tokens are right."
        return
    fi
    say "Serving until Ctrl-C.  Configuration and members are in $instance."
    wait "$server"
}

main "$@"
