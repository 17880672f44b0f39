/* SPDX-License-Identifier: MIT
 *
 * sql_fcgi SOCKET FILE CONNECTIONS SERVER ID...: a FastCGI responder that asks MariaDB, at the unix
 * socket SERVER, for one of the ids, and then answers with the bytes of FILE.  It is one loop over
 * events with so many questions on the way, and does nothing else.  With no connections it does
 * not ask: what a look-up costs beside a web server is the difference.
 */
#include <mysql.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { COLUMNS = 4, VALUE_MAX = 512, WAITING_MAX = 1024, ANSWER_MAX = 8000, EVENTS = 64 };

enum step { IDLE, EXECUTING, FETCHING };

struct connection {
    MYSQL *mysql;
    MYSQL_STMT *statement;
    enum step step;
    int error, client;
    char values[COLUMNS][VALUE_MAX];
};

static const char query[] = "SELECT id, name, avatar, role FROM members WHERE id = ?";
static char **ids;
static int id_count, connection_count;
static struct connection *connections;
static int waiting[WAITING_MAX]; /* clients for whom no connection is free */
static size_t waiting_count;
static unsigned char answer[ANSWER_MAX + 32];
static size_t answer_length;

static void respond(int client)
{
    send(client, answer, answer_length, MSG_NOSIGNAL);
    close(client);
}

/* Goes on with a question as far as it can; true: it is answered. */
static bool advance(struct connection *connection, bool readable)
{
    int status = readable ? MYSQL_WAIT_READ : 0;
    if (connection->step == EXECUTING) {
        status = status ? mysql_stmt_execute_cont(&connection->error, connection->statement, status)
                        : mysql_stmt_execute_start(&connection->error, connection->statement);
        if (status)
            return false;
        connection->step = FETCHING;
    }
    status = status ? mysql_stmt_fetch_cont(&connection->error, connection->statement, status)
                    : mysql_stmt_fetch_start(&connection->error, connection->statement);
    if (status)
        return false;
    if (connection->error) {
        fputs("sql_fcgi: a look-up failed\n", stderr);
        exit(1);
    }
    mysql_stmt_free_result(connection->statement);
    connection->step = IDLE;
    return true;
}

static void ask(struct connection *connection, int client)
{
    static int turn;
    char *id = ids[turn++ % id_count];
    MYSQL_BIND parameter = {
        .buffer_type = MYSQL_TYPE_STRING, .buffer = id, .buffer_length = strlen(id)};
    mysql_stmt_bind_param(connection->statement, &parameter);
    connection->client = client;
    connection->step = EXECUTING;
}

static void go_on(struct connection *connection, bool readable)
{
    while (advance(connection, readable)) {
        respond(connection->client);
        if (waiting_count == 0)
            return;
        ask(connection, waiting[--waiting_count]);
        readable = false;
    }
}

static struct connection *find_idle(void)
{
    for (int i = 0; i < connection_count; i++)
        if (connections[i].step == IDLE)
            return &connections[i];
    return NULL;
}

/* A request of the web server fits in what one recv() takes. */
static void serve(int client)
{
    char request[16384];
    if (recv(client, request, sizeof request, 0) <= 0)
        close(client);
    else if (connection_count == 0)
        respond(client);
    else {
        struct connection *idle = find_idle();
        if (idle) {
            ask(idle, client);
            go_on(idle, false);
        } else if (waiting_count < WAITING_MAX)
            waiting[waiting_count++] = client;
        else
            close(client);
    }
}

static _Noreturn void run(int listener, int epoll)
{
    struct epoll_event events[EVENTS];
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1), client;
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection && connection->step != IDLE)
                go_on(connection, true);
            while (!connection && (client = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
                serve(client);
        }
    }
}

/* ---- Beginning ---- */

static void watch(int epoll, int fd, struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = connection};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        perror("sql_fcgi");
        exit(1);
    }
}

static void connect_to(struct connection *connection, const char *server)
{
    MYSQL_BIND results[COLUMNS] = {{0}};
    connection->mysql = mysql_init(NULL);
    mysql_options(connection->mysql, MYSQL_OPT_NONBLOCK, 0);
    if (!mysql_real_connect(connection->mysql, NULL, "chat", "secret", "site", 0, server, 0)) {
        fprintf(stderr, "sql_fcgi: %s\n", mysql_error(connection->mysql));
        exit(1);
    }
    for (int i = 0; i < COLUMNS; i++)
        results[i] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING,
                                  .buffer = connection->values[i],
                                  .buffer_length = VALUE_MAX};
    connection->statement = mysql_stmt_init(connection->mysql);
    if (mysql_stmt_prepare(connection->statement, query, sizeof query - 1) ||
        mysql_stmt_bind_result(connection->statement, results)) {
        fprintf(stderr, "sql_fcgi: %s\n", mysql_stmt_error(connection->statement));
        exit(1);
    }
}

/* Makes two records of FastCGI of the file, its bytes as standard output and the end (FastCGI 1.0,
 * sections 3.3 and 5.5). */
static bool read_answer(const char *path)
{
    static const unsigned char end[16] = {1, 3, 0, 1, 0, 8};
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    size_t length = fread(answer + 8, 1, ANSWER_MAX, file);
    const unsigned char head[8] = {1, 6, 0, 1, (unsigned char)(length >> 8), (unsigned char)length};
    fclose(file);
    memcpy(answer, head, sizeof head);
    memcpy(answer + 8 + length, end, sizeof end);
    answer_length = 8 + length + sizeof end;
    return length > 0;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                   listen(fd, 511) == 0
               ? fd
               : -1;
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fputs("usage: sql_fcgi SOCKET FILE CONNECTIONS SERVER ID...\n", stderr);
        return 64;
    }
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    connection_count = atoi(argv[3]);
    connections = calloc((size_t)connection_count + 1, sizeof *connections);
    ids = argv + 5;
    id_count = argc - 5;
    if (!read_answer(argv[2]) || !connections) {
        perror(argv[2]);
        return 1;
    }
    mysql_library_init(0, NULL, NULL);
    for (int i = 0; i < connection_count; i++) {
        connect_to(&connections[i], argv[4]);
        watch(epoll, mysql_get_socket(connections[i].mysql), &connections[i]);
    }
    int listener = listen_at(argv[1]);
    if (listener < 0) {
        perror(argv[1]);
        return 1;
    }
    watch(epoll, listener, NULL);
    run(listener, epoll);
}
