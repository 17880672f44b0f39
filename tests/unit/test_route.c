/* SPDX-License-Identifier: MIT
 * From what web servers say of a path to what is wanted. */
#include "api/route.h"

#include "support.h"

#include <stdlib.h>
#include <string.h>

#define API    "/v2/apps/me/members"
#define MEMBER API "/u1/chat-tokens"
#define GUEST  API "/guest-chat-tokens"

static struct route find(const char *uri, const char *script, const char *info, const char *base)
{
    const struct http_request request = {
        .uri = span_of(uri), .script_name = span_of(script), .path_info = span_of(info)};
    return route_find(&request, span_of(base));
}

/* The same request as every kind of deployment tells it: mount and route in
 * different variables, which all web servers but REQUEST_URI disagree on. */
static void deployments(void **state)
{
    static const struct {
        const char *uri, *script, *info;
    } rows[] = {
        {"/chat-api" MEMBER, "/chat-api", MEMBER},                 /* ScriptAlias, split */
        {MEMBER, "", MEMBER},                                      /* ScriptAlias / */
        {"/chat-api" MEMBER, "/chat-api/memberchat.fcgi", MEMBER}, /* .htaccess with /$1 */
        {"/chat-api" MEMBER, "/bin/memberchat.fcgi", MEMBER},      /* in the document root */
        {"/chat-api" MEMBER, "/chat-api" MEMBER, NULL},            /* ProxyPass, nginx */
        {MEMBER, MEMBER, NULL},
        {"/ht1" MEMBER, "/ht1/v2", "/apps/me/members/u1/chat-tokens"}, /* .htaccess [P] */
        {MEMBER, "/v2", "/apps/me/members/u1/chat-tokens"},            /* lighttpd at / */
        {MEMBER, MEMBER, MEMBER},                                      /* nginx with PATH_INFO */
        {"/chat-api" MEMBER, "/chat-api/memberchat.fcgi", NULL},       /* [END], script only */
        {"/chat-api" MEMBER, "/chat-api/memberchat.fcgi", ""},
        {"http://www.example.com/chat-api" MEMBER, "/chat-api", MEMBER}, /* absolute form */
        {"/cgi-bin/memberchat.fcgi" MEMBER, "/cgi-bin/memberchat.fcgi", MEMBER},
        {"/a/b/c/d" MEMBER, "/a/b/c/d", MEMBER},
        {NULL, "/cgi-bin/memberchat.cgi", MEMBER}, /* no REQUEST_URI */
        {NULL, MEMBER, NULL},
        {"", "/v2", "/apps/me/members/u1/chat-tokens"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct route route = find(rows[i].uri, rows[i].script, rows[i].info, NULL);
        expect(route.kind == ROUTE_MEMBER, "row %zu: kind %d", i, route.kind);
        expect(span_equal((struct span){route.id, route.id_length}, SPAN("u1")), "row %zu: id", i);
    }
}

struct id_row {
    const char *encoded; /* the segment of the id, as sent */
    struct span id;      /* data NULL: no route */
};

/* Behind each of the ways to be mounted that differ for the router. */
static void check_ids(const struct id_row *rows, size_t count)
{
    static const char *const mounts[] = {"", "/chat-api", "/cgi-bin/x.fcgi"};
    for (size_t i = 0; i < count; i++)
        for (size_t m = 0; m < COUNT(mounts); m++) {
            struct bytes uri = {0};
            bytes_addf(&uri, "%s" API "/%s/chat-tokens?x=/v2/", mounts[m], rows[i].encoded);
            struct route route = find(bytes_string(&uri), mounts[m], NULL, NULL);
            enum route_kind kind = rows[i].id.data ? ROUTE_MEMBER : ROUTE_NONE;
            expect(route.kind == kind, "%s: kind %d", rows[i].encoded, route.kind);
            expect(span_equal((struct span){route.id, route.id_length}, rows[i].id), "%s: id %.*s",
                   rows[i].encoded, (int)route.id_length, route.id);
            assert_false(route.id_too_long);
            bytes_free(&uri);
        }
}

static void ids_are_decoded_once(void **state)
{
    static const struct id_row rows[] = {
        {"u1", LITERAL("u1")},
        {"%41bc", LITERAL("Abc")},
        {"a%20b+c", LITERAL("a b+c")},
        {"a%2Fb", LITERAL("a/b")},
        {"a%2fb", LITERAL("a/b")},
        {"a%252Fb", LITERAL("a%2Fb")},
        {"a%2541", LITERAL("a%41")},
        {"%2531", LITERAL("%31")},
        {"a%25b", LITERAL("a%b")},
        {"a%3Fb", LITERAL("a?b")},
        {"a%23b", LITERAL("a#b")},
        {"a%00b", LITERAL("a\0b")},
        {"%0A", LITERAL("\n")},
        {"%FF", LITERAL("\xff")},
        {"\xc3\xa9", LITERAL("\xc3\xa9")},
        {"%C3%A9", LITERAL("\xc3\xa9")},
        {"a;x=1,@:b", LITERAL("a;x=1,@:b")},
        {"a%5Cb", LITERAL("a\\b")},
        {"...", LITERAL("...")},
        {".a", LITERAL(".a")},
        {"guest-chat-tokens", LITERAL("guest-chat-tokens")},
        {"chat-tokens", LITERAL("chat-tokens")},
        {"v2", LITERAL("v2")},
        {"%", {NULL, 0}},
        {"a%4", {NULL, 0}},
        {"%zz", {NULL, 0}},
        {"%4g", {NULL, 0}},
        {"a%%41", {NULL, 0}},
        {".", {NULL, 0}},
        {"..", {NULL, 0}},
        {"%2e%2e", {NULL, 0}},
        {"%2E", {NULL, 0}},
        {".%2e", {NULL, 0}},
    };
    (void)state;
    check_ids(rows, COUNT(rows));
}

static void ids_at_the_limit(void **state)
{
    (void)state;
    for (size_t extra = 0; extra < 3; extra++) {
        char *id = repeated('x', MEMBERCHAT_ID_MAX + extra);
        struct bytes uri = {0};
        bytes_addf(&uri, API "/%s/chat-tokens", id);
        struct route route = find(bytes_string(&uri), NULL, NULL, NULL);
        assert_int_equal(route.kind, ROUTE_MEMBER);
        assert_int_equal(route.id_too_long, extra > 0);
        bytes_free(&uri);
        free(id);
    }
    struct bytes uri = {0};
    bytes_add_string(&uri, API "/");
    for (int i = 0; i < MEMBERCHAT_ID_MAX; i++)
        bytes_add_string(&uri, "%41"); /* its length counts decoded */
    bytes_add_string(&uri, "/chat-tokens");
    struct route route = find(bytes_string(&uri), NULL, NULL, NULL);
    assert_int_equal(route.id_length, MEMBERCHAT_ID_MAX);
    assert_false(route.id_too_long);
    bytes_free(&uri);
}

static void other_paths(void **state)
{
    static const struct {
        const char *uri;
        enum route_kind kind;
    } rows[] = {
        {GUEST, ROUTE_GUEST},
        {"/chat-api" GUEST "?a=b", ROUTE_GUEST},
        {"//v2//apps/me///members/guest-chat-tokens", ROUTE_GUEST},
        {"/%762/apps/m%65/members/guest%2dchat-tokens", ROUTE_GUEST},
        {GUEST "#x", ROUTE_GUEST},
        {"https://h:1/x" GUEST, ROUTE_GUEST},
        {"http://h?" GUEST, ROUTE_NONE},
        {"http://h", ROUTE_NONE},
        {"*", ROUTE_NONE},
        {"v2/apps/me/members/guest-chat-tokens", ROUTE_NONE},
        {"www.example.com:443", ROUTE_NONE},
        {GUEST "/", ROUTE_NONE},
        {GUEST "//", ROUTE_NONE},
        {MEMBER "/", ROUTE_NONE},
        {GUEST "/x", ROUTE_NONE},
        {"/v2/./apps/me/members/guest-chat-tokens", ROUTE_NONE},
        {"/v2/apps/x/../me/members/guest-chat-tokens", ROUTE_NONE},
        {"/v2/apps/you/members/guest-chat-tokens", ROUTE_NONE},
        {"/V2/apps/me/members/guest-chat-tokens", ROUTE_NONE},
        {"/v2/apps/me/members", ROUTE_NONE},
        {"/v2/apps/me/members/u1", ROUTE_NONE},
        {"/v2/apps/me/members/u1/x/chat-tokens", ROUTE_NONE},
        {"/v2/apps/me/members/u1%2Fchat-tokens", ROUTE_NONE},
        {"/v2%2Fapps/me/members/guest-chat-tokens", ROUTE_NONE},
        {"/", ROUTE_NONE},
        {"/?" GUEST, ROUTE_NONE},
        {"/x/../v2/apps/me/members/guest-chat-tokens", ROUTE_NONE},
        {"/healthz", ROUTE_HEALTHZ},
        {"/chat-api/readyz", ROUTE_READYZ},
        {"/healthz/", ROUTE_NONE},
        {"/healthz?x", ROUTE_HEALTHZ},
        {"/v2/apps/me/members/healthz", ROUTE_NONE},
        {"/v2/apps/me/healthz", ROUTE_NONE},
        {"/metrics", ROUTE_METRICS},
        {"/status", ROUTE_STATUS},
        {"/openapi.json", ROUTE_OPENAPI},
        {"/.well-known/jwks.json", ROUTE_JWKS},
        {"/chat-api/.well-known/jwks.json?x", ROUTE_JWKS},
        {"/jwks.json", ROUTE_NONE},
        {"/.well-known/jwks.json/", ROUTE_NONE},
        {"/v2/apps/me/members/.well-known/jwks.json", ROUTE_NONE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct route route = find(rows[i].uri, NULL, NULL, NULL);
        expect(route.kind == rows[i].kind, "%s: kind %d", rows[i].uri, route.kind);
    }
}

/* Web servers merge the slashes, but REQUEST_URI tells that there was no id. */
static void empty_ids_are_nobodys(void **state)
{
    static const char *const uris[] = {API "//chat-tokens", "/chat-api" API "///chat-tokens"};
    (void)state;
    for (size_t i = 0; i < COUNT(uris); i++) {
        struct route route = find(uris[i], NULL, NULL, NULL);
        assert_int_equal(route.kind, ROUTE_MEMBER);
        assert_int_equal(route.id_length, 0);
    }
    assert_int_equal(find(API "/chat-tokens", NULL, NULL, NULL).kind, ROUTE_NONE);
    assert_int_equal(find("/x" API "//chat-tokens", NULL, NULL, "/x").kind, ROUTE_MEMBER);
    assert_int_equal(find("/y" API "//chat-tokens", NULL, NULL, "/x").kind, ROUTE_NONE);
}

static void base_paths(void **state)
{
    static const struct {
        const char *uri, *base;
        bool fits;
    } rows[] = {
        {"/chat-api" GUEST, "/chat-api", true},
        {"/chat-api" GUEST, "/chat-api/", true},
        {"/chat-api" GUEST, "chat-api", true}, /* the slash in front may be left out */
        {"/a/b" GUEST, "a/b/", true},
        {"/chat-api" GUEST, "hat-api", false},
        {"/a/b" GUEST, "ab", false},
        {GUEST, "chat-api", false},
        {"//chat-api/" GUEST, "/chat-api", true},
        {"/chat%2Dapi" GUEST, "/chat-api", true},
        {"/a/b" GUEST, "/a/b", true},
        {GUEST, "", true},
        {GUEST, "/", true},
        {"/chat-apiX" GUEST, "/chat-api", false}, /* a prefix of the text, not of the path */
        {"/chat-ap" GUEST, "/chat-api", false},
        {"/Chat-api" GUEST, "/chat-api", false},
        {"/x/chat-api" GUEST, "/chat-api", false},
        {"/chat-api/x" GUEST, "/chat-api", false},
        {"/chat-api" GUEST, "/", false},
        {"/chat-api" GUEST, "", false},
        {GUEST, "/chat-api", false},
        {"/a%2Fb" GUEST, "/a", false},
        {"/chat-api/healthz", "/chat-api", true},
        {"/healthz", "/chat-api", false},
        {"/chat-api" API GUEST, "/chat-api", false},
        {"/v2/apps/you/healthz", "/v2/apps/you", true},
        {"/v2/a/me/healthz", "/v2/a/me", true},
        {"/v2/apps/me/healthz", "/v2/apps/me", false},
        {"/x/v2/apps/me/healthz", "/x/v2/apps/me", false},
        {"/a/b/c/healthz", "/a/b/c", true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct route route = find(rows[i].uri, NULL, NULL, rows[i].base);
        expect((route.kind != ROUTE_NONE) == rows[i].fits, "%s under \"%s\": kind %d", rows[i].uri,
               rows[i].base, route.kind);
    }
}

/* Without a base path, PATH_INFO tells a deeper path where it can. */
static void deeper_than_the_mount(void **state)
{
    (void)state;
    assert_int_equal(find("/chat-api/x" GUEST, "/chat-api", "/x" GUEST, NULL).kind, ROUTE_NONE);
    assert_int_equal(find("/chat-api/x/healthz", "/chat-api", "/x/healthz", NULL).kind, ROUTE_NONE);
    assert_int_equal(find("/chat-api/healthz", "/chat-api", "/healthz", NULL).kind, ROUTE_HEALTHZ);
    assert_int_equal(find("/chat-api/x" GUEST, "/chat-api/x" GUEST, NULL, NULL).kind, ROUTE_GUEST);
}

/* The decoded variables are all there is: nothing is decoded again. */
static void without_request_uri(void **state)
{
    (void)state;
    struct route route = find(NULL, "/x.cgi", API "/a%41/chat-tokens", NULL);
    assert_int_equal(route.kind, ROUTE_MEMBER);
    assert_true(span_equal((struct span){route.id, route.id_length}, SPAN("a%41")));
    assert_int_equal(find(NULL, "/x.cgi", GUEST, NULL).kind, ROUTE_GUEST);
    assert_int_equal(find(NULL, "/x.cgi", "/healthz", NULL).kind, ROUTE_HEALTHZ);
    assert_int_equal(find(NULL, NULL, NULL, NULL).kind, ROUTE_NONE);
    assert_int_equal(find(NULL, "/x.cgi", "/../v2", NULL).kind, ROUTE_NONE);
    assert_int_equal(find(NULL, "/x.cgi", GUEST "/", NULL).kind, ROUTE_NONE);
    char *long_path = repeated('/', 9000);
    assert_int_equal(find(NULL, long_path, GUEST, NULL).kind, ROUTE_GUEST);
    assert_int_equal(find(NULL, long_path, "/healthz", NULL).kind, ROUTE_NONE);
    assert_int_equal(find(long_path, NULL, NULL, NULL).kind, ROUTE_NONE);
    free(long_path);
    struct bytes deep = {0};
    for (int i = 0; i < 1000; i++)
        bytes_add_string(&deep, "/x");
    bytes_add_string(&deep, GUEST);
    assert_int_equal(find(bytes_string(&deep), NULL, NULL, NULL).kind, ROUTE_NONE);
    bytes_free(&deep);
}

static void methods(void **state)
{
    struct route guest = find(GUEST, NULL, NULL, NULL), health = find("/healthz", NULL, NULL, NULL);
    (void)state;
    assert_string_equal(guest.methods, "POST, OPTIONS");
    assert_string_equal(health.methods, "GET, HEAD");
    static const struct {
        struct span method;
        bool guest, health;
    } rows[] = {
        {LITERAL("POST"), true, false},    {LITERAL("OPTIONS"), true, false},
        {LITERAL("GET"), false, true},     {LITERAL("HEAD"), false, true},
        {LITERAL("PUT"), false, false},    {LITERAL("post"), false, false},
        {LITERAL("POST "), false, false},  {LITERAL(""), false, false},
        {{NULL, 0}, false, false},         {LITERAL("POST, OPTIONS"), false, false},
        {LITERAL("DELETE"), false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect(route_allows(&guest, rows[i].method) == rows[i].guest, "%s", rows[i].method.data);
        expect(route_allows(&health, rows[i].method) == rows[i].health, "%s", rows[i].method.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deployments),
        cmocka_unit_test(ids_are_decoded_once),
        cmocka_unit_test(ids_at_the_limit),
        cmocka_unit_test(other_paths),
        cmocka_unit_test(empty_ids_are_nobodys),
        cmocka_unit_test(base_paths),
        cmocka_unit_test(deeper_than_the_mount),
        cmocka_unit_test(without_request_uri),
        cmocka_unit_test(methods),
    };
    return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
