/* SPDX-License-Identifier: MIT
 *
 * sql_loop CONNECTIONS SECONDS SOCKET|HOST PORT ID...
 *
 * The least that a libmariadb program can do: CONNECTIONS threads with a connection each, on which
 * a statement is prepared once, ask for the ids in turn, for so long.  Prints: members found,
 * microseconds it took, microseconds of CPU, other answers.
 */
#include "clocks.h"

#include <mysql.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COLUMNS = 4, VALUE_MAX = 512 };

static const char query[] = "SELECT id, name, avatar, role FROM members WHERE id = ?";
static const char *place;
static unsigned port;
static char **ids;
static size_t id_count;
static atomic_long good, bad;
static atomic_bool over;

static void ask(MYSQL_STMT *statement, char *id)
{
    MYSQL_BIND parameter = {
        .buffer_type = MYSQL_TYPE_STRING, .buffer = id, .buffer_length = strlen(id)};
    bool found = !mysql_stmt_bind_param(statement, &parameter) && !mysql_stmt_execute(statement) &&
                 mysql_stmt_fetch(statement) == 0;
    mysql_stmt_free_result(statement);
    atomic_fetch_add(found ? &good : &bad, 1);
}

static void *ask_often(void *start)
{
    static _Thread_local char values[COLUMNS][VALUE_MAX];
    MYSQL_BIND results[COLUMNS] = {{0}};
    MYSQL *mysql = mysql_init(NULL);
    bool socket = *place == '/';
    if (!mysql || !mysql_real_connect(mysql, socket ? NULL : place, "chat", "secret", "site", port,
                                      socket ? place : NULL, 0)) {
        atomic_fetch_add(&bad, 1);
        return NULL;
    }
    MYSQL_STMT *statement = mysql_stmt_init(mysql);
    for (int i = 0; i < COLUMNS; i++)
        results[i] = (MYSQL_BIND){
            .buffer_type = MYSQL_TYPE_STRING, .buffer = values[i], .buffer_length = VALUE_MAX};
    if (!mysql_stmt_prepare(statement, query, sizeof query - 1) &&
        !mysql_stmt_bind_result(statement, results))
        for (size_t i = (size_t)start; !atomic_load(&over); i++)
            ask(statement, ids[i % id_count]);
    mysql_stmt_close(statement);
    mysql_close(mysql);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "usage: sql_loop CONNECTIONS SECONDS SOCKET|HOST PORT ID...\n");
        return 64;
    }
    size_t count = strtoul(argv[1], NULL, 10);
    const struct timespec length = {.tv_sec = atoi(argv[2])};
    pthread_t *threads = calloc(count, sizeof *threads);
    place = argv[3];
    port = (unsigned)atoi(argv[4]);
    ids = argv + 5;
    id_count = (size_t)argc - 5;
    mysql_library_init(0, NULL, NULL);
    long start = now_us(), cpu = cpu_us();
    for (size_t i = 0; threads && i < count; i++)
        pthread_create(&threads[i], NULL, ask_often, (void *)(i * id_count / count));
    nanosleep(&length, NULL);
    atomic_store(&over, true);
    for (size_t i = 0; threads && i < count; i++)
        pthread_join(threads[i], NULL);
    printf("%ld %ld %ld %ld\n", atomic_load(&good), now_us() - start, cpu_us() - cpu,
           atomic_load(&bad));
    free(threads);
    return 0;
}
