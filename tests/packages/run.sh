#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh AREA: builds the Debian packages in AREA, installs them, uses them behind Apache, lighttpd and nginx,
# upgrades them under load, and purges them.  As root; the machine is left as it was.
set -uo pipefail
source=$PWD area=$1
passed=0 failed=0
site=/etc/memberchat

try() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >"$area/step.log" 2>&1; then
        passed=$((passed + 1))
        echo "ok - $name"
    else
        failed=$((failed + 1))
        echo "not ok - $name"
        sed 's/^/#   /' "$area/step.log" | tail -n 15
    fi
}

# build FOLDER VERSION: the packages of the sources here.
build() {
    rm -rf "${area:?}/$1"
    mkdir -p "$area/$1/memberchat-0.1.0"
    git -C "$source" ls-files -z | (cd "$source" && xargs -0 tar c) | tar x -C "$area/$1/memberchat-0.1.0"
    cd "$area/$1/memberchat-0.1.0" || return
    sed -i "1s/(0.1.0)/($2)/" debian/changelog
    SOURCE_DATE_EPOCH=1795600000 DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" dpkg-buildpackage -us -uc -b >"$area/build-$1.log" 2>&1 ||
        { tail -n 20 "$area/build-$1.log"; return 1; }
}

lint() {
    chmod -R a+rX "$area"
    su nobody -s /bin/sh -c "lintian --pedantic --fail-on error,warning,pedantic '$area'/one/*.changes"
}

same_contents() {
    local deb
    for deb in "$area"/one/memberchat*_amd64.deb; do
        case $deb in *dbgsym*) continue ;; esac
        cmp "$deb" "$area/again/$(basename "$deb")" || return 1
    done
}

install_packages() { # FOLDER
    local debs=("$area/$1"/memberchat{,-ldap,-rest,-mysql,-pgsql,-sqlite,-dev}_*_amd64.deb)
    DEBIAN_FRONTEND=noninteractive dpkg -i "${debs[@]}"
}

configure() {
    cp /usr/share/doc/memberchat/examples/conf/members.example.csv $site/members.csv
    mkdir -p $site/keys
    memberchat keygen HS256 $site/keys/my-app.jwk >/dev/null || return
    memberchat new-app my-app >"$area/new-app" || return
    secret=$(sed -n 's/^API secret: *//p' "$area/new-app")
    key=$(sed -n 's/.*api_key *= *"\([^"]*\)".*/\1/p' "$area/new-app")
    {
        echo 'stores = { members = { plugin = "file"; path = "members.csv" } }'
        echo 'apps = {'
        sed -n '/^ *my-app *= *{/,/^ *}/p' "$area/new-app"
        echo '}'
    } >$site/memberchat.conf
    chgrp -R memberchat $site && chmod -R g+rX,o-rwx $site
    memberchat check --as memberchat
}

# As a developer's machine, or Debian's, would run debian/tests.
run_autopkgtest() {
    autopkgtest -B "$area/one/memberchat-0.1.0" -- null
    local status=$? # 2: a test was skipped
    [ $status = 0 ]
}

# until_true COMMAND...: for up to ten seconds.
until_true() {
    for _ in {1..100}; do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    echo "in vain: $*"
    return 1
}

