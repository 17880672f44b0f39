# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: MIT
# Shell functions that quickstart.sh and test.sh share: packages and the build.
# To be sourced by bash, from the top of the source tree.

BUILD_PACKAGES=(
    gcc make libc6-dev autoconf automake libtool pkg-config
    libfcgi-dev libjson-c-dev libcsv-dev libcdb-dev libldap-dev nettle-dev libseccomp-dev
    libcurl4-openssl-dev libssl-dev libsqlite3-dev libmariadb-dev libpq-dev
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

# Installs those of the named Debian packages that are missing.  None of their services is started,
# now or at the next boot.
install_missing() {
    local package missing=() enabled unit
    for package; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || die "missing: ${missing[*]} (no apt-get here to install them with)"
    echo "Installing: ${missing[*]}"
    enabled=$(enabled_units)
    keep_services_off apt_install "${missing[@]}"
    for unit in $(comm -13 <(echo "$enabled") <(enabled_units)); do
        as_root systemctl disable "$unit" 2>/dev/null || true
    done
}

enabled_units() {
    find /etc/systemd/system -path '*.wants/*' -printf '%f\n' 2>/dev/null | sort -u
}

# Waits up to ten minutes for another apt, such as the unattended upgrades of a fresh machine.
apt_install() {
    wait_for_apt apt-get -qq update
    wait_for_apt DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
        -o DPkg::Lock::Timeout=600 install "$@"
}

# wait_for_apt COMMAND...: again and again while it says that another process has a lock.
# (apt's own timeout is for dpkg's locks, not for those of the lists and of the archives.)
wait_for_apt() {
    local said status=0 end=$((SECONDS + 600))
    said=$(mktemp)
    until as_root env LC_ALL=C "$@" </dev/null 2>"$said"; do
        status=$?
        if ! grep -q 'Could not get lock' "$said" || [ "$SECONDS" -ge "$end" ]; then
            break
        fi
        echo "Waiting for another apt to finish"
        sleep "${APT_PAUSE:-5}"
        status=0
    done
    cat "$said" >&2
    rm -f "$said"
    return $status
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
