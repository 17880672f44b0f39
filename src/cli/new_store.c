/* SPDX-License-Identifier: MIT
 * A store for a product, from the configuration that its own installer wrote. */
#include "cli.h"
#include "product_site.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SOCKET_NOTE "   # as on Debian; SELECT @@socket tells where it is"

/* Adds a text with the table prefix for "~" and the database for "@". */
static void add_text(struct bytes *out, const char *text, const struct product_site *site)
{
    for (; *text; text++) {
        if (*text == '~')
            bytes_add_span(out, bytes_span(&site->prefix));
        else if (*text == '@')
            bytes_add_span(out, bytes_span(&site->database));
        else
            bytes_add(out, text, 1);
    }
}

/* Adds lines, each with something in front and behind. */
static void add_lines(struct bytes *out, const char *lines, const char *front, const char *behind,
                      const struct product_site *site)
{
    for (size_t length; *lines; lines += length + 1) {
        char line[512] = "";
        length = strcspn(lines, "\n");
        memcpy(line, lines, length < sizeof line ? length : sizeof line - 1);
        bytes_add_string(out, front);
        if (site)
            add_text(out, line, site);
        else
            bytes_add_string(out, line);
        bytes_addf(out, "%s\n", behind);
    }
}

static void add_server(struct bytes *out, const struct product_site *site)
{
    if (site->socket)
        bytes_addf(out, "    socket = \"%s\"%s\n", site->socket,
                   strcmp(site->socket, PRODUCT_SITE_SOCKET) == 0 ? SOCKET_NOTE : "");
    else
        bytes_addf(out, "    hosts = [ \"%s\" ]\n", site->server);
    if (!site->socket && *site->server_port)
        bytes_addf(out, "    port = %s\n", site->server_port);
}

static void print_store(struct product_site *site, const char *name)
{
    struct bytes out = {0}, account = {0};
    const struct product *product = site->product;
    bytes_addf(&account, " TO 'chat'@'%s';", site->account_host);
    bytes_addf(
        &out,
        "# As the administrator of the database, without \"#\", with a password of your own:\n"
        "#   CREATE USER 'chat'@'%s' IDENTIFIED BY '...';\n",
        site->account_host);
    add_lines(&out, site->tables->grants, "#   GRANT SELECT ", bytes_string(&account), site);
    bytes_addf(&out,
               "# Where you are not that administrator, as on a shared host: make a user who may\n"
               "# SELECT and nothing else in your control panel, and correct \"user\" below.\n"
               "# Put that password into %s.password, beside the configuration, with mode 0640.\n"
               "# stores/%s.conf says who is left out, and more.\n"
               "# This goes into the group \"stores\":\n",
               name, product->name);
    if (product->unknown_version && !site->version.length)
        bytes_add_string(&out, product->unknown_version);
    bytes_addf(&out, "\n%s = {\n    plugin = \"mysql\"\n", name);
    add_server(&out, site);
    bytes_addf(&out,
               "    database = \"%s\"\n    user = \"chat\"\n    password_file = \"%s.password\"\n"
               "    id_type = \"integer\"\n    query = \"",
               bytes_string(&site->database), name);
    add_text(&out, site->tables->query, site);
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
        if (strcasecmp(product->name, name) == 0)
            return product;
    return NULL;
}

static int run(const struct cli *cli, int argc, char **argv)
{
    const struct cli_option options[] = {{NULL, NULL, NULL}};
    const char *words[3] = {NULL, NULL, NULL};
    if (!cli_parse(cli, argc, argv, options, words, 3) || !words[1])
        return cli_usage(cli);
    struct product_site site = {.product = find_product(words[0]), .path = words[1]};
    if (!site.product) {
        cli_error("\"%s\" is not wordpress, mediawiki or phpbb: groups for others are in the "
                  "folder stores (memberchat-store-sql(5))",
                  words[0]);
        return EXIT_FAILURE;
    }
    const char *name = words[2] ? words[2] : site.product->name;
    if (!cli_check_group_name(name, ""))
        return EXIT_FAILURE;
    bool good = product_site_read(&site);
    if (good)
        print_store(&site, name);
    product_site_free(&site);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct cli_command cli_new_store = {
    .name = "new-store",
    .arguments = "PRODUCT FILE [NAME]",
    .summary = "Make a block of configuration for the members of a product",
    .help = "Reads the table prefix, the host and the database from the product's own\n"
            "configuration, and prints the group to paste into \"stores\", with the GRANT for a\n"
            "user that can read only what is needed.  The file is not run: a value that code\n"
            "would compute is an error that names its line, and shows what to write instead.\n",
    .examples = "  memberchat new-store wordpress /var/www/wp-config.php\n"
                "  memberchat new-store mediawiki /etc/mediawiki/LocalSettings.php\n"
                "  memberchat new-store phpbb /var/www/config.php forum\n",
    .exits = "0 done, 1 the file cannot be read or used",
    .run = run,
};
