/* SPDX-License-Identifier: MIT
 * Members in PostgreSQL, with libpq's non-blocking calls.  The only user of libpq. */
#include "pgsql_code.h"
#include "servers.h"

#include "base/clock.h"
#include "base/random.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_FILE        "/dev/null/none" /* or libpq looks for one of its own, and then verifies */
#define VERSION_14     140000
#define IDLE_MARGIN_MS 10000 /* that a server must keep an idle connection longer than we do */

struct connection {
    struct sql_link link;
    PGconn *postgres;
    struct sql_shape shape;
    char statement[24]; /* what the prepared query is called */
    Oid id_type;        /* what the server takes the id for */
    bool answered;      /* the query, before */
    bool of_text;       /* the last failure may be that of a text that has the wrong form */
};

/* ---- Faults ---- */

/* The first line of a message that libpq made. */
static int first_line(const char *text)
{
    return (int)strcspn(text, "\n");
}

/* What libpq says of a connection itself. */
static bool fail_connection(const struct connection *connection, struct sql_fault *fault)
{
    const char *text = PQerrorMessage(connection->postgres);
    return sql_fault_set(fault, sql_servers_tls_is_wrong(text) ? SQL_WRONG : SQL_LOST, "%.*s",
                         first_line(text), text);
}

static bool fail_signing_in(const struct connection *connection, struct sql_fault *fault)
{
    const char *state = pgsql_code_find(PQerrorMessage(connection->postgres));
    if (!state)
        return fail_connection(connection, fault);
    const char *words = state + PGSQL_CODE_LENGTH + 2;
    return sql_fault_set(fault, pgsql_code_signing_in(state, words), "%.*s (%.*s)",
                         first_line(words), words, PGSQL_CODE_LENGTH, state);
}

static bool fail_late(struct sql_fault *fault)
{
    return sql_fault_set(fault, SQL_LATE, "no answer in time");
}

/* The server's words, and where in the query. */
static bool fail_result(struct connection *connection, const PGresult *result,
                        struct sql_fault *fault)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *place = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    const char *sql = connection->link.client->query.sql.data;
    connection->of_text = state && pgsql_code_is_of_text(state);
    if (!state || !text)
        return fail_connection(connection, fault);
    /* counted in characters from 1 */
    for (long left = place ? strtol(place, NULL, 10) - 1 : 0; left > 0 && *sql; sql++)
        left -= ((unsigned char)sql[1] & 0xc0) != 0x80;
    enum sql_verdict verdict = pgsql_code_verdict(state);
    if (connection->answered && pgsql_code_is_outdated(state))
        verdict = SQL_LOST;
    return sql_fault_set(fault, verdict, "%s%s%.40s%s (%s)", text, place ? ", at \"" : "",
                         place ? sql : "", place ? "\"" : "", state);
}

/* ---- Waiting ---- */

/* Sends what is not sent yet, and waits for a result; NULL: there are no more, or a fault (then
 * its verdict is not SQL_GOOD). */
static PGresult *next_result(struct connection *connection, int64_t deadline,
                             struct sql_fault *fault)
{
    PGconn *postgres = connection->postgres;
    fault->verdict = SQL_GOOD;
    for (;;) {
        int unsent = PQflush(postgres);
        if (unsent < 0 || !PQconsumeInput(postgres)) {
            fail_connection(connection, fault);
            return NULL;
        }
        if (!unsent && !PQisBusy(postgres))
            return PQgetResult(postgres);
        if (!sql_servers_await(connection->link.fd, POLLIN | (unsent ? POLLOUT : 0), deadline)) {
            fail_late(fault);
            return NULL;
        }
    }
}

/* Waits for the end of a command that was sent.  *result_r: its last good result, or NULL. */
static bool finish(struct connection *connection, int sent, int64_t deadline, PGresult **result_r,
                   struct sql_fault *fault)
{
    PGresult *result;
    *result_r = NULL;
    if (!sent)
        return fail_connection(connection, fault);
    while ((result = next_result(connection, deadline, fault))) {
        ExecStatusType status = PQresultStatus(result);
        PQclear(*result_r);
        *result_r = result;
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            return fail_result(connection, result, fault);
    }
    return fault->verdict == SQL_GOOD;
}

/* ---- Connecting ---- */

static void disconnect(void *client, void *handle)
{
    struct connection *connection = handle;
    (void)client;
    PQfinish(connection->postgres);
    free(connection);
}

/* libpq would write what a database remarks to our stderr, as it stands. */
static void ignore_notice(void *context, const PGresult *notice)
{
    (void)context, (void)notice;
}

