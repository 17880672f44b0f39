/* SPDX-License-Identifier: MIT
 * A store for a product, from the configuration that its own installer wrote. */
#include "cli.h"
#include "php.h"
#include "products.h"

#include "base/file.h"
#include "base/networks.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define FILE_MAX          (1 << 20)
#define MYSQL_SOCKET      "/run/mysqld/mysqld.sock"
#define MYSQL_SOCKET_NOTE "   # as on Debian; SELECT @@socket tells where it is"

enum { NAME_LENGTH_MAX = 255 };

struct source {
    const struct product *product;
    const struct product_tables *tables;
    const char *path;
    struct bytes text, database, host, port, prefix, kind, network, version;
    const char *socket; /* NULL: the server is asked over the network */
    const char *server, *server_port, *account_host;
};

/* ---- Reading ---- */

struct setting {
    const char *name; /* NULL: the product has none */
    bool needed;
    const char *signs; /* that it may have beside letters and digits; NULL: it may be anything */
    struct bytes *value;
};

/* Names and hosts that need no escaping anywhere. */
static bool is_plain(struct span text, const char *others)
{
    for (size_t i = 0; i < text.length; i++)
        if (!isalnum((unsigned char)text.data[i]) &&
            (!text.data[i] || !strchr(others, text.data[i])))
            return false;
    return true;
}

/* Finds a setting; false: it is needed and missing, or its value is not known or cannot be used,
 * which was said. */
static bool get(struct source *source, const struct setting *setting)
{
    const struct product *product = source->product;
    const char *name = setting->name, *path = source->path;
    /* WordPress has its table prefix in a variable */
    bool constant = product->constants && name != product->prefix;
    const char *sign = constant ? "" : "$";
    unsigned line;
    if (!name)
        return true;
    switch (php_find(bytes_string(&source->text), name, constant, setting->value, &line)) {
    case PHP_PLAIN:
        if (!setting->signs || (setting->value->length <= NAME_LENGTH_MAX &&
                                is_plain(bytes_span(setting->value), setting->signs)))
            return true;
        cli_error("%s:%u: %s%s is too long, or has characters that cannot be in a query", path,
                  line, sign, name);
        return false;
    case PHP_MISSING:
        if (setting->needed)
            cli_error("%s: %s%s is missing: it is not the %s of %s, or includes a file that has it",
                      path, sign, name, product->file, product->name);
        return !setting->needed;
    case PHP_DIFFERS:
        cli_error("%s:%u: %s%s has several values: leave one of them in a copy of this file, and "
                  "use that",
                  path, line, sign, name);
        return false;
    case PHP_NO_MEMORY:
        cli_error("%s: out of memory", path);
        return false;
    case PHP_OTHER:
        break;
    }
    cli_error("%s:%u: %s%s is not a plain string, and nothing of the file is run: write the value "
              "into a copy of it, and use that",
              path, line, sign, name);
    return false;
}

/* False: the people are not where the query looks for them. */
static bool check_others(struct source *source)
{
    for (const char *const *name = source->product->others; *name; name++) {
        struct bytes value = {0};
        unsigned line;
        enum php_found found =
            php_find(bytes_string(&source->text), *name, source->product->constants, &value, &line);
        bool unset = found == PHP_MISSING || (found == PHP_PLAIN && value.length == 0);
        bytes_free(&value);
        if (unset)
            continue;
        if (found == PHP_NO_MEMORY)
            cli_error("%s: out of memory", source->path);
        else
            cli_error("%s:%u: with %s, the people are elsewhere: conf/stores/%s.conf has the query "
                      "to adapt",
                      source->path, line, *name, source->product->name);
        return false;
    }
    return true;
}

/* False: it cannot be used, which was said. */
static bool check_database(struct source *source)
{
    struct span kind = bytes_span(&source->kind);
    if (kind.length && !strstr(bytes_string(&source->kind), "mysql")) {
        cli_error("%s: the database is %.*s: conf/stores/%s.conf has the query to adapt",
                  source->path, (int)kind.length, kind.data, source->product->name);
        return false;
    }
    if (!source->database.length)
        cli_error("%s: the name of the database is empty", source->path);
    return source->database.length > 0;
}

/* "localhost", "localhost:/a/socket", "/a/socket", "host", "host:3306", "[::1]:3306", each with a
 * "p:" in front for a connection that PHP keeps, and a port or socket beside it.  False: it is none
 * of these, which was said. */
