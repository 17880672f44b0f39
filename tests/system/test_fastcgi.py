# SPDX-License-Identifier: MIT
"""The FastCGI protocol, straight on the responder's socket: bytes that no web server sends."""
from lib.case import ResponderCase
from lib.fcgi import (ABORT, AUTHORIZER, BEGIN, DATA, FILTER, GET_VALUES, GET_VALUES_RESULT, KEEP,
                      PARAMS, STDIN, begin, encode, pair, record, request, request_pairs, stream)
from lib.site import GUEST_PATH, member_path

BODY = b'{"appUserId":"g1"}'
BODY_LIMIT = 16384
MEMBER_PATH = member_path("1")


class ProtocolCase(ResponderCase):
    def params(self, body=BODY, **extra):
        return encode(request_pairs("POST", GUEST_PATH, self.site.auth(), body, extra))

    def send(self, data, end=False):
        """Sends raw bytes, perhaps ends the sending side; what came back."""
        with self.responder.connect() as connection:
            try:
                connection.send(data)
                if end:
                    connection.end_sending()
            except ConnectionError:
                pass  # refused in the middle: the reply, if any, is what counts
            return connection.reply()

    def refused(self, data, end=False):
        """No answer of success comes back, the connection ends, and the service goes on."""
        reply = self.send(data, end)
        if reply.stdout:
            self.assertGreaterEqual(reply.answer.status, 400, reply.answer)
        self.still_serves()

    def good(self, data):
        self.site.check(self.send(data).answer, user="g1", name="GUEST_g1", role="guest")


class Records(ProtocolCase):
    """Ways to cut a good request into records."""

    def test_records_of_one_byte(self):
        self.good(begin() + stream(PARAMS, self.params(), 1) + stream(STDIN, BODY, 1))

    def test_params_split_anywhere(self):
        data = self.params()
        for chunk in (2, 7, 64, len(data) - 1):
            with self.subTest(chunk=chunk):
                self.good(begin() + stream(PARAMS, data, chunk) + stream(STDIN, BODY))

    def test_bytes_one_at_a_time(self):
        data = request("POST", GUEST_PATH, self.site.auth(), BODY)
        with self.responder.connect() as connection:
            connection.send_slowly(data, 1)
            self.site.check(connection.reply().answer, user="g1", name="GUEST_g1", role="guest")

    def test_padding(self):
        self.good(begin() + record(PARAMS, self.params(), padding=255) + record(PARAMS)
                  + record(STDIN, BODY, padding=7) + record(STDIN, padding=8))

    def test_lengths_of_four_bytes(self):
        self.good(begin() + stream(PARAMS, self.params(HTTP_X="v" * 5000, **{"N" * 200: "v"}))
                  + stream(STDIN, BODY))

    def test_duplicate_parameters_first_wins(self):
        second = encode([("REQUEST_URI", MEMBER_PATH), ("CONTENT_TYPE", "text/plain")])
        self.good(begin() + stream(PARAMS, self.params() + second) + stream(STDIN, BODY))

    def test_two_credentials_are_wrong_credentials(self):
        second = encode([("HTTP_AUTHORIZATION", "Basic eDp5")])
        reply = self.send(begin() + stream(PARAMS, self.params() + second) + stream(STDIN, BODY))
        self.assertEqual((401, "INVALID_APP_CREDENTIALS"), reply.answer.error)

    def test_other_request_number(self):
        data = begin(request=77) + stream(PARAMS, self.params(), request=77) + stream(STDIN, BODY, request=77)
        self.good(data)

    def test_many_and_large_parameters(self):
        many = encode([(f"HTTP_X{i}", "v") for i in range(5000)])
        large = pair(b"HTTP_BIG", b"x" * 300_000)
        for what, more in (("many", many), ("large", large)):
            with self.subTest(what):
                reply = self.send(begin() + stream(PARAMS, self.params() + more) + stream(STDIN, BODY))
                self.site.check(reply.answer, user="g1", name="GUEST_g1", role="guest")

    def test_parameters_that_are_read_are_too_large(self):
        """On a kept connection the next request has its own answer, too."""
        more = {name: "v" * 30_000 for name in ("HTTP_X_API_KEY", "HTTP_ORIGIN", "HTTP_X_REQUEST_ID")}
        large = [{"HTTP_X_API_KEY": "v" * 70_000}, {"HTTP_ORIGIN": "v" * 2_000_000}, {"REQUEST_URI": GUEST_PATH + "v" * 70_000},
                 more, {name: more[name] for name in reversed(more)}]
        with self.responder.connect() as connection:
            for extra in large:
                with self.subTest(extra=list(extra)):
                    for body in (BODY, bytes(BODY_LIMIT * 2)):
                        pairs = request_pairs("POST", GUEST_PATH, self.site.auth(), body, extra)
                        connection.send(begin(flags=KEEP) + stream(PARAMS, encode(pairs)) + stream(STDIN, body))
                        answer = connection.reply().answer.record("POST", GUEST_PATH)
                        self.assertEqual((413, "REQUEST_TOO_LARGE"), answer.error)
                        self.assertIn("headers", answer.json["errorMessage"])
                    connection.send(request("POST", GUEST_PATH, self.site.auth(), BODY, flags=KEEP))
                    self.site.check(connection.reply().answer, user="g1", name="GUEST_g1", role="guest")

    def test_more_parameters_than_are_looked_at(self):
        self.refused(begin() + stream(PARAMS, self.params() + pair(b"HTTP_BIG", b"x" * (17 << 20))) + stream(STDIN, BODY))

    def test_empty_name_and_value(self):
        self.good(begin() + stream(PARAMS, self.params() + pair(b"", b"")) + stream(STDIN, BODY))


