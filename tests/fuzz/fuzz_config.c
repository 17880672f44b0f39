/* SPDX-License-Identifier: MIT
 * A configuration through the whole check: syntax, values, key files, plugins, templates. */
#include "scene.h"

#include <string.h>

const char fuzz_corpus[] = "config";

#define SECRET "nobody-may-read-this"

/* Whether the secret stands once in a configuration, as the value of api_secret, with quotation
 * marks or without. */
static bool has_secret(struct span text)
{
    static const char before[] = "api_secret = ";
    const char *found =
        text.length ? memmem(text.data, text.length, SECRET, sizeof SECRET - 1) : NULL;
    size_t marks = 0;
    if (!found)
        return false;
    for (const char *at = text.data; at < found; at++)
        marks += *at == '"' || *at == '\\' || *at == '#' || *at == '/';
    bool quoted = found > text.data && found[-1] == '"';
    const char *end = quoted ? found - 1 : found, *rest = found + sizeof SECRET - 1;
    size_t left = (size_t)(text.data + text.length - rest);
    return marks % 2 == quoted && end >= text.data + sizeof before - 1 &&
           memcmp(end - (sizeof before - 1), before, sizeof before - 1) == 0 &&
           !memmem(rest, left, SECRET, sizeof SECRET - 1);
}

/* A secret is in no complaint. */
static void check_report(const struct config_report *report, struct span text, bool good)
{
    struct span told = bytes_span(&report->text);
    must(!report->out_of_memory);
    must(good == (report->errors == 0));
    must(good || told.length);
    must(!told.length || told.data[told.length - 1] == '\n');
    if (told.length && has_secret(text))
        must(!memmem(told.data, told.length, SECRET, sizeof SECRET - 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    struct config_report report = {0};
    if (!ready) {
        settings_free(scene_settings()); /* for the files that it leaves */
        scene_write("claims.json", span_of("{\"sub\":\"{userId}\",\"extra\":\"{member.team}\"}"));
        ready = true;
    }
    const char *path = scene_write("fuzzed.conf", (struct span){(const char *)data, size});
    struct settings *settings = settings_read(path, scene_plugins(), NULL, &report);
    check_report(&report, (struct span){(const char *)data, size}, settings != NULL);
    if (settings) {
        must(settings->app_count > 0 && settings->store_count > 0);
        for (size_t i = 0; i < settings->app_count; i++)
            must(settings->apps[i].keys.count > 0 && settings->apps[i].id[0]);
    }
    struct settings *names = settings_read_names(path, &report);
    must(!names || settings || report.errors);
    must(!names || !settings || names->app_count == settings->app_count);
    settings_free(names);
    settings_free(settings);
    config_report_free(&report);
    return 0;
}