static bool find_server(struct source *source)
{
    char *host = (char *)(uintptr_t)bytes_string(&source->host);
    const char *port = bytes_string(&source->port);
    if (strncmp(host, "p:", 2) == 0)
        host += 2;
    char *path = strstr(host, ":/"), *colon = path ? path : strrchr(host, ':');
    char *bracket = strchr(host, ']');
    if (colon && (path || (bracket ? bracket < colon : strchr(host, ':') == colon))) {
        *colon = '\0';
        port = colon + 1;
    }
    if (*host == '[' && bracket) {
        *bracket = '\0';
        host++;
    }
    if (*port == '/' || *host == '/')
        source->socket = *port == '/' ? port : host;
    else if (!*host || strcasecmp(host, "localhost") == 0)
        source->socket = MYSQL_SOCKET;
    source->server = host;
    source->server_port = port;
    /* a server that does not look for names knows who comes over the loopback by its address */
    source->account_host = source->socket ? "localhost" : network_is_loopback(host) ? host : "%";
    bool good = source->socket || (strspn(port, "0123456789") == strlen(port) && strlen(port) <= 5);
    if (!good)
        cli_error("%s: the port of the database is \"%s\": it must be a number or the path of a "
                  "socket",
                  source->path, port);
    return good;
}

/* The version in a text such as "1.42.3": 1042; 0: none. */
static long read_version(const char *text)
{
    char *end;
    long major = strtol(text, &end, 10), minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    return major > 0 && major < 1000 && minor >= 0 && minor < 1000 ? major * 1000 + minor : 0;
}

/* The version of the product that the file belongs to; 0: not known, since its own files are not
 * beside it.  False: they could not be read, which was said. */
static bool find_version(struct source *source, long *version_r)
{
    const char *slash = strrchr(source->path, '/'), *name = source->product->version_file;
    struct bytes path = {0}, text = {0};
    enum php_found found = PHP_MISSING;
    unsigned line;
    bytes_add(&path, source->path, slash ? (size_t)(slash - source->path) + 1 : 0);
    bytes_add_string(&path, name);
    bool there =
        !path.failed && file_read_path(bytes_string(&path), O_NOCTTY | O_NONBLOCK, FILE_MAX, &text);
    int error = there || path.failed ? ENOMEM : errno;
    bool absent = error == ENOENT || error == ENOTDIR;
    if (there)
        found =
            php_find(bytes_string(&text), source->product->version, true, &source->version, &line);
    bool good = absent || (there && found != PHP_NO_MEMORY);
    if (!good)
        cli_error("%s: %s beside it cannot be read: %s", source->path, name, strerror(error));
    *version_r = found == PHP_PLAIN ? read_version(bytes_string(&source->version)) : 0;
    bytes_free(&path);
    bytes_free(&text);
    return good;
}

/* False: it is not known which are right, which was said. */
static bool choose_tables(struct source *source)
{
    const struct product *product = source->product;
    const char *network = bytes_string(&source->network);
    long version = 0;
    source->tables = &product->usual;
    if (product->of_network.query && *network && strcmp(network, "0") != 0)
        source->tables = &product->of_network;
    else if (product->later.query && !find_version(source, &version))
        return false;
    else if (product->later.query && version >= product->since)
        source->tables = &product->later;
    return true;
}

static bool read_source(struct source *source)
{
    const struct product *product = source->product;
    const struct setting settings[] = {
        {product->database, true, "_-$.", &source->database},
        {product->host, product->constants, "_-.:/[]", &source->host},
        {product->port, false, "/_.-", &source->port},
        {product->prefix, product->constants, "_-$", &source->prefix},
        {product->kind, false, "_-\\", &source->kind},
        {product->network, false, NULL, &source->network},
    };
    bool good = true;
    if (!file_read_path(source->path, O_NOCTTY, FILE_MAX, &source->text)) {
        cli_error("%s: %s", source->path, strerror(errno));
        return false;
    }
    if (source->text.length > FILE_MAX) {
        cli_error("%s: it has more than %d bytes, and no configuration has", source->path,
                  FILE_MAX);
        return false;
    }
    if (memchr(bytes_string(&source->text), '\0', source->text.length)) {
        cli_error("%s: it is not PHP, or in UTF-16: there are bytes of 0 in it", source->path);
        return false;
    }
    for (size_t i = 0; good && i < sizeof settings / sizeof *settings; i++)
        good = get(source, &settings[i]);
    unsigned line = php_find_include(bytes_string(&source->text), product->harmless);
    if (line)
        cli_error("%s:%u: includes another file: what that one sets is not seen; if the settings "
                  "of the database are there, name that file",
                  source->path, line);
    return good && check_others(source) && check_database(source) && find_server(source) &&
           choose_tables(source);
}

/* ---- The group ---- */

/* Adds a text with the table prefix for "~" and the database for "@". */
static void add_text(struct bytes *out, const char *text, const struct source *source)
{
    for (; *text; text++) {
        if (*text == '~')
            bytes_add_span(out, bytes_span(&source->prefix));
        else if (*text == '@')
            bytes_add_span(out, bytes_span(&source->database));
        else
            bytes_add(out, text, 1);
    }
}

