/* SPDX-License-Identifier: MIT
 * The PHP configuration of a product, as new-store reads it. */
#include "fuzz.h"

#include "cli/php.h"
#include "cli/products.h"

#include <string.h>

const char fuzz_corpus[] = "php";

static unsigned count_lines(const char *text)
{
    unsigned lines = 1;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static void check_find(const char *text, const char *name, bool constant, unsigned lines)
{
    struct bytes value = {0}, again = {0};
    unsigned line = 0, line_again = 0;
    if (!name)
        return;
    enum php_found found = php_find(text, name, constant, &value, &line);
    must(found >= PHP_MISSING && found <= PHP_HIDDEN);
    must(found == PHP_MISSING || (line >= 1 && line <= lines));
    must(!value.failed);
    must(php_find(text, name, constant, &again, &line_again) == found);
    must(found != PHP_PLAIN || span_equal(bytes_span(&value), bytes_span(&again)));
    must(found != PHP_PLAIN || memmem(text, strlen(text), name, strlen(name)));
    bytes_free(&value);
    bytes_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    must(text);
    memcpy(text, data, size);
    text[size] = '\0';
    unsigned lines = count_lines(text);
    for (const struct product *product = products; product->name; product++) {
        const char *const names[] = {product->database,  product->host,   product->port,
                                     product->prefix,    product->kind,   product->network,
                                     product->others[0], product->version};
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            check_find(text, names[i], product->constants, lines);
        must(php_find_include(text, product->harmless) <= lines);
    }
    free(text);
    return 0;
}
