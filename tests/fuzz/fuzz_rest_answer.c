/* SPDX-License-Identifier: MIT
 * The body of a service's answer.  The first byte chooses which pointers are used. */
#include "fuzz.h"

#include "plugins/rest/answer.h"

#include <string.h>

const char fuzz_corpus[] = "rest_answer";

static const char asked[] = "id-1";

/* What a host believes is its own business; here it must only be well formed. */
static bool set(struct memberchat_result *result, enum memberchat_field field, const char *value,
                size_t length)
{
    (void)result;
    must(field >= MEMBERCHAT_ID && field <= MEMBERCHAT_ROLE && value && length > 0);
    return length <= 256;
}

static bool set_attribute(struct memberchat_result *result, const char *name, size_t name_length,
                          const char *value, size_t value_length)
{
    (void)result;
    must(name_length == strlen(name) && value && value_length > 0);
    return value_length <= 256;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct memberchat_services services = {
        .size = sizeof services, .set = set, .set_attribute = set_attribute};
    static const char *const words[] = {"ACTIVE", "true"}, *const names[] = {"mail", "first"},
                             *const values[] = {"/mail", "/list/0"},
                             *const keys[] = {"pointer", "value"},
                             *const pair[] = {"/success", "false"};
    struct rest_settings settings = {.id_pointer = "/appUserId",
                                     .name_pointer = "/appUserName",
                                     .avatar_pointer = "/user/a~1b",
                                     .role_pointer = "/user/roles/0",
                                     .active_values = {words, 2},
                                     .attributes = {names, values, 2}};
    struct reason reason = {""};
    char excerpt[REST_EXCERPT_MAX + 1];
    if (size == 0)
        return 0;
    if (data[0] & 1)
        settings.id_pointer = "";
    if (data[0] & 2)
        settings.state_pointer = "/user/enabled";
    if (data[0] & 4)
        settings.member_pointer = data[0] & 8 ? "/data/0" : "";
    if (data[0] & 16)
        settings.not_found_when = (struct memberchat_map){keys, pair, 2};
    rest_answer_excerpt((struct span){(const char *)data, size}, excerpt);
    for (const char *at = excerpt; *at; at++)
        must(*at >= 0x20 && *at < 0x7f);
    char *body = malloc(size);
    must(body);
    memcpy(body, data + 1, size - 1);
    enum memberchat_outcome outcome = rest_answer_read(&settings, (struct span){body, size - 1},
                                                       span_of(asked), &services, NULL, &reason);
    struct reason dry = {""};
    enum memberchat_outcome judged = rest_answer_read(&settings, (struct span){body, size - 1},
                                                      span_of(asked), NULL, NULL, &dry);
    must(judged == MEMBERCHAT_FOUND || judged == outcome ||
         outcome == MEMBERCHAT_UNAVAILABLE); /* the host took no more */
    must(outcome == MEMBERCHAT_FOUND || outcome == MEMBERCHAT_NOT_FOUND ||
         outcome == MEMBERCHAT_MISCONFIGURED || outcome == MEMBERCHAT_UNAVAILABLE);
    must(strlen(reason.text) < sizeof reason.text);
    free(body);
    return 0;
}
