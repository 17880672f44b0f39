#!/bin/sh
export MEMBERCHAT_CONF=/home/you/memberchat/etc/memberchat/memberchat.conf
exec /home/you/memberchat/libexec/memberchat.fcgi
