/* SPDX-License-Identifier: MIT
 * Everything that may be wrong with records, and those between requests. */
#include "server/intake.h"
#include "server/record.h"

#include "intake_fixture.h"
#include "records.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

enum part { BEGIN, END_PARAMS, NOTHING };

static void faults(void **state)
{
    static const struct {
        enum part before; /* up to where the request is */
        int version, type, id;
        struct span content;
        const char *told;
    } rows[] = {
        {NOTHING, 0, RECORD_BEGIN, 1, LITERAL("\0\1\0\0\0\0\0\0"), "not FastCGI"},
        {NOTHING, 'G', 'E', 0x5420, LITERAL("/ HTTP"), "not FastCGI"},
        {NOTHING, 1, RECORD_BEGIN, 1, LITERAL("\0\1\0\0\0\0\0"),
         "a begin record of the wrong size"},
        {NOTHING, 1, RECORD_BEGIN, 1, LITERAL("\0\1\0\0\0\0\0\0\0"),
         "a begin record of the wrong size"},
        {NOTHING, 1, RECORD_BEGIN, 0, LITERAL("\0\1\0\0\0\0\0\0"), "without a request id"},
        {NOTHING, 1, RECORD_BEGIN, 1, LITERAL("\0\2\0\0\0\0\0\0"), "a role other than responder"},
        {NOTHING, 1, RECORD_BEGIN, 1, LITERAL("\0\3\1\0\0\0\0\0"), "a role other than responder"},
        {NOTHING, 1, RECORD_BEGIN, 1, LITERAL("\1\1\0\0\0\0\0\0"), "a role other than responder"},
        {NOTHING, 1, RECORD_PARAMS, 1, LITERAL("\1\1ab"), "a request that has not begun"},
        {NOTHING, 1, RECORD_STDIN, 1, LITERAL("x"), "a request that has not begun"},
        {NOTHING, 1, RECORD_ABORT, 1, LITERAL(""), "a request that has not begun"},
        {NOTHING, 1, RECORD_PARAMS, 0, LITERAL(""), "without a request id"},
        {BEGIN, 1, RECORD_BEGIN, 1, LITERAL("\0\1\0\0\0\0\0\0"), "a second request"},
        {BEGIN, 1, RECORD_BEGIN, 2, LITERAL("\0\1\0\0\0\0\0\0"), "a second request"},
        {BEGIN, 1, RECORD_PARAMS, 2, LITERAL("\1\1ab"), "a request that has not begun"},
        {BEGIN, 1, RECORD_STDIN, 1, LITERAL("x"), "a body before the parameters ended"},
        {BEGIN, 1, RECORD_STDIN, 1, LITERAL(""), "a body before the parameters ended"},
        {BEGIN, 1, RECORD_ABORT, 1, LITERAL(""), "aborted"},
        {BEGIN, 1, RECORD_DATA, 1, LITERAL("x"), "a responder does not expect"},
        {BEGIN, 1, RECORD_STDOUT, 1, LITERAL("x"), "a responder does not expect"},
        {BEGIN, 1, 77, 1, LITERAL("x"), "a responder does not expect"},
        {BEGIN, 1, RECORD_GET_VALUES, 1, LITERAL(""), "a responder does not expect"},
        {END_PARAMS, 1, RECORD_PARAMS, 1, LITERAL("\1\1ab"), "parameters after their end"},
        {END_PARAMS, 1, RECORD_ABORT, 1, LITERAL(""), "aborted"},
        {END_PARAMS, 1, RECORD_DATA, 1, LITERAL(""), "a responder does not expect"},
        {END_PARAMS, 2, RECORD_STDIN, 1, LITERAL("x"), "not FastCGI"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].before != NOTHING)
            record_add_begin(&stream, 1, 1, true);
        if (rows[i].before == END_PARAMS)
            record_add(&stream, RECORD_PARAMS, 1, SPAN_NONE, 0);
        size_t at = stream.length;
        record_add(&stream, rows[i].type, rows[i].id, rows[i].content, 0);
        stream.data[at] = (char)rows[i].version;
        for (size_t piece = 1; piece < 100; piece += 97) {
            expect(intake_feed_stream(piece) == INTAKE_BAD, "row %zu was taken", i);
            expect_contains(intake.fault, rows[i].told);
            intake_free(&intake);
            intake = (struct intake){.body_limit = 100};
        }
        bytes_reset(&stream);
    }
}

