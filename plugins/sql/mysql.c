/* SPDX-License-Identifier: MIT
 * Members in MariaDB or MySQL, with libmariadb's non-blocking calls: each is started, and
 * continued when the socket is ready. */
#include "mysql_code.h"
#include "mysql_tls.h"
#include "servers.h"

#include "base/clock.h"

#include <mysql.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define IDLE_MARGIN 10 /* seconds that a server must keep an idle connection longer than we do */

struct connection {
    struct sql_link link;
    MYSQL *mysql;
    MYSQL_STMT *statement;
    struct sql_shape shape;
    MYSQL_BIND results[SQL_COLUMNS_MAX];
    unsigned long lengths[SQL_COLUMNS_MAX];
    my_bool nulls[SQL_COLUMNS_MAX];
    bool bits[SQL_COLUMNS_MAX]; /* BIT(1), which comes as a byte */
    char *values;               /* SQL_VALUE_MAX bytes for each column that is used */
    bool late;                  /* the deadline passed during a call */
    bool broken;                /* a call failed, and may have left an answer half read */
};

/* ---- Waiting ---- */

/* What libmariadb is to continue with after its `status`. */
static int await(struct connection *connection, int status, int64_t deadline)
{
    int events = (status & MYSQL_WAIT_READ ? POLLIN : 0) |
                 (status & MYSQL_WAIT_WRITE ? POLLOUT : 0) |
                 (status & MYSQL_WAIT_EXCEPT ? POLLPRI : 0);
    int ready = sql_servers_await((int)mysql_get_socket(connection->mysql), events, deadline);
    if (!ready) {
        connection->late = true;
        /* over TLS, libmariadb ignores what we return, and would never stop reading */
        shutdown((int)mysql_get_socket(connection->mysql), SHUT_RDWR);
        return MYSQL_WAIT_TIMEOUT; /* makes the call end with a failure */
    }
    return (ready & (POLLIN | POLLHUP | POLLERR) ? status & MYSQL_WAIT_READ : 0) |
           (ready & (POLLOUT | POLLHUP | POLLERR) ? status & MYSQL_WAIT_WRITE : 0) |
           (ready & POLLPRI ? status & MYSQL_WAIT_EXCEPT : 0);
}

/* Makes a call by the deadline; CONTINUE uses `status`. */
#define CALL(CONNECTION, DEADLINE, START, CONTINUE)                                                \
    for (int status = (START); status;) {                                                          \
        status = await(CONNECTION, status, DEADLINE);                                              \
        status = (CONTINUE);                                                                       \
    }

/* ---- Faults ---- */

static void explain(struct connection *connection, unsigned code, const char *text,
                    struct sql_fault *fault)
{
    connection->broken = true;
    if (connection->late)
        sql_fault_set(fault, SQL_LATE, "no answer in time");
    else if (mysql_code_is_of_tls(code))
        sql_fault_set(fault, sql_servers_tls_is_wrong(text) ? SQL_WRONG : SQL_LOST, "TLS: %s (%u)",
                      text, code);
    else
        sql_fault_set(fault, mysql_code_verdict(code), "%s (%u)", text, code);
}

static bool fail(struct connection *connection, struct sql_fault *fault)
{
    explain(connection, mysql_errno(connection->mysql), mysql_error(connection->mysql), fault);
    return false;
}

static bool fail_statement(struct connection *connection, struct sql_fault *fault)
{
    unsigned code = mysql_stmt_errno(connection->statement);
    if (!code) /* libmariadb reports some faults of a fetch on the connection */
        return fail(connection, fault);
    explain(connection, code, mysql_stmt_error(connection->statement), fault);
    return false;
}

/* ---- Connecting ---- */

static void disconnect(void *client, void *handle)
{
    struct connection *connection = handle;
    (void)client;
    /* libmariadb waits, without a limit, for the rest of an answer, unless it has closed it */
    if (connection->broken && connection->mysql->net.pvio)
        shutdown((int)mysql_get_socket(connection->mysql), SHUT_RDWR);
    if (connection->statement)
        mysql_stmt_close(connection->statement);
    if (connection->mysql)
        mysql_close(connection->mysql);
    free(connection->values);
    free(connection);
}

