/* SPDX-License-Identifier: MIT
 * Members in an SQLite database.  The only user of sqlite3. */
#include "backend.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEPS_BETWEEN_LOOKS 1000 /* of SQLite's machine, at the clock */

struct connection {
    const struct sql_client *client;
    sqlite3 *database;
    sqlite3_stmt *statement;
    struct sql_shape shape;
    int64_t deadline;        /* of the statement under way */
    struct file_stamp stamp; /* of the file when it was opened */
};

/* Of anything but SQLITE_INTERRUPT. */
static enum sql_verdict verdict_of(int code)
{
    if (code == SQLITE_READONLY_DIRECTORY)
        return SQL_REFUSED;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
        return SQL_BUSY;
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_SCHEMA:
    case SQLITE_CORRUPT: /* it may be being rewritten just now */
    case SQLITE_NOTADB:
    case SQLITE_READONLY: /* a writer died in the middle of a change: the next one repairs it */
        return SQL_LOST;
    case SQLITE_CANTOPEN:
        return SQL_REFUSED; /* the file, and so the connection */
    default:
        return SQL_WRONG;
    }
}

/* Where in the query it went wrong; -1: unknown, as with an older SQLite. */
static int error_offset(sqlite3 *database)
{
#if SQLITE_VERSION_NUMBER >= 3038000
    return database ? sqlite3_error_offset(database) : -1;
#else
    (void)database;
    return -1;
#endif
}

/* Whether only the files beside the database cannot be opened, or made. */
static bool is_of_wal(const char *path, int code, int error)
{
    bool may_not = (code & 0xff) == SQLITE_CANTOPEN && (error == EACCES || error == EROFS);
    return code == SQLITE_READONLY_DIRECTORY || (may_not && access(path, R_OK) == 0);
}

static void explain(const struct connection *connection, int code, struct sql_fault *fault)
{
    const char *path = connection->client->settings->path;
    const char *sql = connection->client->query.sql.data;
    sqlite3 *database = connection->database;
    int at = error_offset(database), error = sqlite3_system_errno(database);
    if (code == SQLITE_INTERRUPT)
        sql_fault_set(fault, SQL_LATE, "%s: the query did not end in time", path);
    else if (is_of_wal(path, code, error))
        sql_fault_set(
            fault, verdict_of(code),
            "%s is in WAL mode, in which reading needs the files -wal and -shm beside it, "
            "too: let this user read and write these and the folder, or give it another "
            "mode with PRAGMA journal_mode = DELETE",
            path);
    else if (code == SQLITE_READONLY_ROLLBACK)
        sql_fault_set(fault, verdict_of(code),
                      "%s: a writer ended in the middle of a change; the next one that opens the "
                      "file undoes that",
                      path);
    else if ((code & 0xff) == SQLITE_CANTOPEN && error)
        sql_fault_set(fault, verdict_of(code), "%s cannot be opened: %s", path, strerror(error));
    else
        sql_fault_set(fault, verdict_of(code), "%s: %s%s%.40s%s", path,
                      database ? sqlite3_errmsg(database) : sqlite3_errstr(code),
                      at >= 0 ? ", at \"" : "", at >= 0 ? sql + at : "", at >= 0 ? "\"" : "");
}

/* SQLite calls this now and then; a result other than 0 makes it give up. */
static int look_at_the_clock(void *context)
{
    const struct connection *connection = context;
    return clock_left_ms(connection->deadline) == 0;
}

static void disconnect(void *client, void *handle)
{
    struct connection *connection = handle;
    (void)client;
    sqlite3_finalize(connection->statement);
    sqlite3_close(connection->database);
    free(connection);
}

static int prepare(struct connection *connection)
{
    const struct query *query = &connection->client->query;
    int code = sqlite3_prepare_v3(connection->database, query->sql.data, -1,
                                  SQLITE_PREPARE_PERSISTENT, &connection->statement, NULL);
    if (code == SQLITE_OK && !sqlite3_stmt_readonly(connection->statement))
        code = SQLITE_AUTH;
    return code;
}

static bool read_shape(struct connection *connection, struct sql_fault *fault)
{
    const struct memberchat_list *wanted = &connection->client->services->wanted;
    int count = sqlite3_column_count(connection->statement);
    bool good = true;
    connection->shape.count = 0;
    for (int i = 0; good && i < count; i++)
        good = sql_shape_add(&connection->shape,
                             span_of(sqlite3_column_name(connection->statement, i)), wanted,
                             &fault->why);
    good = good && sql_shape_is_good(&connection->shape, &fault->why);
    if (!good)
        fault->verdict = SQL_WRONG;
    return good;
}

/* To open a FIFO would block until somebody writes to it.  SQLite itself reports all other faults
 * of the path. */
static bool may_open(const char *path, struct file_stamp *stamp_r, struct sql_fault *fault)
{
    struct stat status;
    *stamp_r = (struct file_stamp){.size = 0};
    if (stat(path, &status) != 0)
        return true;
    *stamp_r = file_stamp_of(&status);
    return S_ISREG(status.st_mode) || sql_fault_set(fault, SQL_REFUSED, "%s is not a file", path);
}

