/* SPDX-License-Identifier: MIT
 * The body of a guest's request: gate, parser, fields. */
#include "fuzz.h"

#include "api/guest.h"
#include "base/json_gate.h"
#include "base/text.h"

#include <string.h>

const char fuzz_corpus[] = "json";

static const struct claims claims = {.type = "JWT"};
static const struct app app = {.id = "demo", .claims = &claims}; /* without a key */

static void check_gate(struct span text)
{
    size_t offset = SIZE_MAX, again = SIZE_MAX;
    char *copy = malloc(text.length ? text.length : 1);
    must(copy);
    if (text.length)
        memcpy(copy, text.data, text.length);
    const char *fault = json_gate_check(copy, text.length, &offset);
    must(offset <= text.length);
    if (!fault) /* what it wrote is good, too, and nothing is left to write */
        must(!json_gate_check(copy, text.length, &again));
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span body = {(const char *)data, size};
    struct bytes why = {0};
    struct guest guest;
    check_gate(body);
    if (guest_read(&guest, &app, body, &why) == GUEST_GOOD) {
        must(text_is_alphanumeric(guest.id) && guest.id.length <= MEMBERCHAT_ID_MAX);
        must(guest.name.data && guest.name.length <= MEMBERCHAT_NAME_MAX &&
             text_is_plain(guest.name));
        must(guest.avatar.length <= MEMBERCHAT_AVATAR_MAX && text_is_plain(guest.avatar));
        must(why.length == 0);
    } else {
        must(why.length > 0);
    }
    guest_free(&guest);
    bytes_free(&why);
    return 0;
}
