/* SPDX-License-Identifier: MIT
 * What an app's tokens are like, and whose tokens it accepts. */
#include "settings_private.h"

#include "token/jws.h"
#include "base/file.h"
#include "base/text.h"

#include <string.h>

#define DAY          (24 * 60 * 60000LL)
#define TEMPLATE_MAX (64 * 1024)

static const struct memberchat_key token_keys[] = {
    {MEMBERCHAT_KEY(struct token_settings, issuer, "issuer", STRING, "memberchat", 1, 256,
                    "the claim iss")},
    {MEMBERCHAT_KEY(struct token_settings, audience, "audience", STRING, NULL, 1, 256,
                    "the claim aud; the appId where it is not set")},
    {MEMBERCHAT_KEY(struct token_settings, ttl_ms, "ttl", DURATION, "15m", 1000, 30 * DAY,
                    "how long a member's token is good")},
    {MEMBERCHAT_KEY(struct token_settings, guest_ttl_ms, "guest_ttl", DURATION, "10m", 1000,
                    30 * DAY, "how long a guest's token is good")},
    {MEMBERCHAT_KEY(struct token_settings, algorithm, "algorithm", CHOICE, "HS256", 0, 0,
                    "how tokens are signed"),
     .choices = ALGORITHM_NAMES},
    {MEMBERCHAT_KEY(struct token_settings, key_file, "key_file", PATH, NULL, 0, 0,
                    "the file with the signing key"),
     .flags = MEMBERCHAT_KEY_REQUIRED},
    {MEMBERCHAT_KEY(
        struct token_settings, key_id, "key_id", STRING, NULL, 1, KEY_ID_MAX,
        "the key's name in the token header (kid); the thumbprint of the key where it is not set")},
    {MEMBERCHAT_KEY(struct token_settings, claims, "claims", PATH, NULL, 0, 0,
                    "a template of further claims")},
    {MEMBERCHAT_KEY(struct token_settings, next_keys, "next_keys", LIST, NULL, 0, 16,
                    "key files published ahead of their use")},
    {MEMBERCHAT_KEY(struct token_settings, previous_keys, "previous_keys", LIST, NULL, 0, 16,
                    "key files published and accepted after their use")},
};

static const struct memberchat_key access_keys[] = {
    {MEMBERCHAT_KEY(struct access_settings, algorithm, "algorithm", CHOICE, NULL, 0, 0,
                    "how these JWTs are signed"),
     .choices = ALGORITHM_NAMES, .flags = MEMBERCHAT_KEY_REQUIRED},
    {MEMBERCHAT_KEY(struct access_settings, key_file, "key_file", PATH, NULL, 0, 0,
                    "the file with the key, or keys, to check with"),
     .flags = MEMBERCHAT_KEY_REQUIRED},
    {MEMBERCHAT_KEY(struct access_settings, issuer, "issuer", STRING, NULL, 1, 2048,
                    "what their claim iss must be"),
     .flags = MEMBERCHAT_KEY_REQUIRED},
    {MEMBERCHAT_KEY(struct access_settings, audience, "audience", STRING, NULL, 1, 2048,
                    "what their claim aud must be or contain; any where it is not set")},
};

const struct settings_table settings_token_tables[] = {
    {"apps.NAME.token", token_keys, CONFIG_COUNT(token_keys)},
    {"apps.NAME.access_token", access_keys, CONFIG_COUNT(access_keys)},
};

/* What goes into JSON. */
static void check_claim(const char *value, const char *key, const struct config_node *group,
                        struct config_report *report)
{
    if (value && !text_is_plain(span_of(value)))
        config_error(report, group, key, "must be UTF-8 without control characters");
}

/* ---- Keys ---- */

static void load_keys(const struct key_source *source, struct key_ring *ring,
                      const struct config_node *group, const char *key,
                      struct config_report *report)
{
    struct key_report found = {0};
    if (!keys_load(source, ring, &found))
        config_error(report, group, key, "%s", bytes_string(&found.why));
    if (found.warning.length)
        config_warning(report, group, key, "%s", bytes_string(&found.warning));
    key_report_free(&found);
}

/* "FILE" or "FILE#KEYID" */
static void load_list(const struct loading *loading, struct app *app,
                      const struct config_node *group, const char *key,
                      const struct memberchat_list *files)
{
    struct arena *arena = &loading->settings->arena;
    struct key_source source = {.modules = loading->plugin_folder,
                                .algorithm = (enum algorithm)app->token.algorithm,
                                .any_algorithm = true};
    for (size_t i = 0; i < files->count; i++) {
        const char *hash = strrchr(files->items[i], '#');
        size_t length = hash ? (size_t)(hash - files->items[i]) : strlen(files->items[i]);
        const char *file = arena_string(arena, (struct span){files->items[i], length});
        source.id = hash && hash[1] ? hash + 1 : NULL;
        source.path = file ? config_resolve_path(group, file, arena) : NULL;
        if (source.path)
            load_keys(&source, &app->keys, group, key, loading->report);
    }
}

/* The same key, whatever it is called: what one signs, the other accepts. */
static bool is_same_key(const struct key *a, const struct key *b)
{
    static const char text[] = "two names of one key";
    uint8_t one[KEY_SIGNATURE_MAX], other[KEY_SIGNATURE_MAX];
    if (!a->hmac || !b->hmac)
        return a->jwk.length > 0 && span_equal(bytes_span(&a->jwk), bytes_span(&b->jwk));
    size_t length = key_sign(a, span_of(text), one);
    return length == key_sign(b, span_of(text), other) && memcmp(one, other, length) == 0;
}

