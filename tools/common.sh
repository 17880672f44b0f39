# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: MIT
# Shell functions that quickstart.sh and test.sh share: packages and the build.
# To be sourced by bash, from the top of the source tree.

BUILD_PACKAGES=(
    gcc make libc6-dev autoconf automake libtool pkg-config
    libfcgi-dev libjson-c-dev libconfig-dev libcsv-dev libcdb-dev libldap-dev nettle-dev uthash-dev
    libcurl4-openssl-dev libssl-dev
)

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Installs those of the named Debian packages that are missing, and starts none of their services.
install_missing() {
    local package missing=()
    for package; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "missing: ${missing[*]} (no apt-get here to install them with)"
    echo "Installing: ${missing[*]}"
    keep_services_off apt_install "${missing[@]}"
}

apt_install() {
    as_root apt-get -qq update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@" \
        </dev/null
}

# Runs a command while Debian's policy-rc.d (where there is none yet) forbids to start services.
keep_services_off() {
    local policy=/usr/sbin/policy-rc.d status=0
    if [ -e $policy ]; then
        "$@"
        return
    fi
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
    "$@" || status=$?
    as_root rm -f $policy
    return $status
}

# Makes ./configure where it is missing or older than what it is made from.
make_configure() {
    local source
    for source in configure.ac Makefile.am; do
        if [ ! -e configure ] || [ "$source" -nt configure ] || [ "$source" -nt Makefile.in ]; then
            autoreconf -fi
            return
        fi
    done
}

# build_in FOLDER CONFIGURE-OPTION...: configures (where the options changed) and makes.
# Fails by itself: set -e does not hold in what is called behind "if" or "||".
build_in() {
    local folder=$1 source=$PWD
    shift
    mkdir -p "$folder"
    (
        cd "$folder" || exit
        if [ ! -e Makefile ] || [ "$(cat options 2>/dev/null)" != "$*" ]; then
            "$source/configure" "$@" || exit
            printf '%s\n' "$*" >options
        fi
        make -j"$(nproc)"
    )
}
