/* SPDX-License-Identifier: MIT
 * What an app's tokens are like, and whose tokens it accepts. */
#include "settings_private.h"

#include "base/file.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define MINUTE       60000LL
#define DAY          (24 * 60 * MINUTE)
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
    {MEMBERCHAT_KEY(struct token_settings, clock_skew_ms, "clock_skew", DURATION, "30s", 0,
                    10 * MINUTE, "how long before now iat and nbf lie, since clocks differ")},
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

/* What stands in JSON.  A text with a mistake counts as absent. */
static void check_claim(const char **value, const char *key, const struct config_node *group,
                        struct config_report *report)
{
    if (!*value || text_is_plain(span_of(*value)))
        return;
    config_error(report, group, key, "must be UTF-8 without control characters");
    *value = NULL;
}

/* ---- Keys ---- */

static void load_keys(const struct loading *loading, const struct key_source *source,
                      struct key_ring *ring, const struct config_node *group, const char *key)
{
    struct config_report *report = loading->report;
    struct key_report found = {0};
    settings_check_folder(loading, group, key, source->path);
    if (!keys_load(source, ring, &found))
        config_error(report, group, key, "%s", found.why.text);
    for (size_t i = 0; i < found.warning_count; i++)
        config_warning(report, group, key, "%s", found.warnings[i].text);
}

/* "FILE" or "FILE#KEYID", of which the paths are kept. */
static void load_list(const struct loading *loading, struct app *app,
                      const struct config_node *group, const char *key,
                      struct memberchat_list *files)
{
    struct arena *arena = &loading->settings->arena;
    struct key_source source = {.modules = loading->plugin_folder,
                                .algorithm = (enum algorithm)app->token.algorithm,
                                .any_algorithm = true};
    const char **paths = arena_alloc(arena, (files->count + 1) * sizeof *paths);
    for (size_t i = 0; paths && i < files->count; i++) {
        const char *hash = strrchr(files->items[i], '#');
        size_t length = hash ? (size_t)(hash - files->items[i]) : strlen(files->items[i]);
        const char *file = arena_string(arena, (struct span){files->items[i], length});
        source.id = hash && hash[1] ? hash + 1 : NULL;
        paths[i] = source.path = file ? config_resolve_path(group, file, arena) : NULL;
        if (!length)
            config_error(loading->report, group, key, "\"%s\" is not a path", files->items[i]);
        else if (source.path)
            load_keys(loading, &source, &app->keys, group, key);
    }
    *files = (struct memberchat_list){paths, paths ? files->count : 0};
}

/* The same key, whatever it is called: what one signs, the other accepts. */
static bool is_same_key(const struct key *a, const struct key *b)
{
    static const char text[] = "two names of one key";
    uint8_t one[KEY_SIGNATURE_MAX], other[KEY_SIGNATURE_MAX];
    if (!a->hmac || !b->hmac)
        return a->jwk.length > 0 && span_equal(bytes_span(&a->jwk), bytes_span(&b->jwk));
    size_t length = key_sign(a, span_of(text), one);
    return length > 0 && length == key_sign(b, span_of(text), other) &&
           memcmp(one, other, length) == 0;
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
    struct token_settings *token = &app->token;
    const struct key_source source = {.path = token->key_file,
                                      .id = token->key_id,
                                      .modules = loading->plugin_folder,
                                      .algorithm = (enum algorithm)token->algorithm,
                                      .signs = true};
    load_keys(loading, &source, &app->keys, group, "key_file");
    app->profile.key = app->keys.count ? app->keys.keys[0] : NULL;
    load_list(loading, app, group, "next_keys", &token->next_keys);
    load_list(loading, app, group, "previous_keys", &token->previous_keys);
    check_ids(&app->keys, group, loading->report);
}

/* ---- Claims ---- */

/* A guest may choose any id that a member has. */
static void warn_of_names(const struct app *app, const struct config_node *group,
                          struct config_report *report)
{
    const char *prefix = app->settings.guest_id_prefix;
    if (app->settings.guests && (!prefix || !*prefix) && app->profile.claims->names_user)
        config_warning(report, group, "claims",
                       "%s uses {userId}, and a guest may choose the id of a member: set "
                       "guest_id_prefix = \"guest_\" in the app, or guests = false",
                       app->token.claims);
}