static bool sign_in(void *handle, const struct sql_target *target, int64_t deadline,
                    struct sql_fault *fault)
{
    struct connection *connection = handle;
    const struct sql_settings *settings = connection->link.client->settings;
    const char *tls = !target->encrypt ? "disable" : target->verify ? "verify-full" : "require";
    char port[8];
    const char *const names[] = {"host",
                                 "hostaddr",
                                 "port",
                                 "dbname",
                                 "user",
                                 "password",
                                 "sslmode",
                                 "sslrootcert",
                                 "gssencmode",
                                 "client_encoding",
                                 "application_name",
                                 "target_session_attrs",
                                 NULL};
    const char *const values[] = {target->host ? target->host : target->address,
                                  target->host ? target->address : "",
                                  port,
                                  settings->database,
                                  settings->user,
                                  target->password,
                                  tls,
                                  target->verify && target->ca_file ? target->ca_file : NO_FILE,
                                  "disable",
                                  "UTF8",
                                  "memberchat",
                                  "any",
                                  NULL};
    snprintf(port, sizeof port, "%u", target->port % 65536);
    connection->postgres = PQconnectStartParams(names, values, 0);
    if (!connection->postgres)
        return sql_fault_set(fault, SQL_BUSY, "out of memory");
    PQsetErrorVerbosity(connection->postgres, PQERRORS_VERBOSE);
    PQsetNoticeReceiver(connection->postgres, ignore_notice, NULL);
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    while (status != PGRES_POLLING_OK) {
        connection->link.fd = PQsocket(connection->postgres);
        if (status == PGRES_POLLING_FAILED || PQstatus(connection->postgres) == CONNECTION_BAD)
            return fail_signing_in(connection, fault);
        if (!sql_servers_await(connection->link.fd,
                               status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline))
            return fail_late(fault);
        status = PQconnectPoll(connection->postgres);
    }
    connection->link.fd = PQsocket(connection->postgres);
    return PQsetnonblocking(connection->postgres, 1) == 0 || fail_connection(connection, fault);
}

/* Sessions read only; the server ends a query whose time is over or whose client has gone, and
 * keeps a connection as long as we do.  It says the session's number: that of the library is the
 * pooler's, if there is one. */
static bool make_harmless(struct connection *connection, int64_t deadline, struct sql_fault *fault)
{
    static const char since_14[] = /* only on Linux can it see that a client has gone */
        "SELECT pg_catalog.set_config('client_connection_check_interval', '250', false) "
        "WHERE pg_catalog.version() LIKE '%linux%'; SET idle_session_timeout = ";
    const struct sql_settings *settings = connection->link.client->settings;
    bool since = PQserverVersion(connection->postgres) >= VERSION_14;
    PGresult *result;
    char text[384];
    snprintf(text, sizeof text,
             "SET default_transaction_read_only = on; SET statement_timeout = %lld; %s%lld; "
             "SELECT pg_catalog.pg_backend_pid()",
             (long long)settings->timeout, since ? since_14 : "SELECT ",
             (long long)settings->idle_timeout + IDLE_MARGIN_MS);
    int sent = PQsendQuery(connection->postgres, text);
    bool good = finish(connection, sent, deadline, &result, fault);
    const char *session = good ? PQgetvalue(result, 0, 0) : NULL; /* NULL: it said something else */
    connection->link.session = session ? strtoull(session, NULL, 10) : 0;
    PQclear(result);
    return good;
}

static bool read_columns(struct connection *connection, const PGresult *described,
                         struct sql_fault *fault)
{
    int count = PQnfields(described);
    bool good = true;
    fault->verdict = SQL_WRONG;
    for (int i = 0; good && i < count; i++)
        good = sql_shape_add(&connection->shape, span_of(PQfname(described, i)),
                             &connection->link.client->services->wanted, &fault->why);
    return good && sql_shape_is_good(&connection->shape, &fault->why);
}

static bool prepare(void *handle, int64_t deadline, struct sql_fault *fault)
{
    struct connection *connection = handle;
    const struct query *query = &connection->link.client->query;
    PGresult *result;
    uint64_t number;
    if (!make_harmless(connection, deadline, fault))
        return false;
    if (!random_seed(&number, sizeof number))
        return sql_fault_set(fault, SQL_BUSY, "there are no random numbers");
    /* behind a pooler, another connection's query of the same name might be run instead */
    snprintf(connection->statement, sizeof connection->statement, "member%016" PRIx64, number);
    int sent = PQsendPrepare(connection->postgres, connection->statement, query->sql.data, 0, NULL);
    bool good = finish(connection, sent, deadline, &result, fault);
    PQclear(result);
    if (!good)
        return false;
    sent = PQsendDescribePrepared(connection->postgres, connection->statement);
    good = finish(connection, sent, deadline, &result, fault) &&
           read_columns(connection, result, fault);
    if (good && PQnparams(result) != 1 + query->per_app)
        good = sql_fault_set(fault, SQL_WRONG, "the server sees other parameters in the query");
    connection->id_type = PQparamtype(result, 0);
    PQclear(result);
    return good;
}

