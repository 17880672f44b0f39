/* SPDX-License-Identifier: MIT
 * Templates: what they become, and which are refused. */
#include "token/claims.h"

#include "base/json.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

static const struct claims_constants constants = {"memberchat", "chat", "demo \"app\""};
static const struct claims_values ann = {
    .texts = {[CLAIM_USER_ID] = LITERAL("u-1"),
              [CLAIM_USER_NAME] = LITERAL("Ann \"A\" \xc3\x84"),
              [CLAIM_AVATAR] = LITERAL("https://i/a b?c"),
              [CLAIM_ROLE] = LITERAL("host"),
              [CLAIM_JTI] = LITERAL("jti")},
    .numbers = {1000, 970, 1900},
};

static struct arena arena;
static struct bytes why, warning, text;

static int stop(void **state)
{
    (void)state;
    arena_free(&arena);
    bytes_free(&why);
    bytes_free(&warning);
    bytes_free(&text);
    return 0;
}

static const struct claims *parse(const char *template)
{
    bytes_reset(&why);
    bytes_reset(&warning);
    return claims_parse(span_of(template), &constants, &arena, &warning, &why);
}

/* What becomes of a template, which must be JSON whatever the values are. */
static const char *render(const char *template, const struct claims_values *values)
{
    struct bytes fault = {0};
    const struct claims *claims = parse(template);
    expect(claims, "%s: %s", template, bytes_string(&why));
    bytes_reset(&text);
    const char *refused = claims_render(claims, values, &text);
    expect(!refused, "%s: %s", template, refused);
    struct json_object *object = json_parse_unique(bytes_span(&text), &fault);
    expect(object, "%s: %s: %s", template, bytes_string(&text), bytes_string(&fault));
    json_release(object);
    bytes_free(&fault);
    return bytes_string(&text);
}

static void without_a_template(void **state)
{
    struct claims_values nobody = ann;
    (void)state;
    assert_string_equal(
        render(NULL, &ann),
        "{\"iss\":\"memberchat\",\"aud\":\"chat\",\"sub\":\"u-1\",\"iat\":1000,\"nbf\":970,"
        "\"exp\":1900,\"jti\":\"jti\",\"appId\":\"demo \\\"app\\\"\",\"role\":\"host\","
        "\"name\":\"Ann \\\"A\\\" \xc3\x84\",\"picture\":\"https://i/a b?c\"}");
    nobody.texts[CLAIM_USER_NAME] = nobody.texts[CLAIM_AVATAR] = SPAN_NONE;
    expect_contains(render(NULL, &nobody), "\"role\":\"host\"}");
    assert_string_equal(parse(NULL)->type, "JWT");
    assert_int_equal(parse(NULL)->more_header.length, 0);
}

