/* SPDX-License-Identifier: MIT
 * How fast one core signs and checks, through the library as the responder uses it.
 * usage: token_rate MODULE-FOLDER TEMPLATE SECONDS
 * Prints lines: what, a tab, how often a second of CPU time. */
#include "token/jws.h"
#include "token/keys_private.h"
#include "base/random.h"
#include "base/file.h"
#include "token/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 16

struct subject {
    const struct key *key;
    const struct token_profile *profile;
    const struct key_ring *keys;
    struct bytes out;
    struct span token, text, signature;
};

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "token_rate: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void measure(const char *what, const char *algorithm, void (*once)(struct subject *),
                    struct subject *subject, double seconds)
{
    double begin, end;
    long count = 0;
    once(subject);
    begin = end = cpu_seconds();
    while (end - begin < seconds) {
        for (int i = 0; i < BATCH; i++)
            once(subject);
        count += BATCH;
        end = cpu_seconds();
    }
    printf("%s %s\t%.0f\n", what, algorithm, (double)count / (end - begin));
    fflush(stdout);
}

static void bare_hmac(struct subject *subject)
{
    uint8_t mac[CRYPTO_DIGEST_MAX];
    crypto_hmac_sign(subject->key->hmac, subject->text, mac);
}

static void sign(struct subject *subject)
{
    uint8_t signature[KEY_SIGNATURE_MAX];
    if (!key_sign(subject->key, subject->text, signature))
        fail("sign", "no signature");
}

static void verify(struct subject *subject)
{
    if (key_verify(subject->key, subject->text, subject->signature) != SIGN_GOOD)
        fail("verify", "not good");
}

static void issue(struct subject *subject)
{
    int64_t expires;
    struct span refused;
    const struct token_subject person = {.id = span_of("2MwN1UVGBpDL090lFjsXobNQLdq"),
                                         .name = span_of("GUEST_2MwN1UVGBpDL090lFjsXobNQLdq"),
                                         .role = span_of(CLAIMS_ROLE_GUEST),
                                         .ttl_ms = 600000};
    bytes_reset(&subject->out);
    if (token_issue(subject->profile, &person, &subject->out, &expires, &refused) != TOKEN_ISSUED)
        fail("issue", "no token");
}

static void check(struct subject *subject)
{
    struct jws jws;
    const struct jws_rules rules = {
        .keys = subject->keys, .ours = true, .type = subject->profile->claims->type};
    if (jws_verify(subject->token, &rules, &jws) != JWS_GOOD)
        fail("check", jws.fault);
    jws_free(&jws);
}

static void read_file(const char *path, struct bytes *text)
{
    struct reason why = {0};
    bool exposed;
    if (!file_read_secret(path, 65536, text, &exposed, &why))
        fail(path, why.text);
}

/* Claims with a template or without one. */
static void set_up(struct token_profile *profile, struct span template, struct arena *arena)
{
    static const struct claims_constants constants = {"memberchat", "my-app", "my-app"};
    struct claims_report report = {0};
    profile->claims = claims_parse(template, &constants, arena, &report);
    if (!profile->claims || !token_profile_finish(profile, arena))
        fail("template", report.why.text);
}

static void measure_algorithm(enum algorithm algorithm, const char *modules, struct span template,
                              double seconds)
{
    const char *name = algorithm_rows[algorithm].name;
    struct bytes secret = {0}, kept = {0};
    struct reason why = {0};
    struct arena arena = {0};
    uint8_t signature[KEY_SIGNATURE_MAX];
    struct key *key = key_generate(algorithm, NULL, modules, &secret, &why);
    if (!key)
        fail(name, why.text);
    const struct key_ring keys = {&key, 1};
    struct token_profile profile = {.key = key, .clock_skew = 30};
    struct subject subject = {.key = key, .profile = &profile, .keys = &keys};
    set_up(&profile, SPAN_NONE, &arena);
    issue(&subject);
    bytes_copy(&kept, bytes_span(&subject.out));
    subject.token = bytes_span(&kept);
    const char *dot = memrchr(kept.data, '.', kept.length);
    subject.text = (struct span){kept.data, (size_t)(dot - kept.data)};
    size_t length = key_sign(key, subject.text, signature);
    subject.signature = (struct span){(const char *)signature, length};
    if (key->hmac)
        measure("hmac", name, bare_hmac, &subject, seconds);
    measure("sign", name, sign, &subject, seconds);
    measure("verify", name, verify, &subject, seconds);
    measure("token", name, issue, &subject, seconds);
    measure("check", name, check, &subject, seconds);
    set_up(&profile, template, &arena);
    measure("template", name, issue, &subject, seconds);
    bytes_free(&subject.out);
    bytes_free(&secret);
    bytes_free(&kept);
    arena_free(&arena);
    key_free(key);
}

int main(int argc, char **argv)
{
    struct bytes template = {0};
    if (argc != 4)
        fail("usage", "token_rate MODULE-FOLDER TEMPLATE SECONDS");
    read_file(argv[2], &template);
    for (int algorithm = 0; algorithm < ALGORITHM_COUNT; algorithm++)
        measure_algorithm((enum algorithm)algorithm, argv[1], bytes_span(&template), atof(argv[3]));
    bytes_free(&template);
    return EXIT_SUCCESS;
}
