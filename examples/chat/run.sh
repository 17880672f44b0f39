#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# ./examples/chat/run.sh [--port N] [--ttl DURATION]: the chat example, all of it, on 127.0.0.1.
# Installs what is missing (Debian packages, one npm package), builds memberchat in build/example unless
# MEMBERCHAT_BUILD names a build, and starts RabbitMQ, the application server, and lighttpd with memberchat
# in front of both.  It stays until Ctrl-C, and leaves nothing behind.
#   --port N          where the page is; 8080
#   --ttl DURATION    how long a token is good: "20s" lets you watch renewals; 10m
set -euo pipefail
cd "$(dirname "$0")/../.."
. tools/common.sh

HERE=$PWD/examples/chat
FOLDER=$PWD/build/example
BUILD=${MEMBERCHAT_BUILD:-$FOLDER}
APP=my-app # as in conf/claims/
KEY_ID=2026-11
port=8080
ttl=10m
instance=
stomp_port=
server_port=
started=() # process ids, in the order of starting

usage() {
    echo "usage: ./examples/chat/run.sh [--port N] [--ttl DURATION]"
}

parse_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
        --port | --ttl)
            [ $# -gt 1 ] || die "$1 needs a value"
            if [ "$1" = --port ]; then port=$2; else ttl=$2; fi
            shift
            ;;
        -h | --help) usage && exit 0 ;;
        *) usage >&2 && exit 64 ;;
        esac
        shift
    done
    [[ $port =~ ^[1-9][0-9]{0,4}$ ]] || die "--port $port: not a port number"
    [[ $ttl =~ ^[1-9][0-9]{0,3}[smh]$ ]] || die "--ttl $ttl: not a duration such as 20s or 10m"
}

say() {
    printf '\n==> %s\n' "$*"
}

