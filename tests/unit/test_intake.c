/* SPDX-License-Identifier: MIT
 * Requests in records, split at every byte. */
#include "server/intake.h"

#include "intake_fixture.h"
#include "records.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

static const char *const pairs[] = {"REQUEST_METHOD", "POST", "EMPTY", "", NULL};

static void check_request(void)
{
    struct bytes wanted = {0};
    record_add_pair(&wanted, SPAN("REQUEST_METHOD"), SPAN("POST"));
    record_add_pair(&wanted, SPAN("EMPTY"), SPAN(""));
    assert_true(span_equal(bytes_span(&intake.params), bytes_span(&wanted)));
    assert_true(span_equal(bytes_span(&intake.body), SPAN("{\"a\":1}")));
    assert_int_equal(intake.body_total, 7);
    assert_true(intake.keep);
    assert_null(intake.fault);
    assert_int_equal(intake.replies.length, 0);
    bytes_free(&wanted);
}

/* Content in several records, with padding of every kind. */
static void add_scattered_request(void)
{
    struct bytes params = {0};
    record_add_pair(&params, SPAN("REQUEST_METHOD"), SPAN("POST"));
    record_add_pair(&params, SPAN("EMPTY"), SPAN(""));
    record_add_begin(&stream, 0x1234, 1, true);
    record_add(&stream, RECORD_PARAMS, 0x1234, (struct span){params.data, 1}, 7);
    record_add(&stream, RECORD_PARAMS, 0x1234, (struct span){params.data + 1, params.length - 1},
               255);
    record_add(&stream, RECORD_PARAMS, 0x1234, SPAN_NONE, 3);
    record_add(&stream, RECORD_STDIN, 0x1234, SPAN("{\"a\""), 0);
    record_add(&stream, RECORD_STDIN, 0x1234, SPAN(":1}"), 1);
    record_add(&stream, RECORD_STDIN, 0x1234, SPAN_NONE, 8);
    bytes_free(&params);
}

static void requests_in_pieces_of_every_size(void **state)
{
    (void)state;
    record_add_request(&stream, 1, true, pairs, SPAN("{\"a\":1}"));
    for (int scattered = 0; scattered < 2; scattered++) {
        for (size_t piece = 1; piece <= stream.length; piece++) {
            expect(intake_feed_stream(piece) == INTAKE_COMPLETE, "pieces of %zu: %s", piece,
                   intake.fault);
            check_request();
            assert_true(intake_in_request(&intake));
            intake_next(&intake);
            assert_false(intake_in_request(&intake));
        }
        bytes_reset(&stream);
        add_scattered_request();
    }
}

/* The memory then serves another connection, which sees nothing of it. */
static void cut_off_at_every_byte(void **state)
{
    (void)state;
    add_scattered_request();
    size_t whole = stream.length;
    for (size_t length = 0; length < whole; length++) {
        stream.length = length;
        expect(intake_feed_stream(whole) == INTAKE_MORE, "cut at %zu", length);
        expect(intake_in_request(&intake) == (length > 0), "cut at %zu", length);
        intake_restart(&intake);
        assert_false(intake_in_request(&intake));
        stream.length = whole;
        intake.body_limit = 100;
        expect(intake_feed_stream(whole) == INTAKE_COMPLETE, "after a cut at %zu: %s", length,
               intake.fault);
        check_request();
        intake_restart(&intake);
    }
}

static bool wants_a_or_b(struct span name)
{
    return span_equal(name, SPAN("A")) || span_equal(name, SPAN("BB"));
}

/* What is dropped, or was moved, is not left in memory: it may be credentials. */
static void parameters_that_nobody_wants(void **state)
{
    static const char *const many[] = {"X", "1", "A", "secret", "AA", "2", "BB", "",
                                       "Y", "3", "",  "4",      "A",  "5", NULL};
    struct bytes wanted = {0};
    (void)state;
    intake.wants = wants_a_or_b;
    record_add_request(&stream, 1, true, many, SPAN_NONE);
    size_t all = (size_t)(unsigned char)stream.data[21]; /* of the parameters */
    assert_int_equal(intake_feed_stream(1), INTAKE_COMPLETE);
    record_add_pair(&wanted, SPAN("A"), SPAN("secret"));
    record_add_pair(&wanted, SPAN("BB"), SPAN(""));
    record_add_pair(&wanted, SPAN("A"), SPAN("5"));
    assert_true(span_equal(bytes_span(&intake.params), bytes_span(&wanted)));
    intake_next(&intake);
    for (size_t i = 0; i < all; i++)
        assert_int_equal(intake.params.data[i], 0);
    bytes_free(&wanted);
}

