#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The sources compile with the oldest libraries: whatever came later is hidden here.  test.sh's stage
# "older" builds on Debian 11.  From the environment: CC, SOURCE.
set -u
CC=${CC:-cc}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
number=0

# compile NAME FILE [FLAGS]: syntax and names only, with the header of this test read first.
compile() {
    number=$((number + 1))
    # shellcheck disable=SC2086 # a command and its words
    if $CC -std=gnu11 -fsyntax-only -Wall -Werror -Wno-deprecated-declarations -DPACKAGE_VERSION='""' -DPACKAGE_NAME='""' -include "$folder/hide.h" \
        -I"$SOURCE" -I"$SOURCE/include" -I"$SOURCE/src" ${3:-} "$SOURCE/$2" 2>"$folder/said"; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        sed 's/^/# /' "$folder/said"
    fi
}

echo "1..3"
cat >"$folder/hide.h" <<'HEADER'
#define _GNU_SOURCE 1
#define CURL_DISABLE_TYPECHECK 1
#include <curl/curl.h>
#undef LIBCURL_VERSION_NUM
#define LIBCURL_VERSION_NUM 0x074a00
#define CURLOPT_PROTOCOLS_STR hidden_CURLOPT_PROTOCOLS_STR
#define CURLOPT_REDIR_PROTOCOLS_STR hidden_CURLOPT_REDIR_PROTOCOLS_STR
#define CURLOPT_QUICK_EXIT hidden_CURLOPT_QUICK_EXIT
#define CURLOPT_CA_CACHE_TIMEOUT hidden_CURLOPT_CA_CACHE_TIMEOUT
#define CURLOPT_MAXLIFETIME_CONN hidden_CURLOPT_MAXLIFETIME_CONN
#define CURLE_SSL_CLIENTCERT hidden_CURLE_SSL_CLIENTCERT
#define CURLUE_BAD_HOSTNAME hidden_CURLUE_BAD_HOSTNAME
#define curl_easy_header hidden_curl_easy_header
#define CURLOPT_MIME_OPTIONS hidden_CURLOPT_MIME_OPTIONS
#define CURLOPT_SSH_HOSTKEYFUNCTION hidden_CURLOPT_SSH_HOSTKEYFUNCTION
#define CURLOPT_WS_OPTIONS hidden_CURLOPT_WS_OPTIONS
#define CURLINFO_CAINFO hidden_CURLINFO_CAINFO
#define curl_url_strerror hidden_curl_url_strerror
HEADER
compile "libcurl 7.74" plugins/rest/client.c
cat >"$folder/hide.h" <<'HEADER'
#define _GNU_SOURCE 1
#include <sqlite3.h>
#undef SQLITE_VERSION_NUMBER
#define SQLITE_VERSION_NUMBER 3034000
#define sqlite3_error_offset hidden_sqlite3_error_offset
#define sqlite3_changes64 hidden_sqlite3_changes64
#define sqlite3_total_changes64 hidden_sqlite3_total_changes64
#define sqlite3_autovacuum_pages hidden_sqlite3_autovacuum_pages
HEADER
compile "SQLite 3.34" plugins/sql/sqlite.c
cat >"$folder/hide.h" <<'HEADER'
#define _GNU_SOURCE 1
#include <mysql.h>
#undef MARIADB_PACKAGE_VERSION_ID
#define MARIADB_PACKAGE_VERSION_ID 30122
#define MARIADB_OPT_RESTRICTED_AUTH hidden_MARIADB_OPT_RESTRICTED_AUTH
#define MARIADB_OPT_RPL_REGISTER_REPLICA hidden_MARIADB_OPT_RPL_REGISTER_REPLICA
#define MARIADB_OPT_STATUS_CALLBACK hidden_MARIADB_OPT_STATUS_CALLBACK
HEADER
compile "libmariadb 3.1" plugins/sql/mysql.c "$(pkg-config --cflags libmariadb)"