static void read_claims(const struct loading *loading, struct app *app,
                        const struct config_node *group)
{
    struct config_report *report = loading->report;
    const struct claims_constants constants = {app->token.issuer, app->token.audience, app->id};
    const char *path = app->token.claims;
    struct bytes file = {0};
    struct claims_report found = {0};
    bool exposed;
    if (path && !file_read_secret(path, TEMPLATE_MAX, &file, &exposed, &found.why)) {
        config_error(report, group, "claims", "%s", found.why.text);
    } else {
        app->profile.claims = claims_parse(path ? bytes_span(&file) : SPAN_NONE, &constants,
                                           &loading->settings->arena, &found);
        if (!app->profile.claims)
            config_error(report, group, "claims", "%s%s%s", path ? path : "", path ? ": " : "",
                         found.why.text);
        else
            warn_of_names(app, group, report);
        if (found.warning.text[0])
            config_warning(report, group, "claims", "%s: %s", path, found.warning.text);
    }
    bytes_free(&file);
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
    check_claim(&token->issuer, "issuer", group, loading->report);
    check_claim(&token->audience, "audience", group, loading->report);
    check_claim(&token->key_id, "key_id", group, loading->report);
    if (!token->audience)
        token->audience = app->id;
    if (token->key_file && token->algorithm >= 0)
        read_keys(loading, app, group);
    if (token->issuer)
        read_claims(loading, app, group);
    app->profile.clock_skew = token->clock_skew_ms / 1000;
    if (app->profile.key && app->profile.claims &&
        !token_profile_finish(&app->profile, &loading->settings->arena))
        config_report_no_memory(loading->report);
}

void settings_read_access(const struct loading *loading, struct app *app,
                          const struct config_node *group)
{
    struct access_settings *access = &app->access;
    const struct config_table table = CONFIG_TABLE(access_keys, access);
    config_fill(group, &table, 1, &loading->settings->arena, loading->report);
    check_claim(&access->issuer, "issuer", group, loading->report);
    check_claim(&access->audience, "audience", group, loading->report);
    if (!access->key_file || access->algorithm < 0 || !config_child(group, "algorithm"))
        return;
    const struct key_source source = {.path = access->key_file,
                                      .modules = loading->plugin_folder,
                                      .algorithm = (enum algorithm)access->algorithm};
    load_keys(loading, &source, &app->access_keys, group, "key_file");
}

/* ---- The set of public keys ---- */

/* The public keys that are in the set so far; borrowed. */
struct key_set {
    const struct key **keys;
    size_t count;
};

/* Whether an earlier key of the set has the same id, and is the same. */
static bool is_published(const struct key_set *set, const struct key *key,
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

static void add_keys(const struct app *app, struct key_set *set, struct bytes *text,
                     const struct config_node *apps, struct config_report *report)
{
    for (size_t i = 0; i < app->keys.count; i++) {
        const struct key *key = app->keys.keys[i];
        if (!key->module || is_published(set, key, apps, report))
            continue;
        bytes_add_string(text, set->count ? "," : "");
        bytes_add_span(text, bytes_span(&key->jwk));
        set->keys[set->count++] = key;
    }
}

void settings_make_jwks(const struct loading *loading)
{
    struct settings *settings = loading->settings;
    const struct config_node *apps = config_child(loading->root, "apps");
    struct bytes *text = &settings->jwks.text, *etag = &settings->jwks.etag;
    uint8_t digest[SHA256_LENGTH];
    size_t count = 1;
    for (size_t i = 0; i < settings->app_count; i++)
        count += settings->apps[i].keys.count;
    struct key_set set = {.keys = calloc(count, sizeof(const struct key *))};
    bytes_add_string(text, "{\"keys\":[");
    for (size_t i = 0; set.keys && i < settings->app_count; i++)
        add_keys(&settings->apps[i], &set, text, apps, loading->report);
    bytes_add_string(text, "]}");
    crypto_sha256(bytes_span(text), digest);
    bytes_add_string(etag, "\"");
    crypto_base64url_encode(etag, (struct span){(const char *)digest, sizeof digest});
    bytes_add_string(etag, "\"");
    if (!set.keys || text->failed || etag->failed)
        config_report_no_memory(loading->report);
    free(set.keys);
}
