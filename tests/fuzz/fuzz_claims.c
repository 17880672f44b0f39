/* SPDX-License-Identifier: MIT
 * Templates: what is taken makes strict JSON of whatever it is filled in with. */
#include "fuzz.h"

#include "token/claims.h"
#include "base/json.h"

#include <string.h>

const char fuzz_corpus[] = "claims";

static const struct claims_constants constants = {"me", "you", "the \"app\""};

/* People with quotes, wildcards and nothing in them. */
static const struct claims_values people[] = {
    {.texts = {{"a\"\\\n\1b*#{userId}", 14}, {"N", 1}, {"", 0}, {"guest", 5}, {"j", 1}},
     .numbers = {1, -1, 2}},
    {.texts = {{"u-1", 3}, {NULL, 0}, {NULL, 0}, {"x", 1}, {"j", 1}}, .numbers = {1, 2, 3}},
};

static void check(const struct claims *claims, const struct claims_values *values)
{
    struct bytes text = {0};
    struct reason why;
    struct span refused;
    struct json_object *object;
    int64_t exp = 0;
    if (claims_render(claims, values, &text, &refused)) {
        must(json_read(bytes_span(&text), JSON_UNIQUE, &object, &why) == JSON_GOOD);
        must(json_integer_member(object, "exp", &exp) && exp == values->numbers[2]);
        must(span_equal(json_string_member(object, "sub"), values->texts[CLAIM_USER_ID]));
        json_release(object);
    }
    bytes_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct claims_report report = {0};
    const struct claims *claims =
        claims_parse((struct span){(const char *)data, size}, &constants, &arena, &report);
    must(!claims == (report.why.text[0] != 0));
    for (size_t i = 0; claims && i < sizeof people / sizeof *people; i++)
        check(claims, &people[i]);
    arena_free(&arena);
    return 0;
}