clean_up() {
    local n
    for ((n = ${#started[@]} - 1; n >= 0; n--)); do
        kill "${started[n]}" 2>/dev/null || true
        wait "${started[n]}" 2>/dev/null || true
    done
    [ -z "$instance" ] || rm -rf "$instance"
}

# start NAME COMMAND...: in the background, output in a log.
start() {
    local name=$1
    shift
    "$@" >"$instance/$name.log" 2>&1 </dev/null &
    started+=($!)
}

# wait_for NAME URL: until that answers, while the process that was started last runs.
wait_for() {
    local attempt
    for attempt in {1..600}; do
        curl -s -o /dev/null "$2" && return
        kill -0 "${started[-1]}" 2>/dev/null || break
        sleep 0.1
    done
    tail -n 30 "$instance/$1.log" >&2
    die "$1 did not start (after $attempt tries)"
}

free_ports() {
    python3 - "$1" <<'PYTHON'
import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(one.getsockname()[1] for one in held))
PYTHON
}

get_ready() {
    local packages=(lighttpd rabbitmq-server openssl python3 curl)
    command -v npm >/dev/null || packages+=(nodejs npm)
    [ -n "${MEMBERCHAT_BUILD:-}" ] || packages+=("${BUILD_PACKAGES[@]}")
    install_missing "${packages[@]}"
    mkdir -p "$FOLDER/page"
    if ! cmp -s "$HERE/package-lock.json" "$FOLDER/page/package-lock.json" || [ ! -d "$FOLDER/page/node_modules" ]; then
        cp "$HERE"/package*.json "$FOLDER/page/"
        (cd "$FOLDER/page" && npm ci --no-audit --no-fund) || die "npm ci failed"
    fi
    [ -n "${MEMBERCHAT_BUILD:-}" ] || { make_configure && build_in "$FOLDER"; } || die "the build failed"
}

memberchat() {
    "$BUILD/src/memberchat" "$@"
}

# A new app with a key of its own, whose public half is for the chat server.
make_instance() {
    instance=$(mktemp -d "${TMPDIR:-/tmp}/memberchat-chat.XXXXXX")
    mkdir "$instance/keys" "$instance/www"
    memberchat keygen -L "$BUILD/.libs" ES256 --key-id $KEY_ID "$instance/keys/$KEY_ID.pem" >"$instance/public.jwk"
    openssl pkey -in "$instance/keys/$KEY_ID.pem" -pubout -out "$instance/$KEY_ID.pub.pem"
    printf 'appUserId,appUserName,role\n1,Ann,member\n2,Bob,member\n' >"$instance/members.csv"
    cp conf/claims/rabbitmq.json "$instance/"
    memberchat new-app $APP >"$instance/new-app"
    api_key=$(sed -n 's/.*api_key *= *"\([^"]*\)".*/\1/p' "$instance/new-app")
    (umask 077 && sed -n 's/^API secret: *//p' "$instance/new-app" >"$instance/api-secret")
}

write_memberchat_configuration() {
    (
        umask 077
        cat >"$instance/memberchat.conf" <<CONF
stores = {
    members = { plugin = "file"; path = "members.csv" }
}
apps = {
    $APP = {
        $(grep -o 'api_secret_sha256 = .*' "$instance/new-app")
        api_key           = "$api_key"
        chat_server_url   = "ws://127.0.0.1:$port/ws"
        store             = "members"
        extended_response = true # the page renews by expiresIn
        guest_id_prefix   = "guest_"
        token = {
            algorithm = "ES256"
            key_file  = "keys/$KEY_ID.pem"
            key_id    = "$KEY_ID"
            claims    = "rabbitmq.json"
            ttl       = "$ttl"
            guest_ttl = "$ttl"
        }
    }
}
CONF
    )
}

# A RabbitMQ of our own: its node, its ports and its files are in the instance.
start_rabbitmq() {
    local folder=$instance/rabbitmq epmd_port=$1 node_port=$2
    mkdir "$folder"
    write_rabbitmq_configuration "$folder"
    start epmd epmd -address 127.0.0.1 -port "$epmd_port"
    start rabbitmq env HOME="$folder" ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$epmd_port" \
        RABBITMQ_NODENAME=chat@localhost RABBITMQ_DIST_PORT="$node_port" RUNNING_UNDER_SYSTEMD=true \
        RABBITMQ_CONFIG_FILE="$folder/rabbitmq.conf" RABBITMQ_ADVANCED_CONFIG_FILE="$folder/advanced.config" \
        RABBITMQ_ENABLED_PLUGINS_FILE="$folder/plugins" RABBITMQ_CONF_ENV_FILE="$folder/none" \
        RABBITMQ_MNESIA_BASE="$folder/data" RABBITMQ_LOG_BASE="$folder" \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}" \
        /usr/lib/rabbitmq/bin/rabbitmq-server
    wait_for rabbitmq "http://127.0.0.1:$stomp_port/"
}

# The files of conf/claims/ with our ports and paths; and guests may write here.
write_rabbitmq_configuration() {
    echo "[rabbitmq_web_stomp,rabbitmq_auth_backend_oauth2]." >"$1/plugins"
    sed -e "s|127.0.0.1:15674|127.0.0.1:$stomp_port|" -e "s|/etc/rabbitmq/$KEY_ID|$instance/$KEY_ID|" \
        conf/claims/rabbitmq.conf >"$1/rabbitmq.conf"
    printf 'listeners.tcp = none\nlog.file = false\nlog.console = true\n' >>"$1/rabbitmq.conf"
    sed "s|\(<<\"guest\">> *=> \)\[]|\1[<<\"$APP.write:%2F/amq.topic/chat.lobby\">>]|" \
        conf/claims/rabbitmq-advanced.config >"$1/advanced.config"
}

start_application_server() {
    start server env PORT="$server_port" MEMBERCHAT_URL="http://127.0.0.1:$port/chat-api" API_KEY="$api_key" \
        API_SECRET_FILE="$instance/api-secret" CONNECT="ws://127.0.0.1:$port ${CONNECT:-}" \
        NODE_MODULES="$FOLDER/page/node_modules" PYTHONDONTWRITEBYTECODE=1 python3 "$HERE/server.py"
    wait_for server "http://127.0.0.1:$server_port/"
}

# One address for the browser; with TLS, this is where it ends.
start_lighttpd() {
    cat >"$instance/lighttpd.conf" <<CONF
server.modules       = ( "mod_fastcgi", "mod_proxy" )
server.document-root = "$instance/www"
server.errorlog      = "$instance/lighttpd-errors.log"
server.upload-dirs   = ( "$instance" )
server.bind          = "127.0.0.1"
server.port          = $port

\$HTTP["url"] =~ "^/chat-api(/|\$)" {
    fastcgi.server = ( "/chat-api" => ((
        "bin-path"        => "$BUILD/src/memberchat.fcgi",
        "socket"          => "$instance/memberchat.sock",
        "max-procs"       => 1,
        "check-local"     => "disable",
        "bin-environment" => (
            "MEMBERCHAT_CONF"       => "$instance/memberchat.conf",
            "MEMBERCHAT_PLUGIN_DIR" => "$BUILD/.libs",
            "MEMBERCHAT_BASE_PATH"  => "/chat-api"
        )
    )) )
} else \$HTTP["url"] =~ "^/ws\$" {
    proxy.header = ( "upgrade" => "enable" )
    proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => $stomp_port )) )
} else {
    proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => $server_port )) )
}
CONF
    start lighttpd "$(PATH=$PATH:/usr/sbin command -v lighttpd)" -D -f "$instance/lighttpd.conf"
    wait_for lighttpd "http://127.0.0.1:$port/chat-api/readyz"
}

main() {
    local ports
    parse_arguments "$@"
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || die "port $port is in use; choose another with --port N"
    say "Getting everything ready"
    get_ready
    make_instance
    read -r -a ports < <(free_ports 4)
    stomp_port=${ports[0]}
    server_port=${ports[1]}
    write_memberchat_configuration
    say "Starting RabbitMQ, the application server, and lighttpd with memberchat"
    start_rabbitmq "${ports[2]}" "${ports[3]}"
    start_application_server
    start_lighttpd
    say "The chat is at http://127.0.0.1:$port/ until Ctrl-C.  Open it twice; Ann and Bob are members, others are guests."
    wait "${started[-1]}"
}

main "$@"
