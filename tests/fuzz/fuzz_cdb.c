/* SPDX-License-Identifier: MIT
 * A compiled members file of any bytes. */
#include "members_host.h"

const char fuzz_corpus[] = "cdb";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const ids[] = {"1", "2", "zo\xc3\xab", "nobody"};
    struct file_settings settings =
        host_settings(scene_write("fuzzed.cdb", (struct span){(const char *)data, size}));
    struct file_stamp stamp;
    struct members *members;
    struct reason why = {""};
    enum load result = members_load(&settings, &host_report, &stamp, &members, &why);
    must((result == LOAD_DONE) == (members != NULL));
    if (!members) {
        must(why.text[0]);
        return 0;
    }
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct told told = host_ask(members, &settings, span_of(ids[i]));
        bytes_free(&told.fields);
    }
    members_free(members);
    return 0;
}