static void end_session(void *connection, uint64_t session, int64_t deadline)
{
    struct connection *ending = connection;
    struct sql_fault fault;
    PGresult *result;
    char text[64];
    snprintf(text, sizeof text, "SELECT pg_catalog.pg_terminate_backend(%llu)",
             (unsigned long long)session);
    finish(ending, PQsendQuery(ending->postgres, text), deadline, &result, &fault);
    PQclear(result);
}

static const struct sql_protocol protocol = {.size = sizeof(struct connection),
                                             .sign_in = sign_in,
                                             .prepare = prepare,
                                             .end_session = end_session,
                                             .disconnect = disconnect};

/* ---- Asking ---- */

/* Gives the row of a result to `answer`; false: no more are needed. */
static bool take_row(const struct connection *connection, const PGresult *result,
                     struct sql_answer *answer)
{
    struct span values[SQL_COLUMNS_MAX];
    for (int i = 0; i < (int)connection->shape.count; i++) {
        size_t length = (size_t)PQgetlength(result, 0, i);
        bool none = PQgetisnull(result, 0, i);
        values[i] = (struct span){none ? NULL : PQgetvalue(result, 0, i),
                                  length < SQL_VALUE_MAX ? length : SQL_VALUE_MAX};
    }
    return sql_answer_add(answer, &connection->shape, values);
}

static bool send_question(struct connection *connection, const struct sql_question *question,
                          const char *id)
{
    char app[256];
    const char *const values[] = {id, app};
    if (question->app_id.length >= sizeof app)
        return false;
    snprintf(app, sizeof app, "%.*s", (int)question->app_id.length,
             question->app_id.data ? question->app_id.data : "");
    return PQsendQueryPrepared(connection->postgres, connection->statement,
                               1 + connection->link.client->query.per_app, values, NULL, NULL, 0) &&
           PQsetSingleRowMode(connection->postgres);
}

/* Reads what follows a failure.  False: the connection cannot be used again. */
static bool end_command(struct connection *connection, int64_t deadline)
{
    struct sql_fault fault;
    PGresult *result;
    while ((result = next_result(connection, deadline, &fault)))
        PQclear(result);
    return fault.verdict == SQL_GOOD;
}

/* Whether the server cannot read the id as what the query takes it for: then it is in no column,
 * and no other text is at fault.  When the server does not say, that is the fault. */
static bool is_unreadable(struct connection *connection, const char *id, int64_t deadline,
                          struct sql_fault *fault)
{
    struct sql_fault own = {.verdict = SQL_GOOD};
    PGresult *result;
    int sent = PQsendQueryParams(connection->postgres, "SELECT $1", 1, &connection->id_type, &id,
                                 NULL, NULL, 0);
    bool readable = finish(connection, sent, deadline, &result, &own);
    PQclear(result);
    if (readable)
        return false;
    if (own.verdict != SQL_LATE && !end_command(connection, deadline))
        own.verdict = SQL_LOST;
    if (own.verdict == SQL_WRONG)
        return connection->of_text;
    *fault = own;
    return false;
}

/* After a failure that is in `fault`. */
static enum sql_verdict end_question(struct connection *connection, const char *id,
                                     int64_t deadline, struct sql_fault *fault)
{
    bool of_text = connection->of_text;
    if (!end_command(connection, deadline))
        return SQL_LOST;
    if (of_text && is_unreadable(connection, id, deadline, fault))
        sql_fault_set(fault, SQL_ABSENT, "the column cannot hold such an id");
    return fault->verdict;
}

static enum sql_verdict ask(void *handle, const struct sql_question *question,
                            struct sql_answer *answer, int64_t deadline, struct sql_fault *fault)
{
    struct connection *connection = handle;
    PGresult *result;
    char id[MEMBERCHAT_ID_MAX + 1];
    snprintf(id, sizeof id, "%.*s", (int)question->id.length, question->id.data);
    if (!send_question(connection, question, id)) {
        fail_connection(connection, fault);
        return fault->verdict;
    }
    bool good = true;
    while ((result = next_result(connection, deadline, fault))) {
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_SINGLE_TUPLE)
            answer->unread = !take_row(connection, result, answer);
        else if (status != PGRES_TUPLES_OK)
            good = fail_result(connection, result, fault);
        PQclear(result);
        if (answer->unread)
            return SQL_GOOD;
        if (!good)
            return end_question(connection, id, deadline, fault);
    }
    connection->answered |= fault->verdict == SQL_GOOD;
    return fault->verdict;
}

/* ---- The plugin ---- */

static bool open_servers(struct sql_client *client, struct reason *why)
{
    return sql_servers_open(client, why, 5432, &protocol);
}

static const struct memberchat_key keys[] = {SQL_KEYS, SQL_SERVER_KEYS};

static const struct sql_backend backend = {.dialect = QUERY_PGSQL,
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

SQL_PLUGIN("pgsql", "members in PostgreSQL", MEMBERCHAT_STORE_THREAD_SAFE, &backend, keys)
