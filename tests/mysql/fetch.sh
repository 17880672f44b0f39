#!/bin/sh
# SPDX-License-Identifier: MIT
# fetch.sh ROOT: puts the files of MySQL's server and of libmariadb, of Debian sid, and of the libraries that they need
# below ROOT, where they stay for the next time.  Nothing of them is installed.
set -eu
root=$1

if [ ! -e "$root/ready" ]; then
    rm -rf "$root"
    debootstrap --download-only --variant=minbase --include=mysql-server-core,libmariadb3 sid "$root" \
        "${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
    for package in "$root"/var/cache/apt/archives/*.deb; do
        dpkg-deb -x "$package" "$root"
        rm "$package"
    done
    touch "$root/ready"
fi
