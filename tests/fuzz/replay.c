/* SPDX-License-Identifier: MIT
 * Runs a harness on its seeds, on every beginning of each, and on each with one
 * byte changed: for compilers without a fuzzer.  Arguments: files to run instead. */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

enum { SIZE_MAX_HERE = 1 << 20, ALL_BEGINNINGS = 2048 };

static uint8_t bytes[SIZE_MAX_HERE];

/* From memory that ends where the input ends. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    must(copy);
    if (size)
        memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_variants(size_t size)
{
    static const uint8_t others[] = {0x00, 0x22, 0x25, 0x2f, 0x5c, 0x80, 0xff};
    run(bytes, size);
    for (size_t length = 0; length < size && size <= ALL_BEGINNINGS; length++)
        run(bytes, length);
    for (size_t at = 0; at < size && size <= ALL_BEGINNINGS; at++) {
        uint8_t was = bytes[at];
        bytes[at] = others[at % sizeof others];
        run(bytes, size);
        bytes[at] = was;
    }
}

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    must(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    run_variants(size);
}

int main(int argc, char **argv)
{
    char folder[4096], path[8192];
    struct dirent *entry;
    int count = 0;
    for (int i = 1; i < argc; i++)
        run_file(argv[i]);
    if (argc > 1)
        return EXIT_SUCCESS;
    snprintf(folder, sizeof folder, "%s/%s", FUZZ_CORPUS, fuzz_corpus);
    DIR *dir = opendir(folder);
    must(dir);
    while ((entry = readdir(dir))) {
        if (*entry->d_name == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        run_file(path);
        printf("ok %d - %s/%s\n", ++count, fuzz_corpus, entry->d_name);
        fflush(stdout);
    }
    closedir(dir);
    must(count > 0);
    printf("1..%d\n", count);
    return EXIT_SUCCESS;
}