class Bodies(ProtocolCase):
    """CONTENT_LENGTH and what follows it."""

    def length(self, value, body=BODY):
        pairs = request_pairs("POST", GUEST_PATH, self.site.auth(), body, {"CONTENT_LENGTH": value})
        return begin() + stream(PARAMS, encode(pairs)) + stream(STDIN, body)

    def test_absent_or_empty_length_is_read_to_the_end(self):
        for value in (None, "", "-1"):
            with self.subTest(value=value):
                self.good(self.length(value))

    def test_chunked_without_length(self):
        pairs = request_pairs("POST", GUEST_PATH, self.site.auth(), BODY,
                              {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"})
        self.good(begin() + stream(PARAMS, encode(pairs)) + stream(STDIN, BODY, 5))

    def test_lengths_that_are_none(self):
        for value in ("+7", "-2", "7x", "9" * 20, " 7", "0x12", "18446744073709551634"):
            with self.subTest(value=value):
                self.refused(self.length(value))

    def test_body_that_an_input_filter_changed(self):
        """It is read to its end, whatever length was announced; a part never passes for the whole."""
        for length in (0, 1, len(BODY) - 1, len(BODY) + 1, 5 * BODY_LIMIT):
            with self.subTest(length=length):
                self.good(self.length(str(length)))
        self.refused(self.length(str(len(BODY) + 9), BODY[:-1]))
        self.refused(self.length(str(len(BODY)), BODY + b'"}' * 50))

    def test_announced_body_that_does_not_come(self):
        reply = self.send(self.length("7", b""))
        self.assertEqual(400, reply.answer.status)
        self.assertIn("did not arrive", reply.answer.json["errorMessage"])

    def test_large_bodies_are_read_and_refused(self):
        """Up to 64 MB beyond the limit, whoever sends them."""
        for megabytes, auth in ((9, self.site.auth()), (60, "Basic eDp5")):
            with self.subTest(megabytes=megabytes):
                body = bytes(megabytes * 1_000_000)
                data = request("POST", GUEST_PATH, auth, body)
                with self.responder.connect(60) as connection:
                    connection.send(data)
                    self.assertIn(connection.reply().answer.status, (413, 401))
        self.still_serves()

    def test_sizes_around_the_limit(self):
        for size, status in ((BODY_LIMIT, 200), (BODY_LIMIT + 1, 413), (10 * BODY_LIMIT, 413)):
            for value in (str(size), None):
                with self.subTest(size=size, length=value):
                    body = BODY + b" " * (size - len(BODY))
                    self.assertEqual(status, self.send(self.length(value, body)).answer.status)

    def test_member_body_is_only_measured(self):
        for body, status in ((b"no json {", 200), (b"x" * (BODY_LIMIT + 1), 413)):
            answer = self.responder.post(MEMBER_PATH, self.site.auth(), body)
            self.assertEqual(status, answer.status)


class Broken(ProtocolCase):
    """Requests that are none."""

    def test_params_cut_by_the_end(self):
        data = self.params()
        for cut in (0, 1, len(data) // 2, len(data)):
            with self.subTest(cut=cut):
                reply = self.send(begin() + record(PARAMS, data[:cut]), end=True)
                self.assertEqual(b"", reply.stdout)
        self.still_serves()

    def test_stdin_before_the_end_of_params(self):
        self.refused(begin() + record(PARAMS, self.params()) + record(STDIN, BODY) + record(STDIN))

    def test_end_in_the_body(self):
        head = begin() + stream(PARAMS, self.params())
        self.refused(head + record(STDIN, BODY[:9]), end=True)
        self.refused(head, end=True)
        self.refused(head + record(STDIN, BODY)[:12], end=True)

    def test_roles(self):
        for role in (AUTHORIZER, FILTER, 9, 0):
            with self.subTest(role=role):
                more = record(DATA) if role == FILTER else b""
                self.refused(begin(role) + stream(PARAMS, self.params()) + stream(STDIN, BODY) + more)

    def test_abort(self):
        head = begin() + stream(PARAMS, self.params())
        self.refused(head + record(ABORT), end=True)
        self.refused(head + record(STDIN, BODY[:5]) + record(ABORT), end=True)

    def test_second_begin(self):
        """A request for multiplexing is turned down; the first one may still be answered."""
        for number in (1, 2):
            with self.subTest(number=number):
                self.send(begin() + begin(request=number) + stream(PARAMS, self.params())
                          + stream(STDIN, BODY), end=True)
                self.still_serves()

    def test_garbage(self):
        garbage = (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(64), b"\xff" * 64, b"\1", begin()[:5],
                   b"\2" + begin()[1:], record(BEGIN, b"\0\1"), stream(PARAMS, self.params()),
                   begin(request=0) + stream(PARAMS, self.params(), request=0))
        for data in garbage:
            with self.subTest(data=data[:16]):
                self.refused(data, end=True)

    def test_get_values(self):
        names = [b"FCGI_MAX_CONNS", b"FCGI_MAX_REQS", b"FCGI_MPXS_CONNS"]
        for wanted in (names, names[:1] * 5, names[2:] * 200, [b"FOO"], []):
            with self.subTest(wanted=wanted[:5]):
                query = record(GET_VALUES, b"".join(pair(n, b"") for n in wanted), request=0)
                for data in (query, begin() + query, query + request("POST", GUEST_PATH)):
                    self.send(data, end=True)
                self.still_serves()

    def test_get_values_is_answered(self):
        """A responder tells others of its kind by it, and leaves out what it does not know."""
        for name, told in ((b"MEMBERCHAT", True), (b"FCGI_MPXS_CONNS", False)):
            with self.responder.connect() as connection:
                connection.send(record(GET_VALUES, pair(name, b""), request=0))
                kind, values = connection.next_record()
                self.assertEqual((GET_VALUES_RESULT, told), (kind, name in values))
        self.still_serves()

    def test_unknown_management_record(self):
        """Its content never becomes a parameter."""
        forged = pair(b"HTTP_AUTHORIZATION", self.site.auth().encode())
        data = begin() + record(99, forged, request=0) + stream(PARAMS, encode(
            request_pairs("POST", GUEST_PATH, None, BODY))) + stream(STDIN, BODY)
        reply = self.send(data, end=True)
        if reply.stdout:
            self.assertIn(reply.answer.status, (400, 401))
        self.still_serves()

    def test_absurd_parameter_lengths(self):
        for content in (b"\xff\xff\xff\xff\1", b"\xff\xff\xff\xfe\xff\xff\xff\xfe", b"\xff\xff\xff\xf0\1",
                        b"\x50\x50AB", b"\xff\xff\xff", b"\xff", b"\x84\0\0\0\1A", b"\1"):
            with self.subTest(content=content):
                self.refused(begin() + stream(PARAMS, content) + stream(STDIN, b""), end=True)
                self.refused(begin() + stream(PARAMS, self.params() + content) + stream(STDIN, BODY),
                             end=True)

    def test_nul_in_values(self):
        cut = {"REQUEST_URI": MEMBER_PATH + "\0/x", "HTTP_AUTHORIZATION": self.site.auth() + "\0",
               "REQUEST_METHOD": "POST\0GET", "HTTP_X_REQUEST_ID": "a\0b"}
        for name, value in cut.items():
            with self.subTest(name=name):
                self.send(begin() + stream(PARAMS, self.params(**{name: value})) + stream(STDIN, BODY))
                self.still_serves()
        answer = self.responder.post(member_path("1%00"), self.site.auth())
        self.assertEqual(404, answer.status)

    def test_nul_in_a_value_that_nobody_wants(self):
        """nginx decodes the user of Basic credentials, with whatever the client has put there."""
        answer = self.responder.post(MEMBER_PATH, self.site.auth(), extra={"REMOTE_USER": "demo\0key"})
        self.assertEqual(200, answer.status)

    def test_missing_parameters(self):
        self.refused(begin() + stream(PARAMS, b"") + stream(STDIN, b""))
        for name in ("REQUEST_METHOD", "REQUEST_URI", "HTTP_AUTHORIZATION"):
            with self.subTest(name=name):
                pairs = [(k, v) for k, v in request_pairs("POST", GUEST_PATH, self.site.auth(), BODY)
                         if k != name]
                self.refused(begin() + stream(PARAMS, encode(pairs)) + stream(STDIN, BODY))


class KeptConnections(ProtocolCase):
    """FCGI_KEEP_CONN: several requests on a connection, and none that the peer did not send."""

    def whole(self, uri=GUEST_PATH, body=BODY, **extra):
        return request("POST", uri, self.site.auth(), body, extra, flags=KEEP)

    def test_two_in_turn(self):
        with self.responder.connect() as connection:
            for user in ("g1", "g2", "g3"):
                connection.send(self.whole(body=b'{"appUserId":"%s"}' % user.encode()))
                self.assertEqual(user, connection.reply().answer.json["userId"])

    def test_two_in_one_write(self):
        with self.responder.connect() as connection:
            connection.send(self.whole() + self.whole(MEMBER_PATH, b""))
            self.assertEqual("g1", connection.reply().answer.json["userId"])
            self.assertEqual("1", connection.reply().answer.json["userId"])

    def test_not_kept_when_not_asked(self):
        with self.responder.connect() as connection:
            connection.send(request("POST", GUEST_PATH, self.site.auth(), BODY))
            self.assertTrue(connection.reply().ended)
            self.assertTrue(connection.closed())

    def test_second_half_comes_later(self):
        first, second = self.whole(), self.whole(MEMBER_PATH, b"")
        with self.responder.connect() as connection:
            connection.send(first + second[:30])
            self.assertEqual("g1", connection.reply().answer.json["userId"])
            connection.send(second[30:])
            self.assertEqual("1", connection.reply().answer.json["userId"])

    def smuggled(self):
        """A body that is itself a request, for whoever takes the middle of it for a record."""
        return self.whole(MEMBER_PATH, b"", HTTP_X_REQUEST_ID="smuggled") * 40

    def test_no_request_out_of_an_unread_body(self):
        """Refused early (401, 404, 405, 415, 413): the body is read to its end, or the connection closed."""
        refused = {401: {"HTTP_AUTHORIZATION": "Basic eDp5"}, 404: {"REQUEST_URI": "/none"},
                   405: {"REQUEST_METHOD": "PUT"}, 415: {"CONTENT_TYPE": "text/plain"}, 413: {}}
        for status, extra in refused.items():
            for filler in (0, 8192 - 300, 40_000):
                with self.subTest(status=status, filler=filler):
                    self.answer_and_victim(status, extra, b" " * filler)
        self.assertNotIn("smuggled", self.responder.log_text())

    def answer_and_victim(self, status, extra, filler):
        body = filler + self.smuggled()
        body += b" " * max(0, BODY_LIMIT + 1 - len(body)) if status == 413 else b""
        with self.responder.connect() as connection:
            connection.send(self.whole(body=body, **extra))
            first = connection.reply().answer.status
            self.assertIn(first, (status, 413))
            victim = self.whole(body=b'{"appUserId":"victim"}')
            try:
                connection.send(victim)
                reply = connection.reply()
            except ConnectionError:
                return
            if reply.ended:
                self.assertEqual("victim", reply.answer.json["userId"])
            connection.end_sending()
            self.assertTrue(connection.closed(), "an answer that nobody asked for")

    def test_body_that_never_ends(self):
        """More than the responder will read and throw away: it closes, and keeps nothing."""
        self.send_endless(times=4)  # whatever a first use costs, in every tool's memory too
        memory = self.responder.process.resident_kib()
        self.send_endless(times=4)
        self.assertLess(self.responder.process.resident_kib(), memory + 65528 * 400 // 1024)
        self.still_serves()

    def send_endless(self, times):
        for _ in range(times):
            with self.responder.connect() as connection:
                with self.assertRaises(OSError):
                    connection.send(begin(flags=KEEP) + stream(PARAMS, self.params(CONTENT_LENGTH="99999999")))
                    for _ in range(1100):
                        connection.send(record(STDIN, bytes(65528)))
