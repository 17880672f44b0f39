/* SPDX-License-Identifier: MIT
 * Key files and what may be in them. */
#include "keys_private.h"

#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (64 * 1024)
#define PEM_MARK "-----BEGIN " /* RFC 7468: text may stand before it */
#define BLANKS   " \t\r\n"

/* A text, that is UTF-8 without control characters but for tabs and line ends, ends before its
 * last line end; a binary file is what it is. */
static struct span trim_text(struct span content)
{
    struct span rest = content;
    while (rest.length) {
        size_t length = text_utf8_sequence(rest);
        unsigned char c = (unsigned char)*rest.data;
        if (!length || c == 0x7f || (c < 0x20 && c != '\t' && c != '\r' && c != '\n'))
            return content;
        rest = (struct span){rest.data + length, rest.length - length};
    }
    return (struct span){content.data, file_line_length(content)};
}

/* Whether it is not plain to see how many bytes of a file count. */
static bool is_unclear(struct span file)
{
    for (size_t i = 0; i < file.length; i++)
        if (file.data[i] < ' ' || file.data[i] > '~')
            return true;
    return false;
}

static bool is_json(struct span content)
{
    while (content.length && memchr(BLANKS, *content.data, sizeof BLANKS - 1))
        content = (struct span){content.data + 1, content.length - 1};
    return content.length && *content.data == '{';
}

/* ---- What may be in them ---- */

/* The algorithm of a PEM key: the source's where it fits, else the first that does. */
static bool choose_algorithm(const struct sign_module *module, const struct sign_key *handle,
                             const struct key_source *source, enum algorithm *algorithm_r)
{
    *algorithm_r = source->algorithm;
    const struct algorithm_row *row = &algorithm_rows[source->algorithm];
    if (!source->any_algorithm || (!row->symmetric && module->fits(handle, row->sign)))
        return true;
    for (enum algorithm i = ALGORITHM_ES256; i < ALGORITHM_COUNT; i++)
        if (module->fits(handle, algorithm_rows[i].sign)) {
            *algorithm_r = i;
            return true;
        }
    return false;
}

static struct key *read_pem(struct span pem, const struct key_source *source, struct reason *why)
{
    const struct algorithm_row *row = &algorithm_rows[source->algorithm];
    char fault[SIGN_WHY_MAX] = "";
    enum algorithm algorithm;
    if (row->symmetric && !source->any_algorithm) {
        reason_set(why,
                   "it is a PEM file, which holds no secret for %s; give it a raw secret or a JWK "
                   "of type \"oct\"",
                   row->name);
        return NULL;
    }
    const struct sign_module *module = sign_load(source->modules, why);
    if (!module)
        return NULL;
    struct sign_key *handle = module->read_pem(pem.data, pem.length, fault);
    if (!handle) {
        reason_set(why, "%s", fault);
        return NULL;
    }
    if (!choose_algorithm(module, handle, source, &algorithm)) {
        reason_set(why, "none of the algorithms can use this key: they need an EC key on the curve "
                        "P-256, an RSA key of 2048 to 8192 bits, or an Ed25519 key");
        module->free(handle);
        return NULL;
    }
    return key_from_handle(algorithm, module, handle, span_of(source->id), why);
}

static struct key *read_raw(struct span file, struct span content, const struct key_source *source,
                            struct key_report *report)
{
    const struct algorithm_row *row = &algorithm_rows[source->algorithm];
    if (row->symmetric || source->any_algorithm) {
        struct key *key = key_from_secret(row->symmetric ? source->algorithm : ALGORITHM_HS256,
                                          content, span_of(source->id), report);
        if (key)
            key->length_is_unclear = is_unclear(file);
        return key;
    }
    reason_set(&report->why, "it is neither PEM nor a JWK, and %s needs one of them", row->name);
    return NULL;
}

/* Takes over a key, or NULL, for which there is a reason already. */
static bool add_key(struct key *key, const struct key_source *source, struct key_ring *ring,
                    struct reason *why)
{
    if (!key)
        return false;
    if (source->signs && !key->can_sign) {
        reason_set(why, "it is a public key; the private one is needed to sign");
        key_free(key);
        return false;
    }
    if (key_ring_add(ring, key))
        return true;
    reason_set(why, "out of memory");
    return false;
}

static bool read_set(struct json_object *keys, const struct key_source *source,
                     struct key_ring *ring, struct key_report *report)
{
    size_t before = ring->count;
    if (source->signs) {
        reason_set(&report->why, "it is a set of keys; one key is needed to sign");
        return false;
    }
    for (size_t i = 0; i < json_length(keys); i++) {
        struct json_object *jwk = json_element(keys, i);
        if (json_kind_of(jwk) == JSON_OBJECT && jwk_is_for(jwk, source) &&
            !add_key(jwk_read(jwk, source, report), source, ring, &report->why))
            return false;
    }
    if (ring->count > before)
        return true;
    reason_set(&report->why, "it has %zu key%s, but none for %s", json_length(keys),
               text_plural(json_length(keys)), algorithm_rows[source->algorithm].name);
    return false;
}

static bool read_json(struct span content, const struct key_source *source, struct key_ring *ring,
                      struct key_report *report)
{
    struct json_object *object, *keys;
    if (json_read(content, JSON_UNIQUE, &object, &report->why) != JSON_GOOD)
        return false;
    bool good = json_find(object, "keys", &keys) == JSON_ARRAY
                    ? read_set(keys, source, ring, report)
                    : add_key(jwk_read(object, source, report), source, ring, &report->why);
    json_release(object);
    return good;
}

bool keys_load(const struct key_source *source, struct key_ring *ring, struct key_report *report)
{
    struct bytes file = {0};
    struct key_report inner = {0};
    size_t before = ring->count;
    bool exposed = false, good = false;
    if (!file_read_secret(source->path, FILE_MAX, &file, &exposed, &report->why)) {
        if (source->signs && access(source->path, F_OK) != 0 && errno == ENOENT)
            reason_set(&report->why,
                       "%s cannot be read: %s: \"memberchat keygen %s FILE\" makes one",
                       source->path, strerror(ENOENT), algorithm_rows[source->algorithm].name);
        goto out;
    }
    struct span content = trim_text(bytes_span(&file));
    if (memmem(content.data, content.length, PEM_MARK, strlen(PEM_MARK)))
        good = add_key(read_pem(content, source, &inner.why), source, ring, &inner.why);
    else if (is_json(content))
        good = read_json(content, source, ring, &inner);
    else
        good =
            add_key(read_raw(bytes_span(&file), content, source, &inner), source, ring, &inner.why);
    bool secret = false; /* public keys may be read by anyone */
    for (size_t i = before; i < ring->count; i++)
        secret = secret || ring->keys[i]->can_sign;
    if (exposed && secret)
        key_warn(report, "any user of this machine can read %s: chmod o-rwx it", source->path);
    for (size_t i = 0; i < inner.warning_count; i++)
        key_warn(report, "%s: %s", source->path, inner.warnings[i].text);
    if (!good)
        reason_set(&report->why, "%s: %s", source->path, inner.why.text);
out:
    bytes_free(&file);
    return good;
}