static void a_nul_in_a_parameter_that_nobody_wants(void **state)
{
    struct bytes pairs_with_nul = {0};
    (void)state;
    intake.wants = wants_a_or_b;
    record_add_pair(&pairs_with_nul, SPAN("X"), SPAN("1\0x"));
    record_add_pair(&pairs_with_nul, SPAN("A"), SPAN("1"));
    record_add_begin(&stream, 1, 1, true);
    record_add(&stream, RECORD_PARAMS, 1, bytes_span(&pairs_with_nul), 0);
    record_add(&stream, RECORD_PARAMS, 1, SPAN_NONE, 0);
    assert_int_equal(intake_feed_stream(1), INTAKE_MORE);
    assert_true(span_equal(bytes_span(&intake.params), SPAN("\1\1A1")));
    bytes_free(&pairs_with_nul);
}

/* Before, between and behind what is wanted, as names and as values; nothing of it is kept. */
static void many_parameters_that_nobody_wants(void **state)
{
    static const size_t sizes[][2] = {{3, 8000}, {300, 10}, {5, 65535}, {65535, 5}, {200, 500000}};
    struct bytes params = {0}, wanted = {0};
    char *text = repeated('x', 500000);
    (void)state;
    intake.wants = wants_a_or_b;
    record_add_pair(&wanted, SPAN("A"), SPAN("secret"));
    record_add_pair(&wanted, SPAN("BB"), (struct span){text, 50000});
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (size_t piece = 100; piece < 70000; piece += 65000) {
            for (int times = 0; times < 100; times++) {
                if (times == 30)
                    record_add_pair(&params, SPAN("A"), SPAN("secret"));
                if (times == 60)
                    record_add_pair(&params, SPAN("BB"), (struct span){text, 50000});
                record_add_pair(&params, (struct span){text, sizes[i][0]},
                                (struct span){text, times % 10 ? 7 : sizes[i][1]});
            }
            record_add_begin(&stream, 1, 1, true);
            record_add_stream(&stream, RECORD_PARAMS, 1, bytes_span(&params));
            record_add_stream(&stream, RECORD_STDIN, 1, SPAN("{}"));
            assert_int_equal(intake_feed_stream(piece), INTAKE_COMPLETE);
            assert_true(span_equal(bytes_span(&intake.params), bytes_span(&wanted)));
            assert_true(span_equal(bytes_span(&intake.body), SPAN("{}")));
            assert_false(intake.params_too_large);
            assert_true(intake.params.capacity <= 65536);
            intake_next(&intake);
            bytes_reset(&stream);
            bytes_reset(&params);
        }
    bytes_free(&params);
    bytes_free(&wanted);
    free(text);
}

/* What fits is there; the rest of the request is taken all the same. */
static void wanted_parameters_have_a_limit(void **state)
{
    static const struct {
        size_t first, second;
        bool large;
    } rows[] = {{INTAKE_PARAMS_MAX - 6 - 4, 0, false}, {INTAKE_PARAMS_MAX - 6 - 4, 1, true},
                {INTAKE_PARAMS_MAX - 6 + 1, 0, true},  {100000, 1, true},
                {INTAKE_PARAMS_MAX / 2, 40000, true},  {10, 2000000, true}};
    char *value = repeated('v', 2000000);
    (void)state;
    intake.wants = wants_a_or_b;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes params = {0};
        record_add_pair(&params, SPAN("A"), (struct span){value, rows[i].first});
        record_add_pair(&params, SPAN("BB"), (struct span){value, rows[i].second});
        record_add_begin(&stream, 1, 1, true);
        record_add_stream(&stream, RECORD_PARAMS, 1, bytes_span(&params));
        record_add_stream(&stream, RECORD_STDIN, 1, SPAN("{}"));
        assert_int_equal(intake_feed_stream(10000), INTAKE_COMPLETE);
        expect(intake.params_too_large == rows[i].large, "row %zu", i);
        assert_true(intake.params.length <= INTAKE_PARAMS_MAX);
        assert_true(span_equal(bytes_span(&intake.body), SPAN("{}")));
        intake_next(&intake);
        assert_false(intake.params_too_large);
        bytes_reset(&stream);
        bytes_free(&params);
    }
    free(value);
}

static void what_follows_a_request_is_left(void **state)
{
    enum intake_state told;
    (void)state;
    record_add_request(&stream, 1, true, pairs, SPAN("{\"a\":1}"));
    size_t first = stream.length;
    record_add_request(&stream, 1, false, pairs, SPAN("{}"));
    assert_int_equal(intake_feed(&intake, stream.data, stream.length, &told), first);
    assert_int_equal(told, INTAKE_COMPLETE);
    check_request();
    intake_next(&intake);
    assert_int_equal(intake_feed(&intake, stream.data + first, stream.length - first, &told),
                     stream.length - first);
    assert_int_equal(told, INTAKE_COMPLETE);
    assert_true(span_equal(bytes_span(&intake.body), SPAN("{}")));
    assert_false(intake.keep);
}

