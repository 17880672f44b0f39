/* SPDX-License-Identifier: MIT */
#include "keys.h"

#include "config.h"
#include "json.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MIN 32
#define FILE_MAX   (64 * 1024)

static bool read_all(int fd, size_t limit, struct strbuf *out)
{
    while (out->length <= limit) {
        char *room = strbuf_reserve(out, 4096);
        ssize_t got = room ? read(fd, room, 4096) : -1;
        if (got <= 0)
            return got == 0;
        out->length += (size_t)got;
    }
    return true;
}

bool secret_file_read(const char *path, size_t limit, struct strbuf *out, bool *exposed_r,
                      struct strbuf *why_r)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0)
        strbuf_addf(why_r, "%s cannot be read: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        strbuf_addf(why_r, "%s is not a file", path);
    else if (config_mode_refused(st.st_mode))
        strbuf_addf(why_r,
                    "any user of this machine can write to %s (mode %04o): make a new one, with "
                    "mode 0640",
                    path, st.st_mode & 07777u);
    else if (!read_all(fd, limit, out))
        strbuf_addf(why_r, "%s cannot be read: %s", path, strerror(errno));
    else if (out->length > limit)
        strbuf_addf(why_r, "%s is larger than %zu bytes", path, limit);
    else
        *exposed_r = config_mode_exposed(st.st_mode);
    if (fd >= 0)
        close(fd);
    return why_r->length == 0;
}

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

/* RFC 7638, sections 3.1 and 3.2: the required members in lexical order. */
static void thumbprint(struct span secret, struct strbuf *out)
{
    struct strbuf canonical = {0};
    uint8_t digest[SHA256_LENGTH];
    strbuf_add_string(&canonical, "{\"k\":\"");
    crypto_base64url_encode(&canonical, secret);
    strbuf_add_string(&canonical, "\",\"kty\":\"oct\"}");
    crypto_sha256(strbuf_span(&canonical), digest);
    crypto_base64url_encode(out, (struct span){(const char *)digest, sizeof digest});
    strbuf_free(&canonical);
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

/* What a JWK says: its secret into `secret`, its key id, if any, into `id`. */
static void read_jwk(struct span content, struct strbuf *secret, struct strbuf *id,
                     struct strbuf *why_r)
{
    struct json_object *jwk = json_parse_object(content, why_r);
    if (!jwk)
        return;
    struct span type = json_string_member(jwk, "kty"), k = json_string_member(jwk, "k"),
                algorithm = json_string_member(jwk, "alg");
    if (!span_equal(type, span_of("oct")))
        strbuf_add_string(why_r, "it is a JWK whose \"kty\" is not \"oct\", which HS256 needs");
    else if (algorithm.data && !span_equal(algorithm, span_of("HS256")))
        strbuf_add_string(why_r, "it is a JWK whose \"alg\" is not \"HS256\"");
    else if (!k.data || !crypto_base64url_decode(secret, k))
        strbuf_add_string(why_r, "it is a JWK whose \"k\" is not base64url");
    strbuf_add_span(id, json_string_member(jwk, "kid"));
    json_release(jwk);
}

/* RFC 7515, section 4.1; the same for all tokens of a key. */
static void encode_header(struct signing_key *key)
{
    struct strbuf header = {0};
    strbuf_add_string(&header, "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":");
    strbuf_add_json(&header, span_of(key->id));
    strbuf_add_string(&header, "}");
    crypto_base64url_encode(&key->header, strbuf_span(&header));
    strbuf_add_string(&key->header, ".");
    strbuf_free(&header);
}

static struct signing_key *make_key(struct span secret, struct span id, struct strbuf *why_r)
{
    struct strbuf print = {0};
    struct signing_key *key = NULL;
    if (id.length == 0) {
        thumbprint(secret, &print);
        id = strbuf_span(&print);
    }
    if (secret.length < SECRET_MIN) {
        strbuf_addf(why_r, "the secret has %zu bytes; HS256 needs at least %d", secret.length,
                    SECRET_MIN);
    } else if (id.length > KEY_ID_MAX) {
        strbuf_addf(why_r, "its key id is longer than %d bytes", KEY_ID_MAX);
    } else if (!text_is_plain(id)) {
        strbuf_add_string(why_r, "its key id is not UTF-8 without control characters");
    } else if (!(key = calloc(1, sizeof *key)) || !(key->hmac = crypto_hmac_new(secret))) {
        strbuf_add_string(why_r, "out of memory");
        free(key);
        key = NULL;
    } else {
        memcpy(key->id, id.data, id.length);
        encode_header(key);
    }
    strbuf_free(&print);
    return key;
}

struct signing_key *key_load(const char *path, const char *id, bool *exposed_r,
                             struct strbuf *why_r)
{
    struct strbuf file = {0}, secret = {0}, own_id = {0}, fault = {0};
    struct signing_key *key = NULL;
    if (!secret_file_read(path, FILE_MAX, &file, exposed_r, why_r))
        goto out;
    struct span content = trim_text(strbuf_span(&file));
    if (starts_with(content, "-----BEGIN"))
        strbuf_add_string(&fault, "it is a PEM file, which holds no secret for HS256; give it a "
                                  "raw secret or a JWK of type \"oct\"");
    else if (starts_with(content, "{"))
        read_jwk(content, &secret, &own_id, &fault);
    else
        strbuf_add_span(&secret, content);
    if (!fault.length)
        key = make_key(strbuf_span(&secret), id ? span_of(id) : strbuf_span(&own_id), &fault);
    if (!key)
        strbuf_addf(why_r, "%s: %s", path, strbuf_string(&fault));
out:
    strbuf_free(&file);
    strbuf_free(&secret);
    strbuf_free(&own_id);
    strbuf_free(&fault);
    return key;
}

void key_free(struct signing_key *key)
{
    if (!key)
        return;
    crypto_hmac_free(key->hmac);
    strbuf_free(&key->header);
    free(key);
}
