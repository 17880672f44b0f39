#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What is installed for people names the folders of the installation; an installation can be moved, and
# leaves nothing behind.  From the environment: BUILD.
set -u
number=0
check() { # NAME FAULTS
    number=$((number + 1))
    if [ -z "$2" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        echo "$2" | sed 's/^/# /'
    fi
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
echo "1..6"
log=$("${MAKE:-make}" -s -C "$BUILD" install-data DESTDIR="$folder" prefix=/opt/chat sysconfdir=/etc/chat \
    docdir=/opt/chat/doc 2>&1) || log="make install-data failed: $log"
case $log in *failed*) ;; *) log= ;; esac
check "installed examples and pages name the folders that configure was told" \
    "$log$(grep -rn '/usr/local/\(bin\|etc\|lib\|libexec\)/' "$folder")"
check "they name them at all" "$(
    cd "$folder/opt/chat" || exit
    for wanted in doc/examples/conf/apache/fcgid.conf:/opt/chat/libexec/memberchat.fcgi \
        doc/examples/conf/systemd/memberchat.service:/opt/chat/bin/memberchat \
        doc/examples/conf/systemd/memberchat.service:/etc/chat/memberchat/memberchat.conf \
        share/man/man1/memberchat.1:/etc/chat/memberchat/memberchat.conf; do
        grep -q "${wanted#*:}" "${wanted%%:*}" || echo "$wanted"
    done
)"

# A whole installation, moved to another place.
run_make() {
    "${MAKE:-make}" -s -C "$BUILD" "$@" DESTDIR="$folder/all" 2>&1
}
log=$(run_make install) && log=
check "it installs" "$log"
prefix=$(sed -n 's/^prefix = //p' "$BUILD/Makefile")
moved=$folder/elsewhere
mkdir "$moved"
cp -a "$folder/all$prefix/." "$moved/"
printf 'appUserId,appUserName\n2,Ann\n' >"$folder/members.csv"
printf '0123456789abcdefghijklmnopqrstuvwxyz\n' >"$folder/key"
chmod 600 "$folder/key"
cat >"$folder/memberchat.conf" <<CONF
stores = { members = { plugin = "file"; path = "members.csv" } }
apps = { a = { api_key = "a"; api_secret = "0123456789abcdef"; chat_server_url = "wss://chat.example.com/";
               store = "members"; token = { key_file = "key" } } }
CONF
chmod 600 "$folder/memberchat.conf"
unset MEMBERCHAT_PLUGIN_DIR MEMBERCHAT_CONF
log=$("$moved/bin/memberchat" -c "$folder/memberchat.conf" check 2>&1) && log=
check "moved, it finds its plugins in ../lib/memberchat" "$log"
rm -r "$moved"/lib*/memberchat/*
log=$("$moved/bin/memberchat" -c "$folder/memberchat.conf" check 2>&1)
case $log in
*"no store plugin"*"-L or MEMBERCHAT_PLUGIN_DIR names another folder"*) log= ;;
*) [ -d "$prefix/lib/memberchat" ] && log= ;; # an installation of this machine
esac
check "without them, it says how to name their folder" "$log"

mkdir -p "$folder/all$prefix/etc/memberchat"
echo mine >"$folder/all$prefix/etc/memberchat/memberchat.conf"
log=$(run_make uninstall) && log=
check "uninstalled, it leaves the configuration and nothing else" "$log$(
    cd "$folder/all$prefix" || exit
    find . -type f ! -path ./etc/memberchat/memberchat.conf
    find . -type d -name memberchat ! -path ./etc/memberchat
    [ -e etc/memberchat/memberchat.conf ] || echo "the configuration is gone"
)"
