/* SPDX-License-Identifier: MIT
 * Members in an SQLite database, which its own shell makes. */
#include "contract.h"

#include "support.h"

#include <stdio.h>
#include <stdlib.h>

static void run_script(void)
{
    struct bytes command = {0};
    bytes_addf(&command, "sqlite3 -batch -cmd '.timeout 10000' '%s' < '%s'", scratch_path("members.db"),
               scratch_path("members.sql"));
    expect(system(bytes_string(&command)) == 0, "%s", bytes_string(&command));
    bytes_free(&command);
}

static bool make(void)
{
    struct bytes text = {0};
    bytes_add_string(&text, "CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT, picture TEXT,"
                            " role TEXT, state TEXT);\n");
    contract_write_sql(&text);
    scratch_write("members.sql", bytes_span(&text));
    bytes_free(&text);
    run_script();
    return true;
}

static void rename_member(void)
{
    scratch_write("members.sql", SPAN("UPDATE people SET name = 'Anna' WHERE id = '1';\n"));
    run_script();
}

const struct contract_fixture contract_sqlite = {
    .name = "sqlite",
    .folder = &plugins,
    .plugin = "sqlite",
    .keys = "path = \"members.db\"; query = \"" CONTRACT_QUERY "\"",
    .all_fields = true,
    .make = make,
    .rename = rename_member,
};