/* Whether the text of an option was kept: without memory, libmariadb drops it and says nothing. */
static bool has_text(MYSQL *mysql, enum mysql_option option, const char *text)
{
    const char *kept = NULL;
    return mysql_options(mysql, option, text) == 0 &&
           mysql_get_option(mysql, option, (void *)&kept) == 0 && kept && strcmp(kept, text) == 0;
}

/* False: memory is short.  MYSQL_OPT_NONBLOCK comes first: it checks whether it gets the memory
 * that the other options only use. */
static bool set_options(MYSQL *mysql, const struct sql_target *target)
{
    /* said in any case: libmariadb 3.4 may have been built to begin with both */
    const my_bool encrypt = target->encrypt, verify = encrypt && target->verify;
    const unsigned off = 0, protocol = target->host ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
    if (mysql_options(mysql, MYSQL_OPT_NONBLOCK, 0) != 0)
        return false;
    mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &off);
    mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
    mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &encrypt);
    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    if (!has_text(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4"))
        return false;
    if (target->host && !target->encrypt && !mysql_tls_restrict(mysql, MYSQL_TLS_HASHES))
        return false;
    return !verify || !target->ca_file || has_text(mysql, MYSQL_OPT_SSL_CA, target->ca_file);
}

/* False: with a fault; `done`: libmariadb has signed in. */
static bool check_tls(struct connection *connection, bool done, struct sql_fault *fault)
{
    enum mysql_tls state = mysql_tls_end(connection->mysql);
    connection->late |= state == MYSQL_TLS_LATE;
    if (state == MYSQL_TLS_NONE || (done && state != MYSQL_TLS_GOOD))
        return sql_fault_set(fault, SQL_WRONG, "the server does not support TLS");
    return done || fail(connection, fault);
}

static bool sign_in(void *handle, const struct sql_target *target, int64_t deadline,
                    struct sql_fault *fault)
{
    struct connection *connection = handle;
    const struct sql_settings *settings = connection->link.client->settings;
    MYSQL *mysql = connection->mysql = mysql_init(NULL), *done = NULL;
    if (!mysql || !set_options(mysql, target) ||
        (target->encrypt && !mysql_tls_begin(mysql, target, deadline)))
        return sql_fault_set(fault, SQL_BUSY, "out of memory");
    CALL(connection, deadline,
         mysql_real_connect_start(&done, mysql, target->host ? target->address : NULL,
                                  settings->user, target->password, settings->database,
                                  target->port, target->host ? NULL : target->address, 0),
         mysql_real_connect_cont(&done, mysql, status));
    if (target->encrypt ? !check_tls(connection, done, fault) : !done && !fail(connection, fault))
        return false;
    connection->link.fd = (int)mysql_get_socket(mysql);
    connection->link.session = mysql_thread_id(mysql);
    return true;
}

static bool run(struct connection *connection, const char *text, int64_t deadline,
                struct sql_fault *fault)
{
    int error = 0;
    CALL(connection, deadline,
         mysql_real_query_start(&error, connection->mysql, text, strlen(text)),
         mysql_real_query_cont(&error, connection->mysql, status));
    return !error || fail(connection, fault);
}

/* It only reads, and sees what is there now; the server ends late queries and no idle session. */
static bool make_harmless(struct connection *connection, int64_t deadline, struct sql_fault *fault)
{
    const struct sql_settings *settings = connection->link.client->settings;
    bool mariadb = mariadb_connection(connection->mysql);
    int64_t ms = settings->timeout;
    char text[128];
    snprintf(text, sizeof text,
             mariadb ? "SET SESSION autocommit = 1, wait_timeout = %lld, "
                       "max_statement_time = %lld.%03lld"
                     : "SET SESSION autocommit = 1, wait_timeout = %lld, "
                       "max_execution_time = %lld",
             (long long)settings->idle_timeout / 1000 + IDLE_MARGIN,
             (long long)(mariadb ? ms / 1000 : ms), (long long)(ms % 1000));
    return run(connection, "SET SESSION TRANSACTION READ ONLY", deadline, fault) &&
           run(connection, text, deadline, fault);
}

/* What columns mean.  False: with a fault. */
static bool read_shape(const struct connection *connection, const MYSQL_FIELD *fields,
                       unsigned count, struct sql_shape *shape_r, struct sql_fault *fault)
{
    const struct memberchat_list *wanted = &connection->link.client->services->wanted;
    bool good = true;
    fault->verdict = SQL_WRONG;
    shape_r->count = 0;
    for (unsigned i = 0; good && i < count; i++)
        good = sql_shape_add(shape_r, (struct span){fields[i].name, fields[i].name_length}, wanted,
                             &fault->why);
    return good && sql_shape_is_good(shape_r, &fault->why);
}

/* Makes a place for the value of each column that is used. */
static bool make_room(struct connection *connection, struct sql_fault *fault)
{
    connection->values = malloc(connection->shape.count * SQL_VALUE_MAX);
    if (!connection->values)
        return sql_fault_set(fault, SQL_BUSY, "out of memory");
    for (size_t i = 0; i < connection->shape.count; i++)
        connection->results[i] = (MYSQL_BIND){
            .buffer_type = MYSQL_TYPE_STRING,
            .buffer = connection->values + i * SQL_VALUE_MAX,
            .buffer_length = connection->shape.columns[i] != SQL_UNUSED ? SQL_VALUE_MAX : 1,
            .length = &connection->lengths[i],
            .is_null = &connection->nulls[i]};
    return true;
}

static bool prepare(void *handle, int64_t deadline, struct sql_fault *fault)
{
    struct connection *connection = handle;
    const struct query *query = &connection->link.client->query;
    int error = 0;
    if (!make_harmless(connection, deadline, fault))
        return false;
    connection->statement = mysql_stmt_init(connection->mysql);
    if (!connection->statement)
        return sql_fault_set(fault, SQL_BUSY, "out of memory");
    CALL(
        connection, deadline,
        mysql_stmt_prepare_start(&error, connection->statement, query->sql.data, query->sql.length),
        mysql_stmt_prepare_cont(&error, connection->statement, status));
    if (error)
        return fail_statement(connection, fault);
    if (mysql_stmt_param_count(connection->statement) != query->count)
        return sql_fault_set(fault, SQL_WRONG, "the server sees other parameters in the query");
    MYSQL_RES *columns = mysql_stmt_result_metadata(connection->statement);
    if (!columns)
        return sql_fault_set(fault, SQL_WRONG, "the query gives no rows");
    bool good = read_shape(connection, mysql_fetch_fields(columns), mysql_num_fields(columns),
                           &connection->shape, fault);
    mysql_free_result(columns);
    return good && make_room(connection, fault);
}

static void end_session(void *connection, uint64_t session, int64_t deadline)
{
    struct sql_fault fault;
    char text[64];
    snprintf(text, sizeof text, "KILL %llu", (unsigned long long)session);
    run(connection, text, deadline, &fault);
}

static const struct sql_protocol protocol = {.size = sizeof(struct connection),
                                             .sign_in = sign_in,
                                             .prepare = prepare,
                                             .end_session = end_session,
                                             .disconnect = disconnect};

/* ---- Asking ---- */

static bool bind_parameters(struct connection *connection, const struct sql_question *question,
                            struct sql_fault *fault)
{
    const struct query *query = &connection->link.client->query;
    bool integer = connection->link.client->settings->id_type == SQL_INTEGER;
    MYSQL_BIND parameters[QUERY_PARAMETERS_MAX] = {{0}};
    for (size_t i = 0; i < query->count; i++) {
        bool id = query->parameters[i] == QUERY_ID;
        struct span text = id ? question->id : question->app_id;
        parameters[i].buffer_type = id && integer ? MYSQL_TYPE_LONGLONG : MYSQL_TYPE_STRING;
        /* libmariadb does not write there */
        parameters[i].buffer =
            id && integer ? (void *)(uintptr_t)&question->number : (void *)(uintptr_t)text.data;
        parameters[i].buffer_length = text.length;
    }
    return mysql_stmt_bind_param(connection->statement, parameters) == 0 ||
           sql_fault_set(fault, SQL_LOST, "out of memory");
}

static void take_values(const struct connection *connection, struct span values[SQL_COLUMNS_MAX])
{
    for (size_t i = 0; i < connection->shape.count; i++) {
        bool none = connection->nulls[i] || connection->shape.columns[i] == SQL_UNUSED;
        const char *value = none ? NULL : connection->values + i * SQL_VALUE_MAX;
        size_t length = none ? 0 : connection->lengths[i];
        values[i] = (struct span){value, length < SQL_VALUE_MAX ? length : SQL_VALUE_MAX};
        if (value && connection->bits[i])
            values[i] = span_of(*value ? "1" : "0");
    }
}

/* Whether the columns of an answer are those that were prepared.  When a table or a view changes,
 * the server prepares the query again by itself; libmariadb then compares only their number. */
static bool is_as_prepared(struct connection *connection, struct sql_fault *fault)
{
    const MYSQL_FIELD *fields = connection->mysql->fields;
    struct sql_shape shape;
    if (!read_shape(connection, fields, connection->mysql->field_count, &shape, fault) ||
        !sql_shape_equal(&shape, &connection->shape)) {
        connection->broken = true;
        return sql_fault_set(fault, SQL_LOST, "the columns of the query have changed");
    }
    for (size_t i = 0; i < shape.count; i++)
        connection->bits[i] = fields[i].type == MYSQL_TYPE_BIT && fields[i].length == 1;
    return true;
}

/* Gives all rows to `answer`.  When a server announces more results, which there cannot be,
 * libmariadb forgets what was bound, and waits for them when it closes. */
static bool fetch(struct connection *connection, struct sql_answer *answer, int64_t deadline,
                  struct sql_fault *fault)
{
    MYSQL_STMT *statement = connection->statement;
    struct span values[SQL_COLUMNS_MAX];
    int result = 0;
    my_bool error = 0;
    if (mysql_stmt_bind_result(statement, connection->results) != 0)
        return fail_statement(connection, fault);
    for (bool more = true; more;) {
        memset(connection->lengths, 0, sizeof connection->lengths); /* of the row before */
        CALL(connection, deadline, mysql_stmt_fetch_start(&result, statement),
             mysql_stmt_fetch_cont(&result, statement, status));
        if (result == 1)
            return fail_statement(connection, fault);
        more = result != MYSQL_NO_DATA;
        if (more) {
            take_values(connection, values);
            more = sql_answer_add(answer, &connection->shape, values);
        }
    }
    CALL(connection, deadline, mysql_stmt_free_result_start(&error, statement),
         mysql_stmt_free_result_cont(&error, statement, status));
    answer->unread = mysql_more_results(connection->mysql);
    connection->broken |= answer->unread;
    return !error || fail_statement(connection, fault);
}

static enum sql_verdict ask(void *handle, const struct sql_question *question,
                            struct sql_answer *answer, int64_t deadline, struct sql_fault *fault)
{
    struct connection *connection = handle;
    int error = 0;
    if (!bind_parameters(connection, question, fault))
        return SQL_LOST;
    CALL(connection, deadline, mysql_stmt_execute_start(&error, connection->statement),
         mysql_stmt_execute_cont(&error, connection->statement, status));
    if (error && mysql_code_is_of_text(mysql_stmt_errno(connection->statement), question->id))
        sql_fault_set(fault, SQL_ABSENT, "the column cannot hold such an id");
    else if (error)
        fail_statement(connection, fault);
    else if (is_as_prepared(connection, fault) && fetch(connection, answer, deadline, fault))
        return SQL_GOOD;
    return fault->verdict;
}

/* ---- The plugin ---- */

/* Once a process; a failure is not tried again. */
static bool has_begun;

static void begin_library(void)
{
    has_begun = mysql_library_init(0, NULL, NULL) == 0 && mysql_tls_register();
}

static bool open_servers(struct sql_client *client, struct reason *why)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (!has_begun && sql_servers_have_memory())
        pthread_once(&once, begin_library);
    if (has_begun)
        return sql_servers_open(client, why, 3306, &protocol);
    reason_set(why, "libmariadb cannot begin: out of memory");
    return false;
}

static const struct memberchat_key keys[] = {SQL_KEYS, SQL_SERVER_KEYS};

static const struct sql_backend backend = {.dialect = QUERY_MYSQL,
                                           .shape_at = offsetof(struct connection, shape),
                                           .check = sql_servers_check,
                                           .open = open_servers,
                                           .close = sql_servers_close,
                                           .connect = sql_servers_connect,
                                           .disconnect = disconnect,
                                           .is_good = sql_servers_is_good,
                                           .ask = ask,
                                           .cancel = sql_servers_cancel,
                                           .note = sql_servers_note,
                                           .forgive = sql_servers_forgive};

SQL_PLUGIN("mysql", "members in MariaDB or MySQL", MEMBERCHAT_STORE_THREAD_SAFE, &backend, keys)
