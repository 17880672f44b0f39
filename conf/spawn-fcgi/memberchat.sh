#!/bin/sh
# memberchat without systemd: spawn-fcgi makes the socket, multiwatch keeps two processes on it.
#
#   1. apt-get install spawn-fcgi multiwatch
#      useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin memberchat
#      chgrp -R memberchat /usr/local/etc/memberchat && chmod -R g+rX,o-rwx /usr/local/etc/memberchat
#   2. Copy this file to /usr/local/sbin/memberchat.sh and have it started as root at boot: by
#      runit, daemontools, /etc/inittab ...  It stays in the foreground.
#   3. Mount it: conf/nginx/memberchat.conf, conf/apache/proxy-fcgi.conf or
#      conf/lighttpd/external.conf.
#
# Yours to change: the settings below; web_group is that of the web server.
#
# A changed configuration:
#   memberchat check --as memberchat && kill -HUP $(pgrep -P "$(cat /run/memberchat/multiwatch.pid)")
# A changed program: kill -TERM to one of these PIDs after the other; multiwatch starts a new
# one, requests go to those that are left.
# All of it stops with kill -TERM to multiwatch itself.  SIGHUP stops it, too!

socket=/run/memberchat/memberchat.sock
program=/usr/local/libexec/memberchat.fcgi
conf=/usr/local/etc/memberchat/memberchat.conf
user=memberchat
web_group=www-data

install -d -m 0755 "$(dirname "$socket")"
echo $$ >"$(dirname "$socket")/multiwatch.pid" # each exec below keeps the PID
exec spawn-fcgi -n -s "$socket" -M 0660 -U "$user" -G "$web_group" -u "$user" -g "$user" -b 1024 \
    -- "$(command -v multiwatch)" -f 2 -r 10 -t 1000 -- "$program" -c "$conf"
