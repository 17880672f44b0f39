#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh AREA TARBALL: builds a release on Debian 11, in a folder that debootstrap makes, with all stores,
# and runs make check there.  As root; the folder is kept for the next time.
set -euo pipefail
area=$1 tarball=$2 root=$1/root
packages=(gcc make libc6-dev autoconf automake libtool pkg-config libfcgi-dev libjson-c-dev libcsv-dev libcdb-dev
    libldap2-dev nettle-dev libseccomp-dev libcurl4-openssl-dev libssl-dev libsqlite3-dev libmariadb-dev libpq-dev
    libcmocka-dev libconfig-dev python3 slapd ldap-utils mariadb-server postgresql sqlite3 nginx-light)

inside() { # COMMAND: in the folder, with /proc and /dev of its own.
    unshare -m bash -c 'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && exec chroot "$1" sh -ec "$2"' - "$root" "$1"
}

mkdir -p "$area"
if [ ! -e "$root/ready" ]; then
    rm -rf "$root"
    debootstrap --variant=minbase bullseye "$root" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # no server starts by itself
    chmod 755 "$root/usr/sbin/policy-rc.d"
    # nginx before 1.19.5 has no -e, which tests use
    printf '#!/bin/sh\nshift 2\nexec /usr/sbin/nginx "$@"\n' >"$root/usr/local/bin/nginx"
    chmod 755 "$root/usr/local/bin/nginx"
    inside "DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends install ${packages[*]}"
    touch "$root/ready"
fi
cp /etc/hosts "$root/etc/hosts"
rm -rf "$root/src"
mkdir "$root/src"
tar -C "$root/src" --strip-components=1 -xf "$tarball"
inside 'cd /src && mkdir b && cd b && ../configure'
for store in file ldap rest mysql pgsql sqlite; do
    grep -q "^S\[\"STORE_${store^^}_TRUE\"\]=\"\"" "$root/src/b/config.status" || { echo "ERROR: there is no store $store"; exit 1; }
done
inside "cd /src/b && make -j$(nproc) && make -k -j$(nproc) check"
inside 'cd /src && autoreconf -fi && mkdir c && cd c && ../configure' # autoconf 2.69