static int open_file(struct connection *connection)
{
    int code = sqlite3_open_v2(
        connection->client->settings->path, &connection->database,
        SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
    if (code != SQLITE_OK)
        return code;
    sqlite3_extended_result_codes(connection->database, 1);
    sqlite3_busy_timeout(connection->database, (int)clock_left_ms(connection->deadline));
    sqlite3_progress_handler(connection->database, STEPS_BETWEEN_LOOKS, look_at_the_clock,
                             connection);
    return prepare(connection);
}

static void *connect_file(struct sql_client *client, int64_t deadline, struct sql_fault *fault)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection) {
        sql_fault_set(fault, SQL_BUSY, "out of memory");
        return NULL;
    }
    connection->client = client;
    connection->deadline = deadline;
    bool good = may_open(client->settings->path, &connection->stamp, fault);
    if (good) {
        int code = open_file(connection);
        good = code == SQLITE_OK && read_shape(connection, fault);
        if (code == SQLITE_AUTH)
            sql_fault_set(fault, SQL_WRONG, "the query would write");
        else if (code != SQLITE_OK)
            explain(connection, code, fault);
    }
    if (good)
        return connection;
    disconnect(client, connection);
    return NULL;
}

/* Whether the path leads to what was opened, as it was: when a file is overwritten by another one
 * that is as large and was made in the same way, SQLite goes on with what it remembers.  A file
 * that is gone goes on being served. */
static bool is_good(void *client, const void *handle)
{
    const struct connection *connection = handle;
    struct file_stamp now;
    (void)client;
    return !file_stamp_read(connection->client->settings->path, &now) ||
           file_stamp_equal(&now, &connection->stamp);
}

static int bind_parameters(struct connection *connection, const struct sql_question *question)
{
    const struct query *query = &connection->client->query;
    sqlite3_stmt *statement = connection->statement;
    int code = connection->client->settings->id_type == SQL_INTEGER
                   ? sqlite3_bind_int64(statement, 1, question->number)
                   : sqlite3_bind_text(statement, 1, question->id.data, (int)question->id.length,
                                       SQLITE_STATIC);
    if (code == SQLITE_OK && query->per_app)
        code = sqlite3_bind_text(statement, 2, question->app_id.data, (int)question->app_id.length,
                                 SQLITE_STATIC);
    return code;
}

static void take_values(sqlite3_stmt *statement, const struct sql_shape *shape,
                        struct span values[SQL_COLUMNS_MAX])
{
    for (size_t i = 0; i < shape->count; i++) {
        const char *text = shape->columns[i] == SQL_UNUSED
                               ? NULL
                               : (const char *)sqlite3_column_text(statement, (int)i);
        size_t length = text ? (size_t)sqlite3_column_bytes(statement, (int)i) : 0;
        values[i] = (struct span){text, length < SQL_VALUE_MAX ? length : SQL_VALUE_MAX};
    }
}

/* Whether SQLite lacked the memory to turn a value into text, which it reports as NULL. */
static bool lacks_memory(const struct connection *connection)
{
    return sqlite3_errcode(connection->database) == SQLITE_NOMEM;
}

/* Makes the first step.  If tables or views have changed, SQLite prepares the query again by
 * itself, and the columns may differ from before.  False: with a fault. */
static bool begin(struct connection *connection, int *code_r, struct sql_fault *fault)
{
    sqlite3_stmt *statement = connection->statement;
    *code_r = sqlite3_step(statement);
    return (*code_r != SQLITE_ROW && *code_r != SQLITE_DONE) ||
           !sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_REPREPARE, 1) ||
           read_shape(connection, fault);
}

static enum sql_verdict ask(void *handle, const struct sql_question *question,
                            struct sql_answer *answer, int64_t deadline, struct sql_fault *fault)
{
    struct connection *connection = handle;
    struct span values[SQL_COLUMNS_MAX];
    connection->deadline = deadline;
    sqlite3_busy_timeout(connection->database, (int)clock_left_ms(deadline));
    int code = bind_parameters(connection, question);
    bool good = code != SQLITE_OK || begin(connection, &code, fault);
    answer->unread = !good;
    for (bool more = good; more && code == SQLITE_ROW;) {
        take_values(connection->statement, &connection->shape, values);
        more = !lacks_memory(connection);
        if (!more)
            code = SQLITE_NOMEM;
        else if ((more = sql_answer_add(answer, &connection->shape, values)))
            code = sqlite3_step(connection->statement);
    }
    if (code != SQLITE_DONE && code != SQLITE_ROW) {
        explain(connection, code, fault);
        good = false;
    }
    sqlite3_reset(connection->statement);
    sqlite3_clear_bindings(connection->statement);
    return good ? SQL_GOOD : fault->verdict;
}

/* The file is not opened: to close it would take all locks from this process that others of its
 * stores have on it (fcntl(2)). */
static bool check(const struct sql_client *client, struct reason *why)
{
    const char *path = client->settings->path;
    struct stat status;
    if (stat(path, &status) != 0 || faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0) {
        file_explain_unreadable(path, errno, why);
        reason_prefix(why, "path");
    } else if (!S_ISREG(status.st_mode))
        reason_set(why, "path: %s is not a file", path);
    else
        return true;
    return false;
}

static const struct memberchat_key keys[] = {
    {SQL_KEY(path, PATH, NULL, 0, 0, "the database file"), .flags = MEMBERCHAT_KEY_REQUIRED},
    SQL_KEYS,
    {SQL_KEY(timeout, DURATION, "2s", 1, 60000, "how long a query may take")},
};

static const struct sql_backend backend = {.dialect = QUERY_SQLITE,
                                           .shape_at = offsetof(struct connection, shape),
                                           .check = check,
                                           .connect = connect_file,
                                           .disconnect = disconnect,
                                           .is_good = is_good,
                                           .ask = ask};

SQL_PLUGIN("sqlite", "members in an SQLite database",
           MEMBERCHAT_STORE_THREAD_SAFE | MEMBERCHAT_STORE_LOCAL, &backend, keys)
