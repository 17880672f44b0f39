/* SPDX-License-Identifier: MIT
 * A store for a product, from the configuration that its own installer wrote. */
#include "cli.h"

#include "base/file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX     (1 << 20)
#define MYSQL_SOCKET "/run/mysqld/mysqld.sock"
#define NOW          "DATE_FORMAT(UTC_TIMESTAMP(), '%Y%m%d%H%i%s')"

struct product {
    const char *name;
    bool constants;                                     /* define('NAME', ...), not $NAME = ... */
    const char *database, *host, *port, *prefix, *kind; /* the names of settings; NULL: none */
    const char *query, *grants, *member;                /* "~" stands for the table prefix */
};

/* As in conf/stores/. */
static const struct product products[] = {
    {.name = "wordpress",
     .constants = true,
     .database = "DB_NAME",
     .host = "DB_HOST",
     .prefix = "table_prefix",
     .query = "SELECT u.ID AS appUserId, u.display_name AS appUserName, u.user_email AS email, "
              "m.meta_value AS capabilities FROM ~users u JOIN ~usermeta m ON m.user_id = u.ID "
              "AND m.meta_key = '~capabilities' WHERE u.ID = {id} AND m.meta_value <> '' AND "
              "m.meta_value NOT LIKE 'a:0:%'",
     .grants = "(ID, display_name, user_email) ON @.~users\n"
               "(user_id, meta_key, meta_value) ON @.~usermeta\n",
     .member = "avatar = \"https://www.gravatar.com/avatar/{email|trim|lower|sha256}?d=mp\"\n"
               "roles = ( { field = \"capabilities\"; contains = \"\\\"administrator\\\"\"; "
               "role = \"admin\" },\n"
               "          { field = \"capabilities\"; contains = \"\\\"editor\\\"\"; role = "
               "\"moderator\" } )\n"},
    {.name = "mediawiki",
     .database = "wgDBname",
     .host = "wgDBserver",
     .prefix = "wgDBprefix",
     .kind = "wgDBtype",
     .query = "SELECT u.user_id AS appUserId, u.user_name AS appUserName, g.ug_group AS groupName "
              "FROM ~user u LEFT JOIN ~user_groups g ON g.ug_user = u.user_id AND (g.ug_expiry IS "
              "NULL OR g.ug_expiry > " NOW ") WHERE u.user_id = {id} AND NOT EXISTS (SELECT 1 "
              "FROM ~ipblocks b WHERE b.ipb_user = u.user_id AND b.ipb_sitewide = 1 AND "
              "(b.ipb_expiry = 'infinity' OR b.ipb_expiry > " NOW "))",
     .grants = "(user_id, user_name) ON @.~user\n"
               "(ug_user, ug_group, ug_expiry) ON @.~user_groups\n"
               "(ipb_user, ipb_sitewide, ipb_expiry) ON @.~ipblocks\n",
     .member = "roles = ( { field = \"groupName\"; is = \"sysop\"; role = \"admin\" } )\n"},
    {.name = "phpbb",
     .database = "dbname",
     .host = "dbhost",
     .port = "dbport",
     .prefix = "table_prefix",
     .kind = "dbms",
     .query = "SELECT u.user_id AS appUserId, u.username AS appUserName, g.group_name AS groupName "
              "FROM ~users u JOIN ~groups g ON g.group_id = u.group_id WHERE u.user_id = {id} AND "
              "u.user_type NOT IN (1, 2) AND NOT EXISTS (SELECT 1 FROM ~banlist b WHERE "
              "b.ban_userid = u.user_id AND b.ban_exclude = 0 AND (b.ban_end = 0 OR b.ban_end > "
              "UNIX_TIMESTAMP()))",
     .grants = "(user_id, username, user_type, group_id) ON @.~users\n"
               "(group_id, group_name) ON @.~groups\n"
               "(ban_userid, ban_exclude, ban_end) ON @.~banlist\n",
     .member = "roles = ( { field = \"groupName\"; is = \"ADMINISTRATORS\"; role = \"admin\" },\n"
               "          { field = \"groupName\"; is = \"GLOBAL_MODERATORS\"; role = "
               "\"moderator\" } )\n"},
};

/* ---- PHP, as far as such files go: nothing of it is run ---- */