static void requests_without_anything(void **state)
{
    (void)state;
    record_add_request(&stream, 65535, false, NULL, SPAN_NONE);
    assert_int_equal(intake_feed_stream(1), INTAKE_COMPLETE);
    assert_int_equal(intake.params.length, 0);
    assert_int_equal(intake.body.length, 0);
    assert_false(intake.keep);
}

static void bodies_are_kept_up_to_the_limit(void **state)
{
    static const size_t sizes[] = {99, 100, 101, 1000, 200000};
    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char *body = repeated('b', sizes[i]);
        record_add_request(&stream, 1, true, pairs, (struct span){body, sizes[i]});
        assert_int_equal(intake_feed_stream(4096), INTAKE_COMPLETE);
        assert_int_equal(intake.body.length, sizes[i] < 100 ? sizes[i] : 100);
        assert_int_equal(intake.body_total, sizes[i]);
        intake_next(&intake);
        bytes_reset(&stream);
        free(body);
    }
}

/* The request then ends without its body's end, and so does the connection. */
static void endless_bodies_end_the_connection(void **state)
{
    char *body = repeated('b', 65535);
    enum intake_state told = INTAKE_MORE;
    int records = 0;
    (void)state;
    record_add_begin(&stream, 1, 1, true);
    record_add(&stream, RECORD_PARAMS, 1, SPAN_NONE, 0);
    assert_int_equal(intake_feed_stream(65536), INTAKE_MORE);
    bytes_reset(&stream);
    record_add(&stream, RECORD_STDIN, 1, (struct span){body, 65535}, 0);
    for (; records < 2000 && told == INTAKE_MORE; records++) {
        assert_true(intake.keep);
        intake_feed(&intake, stream.data, stream.length, &told);
        if (told == INTAKE_HEAD) {
            intake_judge(&intake, false);
            intake_feed(&intake, stream.data + 8, stream.length - 8, &told);
        }
    }
    assert_int_equal(told, INTAKE_COMPLETE);
    assert_int_equal(records, INTAKE_DRAIN_MAX / 65535 + 1);
    assert_false(intake.keep);
    assert_int_equal(intake.body.length, 0);
    free(body);
}

static void pairs_are_taken_one_by_one(void **state)
{
    struct span name, value;
    (void)state;
    add_scattered_request();
    assert_int_equal(intake_feed_stream(1), INTAKE_COMPLETE);
    assert_int_equal(intake.id, 0x1234);
    struct span rest = bytes_span(&intake.params);
    assert_true(intake_take_pair(&rest, &name, &value));
    assert_true(span_equal(name, SPAN("REQUEST_METHOD")) && span_equal(value, SPAN("POST")));
    assert_true(intake_take_pair(&rest, &name, &value));
    assert_true(span_equal(name, SPAN("EMPTY")) && value.data && value.length == 0);
    assert_false(intake_take_pair(&rest, &name, &value));
}

/* Before more than a little of a body is kept, it is asked whether it may be. */
static void large_bodies_are_judged_first(void **state)
{
    static const struct {
        size_t size;
        bool asks, keep;
    } rows[] = {{INTAKE_SMALL_BODY, false, false},
                {INTAKE_SMALL_BODY + 1, true, true},
                {INTAKE_SMALL_BODY + 1, true, false},
                {100000, true, true},
                {100000, true, false}};
    (void)state;
    fixture_judges = false;
    intake.body_limit = 50000;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *body = repeated('b', rows[i].size);
        record_add_request(&stream, 1, true, pairs, (struct span){body, rows[i].size});
        enum intake_state told = INTAKE_MORE;
        size_t at = intake_feed(&intake, stream.data, stream.length, &told);
        expect(told == (rows[i].asks ? INTAKE_HEAD : INTAKE_COMPLETE), "row %zu: %d", i, told);
        assert_true(intake.body.length <= INTAKE_SMALL_BODY);
        if (rows[i].asks) {
            intake_judge(&intake, rows[i].keep);
            intake_feed(&intake, stream.data + at, stream.length - at, &told);
            assert_int_equal(told, INTAKE_COMPLETE);
            size_t most = rows[i].size < 50000 ? rows[i].size : 50000;
            assert_int_equal(intake.body.length, rows[i].keep ? most : 0);
        }
        assert_int_equal(intake.body_total, rows[i].size);
        intake_next(&intake);
        bytes_reset(&stream);
        free(body);
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, intake_start, intake_stop)
    const struct CMUnitTest tests[] = {
        TEST(requests_in_pieces_of_every_size),  TEST(cut_off_at_every_byte),
        TEST(parameters_that_nobody_wants),      TEST(a_nul_in_a_parameter_that_nobody_wants),
        TEST(many_parameters_that_nobody_wants), TEST(wanted_parameters_have_a_limit),
        TEST(what_follows_a_request_is_left),    TEST(requests_without_anything),
        TEST(bodies_are_kept_up_to_the_limit),   TEST(endless_bodies_end_the_connection),
        TEST(pairs_are_taken_one_by_one),        TEST(large_bodies_are_judged_first),
    };
    return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
