/* SPDX-License-Identifier: MIT
 * What a web server answers to memberchat doctor. */
#include "fuzz.h"

#include "cli/doctor_kind.h"

#include <string.h>

const char fuzz_corpus[] = "doctor";

static bool is_within(struct span part, struct span whole)
{
    return part.data >= whole.data && part.data + part.length <= whole.data + whole.length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"Location", "Date", "Server"};
    struct doctor_answer answer = {0};
    bytes_copy(&answer.text, (struct span){(const char *)data, size});
    if (doctor_answer_read(&answer)) {
        struct span text = bytes_span(&answer.text);
        must(answer.status / 100 != 1);
        must(is_within(answer.head, text) && is_within(answer.body, text));
        must(answer.body.data + answer.body.length == text.data + text.length);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            struct span value = doctor_header(&answer, names[i]);
            must(!value.data || is_within(value, answer.head));
            must(!value.length || !memchr(value.data, '\r', value.length));
        }
        enum doctor_kind kind = doctor_kind_of(&answer);
        must(kind < KINDS && (kind == ISSUED || kind == REDIRECT || doctor_kind_words[kind]));
    }
    doctor_answer_free(&answer);
    return 0;
}
