# SPDX-License-Identifier: MIT
"""Bodies that look like FastCGI records, on connections that the web server keeps.

A responder that answers early and takes the rest of the body for records would execute requests that
nobody sent, and give a client the answer of another.  Here: every answer belongs to its request, and
the log knows of no request more than were sent.
"""
import contextlib
import functools
import os
import random
import re
import time

from lib import fcgi
from lib.case import ResponderCase, at_once
from lib.fcgi import GET_VALUES, GET_VALUES_RESULT, KEEP, PARAMS, STDIN, begin, encode, pair, record, stream
from lib.mount_cases import MountedCase
from lib.programs import SLOW, limit
from lib.servers import INSTALLED_SOCKET, Apache, Nginx, read_mount
from lib.site import GUEST_PATH, member_path
from lib.supervised import RunningService

SMALL, LARGE = 15_000, 60_000  # bodies below and above body_limit
UNIT = 1024
REQUEST_LINE = re.compile(r"client \S+: [A-Z]+, app ")  # the debug log, once for each request
ATTACKERS = 4
ROUNDS = max(8, int(150 / SLOW))  # of each attacker


@functools.cache
def smuggled(site):
    """A whole request of UNIT bytes, with a mark that would appear in the log."""
    def with_padding(count):
        return fcgi.request("POST", GUEST_PATH, site.auth(), b'{"appUserId":"smuggled"}',
                            {"HTTP_X_REQUEST_ID": "smuggled", "P": "p" * count}, flags=KEEP)
    return next(whole for whole in map(with_padding, range(UNIT)) if len(whole) == UNIT)


