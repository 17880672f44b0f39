/* SPDX-License-Identifier: MIT
 * A members file of text against what index makes of it: both say the same of everybody. */
#include "members_host.h"

#include "plugins/file/index.h"

#include <string.h>

const char fuzz_corpus[] = "members";

struct both {
    const struct members *text, *compiled;
    struct file_settings text_settings, compiled_settings;
};

static void compare(const struct both *both, struct span id)
{
    struct told text = host_ask(both->text, &both->text_settings, id);
    struct told compiled = host_ask(both->compiled, &both->compiled_settings, id);
    must(text.outcome == compiled.outcome);
    must(span_equal(bytes_span(&text.fields), bytes_span(&compiled.fields)));
    bytes_free(&text.fields);
    bytes_free(&compiled.fields);
}

/* Everybody who is in the text, and those whose ids are nearly theirs. */
static void compare_one(void *context, struct span id, struct span record,
                        const struct table_note *note)
{
    char near[MEMBERCHAT_ID_MAX + 1];
    (void)record;
    (void)note;
    compare(context, id);
    memcpy(near, id.data, id.length);
    if (id.length > 1)
        compare(context, (struct span){near, id.length - 1});
    near[0] ^= 1;
    if (near[0] >= ' ' && near[0] < 0x7f)
        compare(context, (struct span){near, id.length});
}

static struct members *load_quietly(const struct file_settings *settings)
{
    struct file_stamp stamp;
    struct members *members;
    struct reason why;
    members_load(settings, &host_report, &stamp, &members, &why);
    return members;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes content = {0};
    bytes_add(&content, (const char *)data, size);
    bytes_add(&content, "\n", 1); /* without it someone might still be writing */
    struct both both = {.text_settings =
                            host_settings(scene_write("fuzzed.csv", bytes_span(&content)))};
    struct index index;
    struct reason why = {""};
    bytes_free(&content);
    both.compiled_settings = host_settings(scene_path("made.cdb"));
    both.text = load_quietly(&both.text_settings);
    bool made =
        index_make(&both.text_settings, &host_report, both.compiled_settings.path, &index, &why);
    must(made == (both.text != NULL));
    if (!made) {
        must(why.text[0]);
        return 0;
    }
    bool synced;
    must(index_place(&index, &synced, &why));
    both.compiled = load_quietly(&both.compiled_settings);
    must(both.compiled);
    must(table_each(members_table(both.text), compare_one, &both));
    compare(&both, span_of("nobody"));
    members_free((struct members *)both.text);
    members_free((struct members *)both.compiled);
    return 0;
}
