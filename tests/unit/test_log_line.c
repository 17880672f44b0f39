/* SPDX-License-Identifier: MIT
 * Lines of logs as they are read back: whole ones, and those that something else has written or
 * cut. */
#include "support.h"

#include "cli/log_line.h"

#include <string.h>

#define AT     "Nov 25 21:40:11 host memberchat[7]: "
#define ACCESS "2026-11-25T21:40:11.123Z info ab13 192.0.2.1 POST "

/* What a line tells, in this order: time request client app id outcome store cache status
 * microseconds, each in brackets; then "member" or "guest", and the message. */
static const struct {
    const char *text, *told; /* NULL: it is none of ours */
} rows[] = {
    {ACCESS "member shop 4711 200 OK members hit 63 612",
     "[2026-11-25T21:40:11.123Z][ab13][192.0.2.1][shop][4711][OK][members][hit][200][63] member"},
    {ACCESS "guest - - 401 INVALID_APP_CREDENTIALS - - 63 612",
     "[2026-11-25T21:40:11.123Z][ab13][192.0.2.1][][][INVALID_APP_CREDENTIALS][][][401][63] guest"},
    {ACCESS "member \"-\" \"a \\\"b\\\\\" 200 OK members hit 63 612",
     "[2026-11-25T21:40:11.123Z][ab13][192.0.2.1][-][a \"b\\][OK][members][hit][200][63] member"},
    {ACCESS "member shop 4711 2x0 OK members hit 63 612", NULL},
    {ACCESS "member shop 4711 200 OK members hit 63 -", NULL},
    {ACCESS "member shop 4711 200 OK members hit - 612", NULL},
    {ACCESS "member shop 4711 200 OK members hit", NULL},
    {"2026-11-25T21:40:11.123Z info \"ab13", NULL},
    {"2026-11-25T21:40:11.123Z info ab13 192.0.2.1 \"POST", NULL},
    {ACCESS "\"member", NULL},
    {ACCESS "member shop 4711 200 \"OK", NULL},
    {ACCESS "member shop 4711 200 OK \"members", NULL},
    {ACCESS "member shop \"4711", NULL},
    {ACCESS "member shop \"4711\\", NULL},
    {ACCESS "a-route-that-is-too-long shop 4711 200 OK members hit 63 612", NULL},
    {"2026-11-25T21:40:11.123Z-and-more-than-fits-in-there info", NULL},
    {"2026-11-25T21:40:11.123Z a-level-of-a-log", NULL},

    {"{\"time\": \"t\", \"requestId\": \"r\", \"client\": \"c\", \"route\": \"member\", \"app\": "
     "\"a\", \"memberId\": "
     "\"i\", \"status\": 200, \"outcome\": \"OK\", \"store\": \"s\", \"cache\": \"hit\", \"us\": "
     "63}",
     "[t][r][c][a][i][OK][s][hit][200][63] member"},
    {"host memberchat[7]: {\"status\": 404, \"us\": 1, \"cache\": \"longer than fits\"}",
     "[][][][][][][][longer ][404][1] guest"},
    {"{\"status\": 200}", NULL},
    {"{\"us\": 63, \"message\": 4}", NULL},
    {"{\"message\": \"x\"", NULL},
    {"{\"message\": \"lost\"}", "[][][][][][][][][][] guest: : lost"},
    {"{\"time\": \"t\", \"level\": \"info\", \"request\": \"r\", \"message\": \"app a: no token "
     "for member i: CODE\"}",
     "[t][r][][a][i][CODE][][][][] member! info: app a: no token for member i: CODE"},

    {AT "[ab12] app shop: no token for member 4711: MEMBER_DENIED",
     "[Nov 25 21:40:11 host][ab12][][shop][4711][MEMBER_DENIED][][][][] member! "
     "app shop: no token for member 4711: MEMBER_DENIED"},
    {"t memberchat[7] info: [r] app a: no token for guest \"b: c\": CODE (store s)",
     "[t][r][][a][b: c][CODE][s][][][] guest! info: app a: no token for guest \"b: c\": CODE "
     "(store s)"},
    {"t memberchat[7] info: client c: wrong API key or secret; no token for a member",
     "[t][][c][][][INVALID_APP_CREDENTIALS][][][][] member! "
     "info: client c: wrong API key or secret; no token for a member"},
    {"t memberchat[7] info: client c: wrong API key or secret: the key is that of app a; no token "
     "for a guest",
     "[t][][c][a][][INVALID_APP_CREDENTIALS][][][][] guest! "
     "info: client c: wrong API key or secret: the key is that of app a; no token for a guest"},
    {"t memberchat[7] info: client c: wrong API key or secret: the key is that of app a",
     "[t][][c][][][][][][][] guest: info: client c: wrong API key or secret: the key is that of "
     "app a"},
    {"t memberchat[7] info: app a: no token for member i: CODE (shop s)",
     "[t][][][a][i][CODE][][][][] member! info: app a: no token for member i: CODE (shop s)"},
    {"t memberchat[7] info: app a: no token for member i: CODE (store s",
     "[t][][][a][i][CODE][][][][] member! info: app a: no token for member i: CODE (store s"},
    {"t memberchat[7] info: no token for member i: \"CODE",
     "[t][][][][i][CODE][][][][] member: info: no token for member i: \"CODE"},
    {"t memberchat[7] info: no token for member \"i",
     "[t][][][][i][][][][][] member: info: no token for member \"i"},
    {"t memberchat[7] info: no token for members",
     "[t][][][][][][][][][] member: info: no token for members"},
    {"t memberchat[7] info: no token for nobody",
     "[t][][][][][][][][][] guest: info: no token for nobody"},
    {"t memberchat[7] info: no token for a guest of yours",
     "[t][][][][][INVALID_APP_CREDENTIALS][][][][] guest: info: no token for a guest of yours"},
    {"t memberchat[7] info: client c", "[t][][][][][][][][][] guest: info: client c"},
    {"t memberchat[7] info: app a", "[t][][][][][][][][][] guest: info: app a"},
    {"t memberchat[7] info: [r", "[t][][][][][][][][][] guest: info: r"},
    {"t memberchat[7] info", NULL},
    {"t memberchat[7]info: x", NULL},
    {"t memberchat[7", NULL},
    {"", NULL},
};

static void tell(const struct log_line *line, struct bytes *out)
{
    const char *const fields[] = {line->time,   line->request,     line->client, line->app,
                                  line->id,     line->outcome,     line->store,  line->cache,
                                  line->status, line->microseconds};
    for (size_t i = 0; i < COUNT(fields); i++)
        bytes_addf(out, "[%s]", fields[i]);
    bytes_add_string(out, line->is_member ? " member" : " guest");
    if (!line->is_access)
        bytes_addf(out, "%s %s", line->is_answer ? "!" : ":", line->message);
}

static void lines_are_read(void **state)
{
    static struct log_line line;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes told = {0};
        bool good = log_line_read(span_of(rows[i].text), &line);
        tell(&line, &told);
        expect(good == (rows[i].told != NULL), "%s: %d", rows[i].text, good);
        expect(!good || strcmp(bytes_string(&told), rows[i].told) == 0, "%s: %s", rows[i].text,
               bytes_string(&told));
        bytes_free(&told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines_are_read)};
    return cmocka_run_group_tests_name("log_line", tests, NULL, NULL);
}
