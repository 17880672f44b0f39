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
static struct claims_report report;
static struct bytes text;

static int stop(void **state)
{
    (void)state;
    arena_free(&arena);
    bytes_free(&text);
    return 0;
}

static const struct claims *parse(const char *template)
{
    report = (struct claims_report){0};
    return claims_parse(span_of(template), &constants, &arena, &report);
}

/* What becomes of a template, which must be JSON whatever the values are. */
static const char *render(const char *template, const struct claims_values *values)
{
    struct reason fault;
    struct span refused;
    const struct claims *claims = parse(template);
    expect(claims, "%s: %s", template, report.why.text);
    bytes_reset(&text);
    struct json_object *object;
    expect(claims_render(claims, values, &text, &refused), "%s", template);
    expect(json_read(bytes_span(&text), JSON_UNIQUE, &object, &fault) == JSON_GOOD, "%s: %s: %s",
           template, bytes_string(&text), fault.text);
    json_release(object);
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

#define NAME_64 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz01"

static const struct {
    const char *template, *part;
} addition_rows[] = {
    {"{}", "\"exp\":1900,"},
    {"{\"a\":1,\"b\":1.50,\"c\":true,\"d\":[1,\"x\",null,[],{}],\"e\":{\"f\":null}}",
     "\"picture\":\"https://i/a b?c\",\"a\":1,\"b\":1.50,\"c\":true,"
     "\"d\":[1,\"x\",null,[],{}],\"e\":{\"f\":null}}"},
    {"{\"iss\":\"other\"}", "{\"iss\":\"other\",\"aud\":"},
    {"{\"role\":\"{role}\"}", "\"role\":\"host\""},
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
    {"{\"scope\":\"dm.{userName|sha256}\"}",
     "\"scope\":\"dm.51d4ed6fb66288fdf8a9e1a33ca96f985a6fcdd3bd2d25f7383d21f837b7e773\""},
    {"{\"t\":\"{attr.x|sha256}\"}", "c\"}"},
    {"{\"t\":\"({attr.x|sha256})\"}", "\"t\":\"()\"}"},
    {"{\"t\":\"{attr.x|trim|=  a }\"}", "\"t\":\"a\"}"},
    {"{\"role\":\"{role|lower|trim}\"}", "\"role\":\"host\""},
    {"{\"role\":\"chat-{role}\"}", "\"role\":\"chat-host\""},
    {"{\"role\":\"member\"}", "\"role\":\"member\""},
    {"{\"role\":\"{appId}\"}", "\"role\":\"demo \\\"app\\\"\""},
    {"{\"t\":\"{attr." NAME_64 "|=none}\"}", "\"t\":\"none\"}"},
    {"{\"role\":[\"guest\"]}", "\"role\":[\"guest\"]"},
};

static void additions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(addition_rows); i++)
        expect_contains(render(addition_rows[i].template, &ann), addition_rows[i].part);
}

static void attributes(void **state)
{
    struct member member = {0};
    struct claims_values values = ann;
    (void)state;
    member_add_attribute(&member, SPAN("room"), SPAN("Lobby"), &(const char *){NULL});
    values.member = &member;
    expect_contains(render("{\"room\":\"{attr.room|lower|id}\",\"b\":\"{attr.Room}\"}", &values),
                    "c\",\"room\":\"lobby\"}");
    expect_contains(render("{\"t\":{\"a\":\"{attr.none}\",\"b\":\"{attr.room}\"}}", &values),
                    "\"t\":{\"b\":\"Lobby\"}}");
    member_free(&member);
}

/* An attribute with several values is an array where it is the whole string. */
static void attributes_with_several_values(void **state)
{
    struct member member = {0};
    struct claims_values values = ann;
    struct span refused;
    (void)state;
    member_add_attribute(&member, SPAN("group"), SPAN("Staff"), &(const char *){NULL});
    member_add_attribute(&member, SPAN("one"), SPAN("1"), &(const char *){NULL});
    member_add_attribute(&member, SPAN("group"), SPAN("a\"b"), &(const char *){NULL});
    values.member = &member;
    expect_contains(render("{\"g\":\"{attr.group}\",\"o\":\"{attr.one}\"}", &values),
                    "\"g\":[\"Staff\",\"a\\\"b\"],\"o\":\"1\"}");
    expect_contains(render("{\"g\":[\"{attr.group|lower}\"]}", &values),
                    "\"g\":[[\"staff\",\"a\\\"b\"]]}");
    expect_contains(render("{\"g\":\"first: {attr.group}\"}", &values), "\"first: Staff\"");
    bytes_reset(&text);
    assert_false(claims_render(parse("{\"g\":\"{attr.group|id}\"}"), &values, &text, &refused));
    member_free(&member);
}

/* What settings warn of where guests share the members' names. */
static void templates_that_name_the_user(void **state)
{
    (void)state;
    assert_false(parse(NULL)->names_user);
    assert_false(parse("{\"t\":\"{userName} {role}\"}")->names_user);
    assert_true(parse("{\"t\":{\"u\":[\"a {userId|id}\"]}}")->names_user);
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
    struct span refused;
    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++) {
        values.texts[CLAIM_USER_ID] = ids[i];
        bytes_reset(&text);
        expect(!claims_render(claims, &values, &text, &refused), "row %zu was taken", i);
        expect_span(refused, "{userId|id}");
    }
    values.texts[CLAIM_USER_ID] = span_of(long_id);
    assert_false(claims_render(claims, &values, &text, &refused));
    values.texts[CLAIM_USER_ID].length = 128;
    bytes_reset(&text);
    assert_true(claims_render(claims, &values, &text, &refused));
    /* beside text, no value is refused as well; alone it drops out */
    assert_false(claims_render(parse("{\"scope\":\"in.{attr.x|id}\"}"), &ann, &text, &refused));
    bytes_reset(&text);
    assert_true(claims_render(parse("{\"scope\":[\"{attr.x|id}\"]}"), &ann, &text, &refused));
    free(long_id);
}