/* Adds lines, each with something in front and behind. */
static void add_lines(struct bytes *out, const char *lines, const char *front, const char *behind,
                      const struct source *source)
{
    for (size_t length; *lines; lines += length + 1) {
        char line[512] = "";
        length = strcspn(lines, "\n");
        memcpy(line, lines, length < sizeof line ? length : sizeof line - 1);
        bytes_add_string(out, front);
        if (source)
            add_text(out, line, source);
        else
            bytes_add_string(out, line);
        bytes_addf(out, "%s\n", behind);
    }
}

static void add_server(struct bytes *out, const struct source *source)
{
    if (source->socket)
        bytes_addf(out, "    socket = \"%s\"%s\n", source->socket,
                   strcmp(source->socket, MYSQL_SOCKET) == 0 ? MYSQL_SOCKET_NOTE : "");
    else
        bytes_addf(out, "    hosts = [ \"%s\" ]\n", source->server);
    if (!source->socket && *source->server_port)
        bytes_addf(out, "    port = %s\n", source->server_port);
}

static void print_store(struct source *source, const char *name)
{
    struct bytes out = {0}, account = {0};
    const struct product *product = source->product;
    bytes_addf(&account, " TO 'chat'@'%s';", source->account_host);
    bytes_addf(
        &out,
        "# As the administrator of the database, without \"#\", with a password of your own:\n"
        "#   CREATE USER 'chat'@'%s' IDENTIFIED BY '...';\n",
        source->account_host);
    add_lines(&out, source->tables->grants, "#   GRANT SELECT ", bytes_string(&account), source);
    bytes_addf(&out,
               "# Where you are not that administrator, as on a shared host: make a user who may\n"
               "# SELECT and nothing else in your control panel, and correct \"user\" below.\n"
               "# Put that password into %s.password, beside the configuration, with mode 0640.\n"
               "# conf/stores/%s.conf says who is left out, and more.\n"
               "# This goes into the group \"stores\":\n",
               name, product->name);
    if (product->unknown_version && !source->version.length)
        bytes_add_string(&out, product->unknown_version);
    bytes_addf(&out, "\n%s = {\n    plugin = \"mysql\"\n", name);
    add_server(&out, source);
    bytes_addf(&out,
               "    database = \"%s\"\n    user = \"chat\"\n    password_file = \"%s.password\"\n"
               "    id_type = \"integer\"\n    query = \"",
               bytes_string(&source->database), name);
    add_text(&out, source->tables->query, source);
    bytes_add_string(&out, "\"\n    member = {\n");
    add_lines(&out, product->member, "        ", "", NULL);
    bytes_add_string(&out, "    }\n}");
    out.failed |= account.failed;
    cli_print(&out);
    bytes_free(&out);
    bytes_free(&account);
}

static const struct product *find_product(const char *name)
{
    for (const struct product *product = products; product->name; product++)
        if (strcmp(product->name, name) == 0)
            return product;
    return NULL;
}

static void free_source(struct source *source)
{
    struct bytes *const all[] = {&source->text,    &source->database, &source->host,
                                 &source->port,    &source->prefix,   &source->kind,
                                 &source->network, &source->version};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        bytes_free(all[i]); /* the text has the product's own password */
}

static int run(const struct cli *cli, int argc, char **argv)
{
    const struct cli_option options[] = {{NULL, NULL, NULL}};
    const char *words[3] = {NULL, NULL, NULL};
    if (!cli_parse(cli, argc, argv, options, words, 3) || !words[1])
        return cli_usage(cli);
    struct source source = {.product = find_product(words[0]), .path = words[1]};
    const char *name = words[2] ? words[2] : words[0];
    if (!source.product) {
        cli_error(
            "\"%s\" is not wordpress, mediawiki or phpbb; conf/stores/ has queries for others",
            words[0]);
        return EXIT_FAILURE;
    }
    if (!isalpha((unsigned char)*name) || !is_plain(span_of(name), "_-")) {
        cli_error("\"%s\" cannot be the name of a group", name);
        return EXIT_FAILURE;
    }
    bool good = read_source(&source);
    if (good)
        print_store(&source, name);
    free_source(&source);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct cli_command cli_new_store = {
    .name = "new-store",
    .arguments = "PRODUCT FILE [NAME]",
    .summary = "Make a block of configuration for the members of a product",
    .help = "Reads the table prefix, the host and the database from the product's own\n"
            "configuration, and prints the group to paste into \"stores\", with the GRANT for a\n"
            "user that can read only what is needed.  The file is not run: a value that code\n"
            "would compute is an error that names its line.\n",
    .examples = "  memberchat new-store wordpress /var/www/wp-config.php\n"
                "  memberchat new-store mediawiki /etc/mediawiki/LocalSettings.php\n"
                "  memberchat new-store phpbb /var/www/config.php forum\n",
    .exits = "0 done, 1 the file cannot be read or used",
    .run = run,
};