static const char *skip_blanks(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

/* The end of a comment or a string that begins here; `at` if none does. */
static const char *skip_token(const char *at)
{
    if (*at == '#' || strncmp(at, "//", 2) == 0)
        return at + strcspn(at, "\n");
    if (strncmp(at, "/*", 2) == 0) {
        const char *end = strstr(at + 2, "*/");
        return end ? end + 2 : at + strlen(at);
    }
    if (*at != '\'' && *at != '"')
        return at;
    for (const char *to = at + 1; *to; to++) {
        if (*to == '\\' && to[1])
            to++;
        else if (*to == *at)
            return to + 1;
    }
    return at + strlen(at);
}

/* Takes a string; false: there is something else.  Backslashes count before a quotation
 * mark and a backslash. */
static bool take_string(const char *at, struct bytes *value_r)
{
    const char *end = skip_token(at);
    if ((*at != '\'' && *at != '"') || end < at + 2 || end[-1] != *at)
        return false;
    bytes_reset(value_r);
    for (const char *from = at + 1; from < end - 1; from++) {
        if (*from == '$' && *at == '"')
            return false;
        if (*from == '\\' && (from[1] == *at || from[1] == '\\'))
            from++;
        bytes_add(value_r, from, 1);
    }
    return true;
}

/* Whether $NAME = or define('NAME', begins here; *value_r: what follows. */
static bool begins_setting(const char *at, const char *name, bool constant, const char **value_r)
{
    size_t length = strlen(name);
    if (!constant) {
        if (*at != '$' || strncmp(at + 1, name, length) != 0)
            return false;
        at = skip_blanks(at + 1 + length);
        *value_r = skip_blanks(at + 1);
        return *at == '=' && at[1] != '=';
    }
    if (strncmp(at, "define", 6) != 0)
        return false;
    at = skip_blanks(at + 6);
    if (*at != '(')
        return false;
    at = skip_blanks(at + 1);
    if ((*at != '\'' && *at != '"') || strncmp(at + 1, name, length) != 0 || at[length + 1] != *at)
        return false;
    at = skip_blanks(at + length + 2);
    *value_r = skip_blanks(at + 1);
    return *at == ',';
}

/* The value of a setting; the last one counts.  False: it is missing, or not a plain string. */
static bool find_setting(const char *text, const char *name, bool constant, struct bytes *value_r)
{
    bool found = false;
    for (const char *at = text, *value; *at;) {
        const char *end = skip_token(at);
        if (end == at && begins_setting(at, name, constant, &value))
            found = take_string(value, value_r);
        at = end > at ? end : at + 1;
    }
    return found;
}

/* ---- The group ---- */

struct source {
    const char *path;
    struct bytes text, database, host, port, prefix, kind;
};

static bool get(const struct product *product, const struct source *source, const char *name,
                bool needed, struct bytes *value_r)
{
    /* WordPress has its table prefix in a variable */
    bool constant = product->constants && name != product->prefix;
    if (!name || find_setting(bytes_string((struct bytes *)(uintptr_t)&source->text), name,
                              constant, value_r))
        return true;
    if (needed)
        cli_error("%s: %s%s is missing, or not a plain string", source->path, constant ? "" : "$",
                  name);
    return !needed;
}

/* Names and hosts that need no escaping anywhere. */
static bool is_plain(struct span text, const char *others)
{
    for (size_t i = 0; i < text.length; i++)
        if (!isalnum((unsigned char)text.data[i]) && !strchr(others, text.data[i]))
            return false;
    return true;
}

static bool read_source(const struct product *product, struct source *source)
{
    int fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    bool good = fd >= 0 && file_read_all(fd, FILE_MAX, &source->text);
    if (!good)
        cli_error("%s: %s", source->path, strerror(errno));
    if (fd >= 0)
        close(fd);
    good = good && get(product, source, product->database, true, &source->database) &&
           get(product, source, product->host, product->constants, &source->host) &&
           get(product, source, product->port, false, &source->port) &&
           get(product, source, product->prefix, product->constants, &source->prefix) &&
           get(product, source, product->kind, false, &source->kind);
    if (!good)
        return false;
    struct span kind = bytes_span(&source->kind);
    if (kind.length && !strstr(bytes_string(&source->kind), "mysql")) {
        cli_error("%s: the database is %.*s: conf/stores/%s.conf has the query to adapt",
                  source->path, (int)kind.length, kind.data, product->name);
        return false;
    }
    if (is_plain(bytes_span(&source->database), "_-") &&
        is_plain(bytes_span(&source->prefix), "_") &&
        is_plain(bytes_span(&source->host), "_-.:/[]") &&
        is_plain(bytes_span(&source->port), "/_.-"))
        return true;
    cli_error("%s: a name in it has characters that cannot be in a query", source->path);
    return false;
}

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

/* "localhost", "localhost:/a/socket", "host", "host:3306", "[::1]:3306", and a port or socket
 * beside it. */
static void add_server(struct bytes *out, struct source *source)
{
    char *host = (char *)(uintptr_t)bytes_string(&source->host);
    const char *port = bytes_string(&source->port);
    char *colon = strrchr(host, ':'), *bracket = strchr(host, ']');
    if (colon && (bracket ? bracket < colon : strchr(host, ':') == colon)) {
        *colon = '\0';
        port = colon + 1;
    }
    if (*host == '[' && bracket) {
        *bracket = '\0';
        host++;
    }
    bool local = !*host || strcmp(host, "localhost") == 0;
    if (*port == '/' || local)
        bytes_addf(out, "    socket = \"%s\"\n", *port == '/' ? port : MYSQL_SOCKET);
    else
        bytes_addf(out, "    hosts = [ \"%s\" ]\n", host);
    if (*port && *port != '/' && !local)
        bytes_addf(out, "    port = %s\n", port);
}

static void print_store(const struct product *product, struct source *source, const char *name)
{
    struct bytes out = {0};
    bytes_add_string(&out, "# As the administrator of the database, with a password of your own:\n"
                           "#   CREATE USER 'chat'@'localhost' IDENTIFIED BY '...';\n");
    add_lines(&out, product->grants, "#   GRANT SELECT ", " TO 'chat'@'localhost';", source);
    bytes_addf(&out,
               "# Put that password into %s.password, beside the configuration, with mode 0640.\n"
               "# This goes into the group \"stores\":\n\n"
               "%s = {\n    plugin = \"mysql\"\n",
               name, name);
    add_server(&out, source);
    bytes_addf(&out,
               "    database = \"%s\"\n    user = \"chat\"\n    password_file = \"%s.password\"\n"
               "    id_type = \"integer\"\n    query = \"",
               bytes_string(&source->database), name);
    add_text(&out, product->query, source);
    bytes_add_string(&out, "\"\n    member = {\n");
    add_lines(&out, product->member, "        ", "", NULL);
    bytes_add_string(&out, "    }\n}");
    cli_print(&out);
    bytes_free(&out);
}

static const struct product *find_product(const char *name)
{
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        if (strcmp(products[i].name, name) == 0)
            return &products[i];
    return NULL;
}

static int run(const struct cli *cli, int argc, char **argv)
{
    const struct cli_option options[] = {{NULL, NULL, NULL}};
    const char *words[3] = {NULL, NULL, NULL};
    if (!cli_parse(cli, argc, argv, options, words, 3) || !words[1])
        return cli_usage(cli);
    const struct product *product = find_product(words[0]);
    const char *name = words[2] ? words[2] : words[0];
    if (!product) {
        cli_error(
            "\"%s\" is not wordpress, mediawiki or phpbb; conf/stores/ has queries for others",
            words[0]);
        return EXIT_FAILURE;
    }
    if (!isalpha((unsigned char)*name) || !is_plain(span_of(name), "_-")) {
        cli_error("\"%s\" cannot be the name of a group", name);
        return EXIT_FAILURE;
    }
    struct source source = {.path = words[1]};
    bool good = read_source(product, &source);
    if (good)
        print_store(product, &source, name);
    bytes_free(&source.text); /* with the product's own password */
    bytes_free(&source.database);
    bytes_free(&source.host);
    bytes_free(&source.port);
    bytes_free(&source.prefix);
    bytes_free(&source.kind);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct cli_command cli_new_store = {
    .name = "new-store",
    .arguments = "PRODUCT FILE [NAME]",
    .summary = "Make a block of configuration for the members of a product",
    .help = "Reads table prefix, host and database out of the product's own configuration,\n"
            "and prints the group to paste into \"stores\", with the GRANT for a user that\n"
            "can read just what is needed.\n",
    .examples = "  memberchat new-store wordpress /var/www/wp-config.php\n"
                "  memberchat new-store mediawiki /etc/mediawiki/LocalSettings.php\n"
                "  memberchat new-store phpbb /var/www/config.php forum\n",
    .exits = "0 done, 1 the file cannot be read or used",
    .run = run,
};
