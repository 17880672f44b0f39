/* SPDX-License-Identifier: MIT
 * MariaDB and PostgreSQL of our own. */
#include "sql_servers.h"

#include "base/clock.h"
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void sql_server_stop(struct sql_server *server)
{
    char command[128];
    if (!server->pid)
        return;
    kill(server->pid, SIGTERM);
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
    snprintf(command, sizeof command, "rm -rf '%s'", server->folder);
    if (system(command) != 0)
        fprintf(stderr, "left behind: %s\n", server->folder);
}

/* Gives SQL to the server, as its administrator. */
static bool run_sql(const struct sql_server *server, const char *file)
{
    struct bytes command = {0};
    bytes_addf(&command, server->client, server->folder);
    bytes_addf(&command, " < '%s' >/dev/null 2>'%s/client.log'", file, server->folder);
    bool good = system(bytes_string(&command)) == 0;
    bytes_free(&command);
    return good;
}

static void start_process(struct sql_server *server)
{
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        int nothing = open("/dev/null", O_RDWR); /* whoever reads from us does not wait for it */
        dup2(nothing, STDOUT_FILENO);
        dup2(nothing, STDERR_FILENO);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        execl(SQL_SERVER, SQL_SERVER, server->kind, server->folder, (char *)NULL);
        _exit(127);
    }
}

/* Once more if it ends, as one may that finds no memory or no processor for a while. */
static void start_server(struct sql_server *server)
{
    int64_t deadline = clock_monotonic_ms() + 120000;
    int starts = 1;
    strcpy(server->folder, "/tmp/mc-contract-XXXXXX");
    assert_non_null(mkdtemp(server->folder));
    start_process(server);
    while (!run_sql(server, "/dev/null")) {
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
            expect(++starts <= 3, "%s ended each time: see %s", server->kind, server->folder);
            start_process(server);
        }
        expect(clock_monotonic_ms() < deadline, "%s does not answer after 120 s: see %s",
               server->kind, server->folder);
        pause_ms(50);
    }
}

void sql_server_make_people(struct sql_server *server)
{
    struct bytes text = {0};
    if (!server->pid)
        start_server(server);
    bytes_add_string(&text, server->table);
    contract_write_sql(&text);
    bytes_add_string(&text, "GRANT SELECT ON people TO chat;\n");
    const char *path = scratch_write("members.sql", bytes_span(&text));
    expect(run_sql(server, path), "%s", path);
    bytes_free(&text);
}

void sql_server_rename_member(struct sql_server *server)
{
    const char *path =
        scratch_write("rename.sql", SPAN("UPDATE people SET name = 'Anna' WHERE id = '1';\n"));
    expect(run_sql(server, path), "%s", path);
    pause_ms(10);
}

const char *sql_server_keys(const struct sql_server *server, const char *socket)
{
    static char keys[1024];
    scratch_write("sql.password", SPAN("secret\n"));
    snprintf(keys, sizeof keys,
             "socket = \"%s%s\"; database = \"site\"; user = \"chat\"; "
             "password_file = \"sql.password\"; query = \"%s\"",
             server->folder, socket, CONTRACT_QUERY);
    return keys;
}