static const struct {
    const char *template, *told;
} mistake_rows[] = {
    {"", "it must be JSON: unexpected end"},
    {"[]", "not an object"},
    {"{\n\"a\":1,\n}", "at line 3, column 1"},
    {"{\"a\":1,\"a\":2}", "two members of one name"},
    {"{\"t\":\"{userid}\"}", "t: userid is not a placeholder"},
    {"{\"t\":{\"u\":[0,\"{attr.}\"]}}", "t.u[1]: attr. is not a placeholder"},
    {"{\"t\":\"{attr}\"}", "attr is not a placeholder"},
    {"{\"t\":\"{attr." NAME_64 "x}\"}", "x is not a placeholder"},
    {"{\"role\":\"{role\"}", "role: {role has no closing brace"},
    {"{\"t\":\"{nbf}\"}", "nbf is not a placeholder"},
    {"{\"t\":\"{userId\"}", "t: {userId has no closing brace"},
    {"{\"t\":\"x {userId|upper}\"}", "t: {userId|upper}: \"upper\" is not a filter"},
    {"{\"t\":\"{userId|}\"}", " is not a filter"},
    {"{\"t\":\"{userId|id|id |x}\"}", "\"id \" is not a filter"},
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
    {"{\"scp\":\"{userId}\"}", "scp: {userId} needs the filter"},
    {"{\"scp\":[\"a\",\"{userName|lower}\"]}", "scp[1]: {userName|lower} needs"},
    {"{\"permissions\":{\"a\":[\"{attr.x}\"]}}", "permissions.a[0]: {attr.x} needs"},
    {"{\"t\":\"rooms/{userId}/+\"}", "t: {userId} needs the filter"}, /* MQTT */
    {"{\"t\":[\"chat.{userName}.>\"]}", "t[0]: {userName} needs"},    /* NATS */
    /* a member who was issued the role "guest" could renew the token as one */
    {"{\"role\":\"guest\"}", "role: this could be \"guest\" for a member"},
    {"{\"role\":\"gu{role}\"}", "role: this could be \"guest\" for a member"},
    {"{\"role\":\"{attr.kind}\"}", "role: this could be"},
    {"{\"role\":\"{attr.kind|lower}\"}", "role: this could be"},
    {"{\"role\":\"{attr.kind|=guest}\"}", "role: this could be"},
    {"{\"role\":\"gu{attr.x}\"}", "role: this could be"},
    {"{\"role\":\"{userName}est\"}", "role: this could be"},
    {"{\"role\":\"{role}{role}\"}", "role: this could be"},
    {"{\"header\":1}", "header: must be an object"},
    {"{\"header\":{\"alg\":\"none\"}}", "header: alg cannot be set"},
    {"{\"header\":{\"kid\":\"x\"}}", "header: kid cannot be set"},
    {"{\"header\":{\"jwk\":{}}}", "header: jwk cannot be set"},
    {"{\"header\":{\"crit\":[\"x\"]}}", "header: crit cannot be set"},
    {"{\"header\":{\"typ\":1}}", "header: typ must be a string"},
    {"{\"header\":{\"x\":[]}}", "header: x must be a string, a number"},
    {"{\"header\":{\"x\":{}}}", "header: x must be a string, a number"},
    {"{\"header\":{\"x\":\"{userId}\"}}", "header: x: placeholders are not filled in"},
};

static void mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(mistake_rows); i++) {
        expect(!parse(mistake_rows[i].template), "%s was taken", mistake_rows[i].template);
        expect_contains(report.why.text, mistake_rows[i].told);
    }
}

static void many_parts(void **state)
{
    struct bytes template = {0};
    (void)state;
    for (int i = 0; i < 200; i++)
        bytes_addf(&template, "%s\"c%d\":\"x {userId}\"", i ? "," : "{", i);
    bytes_add_string(&template, "}");
    const char *made = render(bytes_string(&template), &ann);
    expect_contains(made, "\"c0\":\"x u-1\",\"c1\":");
    expect_contains(made, "\"c199\":\"x u-1\"}");
    bytes_free(&template);
}

static void what_stays(void **state)
{
    (void)state;
    expect_contains(render("{\"exp\":null,\"iat\":null,\"sub\":null,\"nbf\":null}", &ann),
                    "\"sub\":\"u-1\",\"iat\":1000,\"exp\":1900,");
    assert_string_equal(report.warning.text,
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
        TEST(without_a_template),
        TEST(additions),
        TEST(attributes),
        TEST(attributes_with_several_values),
        TEST(templates_that_name_the_user),
        TEST(what_id_refuses),
        TEST(mistakes),
        TEST(many_parts),
        TEST(what_stays),
        TEST(headers),
    };
    return cmocka_run_group_tests_name("claims", tests, NULL, NULL);
}
