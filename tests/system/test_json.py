# SPDX-License-Identifier: MIT
"""What is JSON (RFC 8259, strictly) and what is not."""
from lib.case import ResponderCase

BAD_BODY = (400, "INVALID_HTTP_MESSAGE_BODY")

# Sent as bodies; each must be refused.
NOT_JSON = [
    b'{"a":NaN}', b'{"a":-Infinity}', b'{"a":Infinity}', b'{"a":nan}', b"{'a':1}", b"{a:1}",
    b'{"a":"\x07"}', b'{"a":"\t"}', b'{"a":"\n"}', b'{"a":"\x00"}', b'{"a":"\x1f"}', b'\x00', b"{}\x00",
    b'{"a\x01":1}',
    rb'{"a":"\ud800"}', rb'{"a":"\udc00"}', rb'{"a":"\ud800A"}', rb'{"a":"\udc00\ud800"}',
    rb'{"\ud800":1}', rb'{"a":"\ud800\n"}',
    b'{"a":"\xc0\xaf"}', b'{"a":"\xe0\x80\xaf"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xf5\x80\x80\x80"}',
    b'{"a":"\xf4\x90\x80\x80"}', b'{"a":"\xff"}', b'{"a":"\xc3"}', b'{"a":"\x80"}', b'{"a":"\xe2\x82"}',
    b'{"\xff":1}', b"\xff", b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf{}", b"{\xef\xbb\xbf}",
    b'/* x */{}', b'{"a":1}//x', b"{} # x", b'{"a":1,}', b'{"a":[1,]}', b'{,}', b"[,]",
    b'{"a":01}', b'{"a":+1}', b'{"a":.5}', b'{"a":1.}', b'{"a":1e}', b'{"a":-}', b'{"a":0x10}', b'{"a":--1}',
    b'{"a":TRUE}', b'{"a":True}', b'{"a":nul}', b'{"a":nulll}', b'{"a":true1}', b'{"a":undefined}',
    rb'{"a":"\x41"}', rb'{"a":"\u12"}', rb'{"a":"\u00zz"}', rb'{"a":"\a"}', b'{"a":"\\"}', rb'{"a":"\U0041"}',
    b'{}{}', b'{} {}', b'{}x', b'{}]', b'{"a":1}}', b'{"a":1 "b":2}', b'{"a" 1}', b'{"a":}', b'{"a"}', b'{:1}',
    b'{1:1}', b'{"a":1', b'{"a":"x', b'{"a', b"{", b"}", b'{"a":[1}', b'{"a":{"b":1]}', b'{"a":1;"b":2}',
]
# JSON, but no object.
NO_OBJECT = [b"[]", b"[{}]", b"1", b"-0", b'"x"', b"null", b"true", b"false", b'[{"appUserId":"g1"}]']
# What may be there and does no harm.
HARMLESS = [
    b'{"a":123456789012345678901234567890}', b'{"a":-1.5e+30}', b'{"a":1e999}', rb'{"a":"\u0000"}',
    b'{"a":"\xc3\xa9"}', rb'{"a":"\ud83d\ude00"}', rb'{"a\u0000b":1}', b'{"":1}', b'{"a":{"a":{"a":[[[1]]]}}}',
    b' \t\r\n{ "a" : [ ] , "b" : { } } \t\r\n', rb'{"a":"\"\\\/\b\f\n\r\t"}', b'{"a":1,"a":2}',
    b"\xef\xbb\xbf{}",
]


class Json(ResponderCase):
    def test_not_json(self):
        for body in NOT_JSON:
            with self.subTest(body=body):
                self.assertEqual(BAD_BODY, self.guest(body).error)

    def test_no_object(self):
        for body in NO_OBJECT:
            with self.subTest(body=body):
                self.assertEqual(BAD_BODY, self.guest(body).error)

    def test_harmless(self):
        for body in HARMLESS:
            with self.subTest(body=body):
                self.site.check(self.guest(body), role="guest")

    def test_blank_bodies(self):
        """White space alone is no JSON text; either reading is defensible, a crash is not."""
        for body in (b" ", b"\r\n"):
            self.assertIn(self.guest(body).status, (200, 400))

    def test_depth(self):
        for depth, good in ((10, True), (17, False), (40, False), (5000, False)):
            with self.subTest(depth=depth):
                body = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
                answer = self.guest(body)
                self.assertEqual(200 if good else 400, answer.status)

    def test_10000_nested_arrays(self):
        self.assertEqual(BAD_BODY, self.guest(b"[" * 10_000).error)
        self.assertEqual(BAD_BODY, self.guest(b'{"a":' * 3000).error)
        self.still_serves()

    def test_escaped_control_characters_in_our_fields(self):
        for escape in (rb"\u0000", rb"\u0007", rb"\n", rb"\t", rb"\u007f"):
            for field in (b"appUserName", b"appUserProfileImgUrl"):
                with self.subTest(field=field, escape=escape):
                    self.assertEqual(BAD_BODY, self.guest(b'{"%s":"a%sb"}' % (field, escape)).error)

    def test_nul_in_a_key_is_no_way_past_the_checks(self):
        answer = self.guest(rb'{"appUserId\u0000":"a-b","appUserId":"g1"}')
        self.site.check(answer, user="g1", name="GUEST_g1", role="guest")
        answer = self.guest(rb'{"appUserId":"g1","appUserId\u0000x":"other"}')
        self.site.check(answer, user="g1", name="GUEST_g1", role="guest")

    def test_escaped_keys_are_keys(self):
        answer = self.guest(rb'{"\u0061ppUserId":"g1"}')
        self.site.check(answer, user="g1", name="GUEST_g1", role="guest")

    def test_a_field_of_ours_twice(self):
        """The first may be what a proxy has looked at, the last what counts here: neither does."""
        for field in ("appUserId", "appUserName", "appUserProfileImgUrl", "accessToken"):
            for values in (b'"a","%s":"b"', b'null,"%s":"b"', b'"a","x":1,"%s":"a"', b'1,"%s":null'):
                name = field.encode()
                with self.subTest(field=field, values=values):
                    self.assertEqual(BAD_BODY, self.guest(b'{"%s":%s}' % (name, values % name)).error)
        self.assertEqual(BAD_BODY, self.guest(rb'{"appUserId":"a","\u0061ppUserId":"b"}').error)
        answer = self.guest(b'{"appUserId":"g2","x":{"appUserId":1,"appUserId":2},"y":1,"y":2}')
        self.site.check(answer, user="g2", name="GUEST_g2", role="guest")

    def test_message_names_the_place(self):
        message = self.guest(b'{"appUserId":"g1",\n  "appUserName":}').json["errorMessage"]
        self.assertRegex(message, r"\d+")
