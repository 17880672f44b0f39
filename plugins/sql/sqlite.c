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
    int64_t deadline; /* of the statement under way */
};

/* What a store knows of its file. */
struct sqlite_file {
    struct file_stamp stamp; /* only device and inode count: others write into it */
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

static void *connect_file(struct sql_client *client, int64_t deadline, struct sql_fault *fault)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection) {
        sql_fault_set(fault, SQL_BUSY, "out of memory");
        return NULL;
    }
    connection->client = client;
    connection->deadline = deadline;
    int code = sqlite3_open_v2(
        client->settings->path, &connection->database,
        SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
    if (code == SQLITE_OK) {
        sqlite3_extended_result_codes(connection->database, 1);
        sqlite3_busy_timeout(connection->database, (int)clock_left_ms(deadline));
        sqlite3_progress_handler(connection->database, STEPS_BETWEEN_LOOKS, look_at_the_clock,
                                 connection);
        code = prepare(connection);
    }
    if (code == SQLITE_AUTH)
        sql_fault_set(fault, SQL_WRONG, "the query would write");
    else if (code != SQLITE_OK)
        explain(connection, code, fault);
    if (code == SQLITE_OK && read_shape(connection, fault))
        return connection;
    disconnect(client, connection);
    return NULL;
}

/* A file that was replaced is noticed once a second, see has_changed(). */
static bool is_good(void *client, const void *connection)
{
    (void)client;
    (void)connection;
    return true;
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

static enum sql_verdict ask(void *handle, const struct sql_question *question,
                            struct sql_answer *answer, int64_t deadline, struct sql_fault *fault)
{
    struct connection *connection = handle;
    struct span values[SQL_COLUMNS_MAX];
    connection->deadline = deadline;
    sqlite3_busy_timeout(connection->database, (int)clock_left_ms(deadline));
    int code = bind_parameters(connection, question);
    if (code == SQLITE_OK)
        code = sqlite3_step(connection->statement);
    for (bool more = true; more && code == SQLITE_ROW;) {
        take_values(connection->statement, &connection->shape, values);
        more = !lacks_memory(connection);
        if (!more)
            code = SQLITE_NOMEM;
        else if ((more = sql_answer_add(answer, &connection->shape, values)))
            code = sqlite3_step(connection->statement);
    }
    bool good = code == SQLITE_DONE || code == SQLITE_ROW;
    if (!good)
        explain(connection, code, fault);
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
    if (stat(path, &status) != 0 || faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0)
        reason_set(why, "%s cannot be read: %s", path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        reason_set(why, "%s is not a file", path);
    else
        return true;
    return false;
}

static bool open_file(struct sql_client *client, struct reason *why)
{
    struct sqlite_file *file = calloc(1, sizeof *file);
    if (!file) {
        reason_set(why, "out of memory");
        return false;
    }
    client->own = file;
    file_stamp_read(client->settings->path, &file->stamp);
    return true;
}

static void close_file(struct sql_client *client)
{
    free(client->own);
}

static bool has_changed(struct sql_client *client, bool asked)
{
    struct sqlite_file *file = client->own;
    struct file_stamp now;
    (void)asked;
    if (!file_stamp_read(client->settings->path, &now))
        return false; /* the open file goes on being served */
    bool changed = now.device != file->stamp.device || now.inode != file->stamp.inode;
    file->stamp = now;
    return changed;
}

static const struct memberchat_key keys[] = {
    {SQL_KEY(path, PATH, NULL, 0, 0, "the database file"), .flags = MEMBERCHAT_KEY_REQUIRED},
    SQL_KEYS,
    {SQL_KEY(timeout, DURATION, "2s", 1, 60000, "how long a query may take")},
};

static const struct sql_backend backend = {.dialect = QUERY_SQLITE,
                                           .shape_at = offsetof(struct connection, shape),
                                           .check = check,
                                           .open = open_file,
                                           .close = close_file,
                                           .connect = connect_file,
                                           .disconnect = disconnect,
                                           .is_good = is_good,
                                           .ask = ask,
                                           .has_changed = has_changed};

SQL_PLUGIN("sqlite", "members in an SQLite database",
           MEMBERCHAT_STORE_THREAD_SAFE | MEMBERCHAT_STORE_LOCAL, &backend, keys)
