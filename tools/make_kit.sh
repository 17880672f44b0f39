#!/bin/bash
# SPDX-License-Identifier: MIT
# make_kit.sh SOURCE BUILD VERSION: memberchat-VERSION-linux-x86_64.tar.gz and .zip in BUILD, from
# the programs that were built there and the libraries of this machine that they need.
set -euo pipefail
source=$1 build=$2 version=$3
name=memberchat-$version-linux-x86_64
stage=$build/kit
loader=ld-linux-x86-64.so.2

[ -e "$build/src/memberchat.cgi" ] || { echo "make kit: memberchat.cgi was not built: see 'static CGI' in what configure printed" >&2; exit 1; }
rm -rf "$stage"
mkdir -p "$stage/memberchat/lib/gconv" "$stage/memberchat/log" "$stage/memberchat/stores" "$stage/chat-api"
lib=$stage/memberchat/lib

# needed FILE...: paths of the shared libraries that they need, all the way down.
needed() {
    ldd "$@" 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u
}

# library NAME: the path of this machine's own; nothing where there is none.
library() {
    ldconfig -p | awk -v name="$1" '$1 == name && /x86-64/ && !found { found = $NF } END { print found }'
}

for program in memberchat.fcgi memberchat; do
    "$build/libtool" --mode=execute cp "$build/src/$program" "$lib/$program"
