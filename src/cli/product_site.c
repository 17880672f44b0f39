/* SPDX-License-Identifier: MIT */
#include "product_site.h"

#include "cli.h"
#include "php.h"

#include "base/file.h"
#include "base/networks.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FILE_MAX (1 << 20)

enum { NAME_LENGTH_MAX = 255 };

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

/* WordPress has its table prefix in a variable. */
static bool is_constant(const struct product *product, const char *name)
{
    return product->constants && name != product->prefix;
}

/* Why a value is not known.  A line that can change several is told once. */
static void refuse(struct product_site *site, const char *sign, const char *name,
                   enum php_found found, unsigned line)
{
    const char *path = site->path;
    if (found == PHP_NO_MEMORY)
        cli_error("%s: out of memory", path);
    else if (found == PHP_MISSING)
        cli_error("%s: %s%s is missing: it is not the %s of %s, or includes a file that has it",
                  path, sign, name, site->product->file, site->product->name);
    else if (found == PHP_DIFFERS)
        cli_error("%s:%u: %s%s has several values", path, line, sign, name);
    else if (found == PHP_OTHER)
        cli_error("%s:%u: %s%s is not a plain string", path, line, sign, name);
    else if (line != site->hiding_line)
        cli_error("%s:%u: this line can change %s%s", path, line, sign, name);
    if (found == PHP_HIDDEN)
        site->hiding_line = line;
    site->unknown |= found != PHP_NO_MEMORY;
}

/* Finds a setting; false: it is needed and missing, or its value is not known or cannot be used,
 * which was said. */
static bool get(struct product_site *site, const struct setting *setting)
{
    const char *name = setting->name;
    bool constant = is_constant(site->product, name);
    const char *sign = constant ? "" : "$";
    unsigned line;
    if (!name)
        return true;
    enum php_found found =
        php_find(bytes_string(&site->text), name, constant, setting->value, &line);
    if (found == PHP_MISSING && !setting->needed)
        return true;
    if (found != PHP_PLAIN) {
        refuse(site, sign, name, found, line);
        return false;
    }
    if (!setting->signs || (setting->value->length <= NAME_LENGTH_MAX &&
                            is_plain(bytes_span(setting->value), setting->signs)))
        return true;
    cli_error("%s:%u: %s%s is too long, or has characters that cannot be in a query", site->path,
              line, sign, name);
    return false;
}

/* False: the people are not where the query looks for them. */
static bool check_others(struct product_site *site)
{
    bool constant = site->product->constants, good = true;
    for (const char *const *name = site->product->others; *name; name++) {
        struct bytes value = {0};
        unsigned line;
        enum php_found found = php_find(bytes_string(&site->text), *name, constant, &value, &line);
        bool unset = found == PHP_MISSING || (found == PHP_PLAIN && value.length == 0);
        bytes_free(&value);
        if (unset)
            continue;
        good = false;
        if (found == PHP_NO_MEMORY || found == PHP_HIDDEN)
            refuse(site, constant ? "" : "$", *name, found, line);
        else
            cli_error("%s:%u: with %s, the people are elsewhere: stores/%s.conf has the query "
                      "to adapt",
                      site->path, line, *name, site->product->name);
    }
    return good;
}

/* False: it cannot be used, which was said. */
static bool check_database(struct product_site *site)
{
    struct span kind = bytes_span(&site->kind);
    if (kind.length && !strstr(bytes_string(&site->kind), "mysql")) {
        cli_error("%s: the database is %.*s: stores/%s.conf has the query to adapt", site->path,
                  (int)kind.length, kind.data, site->product->name);
        return false;
    }
    if (!site->database.length)
        cli_error("%s: the name of the database is empty", site->path);
    return site->database.length > 0;
}

/* "localhost", "localhost:/a/socket", "/a/socket", "host", "host:3306", "[::1]:3306", each with a
 * "p:" in front for a connection that PHP keeps, and a port or socket beside it.  False: it is none
 * of these, which was said. */
