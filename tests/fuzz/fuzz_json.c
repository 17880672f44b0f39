/* SPDX-License-Identifier: MIT
 * The body of a guest's request: gate, parser, fields. */
#include "fuzz.h"

#include "api/guest.h"
#include "base/json.h"
#include "base/json_gate.h"
#include "base/text.h"

#include <string.h>

const char fuzz_corpus[] = "json";

static const struct claims claims = {.type = "JWT"};
static const struct app app = {.id = "demo", .profile = {.claims = &claims}}; /* without a key */

/* Halves of surrogate pairs are all that the strict gate holds back beyond the other. */
static void check_gate(struct span text)
{
    size_t strict = SIZE_MAX, lenient = SIZE_MAX;
    bool good = !json_gate_check(text, false, &strict);
    bool fair = !json_gate_check(text, true, &lenient);
    must(strict <= lenient && lenient <= text.length);
    must(!good || fair);
}

/* Whatever is taken by one rule is taken by a laxer one. */
static void check_reader(struct span text)
{
    struct json_object *value;
    struct reason why;
    bool taken[16];
    for (unsigned rules = 0; rules < 16; rules++) {
        enum json_result result = json_read(text, rules, &value, &why);
        must(result != JSON_NO_MEMORY);
        taken[rules] = result == JSON_GOOD;
        must(taken[rules] || (!value && why.text[0]));
        json_release(value);
    }
    for (unsigned rules = 0; rules < 16; rules++) {
        must(!taken[rules] || taken[rules & (15u ^ JSON_UNIQUE)]);
        must(!taken[rules] || taken[rules | JSON_ANY | JSON_DEEP | JSON_HALVES]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span body = {(const char *)data, size};
    struct reason why = {0};
    struct guest guest;
    check_gate(body);
    check_reader(body);
    if (guest_read(&guest, &app, body, &why) == GUEST_GOOD) {
        must(text_is_alphanumeric(guest.id) && guest.id.length <= MEMBERCHAT_ID_MAX);
        must(guest.name.data && guest.name.length <= MEMBERCHAT_NAME_MAX &&
             text_is_plain(guest.name));
        must(guest.avatar.length <= MEMBERCHAT_AVATAR_MAX && text_is_plain(guest.avatar));
        must(why.text[0] == 0);
    } else {
        must(why.text[0] != 0);
    }
    guest_free(&guest);
    return 0;
}