static void check_ids(const struct key_ring *ring, const struct config_node *group,
                      struct config_report *report)
{
    for (size_t i = 0; i < ring->count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(ring->keys[i]->id, ring->keys[j]->id) == 0 &&
                !is_same_key(ring->keys[i], ring->keys[j]))
                config_error(report, group, NULL, "two different keys have the key id \"%s\"",
                             ring->keys[i]->id);
}

static void read_keys(const struct loading *loading, struct app *app,
                      const struct config_node *group)
{
    const struct token_settings *token = &app->token;
    const struct key_source source = {.path = token->key_file,
                                      .id = token->key_id,
                                      .modules = loading->plugin_folder,
                                      .algorithm = (enum algorithm)token->algorithm,
                                      .signs = true};
    load_keys(&source, &app->keys, group, "key_file", loading->report);
    app->key = app->keys.count ? app->keys.keys[0] : NULL;
    load_list(loading, app, group, "next_keys", &token->next_keys);
    load_list(loading, app, group, "previous_keys", &token->previous_keys);
    check_ids(&app->keys, group, loading->report);
}

/* ---- Claims ---- */

static void read_claims(const struct loading *loading, struct app *app,
                        const struct config_node *group)
{
    struct config_report *report = loading->report;
    const struct claims_constants constants = {app->token.issuer, app->token.audience, app->id};
    struct bytes file = {0}, warning = {0}, why = {0};
    struct reason unread = {0};
    bool exposed;
    if (app->token.claims &&
        !file_read_secret(app->token.claims, TEMPLATE_MAX, &file, &exposed, &unread)) {
        config_error(report, group, "claims", "%s", unread.text);
    } else {
        app->claims = claims_parse(app->token.claims ? bytes_span(&file) : SPAN_NONE, &constants,
                                   &loading->settings->arena, &warning, &why);
        if (!app->claims)
            config_error(report, group, "claims", "%s: %s", app->token.claims, bytes_string(&why));
        if (warning.length)
            config_warning(report, group, "claims", "%s: %s", app->token.claims,
                           bytes_string(&warning));
    }
    bytes_free(&file);
    bytes_free(&warning);
    bytes_free(&why);
}

static void make_header(const struct loading *loading, struct app *app)
{
    struct arena *arena = &loading->settings->arena;
    struct bytes header = {0};
    jws_write_header(app->key, app->claims->type, app->claims->more_header, &header);
    if (!header.failed)
        app->token_header = (struct span){arena_string(arena, bytes_span(&header)), header.length};
    if (!app->token_header.data)
        config_report_no_memory(loading->report);
    bytes_free(&header);
}

/* ---- Groups ---- */

void settings_read_token(const struct loading *loading, struct app *app,
                         const struct config_node *group)
{
    struct token_settings *token = &app->token;
    const struct config_table table = CONFIG_TABLE(token_keys, token);
    config_fill(group, &table, 1, &loading->settings->arena, loading->report);
    if (loading->settings->arena.failed)
        return;
    check_claim(token->issuer, "issuer", group, loading->report);
    check_claim(token->audience, "audience", group, loading->report);
    if (!token->audience)
        token->audience = app->id;
    if (token->key_file && token->algorithm >= 0)
        read_keys(loading, app, group);
    if (token->issuer)
        read_claims(loading, app, group);
    if (app->key && app->claims)
        make_header(loading, app);
}

void settings_read_access(const struct loading *loading, struct app *app,
                          const struct config_node *group)
{
    struct access_settings *access = &app->access;
    const struct config_table table = CONFIG_TABLE(access_keys, access);
    config_fill(group, &table, 1, &loading->settings->arena, loading->report);
    if (!access->key_file || access->algorithm < 0 || !config_child(group, "algorithm"))
        return;
    const struct key_source source = {.path = access->key_file,
                                      .modules = loading->plugin_folder,
                                      .algorithm = (enum algorithm)access->algorithm};
    load_keys(&source, &app->access_keys, group, "key_file", loading->report);
}

/* ---- The set of public keys ---- */

/* Whether an earlier key of the set has the same id, and whether it is the same. */
static bool is_published(const struct key_ring *set, const struct key *key,
                         const struct config_node *apps, struct config_report *report)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->keys[i]->id, key->id) != 0)
            continue;
        if (is_same_key(set->keys[i], key))
            return true;
        config_warning(report, apps, NULL,
                       "two apps have different keys with the key id \"%s\": a chat server that "
                       "reads the keys of all apps may take the one for the other",
                       key->id);
    }
    return false;
}

void settings_make_jwks(const struct loading *loading)
{
    struct settings *settings = loading->settings;
    const struct config_node *apps = config_child(loading->root, "apps");
    struct key_ring set = {0}; /* borrows its keys */
    struct bytes *text = &settings->jwks.text, *etag = &settings->jwks.etag;
    uint8_t digest[SHA256_LENGTH];
    bytes_add_string(text, "{\"keys\":[");
    for (size_t a = 0; a < settings->app_count; a++)
        for (size_t k = 0; k < settings->apps[a].keys.count; k++) {
            struct key *key = settings->apps[a].keys.keys[k];
            if (!key->jwk.length || is_published(&set, key, apps, loading->report))
                continue;
            bytes_add_string(text, set.count ? "," : "");
            bytes_add_span(text, bytes_span(&key->jwk));
            key_ring_add(&set, key);
        }
    bytes_add_string(text, "]}");
    crypto_sha256(bytes_span(text), digest);
    bytes_add_string(etag, "\"");
    crypto_base64url_encode(etag, (struct span){(const char *)digest, sizeof digest});
    bytes_add_string(etag, "\"");
    if (text->failed || etag->failed)
        config_report_no_memory(loading->report);
    set.count = 0;
    key_ring_free(&set);
}
