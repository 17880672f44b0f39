/* SPDX-License-Identifier: MIT
 *
 * sql_fcgi loop|threads SOCKET FILE COUNT [SERVER ID...]: a FastCGI responder that asks MariaDB, at
 * the unix socket SERVER, for one of the ids, then answers with the bytes of FILE, and does nothing
 * else.  It is one loop over events with COUNT questions on the way, or COUNT threads that do one
 * thing after another.  Without SERVER it does not ask: what a look-up costs beside a web server
 * is the difference.
 */
#include <mysql.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { COLUMNS = 4, VALUE_MAX = 512, WAITING_MAX = 1024, ANSWER_MAX = 8000, EVENTS = 64 };
enum { REQUEST_MAX = 16384 }; /* what one recv() takes */

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
static int id_count, count, listener;
static bool threads, asks;
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

static _Noreturn void fail(void)
{
    fputs("sql_fcgi: a look-up failed\n", stderr);
    exit(1);
}

static void bind_id(struct connection *connection, char *id)
{
    MYSQL_BIND parameter = {
        .buffer_type = MYSQL_TYPE_STRING, .buffer = id, .buffer_length = strlen(id)};
    mysql_stmt_bind_param(connection->statement, &parameter);
}

/* ---- The loop ---- */

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
    if (connection->error)
        fail();
    mysql_stmt_free_result(connection->statement);
    connection->step = IDLE;
    return true;
}

static void ask(struct connection *connection, int client)
{
    static int turn;
    bind_id(connection, ids[turn++ % id_count]);
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
    for (int i = 0; i < count; i++)
        if (connections[i].step == IDLE)
            return &connections[i];
    return NULL;
}

static void serve(int client)
{
    char request[REQUEST_MAX];
    if (recv(client, request, sizeof request, 0) <= 0)
        close(client);
    else if (!asks)
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

static void watch(int epoll, int fd, struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = connection};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        perror("sql_fcgi");
        exit(1);
    }
}

static _Noreturn void run_loop(void)
{
    struct epoll_event events[EVENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; asks && i < count; i++)
        watch(epoll, mysql_get_socket(connections[i].mysql), &connections[i]);
    watch(epoll, listener, NULL);
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1), client;
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection && connection->step != IDLE)
                go_on(connection, true);
            while (!connection && (client = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
                serve(client);
        }
    }
}

/* ---- The threads ---- */

static void *run_thread(void *own)
{
    struct connection *connection = own;
    char request[REQUEST_MAX];
    for (size_t turn = (size_t)(connection - connections) * 100;; turn++) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (recv(client, request, sizeof request, 0) <= 0) {
            close(client);
            continue;
        }
        if (asks) {
            bind_id(connection, ids[turn % (size_t)id_count]);
            if (mysql_stmt_execute(connection->statement) ||
                mysql_stmt_fetch(connection->statement))
                fail();
            mysql_stmt_free_result(connection->statement);
        }
        respond(client);
    }
}

static void run_threads(void)
{
    pthread_t thread;
    for (int i = 1; i < count; i++)
        pthread_create(&thread, NULL, run_thread, &connections[i]);
    run_thread(&connections[0]);
}

/* ---- Beginning ---- */

static void connect_to(struct connection *connection, const char *server)
{
    MYSQL_BIND results[COLUMNS] = {{0}};
    connection->mysql = mysql_init(NULL);
    if (!threads)
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
    int fd = socket(AF_UNIX, SOCK_STREAM | (threads ? 0 : SOCK_NONBLOCK) | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                   listen(fd, 511) == 0
               ? fd
               : -1;
}

int main(int argc, char **argv)
{
    if (argc < 5 || argc == 6) {
        fputs("usage: sql_fcgi loop|threads SOCKET FILE COUNT [SERVER ID...]\n", stderr);
        return 64;
    }
    threads = strcmp(argv[1], "threads") == 0;
    count = atoi(argv[4]);
    asks = argc > 6;
    connections = calloc((size_t)count, sizeof *connections);
    ids = argv + 6;
    id_count = argc - 6;
    if (count < 1 || !connections || !read_answer(argv[3])) {
        perror(argv[3]);
        return 1;
    }
    mysql_library_init(0, NULL, NULL);
    for (int i = 0; asks && i < count; i++)
        connect_to(&connections[i], argv[5]);
    listener = listen_at(argv[2]);
    if (listener < 0) {
        perror(argv[2]);
        return 1;
    }
    if (threads)
        run_threads();
    else
        run_loop();
}
