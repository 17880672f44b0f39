/* SPDX-License-Identifier: MIT
 * Key files and what may be in them. */
#include "keys_private.h"

#include "base/file.h"

#include <string.h>

#define FILE_MAX (64 * 1024)
#define PEM_MARK "-----BEGIN " /* RFC 7468: text may stand before it */

/* The content of a text file ends before its last newline; that of a binary
 * file is what it is. */
static struct span trim_text(struct span content)
{
    size_t end = content.length;
    if (end && content.data[end - 1] == '\n')
        end--;
    if (end && end < content.length && content.data[end - 1] == '\r')
        end--;
    for (size_t i = 0; i < end; i++)
        if (content.data[i] < 0x20 || content.data[i] > 0x7e)
            return content;
    return (struct span){content.data, end};
}

/* White space before it does not count. */
static bool starts_with(struct span content, const char *prefix)
{
    while (content.length && memchr(" \t\r\n", *content.data, 4)) {
        content.data++;
        content.length--;
    }
    return content.length >= strlen(prefix) && memcmp(content.data, prefix, strlen(prefix)) == 0;
}

/* ---- What may be in them ---- */

static struct key *read_pem(struct span pem, const struct key_source *source,
                            struct key_report *report)
{
    const struct algorithm_row *row = &algorithm_rows[source->algorithm];
    enum algorithm algorithm = source->algorithm;
    char why[SIGN_WHY_MAX] = "";
    if (row->symmetric && !source->any_algorithm) {
        bytes_addf(&report->why,
                   "it is a PEM file, which holds no secret for %s; give it a raw secret or a JWK "
                   "of type \"oct\"",
                   row->name);
        return NULL;
    }
    const struct sign_module *module = sign_load(source->modules, &report->why);
    struct sign_key *handle = module ? module->read_pem(pem.data, pem.length, why) : NULL;
    if (!handle) {
        bytes_add_string(&report->why, why);
        return NULL;
    }
    if (source->any_algorithm && (row->symmetric || !module->fits(handle, row->sign)))
        for (algorithm = ALGORITHM_ES256; algorithm < ALGORITHM_COUNT; algorithm++)
            if (module->fits(handle, algorithm_rows[algorithm].sign))
                break;
    if (algorithm == ALGORITHM_COUNT) {
        bytes_add_string(&report->why,
                         "it is a key that no algorithm here is for: they need an EC key on the "
                         "curve P-256, an RSA key of 2048 to 8192 bits, or an Ed25519 key");
        module->free(handle);
        return NULL;
    }
    return key_from_handle(algorithm, module, handle, span_of(source->id), report);
}

/* X.690: a SEQUENCE that is all there is, and begins as public and private keys do. */
static bool is_der_key(struct span content)
{
    const uint8_t *der = (const uint8_t *)content.data;
    if (content.length < 5 || der[0] != 0x30)
        return false;
    size_t head = der[1] == 0x82 ? 4 : der[1] == 0x81 ? 3 : 2;
    size_t length = head == 4 ? (size_t)der[2] << 8 | der[3] : der[head - 1];
    return length == content.length - head && (der[head] == 0x30 || der[head] == 0x02);
}

/* What is a key, but in a form that is not read here: whoever has its public half, as
 * everybody may, must not have the secret by it.  NULL: none that is known. */
static const char *name_of_form(struct span content)
{
    static const struct {
        const char *begin, *name;
    } forms[] = {
        {"\xef\xbb\xbf", "a text with a byte order mark"},
        {"[{", "a JSON array"},
        {"[ ", "a JSON array"},
        {"[\r", "a JSON array"},
        {"[\n", "a JSON array"},
        {"ssh-", "a key of SSH"},
        {"ecdsa-sha2-", "a key of SSH"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (starts_with(content, forms[i].begin))
            return forms[i].name;
    return is_der_key(content) ? "a key in DER" : NULL;
}

static struct key *read_raw(struct span content, const struct key_source *source,
                            struct key_report *report)
{
    const struct algorithm_row *row = &algorithm_rows[source->algorithm];
    const char *form = name_of_form(content);
    if (form) {
        bytes_addf(&report->why,
                   "it is %s, and no secret; a secret, PEM, a JWK or a set of them is read here",
                   form);
        return NULL;
    }
    if (row->symmetric)
        return key_from_secret(source->algorithm, content, span_of(source->id), report);
    if (source->any_algorithm)
        return key_from_secret(ALGORITHM_HS256, content, span_of(source->id), report);
    bytes_addf(&report->why, "it is neither PEM nor a JWK, and %s needs one of them", row->name);
    return NULL;
}

static void add_key(struct key *key, const struct key_source *source, struct key_ring *ring,
                    struct key_report *report)
{
    if (key && source->signs && !key->can_sign) {
        bytes_add_string(&report->why, "it is a public key; the private one is needed to sign");
        key_free(key);
    } else if (key) {
        key_ring_add(ring, key);
    }
}

static void read_set(struct json_object *keys, const struct key_source *source,
                     struct key_ring *ring, struct key_report *report)
{
    size_t before = ring->count;
    if (source->signs) {
        bytes_add_string(&report->why, "it is a set of keys; one key is needed to sign");
        return;
    }
    for (size_t i = 0; i < json_length(keys) && !report->why.length; i++) {
        struct json_object *jwk = json_element(keys, i);
        if (json_kind_of(jwk) == JSON_OBJECT && jwk_is_for(jwk, source))
            add_key(jwk_read(jwk, source, report), source, ring, report);
    }
    if (ring->count == before && !report->why.length)
        bytes_addf(&report->why, "none of its %zu keys is for %s", json_length(keys),
                   algorithm_rows[source->algorithm].name);
}

static void read_json(struct span content, const struct key_source *source, struct key_ring *ring,
                      struct key_report *report)
{
    struct json_object *keys, *object = json_parse_unique(content, &report->why);
    if (!object)
        return;
    if (json_find(object, "keys", &keys) == JSON_ARRAY)
        read_set(keys, source, ring, report);
    else
        add_key(jwk_read(object, source, report), source, ring, report);
    json_release(object);
}

bool keys_load(const struct key_source *source, struct key_ring *ring, struct key_report *report)
{
    struct bytes file = {0};
    struct key_report inner = {0};
    struct reason unread = {0};
    bool exposed = false;
    if (!file_read_secret(source->path, FILE_MAX, &file, &exposed, &unread)) {
        bytes_add_string(&report->why, unread.text);
        goto out;
    }
    struct span content = trim_text(bytes_span(&file));
    if (memmem(content.data, content.length, PEM_MARK, strlen(PEM_MARK)))
        add_key(read_pem(content, source, &inner), source, ring, &inner);
    else if (starts_with(content, "{"))
        read_json(content, source, ring, &inner);
    else
        add_key(read_raw(content, source, &inner), source, ring, &inner);
    if (exposed && ring->count && ring->keys[ring->count - 1]->can_sign)
        bytes_addf(&report->warning, "any user of this machine can read %s: chmod o-rwx it",
                   source->path);
    if (inner.warning.length)
        bytes_addf(&report->warning, "%s%s: %s", report->warning.length ? "; " : "", source->path,
                   bytes_string(&inner.warning));
    if (inner.why.length)
        bytes_addf(&report->why, "%s: %s", source->path, bytes_string(&inner.why));
out:
    bytes_free(&file);
    key_report_free(&inner);
    return report->why.length == 0;
}