static void roles_are_refused_in_words_of_the_protocol(void **state)
{
    struct record answer = {.id = 0};
    (void)state;
    record_add_begin(&stream, 7, 2, true);
    assert_int_equal(intake_feed_stream(1), INTAKE_BAD);
    struct span out = bytes_span(&intake.replies);
    assert_true(record_take(&out, &answer));
    assert_int_equal(answer.type, RECORD_END);
    assert_int_equal(answer.id, 7);
    assert_memory_equal(answer.content.data, "\0\0\0\0\3\0\0\0", 8); /* FCGI_UNKNOWN_ROLE */
}

static void bad_parameters(void **state)
{
    static const struct {
        struct span content;
        const char *told; /* NULL: good */
    } rows[] = {
        {LITERAL("\1\1ab"), NULL},
        {LITERAL("\0\0"), NULL},
        {LITERAL("\x80\0\0\1\x80\0\0\1ab"), NULL}, /* long lengths of short texts */
        {LITERAL("\1\1ab\2\0cd"), NULL},
        {LITERAL("\1"), "longer than the parameters"},
        {LITERAL("\1\2ab"), "longer than the parameters"},
        {LITERAL("\2\1ab"), "longer than the parameters"},
        {LITERAL("\1\1a"), "longer than the parameters"},
        {LITERAL("\1\1ab\1"), "longer than the parameters"},
        {LITERAL("\x80\0\0"), "longer than the parameters"},
        {LITERAL("\1\x80\0\0"), "longer than the parameters"},
        {LITERAL("\xff\xff\xff\xff\1ab"), "longer than the parameters"},
        {LITERAL("\xff\xff\xff\xff\xff\xff\xff\xff"
                 "ab"),
         "longer than the parameters"},
        {LITERAL("\1\1\0b"), "contains a NUL"},
        {LITERAL("\1\3ab\0c"), "contains a NUL"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        record_add_begin(&stream, 1, 1, true);
        record_add(&stream, RECORD_PARAMS, 1, rows[i].content, 0);
        record_add(&stream, RECORD_PARAMS, 1, SPAN_NONE, 0);
        enum intake_state told = intake_feed_stream(3);
        expect(told == (rows[i].told ? INTAKE_BAD : INTAKE_MORE), "row %zu: %s", i,
               intake.fault ? intake.fault : "good");
        if (rows[i].told)
            expect_contains(intake.fault, rows[i].told);
        intake_free(&intake);
        intake = (struct intake){.body_limit = 100};
        bytes_reset(&stream);
    }
}

static void add_params(struct span content)
{
    for (; content.length > 65535; content.data += 65535, content.length -= 65535)
        record_add(&stream, RECORD_PARAMS, 1, (struct span){content.data, 65535}, 0);
    record_add(&stream, RECORD_PARAMS, 1, content, 0);
}

static void parameters_have_a_limit(void **state)
{
    struct bytes lots = {0};
    char *value = repeated('v', 65535);
    (void)state;
    for (size_t i = 0; i < INTAKE_SIFT_MAX / 65536; i++)
        record_add_pair(&lots, SPAN("N"), (struct span){value, 65536 - 6});
    assert_int_equal(lots.length, INTAKE_SIFT_MAX);
    record_add_begin(&stream, 1, 1, true);
    add_params(bytes_span(&lots));
    assert_int_equal(intake_feed_stream(65536), INTAKE_MORE);
    bytes_reset(&stream);
    add_params(SPAN("\1"));
    assert_int_equal(intake_feed_stream(65536), INTAKE_BAD);
    expect_contains(intake.fault, "more than 16 MB");
    bytes_free(&lots);
    free(value);
}

/* It ends the connection where it is found, whatever follows. */
static void a_nul_before_many_parameters(void **state)
{
    struct bytes lots = {0};
    char *none = repeated('\0', 2 * INTAKE_PARAMS_MAX); /* empty names and values */
    (void)state;
    bytes_add_span(&lots, SPAN("\1\3ab\0c"));
    bytes_add(&lots, none, 2 * INTAKE_PARAMS_MAX);
    record_add_begin(&stream, 1, 1, true);
    add_params(bytes_span(&lots));
    assert_int_equal(intake_feed_stream(65536), INTAKE_BAD);
    expect_contains(intake.fault, "contains a NUL");
    bytes_free(&lots);
    free(none);
}

/* Whether it is kept, too large to be kept, or not wanted. */
static void a_large_parameter_is_cut_off(void **state)
{
    static const struct span heads[] = {LITERAL("\1\x80\2\0\0A"), LITERAL("\1\x80\0\4\0A"),
                                        LITERAL("\x80\2\0\0\1N")};
    char *value = repeated('v', 65535);
    (void)state;
    for (size_t i = 0; i < COUNT(heads); i++) {
        record_add_begin(&stream, 1, 1, true);
        add_params(heads[i]);
        for (int records = i == 1 ? 0 : 2; records > 0; records--)
            add_params((struct span){value, 65535});
        record_add(&stream, RECORD_PARAMS, 1, SPAN_NONE, 0);
        expect(intake_feed_stream(4096) == INTAKE_BAD, "row %zu was taken", i);
        expect_contains(intake.fault, "longer than the parameters");
        intake_restart(&intake);
        bytes_reset(&stream);
    }
    free(value);
}

/* ---- Management records ---- */

static void management_records(void **state)
{
    struct record answer = {.id = 0};
    (void)state;
    bytes_reset(&stream);
    record_add(&stream, RECORD_GET_VALUES, 0, SPAN("\x0e\0FCGI_MAX_CONNS"), 2);
    assert_int_equal(intake_feed_stream(1), INTAKE_MORE);
    struct span out = bytes_span(&intake.replies);
    assert_true(record_take(&out, &answer));
    assert_int_equal(answer.type, RECORD_GET_VALUES_RESULT);
    assert_int_equal(answer.id, 0);
    assert_int_equal(answer.content.length, 0);
    assert_false(record_is_our_answer(bytes_span(&intake.replies)));
    assert_false(intake_in_request(&intake));

    bytes_reset(&stream);
    bytes_reset(&intake.replies);
    record_add(&stream, 99, 0, SPAN("what is this"), 0);
    assert_int_equal(intake_feed_stream(5), INTAKE_MORE);
    out = bytes_span(&intake.replies);
    assert_true(record_take(&out, &answer));
    assert_int_equal(answer.type, RECORD_UNKNOWN_TYPE);
    assert_memory_equal(answer.content.data, "\x63\0\0\0\0\0\0\0", 8);
}

static void we_know_each_other(void **state)
{
    (void)state;
    record_append_query(&stream);
    assert_int_equal(intake_feed_stream(1), INTAKE_MORE);
    assert_true(record_is_our_answer(bytes_span(&intake.replies)));
    assert_false(record_is_our_answer(bytes_span(&stream)));
    assert_false(record_is_our_answer(SPAN_NONE));
    assert_false(record_is_our_answer(SPAN("HTTP/1.1 400 Bad Request\r\n\r\nMEMBERCHAT")));
    for (size_t length = 0; length < 18; length++)
        assert_false(record_is_our_answer((struct span){intake.replies.data, length}));
}

/* A name that is repeated is what libfcgi dies of. */
static void queries_of_every_size_are_bounded(void **state)
{
    struct bytes content = {0};
    (void)state;
    while (content.length + 20 < 65535)
        bytes_add_string(&content, "\x0f"
                                   "FCGI_MPXS_CONNS");
    record_add(&stream, RECORD_GET_VALUES, 0, bytes_span(&content), 0);
    assert_int_equal(intake_feed_stream(1000), INTAKE_MORE);
    assert_true(intake.replies.length < 1000);
    bytes_free(&content);
}

static void management_in_the_middle_and_without_end(void **state)
{
    (void)state;
    record_add_begin(&stream, 1, 1, true);
    record_append_query(&stream);
    record_add(&stream, RECORD_PARAMS, 1, SPAN_NONE, 0);
    record_append_query(&stream);
    record_add(&stream, RECORD_STDIN, 1, SPAN_NONE, 0);
    assert_int_equal(intake_feed_stream(1), INTAKE_COMPLETE);
    intake_next(&intake);
    bytes_reset(&stream);
    for (int i = 0; i < 30; i++)
        record_append_query(&stream);
    assert_int_equal(intake_feed_stream(1000), INTAKE_BAD);
    expect_contains(intake.fault, "too many management records");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, intake_start, intake_stop)
    const struct CMUnitTest tests[] = {
        TEST(faults),
        TEST(roles_are_refused_in_words_of_the_protocol),
        TEST(bad_parameters),
        TEST(parameters_have_a_limit),
        TEST(a_nul_before_many_parameters),
        TEST(a_large_parameter_is_cut_off),
        TEST(management_records),
        TEST(we_know_each_other),
        TEST(queries_of_every_size_are_bounded),
        TEST(management_in_the_middle_and_without_end),
    };
    return cmocka_run_group_tests_name("intake_faults", tests, NULL, NULL);
}
