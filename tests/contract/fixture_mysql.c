/* SPDX-License-Identifier: MIT
 * Members in MariaDB, or in MySQL if MEMBERCHAT_MYSQL says where it is. */
#include "sql_servers.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>

static char keys[1024];

/* Ids of any bytes; blanks at the end count. */
#define TABLE(COLLATION)                                                                           \
    "SET sql_mode = 'NO_BACKSLASH_ESCAPES';\n"                                                     \
    "DROP TABLE IF EXISTS people;\n"                                                               \
    "CREATE TABLE people (id VARCHAR(128) PRIMARY KEY, name VARCHAR(300),"                         \
    " picture TEXT, role VARCHAR(300), state VARCHAR(20))"                                         \
    " CHARACTER SET utf8mb4 COLLATE " COLLATION ";\n"

static struct sql_server server = {.kind = "mariadb",
                                   .client =
                                       "mariadb --no-defaults --socket='%s/mysqld.sock' -uroot "
                                       "--default-character-set=utf8mb4 site",
                                   .table = TABLE("utf8mb4_nopad_bin")};

static void stop_server(void)
{
    sql_server_stop(&server);
}

static bool make_members(void)
{
    if (getenv("MEMBERCHAT_MYSQL")) {
        server.kind = "mysql";
        server.table = TABLE("utf8mb4_0900_bin");
    }
    if (!server.pid)
        atexit(stop_server);
    sql_server_make_people(&server);
    snprintf(keys, sizeof keys, "%s", sql_server_keys(&server, "/mysqld.sock"));
    return true;
}

static void rename_member(void)
{
    sql_server_rename_member(&server);
}

const struct contract_fixture contract_mysql = {
    .name = "mysql",
    .folder = &plugins,
    .plugin = "mysql",
    .keys = keys,
    .all_fields = true,
    .signs_in = true,
    .make = make_members,
    .rename = rename_member,
};
