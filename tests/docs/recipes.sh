#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the documents tell administrators to type, and what bash completes.  From the environment:
# SOURCE, COMMAND.
set -u
cd "$SOURCE" || exit 1
documents="README.md HACKING.md SECURITY.md docs/*.md examples/*/README.md conf/README.md man/*.[158] conf/*/* conf/memberchat.conf.in debian/README.Debian"
number=0

# check NAME FAULTS: one test, good when there are none.
check() {
    number=$((number + 1))
    if [ -z "$2" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        echo "$2" | sed 's/^/# /'
    fi
}

check "no recipe hits every memberchat.fcgi of the machine" \
    "$(grep -nE 'pkill|killall|pgrep -x' $documents)"
check "every check before a reload speaks for the service's user" \
    "$(grep -nE 'memberchat check.*&&' $documents | grep -v -e '--as')"

if ! command -v bash >/dev/null; then
    echo "ok 3 - bash completion # bash is missing"
    echo "1..3"
    exit 0
fi
complete() {
    bash -c '. conf/bash-completion/memberchat
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _memberchat
        echo ${COMPREPLY[@]}' bash "$@" 2>&1
}
expect() { # WANTED WORD...
    wanted=$1
    shift
    found=$(complete "$@")
    [ "$found" = "$wanted" ] || echo "$*: \"$found\", not \"$wanted\""
}
configuration=$(mktemp)
printf 'stores = {\n  members = { plugin = "file" }\n  mirror = { plugin = "file" }\n}\napps = {\n  shop = { # {\n    token = { }\n  }\n}\n' >"$configuration"
check "bash completion is a script" "$(bash -n conf/bash-completion/memberchat 2>&1)"
check "bash completes commands, options and names" "$(
    expect "new-app new-secret new-store" memberchat new
    expect "keygen" memberchat help key
    expect "--online" memberchat check --o
    expect "--as" memberchat -c x check --a
    expect "members mirror" memberchat -c "$configuration" lookup m
    expect "shop" memberchat -c "$configuration" token s
    expect "--member" memberchat -c "$configuration" token shop --m
    expect "" memberchat -c "$configuration" lookup members m
)"
rm -f "$configuration"
check "bash completes every command that there is" "$(
    "$COMMAND" --help | sed -n 's/^  \([a-z][-a-z]*\)  *[A-Z].*/\1/p' | while read -r name; do
        case " $(complete memberchat "") " in *" $name "*) ;; *) echo "$name" ;; esac
    done
)"
check "bash completes every option that a command has" "$(
    "$COMMAND" --help | sed -n 's/^  \([a-z][-a-z]*\)  *[A-Z].*/\1/p' | while read -r name; do
        "$COMMAND" "$name" --help | grep '^usage' | grep -oE -- '--[a-z-]+' | while read -r option; do
            found="$(complete memberchat "$name" "$option") $(complete memberchat "$name" x "$option")"
            case " $found " in *" $option "*) ;; *) echo "$name $option" ;; esac
        done
    done
)"
echo "1..$number"
