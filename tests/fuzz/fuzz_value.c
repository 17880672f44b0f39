/* SPDX-License-Identifier: MIT
 * Values of a configuration: durations, sizes, numbers, words, networks. */
#include "fuzz.h"

#include "base/text.h"
#include "settings/config_value.h"
#include "base/networks.h"

#include <string.h>

const char fuzz_corpus[] = "value";

static void check_words(const char *text)
{
    static const char words[] = "error warning info debug";
    int64_t index = value_find_choice(words, text);
    must(index >= -1 && index <= 3);
    for (unsigned limit = 0; limit < 4; limit++) {
        unsigned there = value_distance(text, "chat_server_url", limit);
        must(there <= limit + 1 && there == value_distance("chat_server_url", text, limit));
    }
    if (strlen(text) < 60)
        must(value_distance(text, text, 3) == 0);
}

static void check_net(const char *text)
{
    struct network net;
    if (network_parse(text, &net))
        must(strcmp(text, "unix:") == 0 ||
             (net.bits <= 128 && (strchr(text, '/') || networks_contain(&net, 1, text))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char buffer[32];
    int64_t value;
    char *text = malloc(size + 1);
    must(text);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    if (value_parse_duration(text, &value))
        must(value >= 0 && value_format_duration(value, buffer));
    if (value_parse_size(text, &value))
        must(value >= 0);
    if (text_parse_integer(text, &value))
        must(value >= 0 || text[0] == '-');
    check_words(text);
    check_net(text);
    free(text);
    return 0;
}