static void additions(void **state)
{
    static const struct {
        const char *template, *part;
    } rows[] = {
        {"{}", "\"exp\":1900,"},
        {"{\"a\":1,\"b\":1.50,\"c\":true,\"d\":[1,\"x\",null,[],{}],\"e\":{\"f\":null}}",
         "\"picture\":\"https://i/a b?c\",\"a\":1,\"b\":1.50,\"c\":true,"
         "\"d\":[1,\"x\",null,[],{}],\"e\":{\"f\":null}}"},
        {"{\"iss\":\"other\"}", "{\"iss\":\"other\",\"aud\":"},
        {"{\"aud\":[\"a\",\"{appId}\"]}", "\"aud\":[\"a\",\"demo \\\"app\\\"\"],"},
        {"{\"name\":null,\"nothing\":null}", "\"role\":\"host\",\"picture\""},
        {"{\"nbf\":null}", "\"iat\":1000,\"exp\":1900"},
        {"{\"jti\":null,\"role\":null}", "\"exp\":1900,\"appId\":\"demo \\\"app\\\"\",\"name\""},
        /* one placeholder keeps the type */
        {"{\"t\":\"{exp}\"}", "\"t\":1900}"},
        {"{\"t\":\"{iat}s\"}", "\"t\":\"1000s\"}"},
        {"{\"t\":[\"{userId}\"]}", "\"t\":[\"u-1\"]}"},
        {"{\"t\":\"{exp|json}\"}", "\"t\":\"1900\"}"},
        {"{\"t\":\"{userId}{userId}\"}", "\"t\":\"u-1u-1\"}"},
        {"{\"t\":\"a {userName} b\"}", "\"t\":\"a Ann \\\"A\\\" \xc3\x84 b\"}"},
        /* filters */
        {"{\"t\":\"{userId|id}\"}", "\"t\":\"u-1\"}"},
        {"{\"t\":\"{userName|lower}\"}", "\"t\":\"ann \\\"a\\\" \xc3\x84\"}"},
        {"{\"t\":\"{avatarProfileUrl|uri}\"}", "\"t\":\"https%3A%2F%2Fi%2Fa%20b%3Fc\"}"},
        {"{\"t\":\"{userName|lower|uri}\"}", "\"t\":\"ann%20%22a%22%20%C3%84\"}"},
        {"{\"t\":\"{\\\"n\\\":{userName|json}}\"}",
         "\"t\":\"{\\\"n\\\":\\\"Ann \\\\\\\"A\\\\\\\" \xc3\x84\\\"}\"}"},
        {"{\"t\":\"{appId|uri}\"}", "\"t\":\"demo%20%22app%22\"}"},
        {"{\"t\":\"{attr.x|=none}\"}", "\"t\":\"none\"}"},
        {"{\"t\":\"{attr.x|lower|=a|B}\"}", "\"t\":\"a|b\"}"},
        {"{\"t\":\"{attr.x|=}\"}", "\"t\":\"\"}"},
        /* what has no value drops out, but for text around it */
        {"{\"t\":\"{attr.x}\"}", "c\"}"},
        {"{\"t\":{\"a\":\"{attr.x}\",\"b\":1,\"c\":\"{attr.y}\"}}", "\"t\":{\"b\":1}}"},
        {"{\"t\":[\"{attr.x}\",\"{attr.y}\"],\"u\":1}", "\"t\":[],\"u\":1}"},
        {"{\"t\":[\"{attr.x}\",[\"{attr.x|id}\"]]}", "\"t\":[[]]}"},
        {"{\"t\":\"({attr.x})\"}", "\"t\":\"()\"}"},
        {"{\"t\":\"{\\\"a\\\":{attr.x|json}}\"}", "\"t\":\"{\\\"a\\\":null}\"}"},
        /* braces that are none of ours */
        {"{\"t\":\"{} {1} }{ {\"}", "\"t\":\"{} {1} }{ {\"}"},
        {"{\"t\":\"/{{room}/{userId}/{{\"}", "\"t\":\"/{room}/u-1/{\"}"},
        {"{\"t\":\"{{userId}\"}", "\"t\":\"{userId}\"}"},
        {"{\"t\":\"{{{userId}\"}", "\"t\":\"{u-1\"}"},
        {"{\"scope\":\"chat.read:{userId|id}/{appId}/*\"}",
         "\"scope\":\"chat.read:u-1/demo \\\"app\\\"/*\"}"},
        {"{\"scopes\":[\"{userId}\"]}", "\"scopes\":[\"u-1\"]}"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_contains(render(rows[i].template, &ann), rows[i].part);
}

static void attributes(void **state)
{
    struct member member = {0};
    struct claims_values values = ann;
    (void)state;
    member_add_attribute(&member, SPAN("room"), SPAN("Lobby"));
    values.member = &member;
    expect_contains(render("{\"room\":\"{attr.room|lower|id}\",\"b\":\"{attr.Room}\"}", &values),
                    "c\",\"room\":\"lobby\"}");
    expect_contains(render("{\"t\":{\"a\":\"{attr.none}\",\"b\":\"{attr.room}\"}}", &values),
                    "\"t\":{\"b\":\"Lobby\"}}");
    member_free(&member);
}

static void what_id_refuses(void **state)
{
    static const struct span ids[] = {
        LITERAL(""),    LITERAL("*"),   LITERAL("#"),   LITERAL("a.b"),      LITERAL("a b"),
        LITERAL("a/b"), LITERAL("%2A"), LITERAL("a\0"), LITERAL("\xc3\xa4"), LITERAL("a:b"),
    };
    struct claims_values values = ann;
    const struct claims *claims = parse("{\"scope\":\"inbox.{userId|id}\"}");
    char *long_id = repeated('a', 129);
    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++) {
        values.texts[CLAIM_USER_ID] = ids[i];
        bytes_reset(&text);
        const char *refused = claims_render(claims, &values, &text);
        expect(refused, "row %zu was taken", i);
        assert_string_equal(refused, "{userId|id}");
    }
    values.texts[CLAIM_USER_ID] = span_of(long_id);
    assert_non_null(claims_render(claims, &values, &text));
    values.texts[CLAIM_USER_ID].length = 128;
    bytes_reset(&text);
    assert_null(claims_render(claims, &values, &text));
    /* beside text, no value is refused as well; alone it drops out */
    assert_non_null(claims_render(parse("{\"scope\":\"in.{attr.x|id}\"}"), &ann, &text));
    bytes_reset(&text);
    assert_null(claims_render(parse("{\"scope\":[\"{attr.x|id}\"]}"), &ann, &text));
    free(long_id);
}

static void mistakes(void **state)
{
    static const struct {
        const char *template, *told;
    } rows[] = {
        {"", "unexpected end"},
        {"[]", "not an object"},
        {"{\"a\":1,}", "at byte"},
        {"{\"a\":1,\"a\":2}", "two members of one name"},
        {"{\"t\":\"{userid}\"}", "t: userid is no placeholder"},
        {"{\"t\":{\"u\":[0,\"{attr.}\"]}}", "t.u[1]: attr. is no placeholder"},
        {"{\"t\":\"{attr}\"}", "attr is no placeholder"},
        {"{\"t\":\"{nbf}\"}", "nbf is no placeholder"},
        {"{\"t\":\"{userId\"}", "t: {userId has no closing brace"},
        {"{\"t\":\"x {userId|upper}\"}", "t: upper is no filter"},
        {"{\"t\":\"{userId|}\"}", " is no filter"},
        {"{\"t\":\"{userId|id|id |x}\"}", "id  is no filter"},
        {"{\"t\":\"{attr.x|id|=a.b}\"}", "{attr.x|id|=a.b}: its filter \"id\" refuses"},
        {"{\"t\":\"{appId|id}\"}", "{appId|id}: its filter \"id\" refuses"},
        {"{\"{userId}\":1}", "{userId}: placeholders are not filled in in names"},
        {"{\"t\":{\"a {role}\":1}}", "placeholders are not filled in in names"},
        {"{\"exp\":1}", "exp: this claim cannot be changed"},
        {"{\"exp\":\"{iat}\"}", "exp: this claim cannot be changed"},
        {"{\"iat\":1}", "iat: this claim cannot be changed"},
        {"{\"nbf\":\"{iat}\"}", "nbf: this claim cannot be changed"},
        {"{\"sub\":\"{userName}\"}", "sub: this claim cannot be changed"},
        /* an id must not widen the grant */
        {"{\"scope\":\"{userId}\"}", "scope: {userId} needs the filter \"id\" here"},
        {"{\"scope\":[\"x\",\"in.{userName|uri}\"]}", "scope[1]: {userName|uri} needs"},
        {"{\"scope\":\"chat.{role}\"}", "{role} needs the filter"},
        {"{\"a\":{\"scope\":{\"b\":\"{attr.x|lower}\"}}}", "a.scope.b: {attr.x|lower} needs"},
        {"{\"sc\\u006fpe\":\"{userId}\"}", "{userId} needs the filter"},
        {"{\"t\":\"room.{userId}.*\"}", "t: {userId} needs the filter"},
        {"{\"t\":\"room.{userId}.\\u0023\"}", "t: {userId} needs the filter"},
        {"{\"t\":\"{avatarProfileUrl}#\"}", "{avatarProfileUrl} needs the filter"},
        {"{\"t\":\"{attr.x|=*}\"}", "needs the filter"},
        {"{\"header\":1}", "header: must be an object"},
        {"{\"header\":{\"alg\":\"none\"}}", "header: alg cannot be set"},
        {"{\"header\":{\"kid\":\"x\"}}", "header: kid cannot be set"},
        {"{\"header\":{\"jwk\":{}}}", "header: jwk cannot be set"},
        {"{\"header\":{\"crit\":[\"x\"]}}", "header: crit cannot be set"},
        {"{\"header\":{\"typ\":1}}", "header: typ must be a string"},
        {"{\"header\":{\"x\":[]}}", "header: x must be a string, a number"},
        {"{\"header\":{\"x\":\"{userId}\"}}", "header: x: placeholders are not filled in"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect(!parse(rows[i].template), "%s was taken", rows[i].template);
        expect_contains(bytes_string(&why), rows[i].told);
    }
}

static void what_stays(void **state)
{
    (void)state;
    expect_contains(render("{\"exp\":null,\"iat\":null,\"sub\":null,\"nbf\":null}", &ann),
                    "\"sub\":\"u-1\",\"iat\":1000,\"exp\":1900,");
    assert_string_equal(bytes_string(&warning),
                        "sub cannot be removed and stays; iat cannot be removed and stays; exp "
                        "cannot be removed and stays");
}

static void headers(void **state)
{
    const struct claims *claims =
        parse("{\"header\":{\"typ\":\"at+jwt\",\"cty\":\"a\\\"b\",\"n\":1,\"b\":true,\"z\":null}}");
    (void)state;
    assert_string_equal(claims->type, "at+jwt");
    expect_span(claims->more_header, ",\"cty\":\"a\\\"b\",\"n\":1,\"b\":true");
    assert_null(parse("{\"header\":{\"typ\":null}}")->type);
    expect_lacks(render("{\"header\":{}}", &ann), "header");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_teardown(function, stop)
    const struct CMUnitTest tests[] = {
        TEST(without_a_template), TEST(additions),  TEST(attributes), TEST(what_id_refuses),
        TEST(mistakes),           TEST(what_stays), TEST(headers),
    };
    return cmocka_run_group_tests_name("claims", tests, NULL, NULL);
}
