#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What is installed for people names the folders of the installation.  From the environment: BUILD.
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
echo "1..2"
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
