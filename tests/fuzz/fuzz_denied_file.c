/* SPDX-License-Identifier: MIT
 * A file of denied ids against its own lines: the table denies whom one of them denies. */
#include "scene.h"

#include "base/clock.h"
#include "members/denied.h"

#include <string.h>

const char fuzz_corpus[] = "denied_file";

static void tell(void *context, unsigned line, const char *fault)
{
    must(line >= 1 && fault && *fault);
    (*(unsigned *)context)++;
}

/* Whether a line denies the id now, one after the other. */
static bool is_denied(struct span text, struct span id, int64_t now)
{
    struct span rest = text, line;
    while (span_next_line(&rest, &line)) {
        struct denied_line read;
        denied_read_line(line, &read);
        if (read.id_length && now < read.until &&
            denied_same_id((struct span){read.id, read.id_length}, id))
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = {(const char *)data, size};
    struct reason why;
    unsigned told = 0, faults = 0;
    int64_t now;
    struct denied *denied = denied_open(scene_write("denied", text), "demo", tell, &told, &why);
    must(denied && clock_unix_seconds(&now));
    if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
        text = (struct span){text.data + 3, size - 3};
    struct span rest = text, line;
    while (span_next_line(&rest, &line)) {
        struct denied_line read;
        denied_read_line(line, &read);
        faults += read.fault != NULL;
        struct span id = {read.id, read.id_length};
        if (id.length && read.until != now && read.until != now + 1)
            must(denied_has(denied, id) == is_denied(text, id, now));
        must(!denied_has(denied, span_of("not-in-any-corpus")) ||
             is_denied(text, span_of("not-in-any-corpus"), now));
    }
    must(faults == told);
    denied_free(denied);
    return 0;
}
