/* SPDX-License-Identifier: MIT
 * From what was read, or from random bytes, to a key that is ready for use. */
#include "keys_private.h"

#include "base/random.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* NULL when there is no memory, or the id cannot be one. */
static struct key *new_key(enum algorithm algorithm, struct span id, struct reason *why)
{
    struct key *key = NULL;
    if (id.length > KEY_ID_MAX)
        reason_set(why, "its key id is longer than %d bytes", KEY_ID_MAX);
    else if (!text_is_plain(id))
        reason_set(why, "its key id is not UTF-8 without control characters");
    else if (!(key = calloc(1, sizeof *key)))
        reason_set(why, "out of memory");
    if (!key)
        return NULL;
    key->algorithm = algorithm;
    key->named = id.length > 0;
    if (id.length)
        memcpy(key->id, id.data, id.length);
    return key;
}

/* The key, with its thumbprint for an id where it has none.  NULL: something of it is missing,
 * and the key was freed. */
static struct key *finish(struct key *key, struct bytes *thumbprint, struct reason *why)
{
    bool good = !thumbprint->failed && !key->jwk.failed && (key->hmac || key->module);
    if (good && !key->named)
        memcpy(key->id, thumbprint->data, thumbprint->length);
    bytes_free(thumbprint);
    if (good)
        return key;
    reason_set(why, "out of memory");
    key_free(key);
    return NULL;
}

/* Whether a secret is one.  What others may know, or guess, is not. */
static bool check_secret(struct span secret, const struct algorithm_row *row,
                         struct key_report *report)
{
    const char *form = NULL;
    if (secret.length < SECRET_MIN) {
        reason_set(&report->why,
                   "the secret has %zu byte%s; %s needs at least %d: make one with \"memberchat "
                   "keygen %s FILE\"",
                   secret.length, text_plural(secret.length), row->name, SECRET_MIN, row->name);
        return false;
    }
    switch (disguise_find(secret, &form)) {
    case DISGUISE_NO_MEMORY:
        reason_set(&report->why, "out of memory");
        return false;
    case DISGUISE_KEY:
        reason_set(
            &report->why,
            "it is %s, not a secret: anyone who has it could make tokens; make a secret with "
            "\"memberchat keygen %s FILE\"",
            form, row->name);
        return false;
    case DISGUISE_WEAK:
        key_warn(report,
                 "the secret is %s, which can be guessed: make one with \"memberchat keygen %s "
                 "FILE\"",
                 form, row->name);
        break;
    case DISGUISE_NONE:
        break;
    }
    if (secret.length < row->secret_advised)
        key_warn(report, "the secret has %zu bytes; for %s there should be %zu", secret.length,
                 row->name, row->secret_advised);
    return true;
}

struct key *key_from_secret(enum algorithm algorithm, struct span secret, struct span id,
                            struct key_report *report)
{
    const struct algorithm_row *row = &algorithm_rows[algorithm];
    struct bytes print = {0};
    struct key *key =
        check_secret(secret, row, report) ? new_key(algorithm, id, &report->why) : NULL;
    if (!key)
        return NULL;
    key->hmac = crypto_hmac_new(row->hash, secret);
    key->secret_length = secret.length;
    key->can_sign = true;
    jwk_thumbprint_secret(secret, &print);
    return finish(key, &print, &report->why);
}

struct key *key_from_handle(enum algorithm algorithm, const struct sign_module *module,
                            struct sign_key *handle, struct span id, struct reason *why)
{
    char fault[SIGN_WHY_MAX] = "";
    struct bytes print = {0};
    struct key *key = NULL;
    if (!module->prepare(handle, algorithm_rows[algorithm].sign, fault))
        reason_set(why, "%s", fault);
    else
        key = new_key(algorithm, id, why);
    if (!key) {
        module->free(handle);
        return NULL;
    }
    key->module = module;
    key->handle = handle;
    key->can_sign = module->is_private(handle);
    jwk_thumbprint(key, &print);
    if (!key->named && !print.failed) /* the public JWK names it */
        memcpy(key->id, print.data, print.length);
    jwk_write_public(key, &key->jwk);
    return finish(key, &print, why);
}

static struct key *generate_secret(enum algorithm algorithm, const char *id, struct bytes *secret_r,
                                   struct reason *why)
{
    struct key_report report = {0};
    size_t length = algorithm_rows[algorithm].secret_advised;
    char *room = bytes_reserve(secret_r, length);
    if (!room || !random_fill(room, length)) {
        reason_set(why, room ? "there are no random numbers" : "out of memory");
        return NULL;
    }
    secret_r->length += length;
    struct key *key = key_from_secret(algorithm, bytes_span(secret_r), span_of(id), &report);
    if (!key)
        *why = report.why;
    return key;
}

struct key *key_generate(enum algorithm algorithm, const char *id, const char *modules,
                         struct bytes *secret_r, struct reason *why)
{
    const struct algorithm_row *row = &algorithm_rows[algorithm];
    char fault[SIGN_WHY_MAX] = "";
    if (row->symmetric)
        return generate_secret(algorithm, id, secret_r, why);
    const struct sign_module *module = sign_load(modules, why);
    if (!module)
        return NULL;
    struct sign_key *handle = module->generate(row->sign, fault);
    if (handle)
        return key_from_handle(algorithm, module, handle, span_of(id), why);
    reason_set(why, "%s", fault);
    return NULL;
}
