#!/bin/sh
# SPDX-License-Identifier: MIT
# sql_server.sh mariadb|postgres FOLDER [OPTION...]: a server with its data in FOLDER, in the
# foreground, on a unix socket there, as the user that its package made if this is root.  A
# database "site" and a user "chat" with the password "secret" are in it; the administrator
# ("root", "postgres") needs no password on the socket.
set -eu
kind=$1
folder=$2
shift 2
PATH=$PATH:/usr/sbin:$(echo /usr/lib/postgresql/*/bin)

case $kind in
mariadb) user=mysql ;;
postgres) user=postgres ;;
esac
as_user=
if [ "$(id -u)" = 0 ]; then
    chown "$user:" "$folder"
    as_user="setpriv --reuid=$user --regid=$user --init-groups"
fi
cd "$folder"
export HOME="$folder"

if [ "$kind" = mariadb ]; then
    if [ ! -d data ]; then
        $as_user mariadb-install-db --no-defaults --datadir="$folder/data" --skip-test-db \
            --auth-root-authentication-method=normal >install.log 2>&1
    fi
    cat >init.sql <<-SQL
	CREATE DATABASE IF NOT EXISTS site;
	CREATE USER IF NOT EXISTS chat IDENTIFIED BY 'secret';
	DELETE FROM mysql.global_priv WHERE User = '';
	FLUSH PRIVILEGES;
	SQL
    exec $as_user mariadbd --no-defaults --datadir="$folder/data" --socket="$folder/mysqld.sock" \
        --init-file="$folder/init.sql" --pid-file="$folder/pid" --innodb-flush-log-at-trx-commit=0 \
        --innodb-buffer-pool-size=16M --innodb-log-file-size=4M --innodb-use-native-aio=0 --skip-log-bin --skip-networking "$@"
fi

if [ ! -d data ]; then
    $as_user initdb -D data -A trust --no-sync -E UTF8 --locale=C.UTF-8 -U postgres >install.log 2>&1
    echo "password_encryption = 'scram-sha-256'" >>data/postgresql.conf # not the default before 14
    printf 'local all postgres trust\nlocal all all md5\nhost all all 0.0.0.0/0 md5\n' >data/pg_hba.conf
    printf "CREATE USER chat PASSWORD 'secret';\nCREATE DATABASE site;\n" |
        $as_user postgres --single -D data postgres >>install.log 2>&1
fi
exec $as_user postgres -D data -k "$folder" -c listen_addresses= -c fsync=off "$@"
