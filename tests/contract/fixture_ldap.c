/* SPDX-License-Identifier: MIT
 * Members in a directory of its own slapd, by an attribute that compares bytes. */
#include "contract.h"

#include "base/clock.h"
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOT     "cn=admin,dc=example,dc=com"
#define PASSWORD "admin-password"

static const char server_text[] = "modulepath /usr/lib/ldap\n"
                                  "moduleload back_mdb\n"
                                  "include /etc/ldap/schema/core.schema\n"
                                  "include /etc/ldap/schema/cosine.schema\n"
                                  "include /etc/ldap/schema/inetorgperson.schema\n"
                                  "attributetype ( 1.3.6.1.4.1.4203.666.1.99 NAME 'memberId'\n"
                                  "  EQUALITY octetStringMatch\n"
                                  "  SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )\n"
                                  "database mdb\n"
                                  "suffix dc=example,dc=com\n"
                                  "directory %s\n"
                                  "rootdn " ROOT "\n"
                                  "rootpw " PASSWORD "\n"
                                  "maxsize 10485760\n"
                                  "dbnosync\n"
                                  "index memberId eq\n";

static char keys[600];
static pid_t server;

/* RFC 2849: a value of any bytes. */
static void add_value(struct bytes *out, const char *name, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = strlen(text);

    bytes_addf(out, "%s:: ", name);
    for (size_t i = 0; i < length; i += 3) {
        unsigned group = 0;
        for (size_t j = 0; j < 3; j++)
            group = group << 8 | (i + j < length ? (unsigned char)text[i + j] : 0u);
        for (size_t j = 0; j < 4; j++)
            bytes_addf(out, "%c", i + j <= length ? digits[group >> (18 - 6 * j) & 63] : '=');
    }
    bytes_add_string(out, "\n");
}

static void add_member(struct bytes *out, size_t number, const char *id, const char *more)
{
    bytes_addf(out, "dn: cn=%zu,dc=example,dc=com\nobjectClass: device\n", number);
    bytes_addf(out, "objectClass: extensibleObject\ncn: %zu\n", number);
    add_value(out, "memberId", id);
    bytes_addf(out, "%s\n", more);
}

static void run(const char *format, const char *path, const char *other)
{
    struct bytes command = {0};
    bytes_addf(&command, format, path, other);
    expect(system(bytes_string(&command)) == 0, "%s", bytes_string(&command));
    bytes_free(&command);
}

static void write_members(void)
{
    struct bytes text = {0};
    bytes_add_string(&text, "dn: dc=example,dc=com\nobjectClass: dcObject\n"
                            "objectClass: organization\ndc: example\no: example\n\n");
    add_member(&text, 1, "1",
               "displayName: Ann\nlabeledURI: " CONTRACT_AVATAR "\nemployeeType: " CONTRACT_ROLE
               "\n");
    add_member(&text, 2, "2", "");
    add_member(&text, 3, "gone", "displayName: Gone\npager: left\n");
    add_member(&text, 4, "long",
               "displayName: " CONTRACT_LONG "\nemployeeType: " CONTRACT_LONG "\n");
    for (size_t i = 0; i < contract_odd_count; i++)
        add_member(&text, 10 + i, contract_odd_ids[i], "");
    scratch_write("members.ldif", bytes_span(&text));
    bytes_free(&text);
}

static bool accepts(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", scratch_path("ldapi"));
    bool connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return connected;
}

/* The socket's path as a URI has it. */
static const char *socket_uri(void)
{
    static char uri[300];
    size_t length = (size_t)snprintf(uri, sizeof uri, "ldapi://");
    for (const char *at = scratch_path("ldapi"); *at; at++)
        length +=
            (size_t)snprintf(uri + length, sizeof uri - length, *at == '/' ? "%%2F" : "%c", *at);
    return uri;
}

static void start_server(const char *configuration)
{
    const char *uri = socket_uri();
    server = fork();
    if (server == 0) {
        int nothing = open("/dev/null", O_RDWR); /* whoever reads from us does not wait for it */
        dup2(nothing, STDOUT_FILENO);
        dup2(nothing, STDERR_FILENO);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp("slapd", "slapd", "-h", uri, "-f", configuration, "-d", "0", (char *)NULL);
        _exit(127);
    }
    int64_t end = clock_monotonic_ms() + 30000;
    while (!accepts()) {
        expect(waitpid(server, NULL, WNOHANG) == 0 && clock_monotonic_ms() < end,
               "slapd does not start");
        pause_ms(5);
    }
}

static bool make_directory(void)
{
    struct bytes text = {0};
    setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
    run("mkdir '%s'%s", scratch_path("data"), "");
    bytes_addf(&text, server_text, scratch_path("data"));
    const char *configuration = scratch_write("slapd.conf", bytes_span(&text));
    bytes_free(&text);
    write_members();
    run("slapadd -q -f '%s' -l '%s' 2>&1", configuration, scratch_path("members.ldif"));
    start_server(configuration);
    snprintf(keys, sizeof keys,
             "uri = \"%s\"; base = \"dc=example,dc=com\"; filter = \"(memberId={id})\";"
             " id_attribute = \"memberId\"; name_attribute = \"displayName\";"
             " avatar_attribute = \"labeledURI\"; role_attribute = \"employeeType\";"
             " active_filter = \"(!(pager=left))\";"
             " bind_dn = \"" ROOT "\"; bind_password = \"" PASSWORD "\"",
             socket_uri());
    return true;
}

static void rename_member(void)
{
    static const char change[] = "dn: cn=1,dc=example,dc=com\nchangetype: modify\n"
                                 "replace: displayName\ndisplayName: Anna\n";
    const char *path = scratch_write("change.ldif", SPAN(change));
    run("LDAPNOINIT=1 ldapmodify -x -H '%s' -D " ROOT " -w " PASSWORD " -f '%s' >/dev/null 2>&1",
        socket_uri(), path);
}

static void freeze(void)
{
    kill(server, SIGSTOP);
}

static void end_server(void)
{
    if (server == 0)
        return;
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    server = 0;
}

const struct contract_fixture contract_ldap = {
    .name = "ldap",
    .folder = &plugins,
    .plugin = "ldap",
    .keys = keys,
    .all_fields = true,
    .make = make_directory,
    .rename = rename_member,
    .hang = freeze,
    .stop = end_server,
    .free = end_server,
};