static bool find_server(struct product_site *site)
{
    char *host = (char *)(uintptr_t)bytes_string(&site->host);
    const char *port = bytes_string(&site->port);
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
        site->socket = *port == '/' ? port : host;
    else if (!*host || strcasecmp(host, "localhost") == 0)
        site->socket = PRODUCT_SITE_SOCKET;
    site->server = host;
    site->server_port = port;
    /* a server that does not look for names knows who comes over the loopback by its address */
    site->account_host = site->socket ? "localhost" : network_is_loopback(host) ? host : "%";
    bool good = site->socket || (strspn(port, "0123456789") == strlen(port) && strlen(port) <= 5);
    if (!good)
        cli_error("%s: the port of the database is \"%s\": it must be a number or the path of a "
                  "socket",
                  site->path, port);
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
static bool find_version(struct product_site *site, long *version_r)
{
    const char *slash = strrchr(site->path, '/'), *name = site->product->version_file;
    struct bytes path = {0}, text = {0};
    enum php_found found = PHP_MISSING;
    unsigned line;
    bytes_add(&path, site->path, slash ? (size_t)(slash - site->path) + 1 : 0);
    bytes_add_string(&path, name);
    bool there =
        !path.failed && file_read_path(bytes_string(&path), O_NOCTTY | O_NONBLOCK, FILE_MAX, &text);
    int error = there || path.failed ? ENOMEM : errno;
    bool absent = error == ENOENT || error == ENOTDIR;
    if (there)
        found = php_find(bytes_string(&text), site->product->version, true, &site->version, &line);
    bool good = absent || (there && found != PHP_NO_MEMORY);
    if (!good) {
        struct reason why;
        file_explain_reading(error, &why);
        cli_error("%s: %s beside it %s", site->path, name, why.text);
    }
    *version_r = found == PHP_PLAIN ? read_version(bytes_string(&site->version)) : 0;
    bytes_free(&path);
    bytes_free(&text);
    return good;
}

/* False: it is not known which are right, which was said. */
static bool choose_tables(struct product_site *site)
{
    const struct product *product = site->product;
    const char *network = bytes_string(&site->network);
    long version = 0;
    site->tables = &product->usual;
    if (product->of_network.query && *network && strcmp(network, "0") != 0)
        site->tables = &product->of_network;
    else if (product->later.query && !find_version(site, &version))
        return false;
    else if (product->later.query && version >= product->since)
        site->tables = &product->later;
    return true;
}

static void show_line(const struct product *product, const char *name, bool needed)
{
    const char *format =
        is_constant(product, name) ? "    define('%s', '...');%s\n" : "    $%s = '...';%s\n";
    fprintf(stderr, format, name, needed ? "" : "   // if it is set");
}

/* What to do where code decides. */
static void show_form(const struct product_site *site, const struct setting *settings, size_t count)
{
    cli_error("nothing of %s is run: write the right values into a file like this, and use that",
              site->path);
    fputs("    <?php\n", stderr);
    for (size_t i = 0; i < count; i++)
        if (settings[i].name)
            show_line(site->product, settings[i].name, settings[i].needed);
    for (const char *const *name = site->product->others; *name; name++)
        show_line(site->product, *name, false);
}

static bool read_text(struct product_site *site)
{
    const char *path = site->path;
    struct reason why;
    if (!file_read_path(path, O_NOCTTY, FILE_MAX, &site->text)) {
        file_explain_unreadable(path, errno, &why);
        cli_error("%s", why.text);
    } else if (site->text.length > FILE_MAX)
        cli_error("%s: it has more than %d bytes, and no configuration has", path, FILE_MAX);
    else if (memchr(bytes_string(&site->text), '\0', site->text.length))
        cli_error("%s: it is not PHP, or in UTF-16: there are bytes of 0 in it", path);
    else
        return true;
    return false;
}

bool product_site_read(struct product_site *site)
{
    const struct product *product = site->product;
    const struct setting settings[] = {
        {product->database, true, "_-$.", &site->database},
        {product->host, product->constants, "_-.:/[]", &site->host},
        {product->port, false, "/_.-", &site->port},
        {product->prefix, product->constants, "_-$", &site->prefix},
        {product->kind, false, "_-\\", &site->kind},
        {product->network, false, NULL, &site->network},
    };
    const size_t count = sizeof settings / sizeof *settings;
    bool good = true;
    if (!read_text(site))
        return false;
    for (size_t i = 0; i < count; i++)
        good &= get(site, &settings[i]);
    good &= check_others(site);
    unsigned line = php_find_include(bytes_string(&site->text), product->harmless);
    if (line)
        cli_error("%s:%u: warning: includes another file: what that one sets is not seen; if the "
                  "settings of the database are there, name that file",
                  site->path, line);
    if (site->unknown)
        show_form(site, settings, count);
    return good && check_database(site) && find_server(site) && choose_tables(site);
}

void product_site_free(struct product_site *site)
{
    struct bytes *const all[] = {&site->text,   &site->database, &site->host,    &site->port,
                                 &site->prefix, &site->kind,     &site->network, &site->version};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        bytes_free(all[i]); /* the text has the product's own password */
}
