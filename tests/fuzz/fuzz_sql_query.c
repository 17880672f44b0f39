/* SPDX-License-Identifier: MIT
 * An administrator's query, against SQLite: what we take for one harmless statement with the id as
 * a parameter is that for the database, too.  The first byte chooses the dialect. */
#include "fuzz.h"

#include "plugins/sql/query.h"

#include <sqlite3.h>
#include <string.h>

const char fuzz_corpus[] = "sql_query";

static sqlite3 *database;

static void open_database(void)
{
    must(sqlite3_open(":memory:", &database) == SQLITE_OK);
    must(sqlite3_exec(database, "CREATE TABLE m (id TEXT, name TEXT, a INTEGER, b)", NULL, NULL,
                      NULL) == SQLITE_OK);
    sqlite3_limit(database, SQLITE_LIMIT_VDBE_OP, 25000);
}

static void check_query(const struct query *query)
{
    size_t ids = 0;
    must(!query->sql.failed && query->count > 0 && query->count <= QUERY_PARAMETERS_MAX);
    for (size_t i = 0; i < query->count; i++) {
        must(query->parameters[i] == QUERY_ID || query->parameters[i] == QUERY_APP);
        ids += query->parameters[i] == QUERY_ID;
    }
    must(ids > 0 && query->per_app == (ids < query->count));
    /* only what is quoted, or a comment, may have a brace */
    const char *brace = memchr(query->sql.data, '{', query->sql.length);
    size_t before = brace ? (size_t)(brace - query->sql.data) : 0;
    must(!brace || strcspn(query->sql.data, "'\"`[$#-/") < before);
}

static void check_statement(struct query *query)
{
    sqlite3_stmt *statement = NULL;
    const char *tail = NULL;
    if (sqlite3_prepare_v2(database, bytes_string(&query->sql), -1, &statement, &tail) == SQLITE_OK)
        must(statement && sqlite3_stmt_readonly(statement) && !sqlite3_stmt_isexplain(statement) &&
             sqlite3_bind_parameter_count(statement) <= 2 &&
             tail[strspn(tail, " \t\n\v\f\r")] == 0);
    sqlite3_finalize(statement);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct query query;
    struct reason why = {""};
    if (size == 0)
        return 0;
    if (!database)
        open_database();
    char *text = malloc(size);
    must(text);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    enum query_dialect dialect = (enum query_dialect)(data[0] % 3);
    if (query_read(text, dialect, &query, &why)) {
        check_query(&query);
        if (dialect == QUERY_SQLITE)
            check_statement(&query);
    } else {
        must(*why.text);
    }
    query_free(&query);
    free(text);
    return 0;
}
