/* SPDX-License-Identifier: MIT
 * Key files: whatever is taken for a secret is one, and what is signed by a key it verifies. */
#include "scene.h"

#include "token/keys.h"

#include <string.h>

const char fuzz_corpus[] = "keys";

/* In none of these forms is anything a secret. */
static void check_secret(struct span content)
{
    static const char *const forms[] = {"-----BEGIN ", "ssh-rsa AAAA", "\"kty\"",
                                        "---- BEGIN SSH2"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        must(!content.length || !memmem(content.data, content.length, forms[i], strlen(forms[i])));
}

static void check_key(const struct key *key, struct span content)
{
    uint8_t signature[KEY_SIGNATURE_MAX];
    must(key->id[0] && strlen(key->id) <= KEY_ID_MAX);
    if (key->hmac) {
        must(key->secret_length >= 32);
        must(!key->jwk.length);
        if (!memchr(content.data, '{', content.length))
            check_secret(content);
    }
    if (!key->can_sign)
        return;
    size_t length = key_sign(key, span_of("signed"), signature);
    must(length > 0 && length <= sizeof signature);
    struct span made = {(const char *)signature, length};
    must(key_verify(key, span_of("signed"), made) == SIGN_GOOD);
    must(key_verify(key, span_of("Signed"), made) != SIGN_GOOD);
}

/* The first byte chooses what the file has to be. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct span content = {(const char *)data + 1, size - 1};
    const struct key_source source = {.path = scene_write("fuzzed.key", content),
                                      .modules = scene_plugins(),
                                      .algorithm = (enum algorithm)(data[0] % ALGORITHM_COUNT),
                                      .any_algorithm = data[0] & 0x20,
                                      .signs = !(data[0] & 0x40)};
    struct key_ring ring = {0};
    struct key_report report = {0};
    bool good = keys_load(&source, &ring, &report);
    must(good == (ring.count > 0));
    must(good || report.why.text[0]);
    must(!source.signs || ring.count <= 1);
    must(report.warning_count <= KEY_WARNINGS_MAX);
    for (size_t i = 0; i < ring.count; i++) {
        must(!source.signs || ring.keys[i]->can_sign);
        check_key(ring.keys[i], content);
    }
    key_ring_free(&ring);
    return 0;
}
