/* SPDX-License-Identifier: MIT
 * Members in PostgreSQL. */
#include "sql_servers.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>

static char keys[1024];

static struct sql_server postgres = {
    .kind = "postgres",
    .client = "psql -q -v ON_ERROR_STOP=1 -h '%s' -U postgres site",
    .table = "SET client_min_messages = error;\nDROP TABLE IF EXISTS people;\n"
             "CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT, picture TEXT, role TEXT,"
             " state TEXT);\n"};

static void stop_postgres(void)
{
    sql_server_stop(&postgres);
}

static bool make_postgres(void)
{
    if (!postgres.pid)
        atexit(stop_postgres);
    sql_server_make_people(&postgres);
    snprintf(keys, sizeof keys, "%s", sql_server_keys(&postgres, ""));
    return true;
}

static void rename_postgres(void)
{
    sql_server_rename_member(&postgres);
}

const struct contract_fixture contract_pgsql = {
    .name = "pgsql",
    .folder = &plugins,
    .plugin = "pgsql",
    .keys = keys,
    .all_fields = true,
    .signs_in = true,
    .make = make_postgres,
    .rename = rename_postgres,
};