done
cp "$build"/.libs/store_*.so "$lib/"
[ ! -e "$build/.libs/sign_openssl.so" ] || cp "$build/.libs/sign_openssl.so" "$lib/"
# Ways to sign in to MySQL 8 and MariaDB: libmariadb loads these by itself, from $MARIADB_PLUGIN_DIR.
ways=$(mariadb_config --plugindir 2>/dev/null || true)
[ ! -e "$lib/store_mysql.so" ] || cp "$ways"/{caching_sha2_password,client_ed25519,sha256_password}.so "$lib/"
# shellcheck disable=SC2046 # paths without blanks
cp -L $(needed "$lib"/memberchat* "$lib"/*.so) "$lib/"
cp -L "/lib64/$loader" "$lib/$loader"
# Names of hosts: the C library loads these by itself.
for service in libnss_dns.so.2 libnss_files.so.2 libresolv.so.2; do
    found=$(library "$service")
    [ -z "$found" ] || cp -L "$found" "$lib/"
done
# hollow FILE USER PREFIX: a library of which the kit needs only that it is there, in a hundredth of the size.
# It says NULL, or nothing, to each of the functions PREFIX... that USER calls.
hollow() {
    local file=$lib/$1 user=$lib/$2 version name
    [ -e "$file" ] && [ -e "$user" ] || return 0
    version=$(objdump -T "$user" | sed -n "s/.*\*UND\*.*(\([A-Za-z0-9_.]*\)) *$3[A-Za-z0-9_]*$/\1/p" | sort -u)
    [ "$(wc -w <<<"$version")" -le 1 ] || return 0 # another release than those of Debian 11 to 13
    # another library that calls it would miss what it calls
    objdump -p "$lib"/*.so* | awk -v file="$1" '$1 == "NEEDED" && $2 == file { users++ } END { exit users != 1 }' ||
        return 0
    objdump -T "$user" | sed -n "s/.*\*UND\*.* \($3[A-Za-z0-9_]*\)$/\1/p" | sort -u |
        while read -r name; do echo "void *$name(void); void *$name(void) { return 0; }"; done >"$stage/hollow.c"
    echo "${version:-HOLLOW} { global: *; };" >"$stage/hollow.map"
    gcc -Os -shared -fPIC -nostdlib -fno-asynchronous-unwind-tables -fcf-protection=none -Wl,-z,noseparate-code -Wl,--build-id=none \
        -Wl,-soname,"$1" ${version:+-Wl,--version-script="$stage/hollow.map"} -o "$file" "$stage/hollow.c"
    rm -f "$stage"/hollow.*
}
# GnuTLS uses p11-kit for keys on smart cards only, libcurl these for sftp:, rtmp:, cookies, and an encoding that
# the REST store does not ask for.
hollow libp11-kit.so.0 libgnutls.so.30 p11_kit_
hollow libssh2.so.1 libcurl.so.4 libssh2_
hollow librtmp.so.1 libcurl.so.4 RTMP_
hollow libpsl.so.5 libcurl.so.4 psl_
hollow libzstd.so.1 libcurl.so.4 ZSTD_
[ "$(stat -c %s "$lib/libp11-kit.so.0" 2>/dev/null || echo 0)" -gt 100000 ] || rm -f "$lib"/libffi.so.*
gconv=$(dirname "$(library libc.so.6)")/gconv
# Encodings that exports come in.  Those of East Asia would be a fifth of the kit: such files, as UTF-8.
for encoding in ISO8859- CP125 CP8 IBM850 IBM437 KOI8 UTF- UNICODE MACINTOSH; do
    cp "$gconv/$encoding"*.so "$lib/gconv/" 2>/dev/null || true
done
# Nobody exports members in these.
rm -f "$lib"/gconv/{UTF-7,UTF-32,KOI8-T,KOI8-RU,ISO8859-9E,ISO8859-10,ISO8859-11,ISO8859-14}.so
awk -v folder="$lib/gconv" '$1 != "module" || system("test -e " folder "/" $4 ".so") == 0' \
    "$gconv/gconv-modules" "$gconv"/gconv-modules.d/*.conf >"$lib/gconv/gconv-modules"
strip --strip-unneeded "$lib"/memberchat* "$lib"/*.so* "$lib"/gconv/*.so

"$build/libtool" --mode=execute cp "$build/src/memberchat.cgi" "$stage/chat-api/memberchat.cgi"
strip "$stage/chat-api/memberchat.cgi"
# starter FILE: static, as all that the kernel starts here.  With musl, where there is one, it has a
# twentieth of the size that it has with the C library.
starter() {
    if ! (cd "$source" && musl-gcc -std=gnu11 -D_GNU_SOURCE -Os -static -ffunction-sections -fdata-sections \
        -Wl,--gc-sections -DDEFAULT_RESPONDER='"/usr/local/libexec/memberchat.fcgi"' -I. -Isrc -o "$1" src/starter/starter.c src/host/kit.c \
        base/file.c base/bytes.c base/reason.c base/text.c) 2>/dev/null; then
        "$build/libtool" --mode=execute cp "$build/src/starter/starter" "$1"
    fi
}
starter "$stage/memberchat/memberchat"
strip "$stage/memberchat/memberchat"
cp "$stage/memberchat/memberchat" "$stage/chat-api/memberchat.fcgi"
cp "$source/conf/kit/chat-api.htaccess" "$stage/chat-api/.htaccess"
cp "$source/conf/kit/private.htaccess" "$stage/memberchat/.htaccess"
cp "$source/conf/kit/memberchat.conf" "$source/conf/kit/README.txt" "$stage/memberchat/"
cp "$source/conf/members.example.csv" "$stage/memberchat/members.csv"
cp "$source"/conf/stores/*.conf "$stage/memberchat/stores/"
: >"$stage/memberchat/my-app.key"
: >"$stage/memberchat/log/.keep"
find "$stage" -type d -exec chmod 755 {} +
find "$stage" -type f -exec chmod 644 {} +
chmod 600 "$stage"/memberchat/{memberchat.conf,my-app.key,members.csv}
chmod 755 "$stage"/chat-api/memberchat.* "$stage/memberchat/memberchat" "$lib"/memberchat* "$lib/$loader"

epoch=${SOURCE_DATE_EPOCH:-$(stat -c %Y "$source/configure.ac")}
tar -C "$stage" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -cf - memberchat chat-api |
    gzip -9n >"$build/$name.tar.gz"
python3 - "$stage" "$build/$name.zip" "$epoch" <<'PYTHON'
import os, sys, time, zipfile
stage, target, epoch = sys.argv[1], sys.argv[2], int(sys.argv[3])
with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as kit:
    for folder, folders, files in sorted(os.walk(stage)):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            entry = zipfile.ZipInfo(os.path.relpath(path, stage), time.gmtime(max(epoch, 315532800))[:6])
            entry.external_attr = os.stat(path).st_mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            with open(path, "rb") as file:
                kit.writestr(entry, file.read())
PYTHON
ls -l "$build/$name.tar.gz" "$build/$name.zip"
