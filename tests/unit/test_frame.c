/* SPDX-License-Identifier: MIT
 * Requests in records, split at every byte. */
#include "server/frame.h"

#include "frame_fixture.h"
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
    assert_true(span_equal(bytes_span(&frame.params), bytes_span(&wanted)));
    assert_true(span_equal(bytes_span(&frame.body), SPAN("{\"a\":1}")));
    assert_int_equal(frame.body_total, 7);
    assert_true(frame.keep);
    assert_null(frame.fault);
    assert_int_equal(frame.out.length, 0);
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
            expect(frame_feed_stream(piece) == FRAME_COMPLETE, "pieces of %zu: %s", piece,
                   frame.fault);
            check_request();
            assert_true(frame_in_request(&frame));
            frame_next(&frame);
            assert_false(frame_in_request(&frame));
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
        expect(frame_feed_stream(whole) == FRAME_MORE, "cut at %zu", length);
        expect(frame_in_request(&frame) == (length > 0), "cut at %zu", length);
        frame_restart(&frame);
        assert_false(frame_in_request(&frame));
        stream.length = whole;
        frame.body_limit = 100;
        expect(frame_feed_stream(whole) == FRAME_COMPLETE, "after a cut at %zu: %s", length,
               frame.fault);
        check_request();
        frame_restart(&frame);
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
    frame.wants = wants_a_or_b;
    record_add_request(&stream, 1, true, many, SPAN_NONE);
    size_t all = (size_t)(unsigned char)stream.data[21]; /* of the parameters */
    assert_int_equal(frame_feed_stream(1), FRAME_COMPLETE);
    record_add_pair(&wanted, SPAN("A"), SPAN("secret"));
    record_add_pair(&wanted, SPAN("BB"), SPAN(""));
    record_add_pair(&wanted, SPAN("A"), SPAN("5"));
    assert_true(span_equal(bytes_span(&frame.params), bytes_span(&wanted)));
    frame_next(&frame);
    for (size_t i = 0; i < all; i++)
        assert_int_equal(frame.params.data[i], 0);
    bytes_free(&wanted);
}

static void what_follows_a_request_is_left(void **state)
{
    enum frame_state told;
    (void)state;
    record_add_request(&stream, 1, true, pairs, SPAN("{\"a\":1}"));
    size_t first = stream.length;
    record_add_request(&stream, 1, false, pairs, SPAN("{}"));
    assert_int_equal(frame_feed(&frame, stream.data, stream.length, &told), first);
    assert_int_equal(told, FRAME_COMPLETE);
    check_request();
    frame_next(&frame);
    assert_int_equal(frame_feed(&frame, stream.data + first, stream.length - first, &told),
                     stream.length - first);
    assert_int_equal(told, FRAME_COMPLETE);
    assert_true(span_equal(bytes_span(&frame.body), SPAN("{}")));
    assert_false(frame.keep);
}

static void requests_without_anything(void **state)
{
    (void)state;
    record_add_request(&stream, 65535, false, NULL, SPAN_NONE);
    assert_int_equal(frame_feed_stream(1), FRAME_COMPLETE);
    assert_int_equal(frame.params.length, 0);
    assert_int_equal(frame.body.length, 0);
    assert_false(frame.keep);
}

static void bodies_are_kept_up_to_the_limit(void **state)
{
    static const size_t sizes[] = {99, 100, 101, 1000, 200000};
    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char *body = repeated('b', sizes[i]);
        record_add_request(&stream, 1, true, pairs, (struct span){body, sizes[i]});
        assert_int_equal(frame_feed_stream(4096), FRAME_COMPLETE);
        assert_int_equal(frame.body.length, sizes[i] < 100 ? sizes[i] : 100);
        assert_int_equal(frame.body_total, sizes[i]);
        frame_next(&frame);
        bytes_reset(&stream);
        free(body);
    }
}

static void endless_bodies_are_given_up(void **state)
{
    char *body = repeated('b', 65535);
    enum frame_state told = FRAME_MORE;
    (void)state;
    record_add_begin(&stream, 1, 1, true);
    record_add(&stream, RECORD_PARAMS, 1, SPAN_NONE, 0);
    assert_int_equal(frame_feed_stream(65536), FRAME_MORE);
    bytes_reset(&stream);
    record_add(&stream, RECORD_STDIN, 1, (struct span){body, 65535}, 0);
    for (int i = 0; i < 1030 && told == FRAME_MORE; i++)
        told = frame_feed_stream(65536);
    assert_int_equal(told, FRAME_BAD);
    expect_contains(frame.fault, "a body far beyond body_limit");
    assert_int_equal(frame.body.length, 100);
    free(body);
}

static void requests_for_libfcgi(void **state)
{
    struct record record;
    struct bytes out = {0};
    (void)state;
    add_scattered_request();
    assert_int_equal(frame_feed_stream(1), FRAME_COMPLETE);
    frame_add_request(&frame, &out);
    struct span rest = bytes_span(&out);
    assert_true(record_take(&rest, &record));
    assert_int_equal(record.type, RECORD_BEGIN);
    assert_int_equal(record.id, 0x1234);
    assert_memory_equal(record.content.data, "\0\1\1\0\0\0\0\0", 8);
    assert_true(record_take(&rest, &record));
    assert_int_equal(record.type, RECORD_PARAMS);
    assert_true(span_equal(record.content, bytes_span(&frame.params)));
    assert_true(record_take(&rest, &record));
    assert_int_equal(record.type, RECORD_PARAMS);
    assert_int_equal(record.content.length, 0);
    assert_int_equal(rest.length, 0); /* no body, be it shaped like records */
    bytes_free(&out);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, frame_start, frame_stop)
    const struct CMUnitTest tests[] = {
        TEST(requests_in_pieces_of_every_size), TEST(cut_off_at_every_byte),
        TEST(parameters_that_nobody_wants),     TEST(what_follows_a_request_is_left),
        TEST(requests_without_anything),        TEST(bodies_are_kept_up_to_the_limit),
        TEST(endless_bodies_are_given_up),      TEST(requests_for_libfcgi),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
