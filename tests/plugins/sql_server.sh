#!/bin/sh
# SPDX-License-Identifier: MIT
# sql_server.sh mariadb|mysql|postgres FOLDER [OPTION...]: a server with its data in FOLDER, in the
# foreground, on a unix socket there, as the user that its package made if this is root.  A
# database "site" and a user "chat" with the password "secret" are in it; the administrator
# ("root", "postgres") needs no password on the socket.  MySQL is that of another release, whose
# files are below $MEMBERCHAT_MYSQL.
set -eu
kind=$1
folder=$2
shift 2
PATH=$PATH:/usr/sbin:$(echo /usr/lib/postgresql/*/bin)

case $kind in
mariadb | mysql) user=mysql ;;
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
    # these data outlive no crash of the machine; a thousand fsync() take minutes on a busy disk
    hasty="--debug-no-sync --innodb-flush-method=nosync --innodb-flush-log-at-trx-commit=0"
    if [ ! -d data ]; then
        rm -rf new # of a start that was cut short
        # shellcheck disable=SC2086
        $as_user mariadb-install-db --no-defaults --datadir="$folder/new" --skip-test-db \
            --auth-root-authentication-method=normal $hasty >install.log 2>&1
        mv new data
    fi
    cat >init.sql <<-SQL
	CREATE DATABASE IF NOT EXISTS site;
	CREATE USER IF NOT EXISTS chat IDENTIFIED BY 'secret';
	DELETE FROM mysql.global_priv WHERE User = '';
	FLUSH PRIVILEGES;
	SQL
    # shellcheck disable=SC2086
    exec $as_user mariadbd --no-defaults $hasty --datadir="$folder/data" --socket="$folder/mysqld.sock" \
        --init-file="$folder/init.sql" --pid-file="$folder/pid" \
        --innodb-buffer-pool-size=16M --innodb-log-file-size=4M --innodb-use-native-aio=0 --skip-log-bin --skip-networking "$@"
fi

if [ "$kind" = mysql ]; then
    library=$(dirname "$(echo "$MEMBERCHAT_MYSQL"/usr/lib/*/libc.so.6)")
    mysqld="$(echo "$library"/ld-linux*.so.*) --library-path $library $MEMBERCHAT_MYSQL/usr/sbin/mysqld --no-defaults
        --basedir=$MEMBERCHAT_MYSQL/usr --lc-messages-dir=$MEMBERCHAT_MYSQL/usr/share/mysql --loose-secure-file-priv=NULL
        --innodb-flush-method=nosync --innodb-flush-log-at-trx-commit=0 --innodb-buffer-pool-size=16M
        --innodb-redo-log-capacity=8M --innodb-use-native-aio=0"
    if [ ! -d data ]; then
        rm -rf new
        # shellcheck disable=SC2086
        $as_user $mysqld --initialize-insecure --datadir="$folder/new" >install.log 2>&1
        mv new data
    fi
    cat >init.sql <<-SQL
	CREATE DATABASE IF NOT EXISTS site;
	CREATE USER IF NOT EXISTS chat IDENTIFIED BY 'secret';
	SQL
    # shellcheck disable=SC2086
    exec $as_user $mysqld --datadir="$folder/data" --socket="$folder/mysqld.sock" --init-file="$folder/init.sql" \
        --pid-file="$folder/pid" --skip-log-bin --mysqlx=OFF --skip-networking "$@"
fi

if [ ! -d data ]; then
    rm -rf new
    $as_user initdb -D new -A trust --no-sync -E UTF8 --locale=C.UTF-8 -U postgres >install.log 2>&1
    echo "password_encryption = 'scram-sha-256'" >>new/postgresql.conf # not the default before 14
    printf 'local all postgres trust\nlocal all all md5\nhost all all 0.0.0.0/0 md5\n' >new/pg_hba.conf
    printf "CREATE USER chat PASSWORD 'secret';\nCREATE DATABASE site;\n" |
        $as_user postgres --single -D new postgres >>install.log 2>&1
    mv new data
fi
exec $as_user postgres -D data -k "$folder" -c listen_addresses= -c fsync=off "$@"
