/* SPDX-License-Identifier: MIT
 * Members in MariaDB. */
#include "sql_servers.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>

static char keys[1024];

/* Ids of any bytes; blanks at the end count. */
static struct sql_server mariadb = {
    .kind = "mariadb",
    .client = "mariadb --no-defaults --socket='%s/mysqld.sock' -uroot "
              "--default-character-set=utf8mb4 site",
    .table = "SET sql_mode = 'NO_BACKSLASH_ESCAPES';\n"
             "CREATE OR REPLACE TABLE people (id VARCHAR(128) PRIMARY KEY, name VARCHAR(300),"
             " picture TEXT, role VARCHAR(300), state VARCHAR(20))"
             " CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;\n"};

static void stop_mariadb(void)
{
    sql_server_stop(&mariadb);
}

static bool make_mariadb(void)
{
    if (!mariadb.pid)
        atexit(stop_mariadb);
    sql_server_make_people(&mariadb);
    snprintf(keys, sizeof keys, "%s", sql_server_keys(&mariadb, "/mysqld.sock"));
    return true;
}

static void rename_mariadb(void)
{
    sql_server_rename_member(&mariadb);
}

const struct contract_fixture contract_mysql = {
    .name = "mysql",
    .folder = &plugins,
    .plugin = "mysql",
    .keys = keys,
    .all_fields = true,
    .signs_in = true,
    .make = make_mariadb,
    .rename = rename_mariadb,
};
