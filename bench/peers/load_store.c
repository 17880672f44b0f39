/* SPDX-License-Identifier: MIT
 *
 * load_store csv FILE          parses FILE with libcsv and throws all away
 * load_store PLUGIN.so FILE    opens the file store on FILE, as memberchat does
 *
 * Prints: microseconds, bytes that are resident more than before, bytes that
 * were so at most.  The file is in the page cache both times.
 */
#include "clocks.h"
#include "memberchat_store.h"

#include <csv.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CHUNK 65536

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "load_store: %s: %s\n", what, why);
    exit(1);
}

static long resident(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1)
        fail("/proc/self/statm", "cannot be read");
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static long resident_most(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss * 1024;
}

/* ---- libcsv alone ---- */

static void count_field(void *bytes, size_t length, void *counters)
{
    (void)bytes;
    (void)length;
    ++((size_t *)counters)[0];
}

static void count_row(int end, void *counters)
{
    (void)end;
    ++((size_t *)counters)[1];
}

static void parse(const char *path)
{
    static char bytes[CHUNK];
    size_t counters[2] = {0, 0};
    struct csv_parser parser;
    ssize_t got;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || csv_init(&parser, 0) != 0)
        fail(path, "cannot be read");
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        if (csv_parse(&parser, bytes, (size_t)got, count_field, count_row, counters) != (size_t)got)
            fail(path, csv_strerror(csv_error(&parser)));
    csv_fini(&parser, count_field, count_row, counters);
    csv_free(&parser);
    close(fd);
    if (counters[1] == 0)
        fail(path, "no rows");
}

/* ---- The store ---- */

static void host_log(const struct memberchat_services *services, enum memberchat_level level,
                     const char *format, ...)
{
    va_list args;
    (void)services;
    if (level > MEMBERCHAT_LOG_WARNING)
        return;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

static int64_t host_now(const struct memberchat_services *services)
{
    (void)services;
    return now_us() / 1000;
}

static void host_reason(struct memberchat_result *result, const char *format, ...)
{
    va_list args;
    (void)result;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

/* Every key at its default, but "path".  Only the types that this store has. */
static void fill(const struct memberchat_key *key, char *settings, const char *path)
{
    bool is_path = strcmp(key->name, "path") == 0;
    const char *text = is_path ? path : key->fallback;
    struct memberchat_list list = {NULL, 0};
    const char **items;
    int64_t number;
    switch (key->type) {
    case MEMBERCHAT_STRING:
    case MEMBERCHAT_PATH:
        memcpy(settings + key->offset, &text, sizeof text);
        break;
    case MEMBERCHAT_INTEGER:
        number = text ? strtoll(text, NULL, 10) : 0;
        memcpy(settings + key->offset, &number, sizeof number);
        break;
    case MEMBERCHAT_LIST:
        items = malloc(sizeof *items);
        if (items && text) {
            *items = text;
            list = (struct memberchat_list){items, 1};
        }
        memcpy(settings + key->offset, &list, sizeof list);
        break;
    default:
        if (text && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
            fail(key->name, "a key of a type that this program does not fill");
    }
}

static const struct memberchat_store_plugin *load_plugin(const char *path)
{
    const struct memberchat_store_plugin *(*entry)(void);
    void *handle = dlopen(path, RTLD_NOW);
    void *symbol = handle ? dlsym(handle, "memberchat_store_plugin") : NULL;
    if (!symbol)
        fail(path, dlerror());
    memcpy(&entry, &symbol, sizeof entry);
    return entry();
}

static const struct memberchat_services services = {
    .size = sizeof services, .log = host_log, .now = host_now, .reason = host_reason};

int main(int argc, char **argv)
{
    const struct memberchat_store_plugin *plugin = NULL;
    char *settings = NULL;
    if (argc != 3) {
        fputs("usage: load_store csv|PLUGIN.so FILE\n", stderr);
        return 64;
    }
    if (strcmp(argv[1], "csv") != 0) {
        plugin = load_plugin(argv[1]);
        settings = calloc(1, plugin->settings_size);
        if (!settings)
            fail("settings", "out of memory");
        for (uint32_t i = 0; i < plugin->key_count; i++)
            fill(&plugin->keys[i], settings, argv[2]);
    }
    long before = resident(), began = now_us();
    if (!plugin)
        parse(argv[2]);
    else if (!plugin->open(settings, &services, 0, NULL))
        fail(argv[2], "the store did not open");
    printf("%ld %ld %ld\n", now_us() - began, resident() - before, resident_most());
    return 0;
}
