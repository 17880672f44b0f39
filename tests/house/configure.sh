#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What configure says of libraries that are too old or missing, and of a prefix that cannot be.  The
# libraries' versions are what pkg-config files of this test claim.  From the environment: SOURCE.
set -u
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
SOURCE=$(cd "$SOURCE" && pwd)
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

claim() { # MODULE VERSION
    printf 'Name: %s\nDescription: x\nVersion: %s\nLibs: -l%s\n' "$1" "$2" "${1#lib}" >"$folder/pc/$1.pc"
}

# Prints what configure says; its checks of the compiler are made once.
configure() {
    (cd "$folder/build" && PKG_CONFIG_LIBDIR=$folder/pc PKG_CONFIG_PATH='' CONFIG_SITE='' \
        "$SOURCE/configure" --cache-file="$folder/cache" "$@" 2>&1)
}

lacks() { # TEXT LINE...
    text=$1
    shift
    for line; do
        case $text in *"$line"*) ;; *) echo "\"$line\" is not in:" && echo "$text" | tail -n 25 ;; esac
    done
}

mkdir "$folder/pc" "$folder/build"
echo "1..6"
claim json-c 0.14
claim nettle 3.4
for old in libcurl:7.73.0 libmariadb:3.0.8 libpq:11.22 sqlite3:3.33.0 libcrypto:1.1.1w libseccomp:2.3.3 cmocka:1.0; do
    claim "${old%:*}" "${old#*:}"
done
said=$(configure)
check "what is too old is switched off by name, with the oldest that will do" "$(lacks "$said" \
    "store rest:       off: libcurl 7.73.0 is too old: 7.74 or newer is needed" \
    "store mysql:      off: libmariadb 3.0.8 is too old: 3.1 or newer is needed" \
    "store pgsql:      off: libpq 11.22 is too old: 12 or newer is needed" \
    "store sqlite:     off: sqlite3 3.33.0 is too old: 3.34 or newer is needed" \
    "public-key JWTs:  left out: OpenSSL 1.1.1w is too old: 3.0 or newer is needed" \
    "sandbox:          no: libseccomp 2.3.3 is too old: 2.4 or newer is needed" \
    "unit tests:       no: cmocka 1.0 is too old: 1.1 or newer is needed")"
check "a store that was asked for is an error" "$(lacks "$(configure --enable-store-rest)" \
    "error: the rest store: libcurl 7.73.0 is too old: 7.74 or newer is needed")"
rm "$folder"/pc/lib*.pc "$folder/pc/sqlite3.pc"
said=$(configure)
check "what is missing is another thing, with Debian's name" "$(lacks "$said" \
    "store rest:       off: libcurl is missing: 7.74 or newer is needed (Debian: apt-get install libcurl4-openssl-dev)" \
    "store sqlite:     off: sqlite3 is missing: 3.34 or newer is needed (Debian: apt-get install libsqlite3-dev)" \
    "public-key JWTs:  left out: OpenSSL is missing: 3.0 or newer is needed (Debian: apt-get install libssl-dev)")"
claim json-c 0.13.1
check "too old a json-c" "$(lacks "$(configure)" "error: json-c 0.13.1 is too old: 0.14 or newer is needed")"
rm "$folder/pc/json-c.pc"
check "no json-c" "$(lacks "$(configure)" \
    "error: json-c is missing: 0.14 or newer is needed (Debian: apt-get install libjson-c-dev)")"
check "a prefix with a blank in it" "$(lacks "$(configure --prefix='/opt/my chat')" \
    "error: \"/opt/my chat\" has a blank in it")"