free_port() {
    python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

served() { # COUNT: that many services have said that they serve.
    [ "$(grep -c ': ready,' "$area/service.log")" = "$1" ]
}

# The service as its unit says, on the socket that the socket unit says.
start_service() {
    local before
    before=$(grep -c ': ready,' "$area/service.log")
    install -d -o memberchat -g www-data -m 0755 /run/memberchat
    setpriv --reuid memberchat --regid www-data --init-groups \
        $(sed -n 's/^ExecStart=//p' /lib/systemd/system/memberchat.service) \
        -s unix:/run/memberchat/memberchat.sock >>"$area/service.log" 2>&1 &
    service=$!
    until_true served $((before + 1))
}

ask() { # PORT PATH
    curl -sS -u "$key:$secret" -d '' "http://127.0.0.1:$1/chat-api/v2/apps/me/members/$2" | grep '"chatToken"'
}

with_apache() {
    a2enmod -q proxy proxy_fcgi env && a2enconf -q memberchat || return
    mkdir -p "$area/apache"
    cat >"$area/apache.conf" <<CONF
ServerRoot $area/apache
PidFile $area/apache/pid
ErrorLog $area/apache/error.log
Listen 127.0.0.1:$1
ServerName localhost
User www-data
Group www-data
$(for module in mpm_event authz_core env proxy proxy_fcgi; do echo "LoadModule ${module}_module /usr/lib/apache2/modules/mod_$module.so"; done)
Include /etc/apache2/conf-enabled/memberchat.conf
CONF
    setsid apache2 -f "$area/apache.conf" -D FOREGROUND & # some MPMs end their whole process group
    server=$!
    until_true curl -s "http://127.0.0.1:$1/"
    ask "$1" guest-chat-tokens && ask "$1" 2/chat-tokens
}

with_lighttpd() {
    lighty-enable-mod memberchat || return
    cat >"$area/lighttpd.conf" <<CONF
server.document-root = "$area"
server.port = $1
server.bind = "127.0.0.1"
server.username = "www-data"
server.groupname = "www-data"
include "/etc/lighttpd/conf-enabled/50-memberchat.conf"
CONF
    lighttpd -D -f "$area/lighttpd.conf" &
    server=$!
    until_true curl -s "http://127.0.0.1:$1/"
    ask "$1" guest-chat-tokens && ask "$1" 2/chat-tokens
}

with_nginx() {
    cp /usr/share/doc/memberchat/examples/conf/nginx/memberchat.conf "$area/mount.conf"
    cat >"$area/nginx.conf" <<CONF
daemon off; user www-data; pid $area/nginx.pid; error_log $area/nginx.log;
events {}
http { access_log off; server { listen 127.0.0.1:$1; include mount.conf; } }
CONF
    cp /etc/nginx/fastcgi_params "$area/"
    nginx -p "$area" -c "$area/nginx.conf" &
    server=$!
    until_true curl -s "http://127.0.0.1:$1/"
    ask "$1" guest-chat-tokens && ask "$1" 2/chat-tokens
}

stop_server() {
    kill "$server" 2>/dev/null && wait "$server" 2>/dev/null
    true
}

# The new program takes the socket over while clients ask without a pause.
upgrade_under_load() {
    local port=$1 old=$service asker status
    with_lighttpd "$port" >/dev/null || return
    rm -f "$area/enough"
    (until [ -e "$area/enough" ]; do ask "$port" 2/chat-tokens >/dev/null || echo lost; done) >"$area/lost" 2>&1 &
    asker=$!
    install_packages two && start_service && kill -TERM "$old" && wait "$old" && ask "$port" 2/chat-tokens
    status=$?
    touch "$area/enough"
    wait "$asker"
    stop_server
    cat "$area/lost"
    [ $status = 0 ] && [ ! -s "$area/lost" ] && [ "$(dpkg-query -W -f '${Version}' memberchat)" = 0.1.1 ]
}

unit_is_hardened() {
    local level
    level=$(systemd-analyze security --offline=true /lib/systemd/system/memberchat.service 2>/dev/null |
        sed -n 's/.*exposure level.*: \([0-9.]*\).*/\1/p')
    awk -v level="$level" 'BEGIN { exit !(level != "" && level <= 1.5) }'
}

filter_finds() {
    echo '2026-11-25T12:00:00Z memberchat[1] info: [abc] client 192.0.2.7: wrong API key or secret (app my-app)' >"$area/log"
    echo '2026-11-25T12:00:00Z memberchat[1] info: [abc] client 192.0.2.8: wrong API key or secret' >>"$area/log"
    fail2ban-regex "$area/log" /etc/fail2ban/filter.d/memberchat.conf | grep '2 matched'
}

purge() {
    a2disconf -q memberchat
    rm -f /etc/lighttpd/conf-enabled/50-memberchat.conf
    rm -rf $site/members.csv $site/keys $site/memberchat.conf
    DEBIAN_FRONTEND=noninteractive dpkg --purge memberchat-{ldap,rest,mysql,pgsql,sqlite,dev} memberchat || return
    [ ! -e $site ] && [ ! -e /usr/libexec/memberchat.fcgi ] && [ ! -e /etc/logrotate.d/memberchat ] &&
        [ ! -e /etc/apache2/conf-available/memberchat.conf ] && [ ! -e /etc/fail2ban/filter.d/memberchat.conf ]
}

mkdir -p "$area"
: >"$area/service.log"
try "the packages build" build one 0.1.0
try "the packages build in another folder" build again 0.1.0
try "both builds are the same" same_contents
try "lintian finds nothing" lint
try "the packages install" install_packages one
try "autopkgtest passes" run_autopkgtest
try "an app is made, and checked as the service's user" configure
secret=$(sed -n 's/^API secret: *//p' "$area/new-app")
key=$(sed -n 's/.*api_key *= *"\([^"]*\)".*/\1/p' "$area/new-app")
try "the unit gives up what it does not need" unit_is_hardened
try "fail2ban finds wrong secrets" filter_finds
start_service
try "behind Apache, by a2enconf" with_apache "$(free_port)"
stop_server
try "behind lighttpd, by lighty-enable-mod" with_lighttpd "$(free_port)"
stop_server
try "behind nginx" with_nginx "$(free_port)"
stop_server
rm -f /etc/lighttpd/conf-enabled/50-memberchat.conf
try "the next version builds" build two 0.1.1
try "an upgrade under load loses nothing" upgrade_under_load "$(free_port)"
kill "$service" 2>/dev/null
rm -rf /run/memberchat
try "purged without a trace" purge
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
