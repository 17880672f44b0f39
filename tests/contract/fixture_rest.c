/* SPDX-License-Identifier: MIT
 * Members at a service: nginx, which answers ?id=ID from the file ID.json, where the
 * name of the file is the id as it comes, percent-encoded. */
#include "contract.h"

#include "support.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t server;
static char keys[128];

static void write_member(const char *id, const char *name, const char *avatar, const char *role,
                         const char *state)
{
    struct bytes path = {0}, text = {0};
    bytes_add_string(&path, "www/");
    for (const char *at = id; *at; at++)
        bytes_addf(&path, isalnum((unsigned char)*at) || strchr("-._~", *at) ? "%c" : "%%%02X",
                   (unsigned char)*at);
    bytes_add_string(&path, ".json");
    bytes_add_string(&text, "{\"appUserId\":");
    bytes_add_json(&text, span_of(id));
    bytes_add_string(&text, ",\"appUserName\":");
    bytes_add_json(&text, span_of(name));
    bytes_add_string(&text, ",\"appUserProfileImgUrl\":");
    bytes_add_json(&text, span_of(avatar));
    bytes_add_string(&text, ",\"role\":");
    bytes_add_json(&text, span_of(role));
    bytes_add_string(&text, ",\"state\":");
    bytes_add_json(&text, span_of(state));
    bytes_add_string(&text, "}");
    scratch_write("www.new", bytes_span(&text));
    assert_int_equal(rename(scratch_path("www.new"), scratch_path(bytes_string(&path))), 0);
    bytes_free(&path);
    bytes_free(&text);
}

static int connect_to(in_port_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = connect(fd, (struct sockaddr *)&address, sizeof address);
    close(fd);
    return rc;
}

static const char *write_conf(in_port_t port)
{
    const char *folder = scratch_path("");
    struct bytes text = {0};
    bytes_addf(&text,
               "daemon off; master_process off; pid %s/pid; error_log %s/error.log;\n"
               "events { worker_connections 256; }\n"
               "http { access_log off; client_body_temp_path %s/a; fastcgi_temp_path %s/b;\n"
               " proxy_temp_path %s/c; scgi_temp_path %s/d; uwsgi_temp_path %s/e;\n"
               " server { listen 127.0.0.1:%u; root %s/www; keepalive_requests 100000;\n"
               "  location / { try_files /$arg_id.json =404; } } }\n",
               folder, folder, folder, folder, folder, folder, folder, (unsigned)port, folder);
    const char *path = scratch_write("nginx.conf", bytes_span(&text));
    bytes_free(&text);
    return path;
}

static bool make_service(void)
{
    in_port_t port = free_port();
    const char *conf = write_conf(port);
    assert_int_equal(mkdir(scratch_path("www"), 0755), 0);
    write_member("1", "Ann", CONTRACT_AVATAR, CONTRACT_ROLE, "ACTIVE");
    write_member("2", NULL, NULL, NULL, "ACTIVE");
    write_member("gone", "Gone", NULL, NULL, "LEFT");
    write_member("long", CONTRACT_LONG, NULL, CONTRACT_LONG, "ACTIVE");
    for (size_t i = 0; i < contract_odd_count; i++)
        write_member(contract_odd_ids[i], NULL, NULL, NULL, "ACTIVE");
    snprintf(keys, sizeof keys,
             "url = \"http://127.0.0.1:%u/?id={id}\"; role_pointer = \"/role\"; timeout = \"10s\"",
             (unsigned)port);
    server = fork();
    if (server == 0) {
        execlp("nginx", "nginx", "-e", scratch_path("error.log"), "-c", conf, (char *)NULL);
        execl("/usr/sbin/nginx", "nginx", "-e", scratch_path("error.log"), "-c", conf,
              (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 1000 && waitpid(server, NULL, WNOHANG) == 0; i++) {
        if (connect_to(port) == 0)
            return true;
        pause_ms(10);
    }
    server = 0;
    return false;
}

static void rename_member(void)
{
    write_member("1", "Anna", CONTRACT_AVATAR, CONTRACT_ROLE, "ACTIVE");
}

static void freeze(void)
{
    kill(server, SIGSTOP);
}

static void end(void)
{
    if (server > 0) {
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
    }
    server = 0;
}

const struct contract_fixture contract_rest = {
    .name = "rest",
    .folder = &plugins,
    .plugin = "rest",
    .keys = keys,
    .all_fields = true,
    .make = make_service,
    .rename = rename_member,
    .hang = freeze,
    .stop = end,
    .free = end,
};
