#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The scripts wait for another apt, and for nothing else.  An apt-get of our own says what the real one
# says: a test must not hold the locks of the machine that it runs on.
set -eu
. "$SOURCE/tools/common.sh"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/apt-get" <<'APT'
#!/bin/sh
# Fails as often as the file "held" has lines, with the message in "message".
case $* in *update*) ;; *) echo "installed $*"; exit 0 ;; esac
[ -s "$FOLDER/held" ] || exit 0
sed -i 1d "$FOLDER/held"
cat "$FOLDER/message" >&2
exit 100
APT
chmod +x "$folder/apt-get"
export FOLDER=$folder APT_PAUSE=0 PATH=$folder:$PATH
as_root() { "$@"; }

say() { # NUMBER NAME STATUS
    if [ "$3" = 0 ]; then echo "ok $1 - $2"; else echo "not ok $1 - $2"; fi
}

echo 1..2
printf '1\n2\n' >"$folder/held"
echo "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1 (apt-get)" >"$folder/message"
status=0
apt_install nothing >"$folder/out" 2>&1 || status=1
[ "$(grep -c 'Waiting for another apt' "$folder/out")" = 2 ] && grep -q '^installed .*nothing' "$folder/out" || status=1
say 1 "another apt is waited for" $status
echo 1 >"$folder/held"
echo "E: Unable to locate package" >"$folder/message"
status=0
wait_for_apt apt-get update >"$folder/out" 2>&1 && status=1
grep -q 'Unable to locate' "$folder/out" || status=1
say 2 "another mistake is told at once" $status