def body_of_records(site, number, size):
    """Requests from end to end.  Readers of 8 KiB, and those of 16, come to each place in one of them at
    some number; every third begins with half of one, every third ends so."""
    unit = smuggled(site)
    front = (b" " * (8 * number % UNIT), unit[UNIT // 2:], b" " * (8 * number % UNIT))[number % 3]
    cut = (0, 0, 5)[number % 3]
    whole = (size - len(front) - cut) // UNIT
    return front + unit * whole + unit[:cut]


def sockets(pid):
    count = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            count += os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:")
    return count


class KeptCase(MountedCase):
    """A web server that keeps a few connections to the responder."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = RunningService(cls.scratch, cls.site)
        cls.addClassCleanup(cls.end_well)
        cls.start_web()

    @classmethod
    def end_well(cls):
        cls.service.close()
        if cls.service.starts != 1:
            raise AssertionError(f"the responder died: {cls.service.process.log_text()[-2000:]}")

    def requests_logged(self):
        return len(REQUEST_LINE.findall(self.service.process.log_text()))

    def victim(self, name):
        answer = self.guest(b'{"appUserId":"%s"}' % name.encode(), headers={"X-Request-Id": name})
        self.assertEqual((200, name, name),
                         (answer.status, answer.json["userId"], answer.header("X-Request-Id")), answer)


class Attacks:
    """Attackers and victims at once."""

    def attack(self, kind, number):
        """One early answer, its body full of records; the status."""
        body = body_of_records(self.site, number, SMALL)
        large = body_of_records(self.site, number, LARGE)
        auth = self.site.auth()
        return {401: lambda: self.web.post(GUEST_PATH, body=body),
                404: lambda: self.web.post("/none", auth, body),
                405: lambda: self.web.call("PUT", GUEST_PATH, auth=auth, body=body),
                413: lambda: self.web.post(GUEST_PATH, auth, large),
                415: lambda: self.guest(body, headers={"Content-Type": "text/plain"})}[kind]().status

    def round(self, attacker):
        for i in range(ROUNDS):
            kind = (401, 413, 401, 413, 404, 405, 415)[(attacker + i) % 7]
            self.assertEqual(kind, self.attack(kind, i))
            self.victim(f"v{attacker}x{i}")

    def test_connections_are_kept(self):
        """Or the other tests would prove nothing."""
        self.victim("first")
        time.sleep(0.2)
        self.assertGreater(sockets(self.service.process.pid), 1, "only the listening socket")

    def test_records_after_early_answers(self):
        before = self.requests_logged()
        at_once(ATTACKERS, self.round)
        self.assertEqual(2 * ATTACKERS * ROUNDS, self.requests_logged() - before)
        self.assertNotIn("smuggled", self.service.process.log_text())

    def test_chunked_records(self):
        before = self.requests_logged()
        for i in range(ROUNDS // 4):
            body = body_of_records(self.site, i, LARGE)
            self.assertEqual(401, self.web.call("POST", GUEST_PATH, chunks=[body[:9000], body[9000:]]).status)
            self.victim(f"c{i}")
        self.assertEqual(2 * (ROUNDS // 4), self.requests_logged() - before)
        self.assertNotIn("smuggled", self.service.process.log_text())

    def hang_up(self, number):
        """Promises more than it sends."""
        body = body_of_records(self.site, number, SMALL)
        with self.web.connect() as connection:
            connection.sendall((f"POST {self.web.mount}{GUEST_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: "
                                f"{len(body) + 5000}\r\n\r\n").encode() + body)

    def test_hang_up_in_the_records(self):
        def some(attacker):
            for i in range(ROUNDS // 4):
                self.hang_up(ATTACKERS * i + attacker)
                self.victim(f"h{attacker}x{i}")
        before = self.requests_logged()
        at_once(ATTACKERS, some)
        self.assertEqual(ATTACKERS * (ROUNDS // 4), self.requests_logged() - before)
        self.assertNotIn("smuggled", self.service.process.log_text())

    def test_body_that_nobody_drains(self):
        """So large that the responder closes: a status of somebody, and the next client gets its own."""
        body = body_of_records(self.site, 0, 10_000_000)
        for i in range(2):
            with contextlib.suppress(ConnectionError):
                self.assertIn(self.web.post(GUEST_PATH, body=body).status, (401, 413, 502, 503))
            self.victim(f"n{i}")
        self.assertNotIn("smuggled", self.service.process.log_text())


class NginxCase(KeptCase):
    MORE = "fastcgi_keep_conn on;"

    @classmethod
    def start_web(cls):
        socket = f"unix:{cls.service.address}"
        text = read_mount("nginx/memberchat.conf", {INSTALLED_SOCKET: cls.service.address})
        text = text.replace(f"fastcgi_pass         {socket};", f"fastcgi_pass memberchat; {cls.MORE}")
        cls.web = Nginx(cls.scratch, text, upstreams=f"upstream memberchat {{ server {socket}; keepalive 2; }}")


class NginxKept(Attacks, NginxCase):
    """nginx with fastcgi_keep_conn."""


class NginxKeptAndStreamed(Attacks, NginxCase):
    """The body goes to the responder as it comes."""

    MORE = "fastcgi_keep_conn on; fastcgi_request_buffering off;"


class ApacheKept(Attacks, KeptCase):
    """mod_proxy_fcgi with enablereuse."""

    @classmethod
    def start_web(cls):
        text = read_mount("apache/proxy-fcgi.conf", {INSTALLED_SOCKET: cls.service.address})
        reuse = '<Proxy "fcgi://memberchat/" enablereuse=on max=3>\n</Proxy>\n'
        cls.web = Apache(cls.scratch, reuse + text, ["proxy", "proxy_fcgi"])


class Straight(ResponderCase):
    """The same on the socket, and what no web server sends."""

    def whole(self, body, **extra):
        return fcgi.request("POST", GUEST_PATH, self.site.auth(), body, extra, flags=KEEP)

    def victim(self, connection, name):
        connection.send(self.whole(b'{"appUserId":"%s"}' % name.encode()))
        self.assertEqual(name, connection.reply().answer.json["userId"])

    def test_hundreds_of_rounds_on_kept_connections(self):
        def rounds(attacker):
            for i in range(ROUNDS):
                with self.responder.connect() as connection:
                    for status, size, auth in ((401, SMALL, ""), (413, LARGE, self.site.auth())):
                        body = body_of_records(self.site, ATTACKERS * i + attacker, size)
                        connection.send(self.whole(body, HTTP_AUTHORIZATION=auth))
                        self.assertEqual(status, connection.reply().answer.status)
                        self.victim(connection, f"s{attacker}x{i}")
                    connection.end_sending()
                    self.assertTrue(connection.closed(), "an answer that nobody asked for")
        before = len(REQUEST_LINE.findall(self.responder.log_text()))
        at_once(ATTACKERS, rounds)
        after = len(REQUEST_LINE.findall(self.responder.log_text()))
        self.assertEqual(4 * ATTACKERS * ROUNDS, after - before)
        self.assertNotIn("smuggled", self.responder.log_text())

    def test_partial_records_between_requests(self):
        """Half a record, and then another request: it is no request, and nobody else's."""
        for cut in (1, 7, 8, 12, 15, 40):
            with self.subTest(cut=cut), self.responder.connect() as connection:
                self.victim(connection, "before")
                with contextlib.suppress(ConnectionError):
                    connection.send(smuggled(self.site)[:cut] + self.whole(b'{"appUserId":"after"}'))
                    connection.end_sending()
                reply = connection.reply()
                self.assertEqual(b"", reply.stdout)
        self.still_serves()
        self.assertNotIn("smuggled", self.responder.log_text())

    def test_get_values_on_a_kept_connection(self):
        """Between requests, whole and in single bytes, with one name as often as it fits."""
        query = record(GET_VALUES, pair(b"FCGI_MAX_CONNS", b"") * 4000, request=0)
        with self.responder.connect() as connection:
            for i in range(4):
                connection.send(query)
                kind, _ = connection.next_record()
                self.assertEqual(GET_VALUES_RESULT, kind)
                self.victim(connection, f"q{i}")
            connection.send_slowly(record(GET_VALUES, pair(b"FCGI_MPXS_CONNS", b"") * 70, request=0), 1)
            self.assertEqual(GET_VALUES_RESULT, connection.next_record()[0])
            self.victim(connection, "slow")

    def test_too_many_management_records(self):
        with self.responder.connect() as connection:
            with contextlib.suppress(ConnectionError):
                connection.send(record(GET_VALUES, request=0) * 5000)
            while connection.next_record():
                continue
        self.still_serves()

    def test_mutated_streams(self):
        """Requests with bytes changed, cut, doubled, moved: the same process serves afterwards."""
        whole = [self.whole(b"{}"), begin() + stream(PARAMS, encode(
            fcgi.request_pairs("POST", member_path("1"), self.site.auth())), 50) + stream(STDIN, b""),
            record(GET_VALUES, pair(b"FCGI_MAX_REQS", b"") * 3, request=0) + self.whole(b'{"appUserName":"x"}')]

        def some(thread):
            dice = random.Random(thread)
            for _ in range(int(3000 / min(SLOW, 10))):
                with self.responder.connect() as connection, contextlib.suppress(ConnectionError):
                    connection.send(mutate(dice, dice.choice(whole)))
                    connection.end_sending()
                    while connection.take(1):
                        continue
        at_once(4, some)
        self.still_serves()


def mutate(dice, data):
    data = bytearray(data)
    for _ in range(dice.randint(1, 6)):
        at, size = dice.randrange(len(data)), dice.choice((1, 1, 2, 8, 24))
        change = dice.randrange(5)
        if change == 0:
            data[at:at + size] = dice.randbytes(size)
        elif change == 1:
            data[at:at + 4] = dice.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", bytes(4)))
        elif change == 2 and len(data) > size + 8:
            del data[at:at + size]
        elif change == 3:
            data[at:at] = data[at:at + size]
        else:
            data[at:at] = data[:dice.choice((8, 16))]
    return bytes(data)


class Crowd(NginxCase):
    """Peers of every bad kind at once, many more than threads; clients of the web server notice nothing."""

    OF_EACH_KIND = 8  # the site has 4 threads

    def bad_peers(self):
        pairs = encode(fcgi.request_pairs("POST", GUEST_PATH, self.site.auth(), b"{}"))
        return {"silent": b"", "half a header": begin()[:4], "only begin": begin(),
                "half a parameter": begin() + record(PARAMS, pairs[:20]),
                "half a body": begin() + stream(PARAMS, pairs) + record(STDIN, b"{")[:9],
                "not reading": fcgi.request("POST", GUEST_PATH, self.site.auth(), b"{}", flags=KEEP) * 200}

    def test_crowd(self):
        with contextlib.ExitStack() as stack:
            for data in self.bad_peers().values():
                for _ in range(self.OF_EACH_KIND):
                    peer = stack.enter_context(self.service.connect())
                    peer.socket.settimeout(0.05)
                    with contextlib.suppress(OSError):
                        peer.send(data)
            began = time.monotonic()
            at_once(24, lambda i: self.victim(f"first{i}"))
            self.assertLess(time.monotonic() - began, limit(15))
            began = time.monotonic()
            at_once(24, lambda i: self.victim(f"then{i}"))
            self.assertLess(time.monotonic() - began, limit(3))
