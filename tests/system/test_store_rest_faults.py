# SPDX-License-Identifier: MIT
"""A REST service that is down, slow, endless or lies: a good answer in time, and never a wrong one."""
import gzip
import json
import os
import signal
import socket
import threading
import time
import zlib
from pathlib import Path

from lib.case import Load
from lib.programs import limit, preloading
from lib.responder import accepts, environment
from lib.scratch import free_port, freeze, wait_until
from lib.upstream import NginxService, RestCase, Scripted, answer_well, asked_id, http, member

FAST = {"connect_timeout": "400ms", "timeout": "800ms"}


class FaultCase(RestCase):
    def within(self, seconds, user, status, least=0.0):
        """The answer, in time and after the service got its chance."""
        began = time.monotonic()
        answer = self.expect(user, status)
        took = time.monotonic() - began
        self.assertLess(took, limit(seconds))
        self.assertGreaterEqual(took, least)
        return answer

    def scripted_once(self, script, **keys):
        """A service that misbehaves with id "1" and answers all others well."""
        def choose(request, peer):
            return script(request, peer) if asked_id(request) == "1" else answer_well(request, peer)
        upstream = self.scripted(choose)
        self.serve(upstream.url + "/members/{id}", **{**FAST, **keys})
        return upstream


class Unreachable(FaultCase):
    def test_down(self):
        port = free_port()
        self.serve(f"http://127.0.0.1:{port}/members/{{id}}")
        self.assertIsNotNone(self.within(0.5, "1", 503).header("Retry-After"))
        self.expect_log("service: unavailable: Failed to connect to 127.0.0.1 port")
        Scripted(self, answer_well, port)
        self.expect("1", 200)

    def test_no_connection_comes_about(self):
        """The queue of a listener that does not accept is full, and packets are dropped."""
        with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            for peer in (first, second):
                peer.setblocking(False)
                peer.connect_ex(listener.getsockname())
            time.sleep(0.1)
            self.serve(f"http://127.0.0.1:{listener.getsockname()[1]}/members/{{id}}", **FAST)
            self.within(0.7, "1", 503, least=0.35)
            self.expect_log("unavailable: .*time")

    def test_connected_and_mute(self):
        """Also where TLS is spoken."""
        with socket.create_server(("127.0.0.1", 0)) as mute:
            port = mute.getsockname()[1]
            self.serve(f"http://127.0.0.1:{port}/members/{{id}}", **FAST)
            self.within(1.1, "1", 503, least=0.75)
            self.responder.process.stop()
            self.serve(f"https://127.0.0.1:{port}/members/{{id}}", **FAST)
            self.within(0.7, "1", 503, least=0.35)

    def test_the_deadline_of_the_request_counts(self):
        with socket.create_server(("127.0.0.1", 0)) as mute:
            self.serve(f"http://127.0.0.1:{mute.getsockname()[1]}/members/{{id}}", {"request_timeout": "500ms"},
                       timeout="10s", connect_timeout="10s")
            self.within(0.8, "1", 503, least=0.4)


class Answers(FaultCase):
    def good_afterwards(self):
        for user in ("2", "3"):
            self.expect(user, 200 if user == "2" else 404)

    def test_a_byte_a_second(self):
        for text in (http(member("1")), http(b"")[:-4] + b"\r\nX: " + b"y" * 100):
            def script(request, peer, text=text):
                for i in range(len(text)):
                    peer.sendall(text[i:i + 1])
                    time.sleep(0.05 if i < len(text) - 100 else 1)
            upstream = self.scripted_once(script)
            self.within(1.1, "1", 503, least=0.75)
            self.good_afterwards()
            self.responder.process.stop()
            upstream.close()

    def endless(self, head, part, status):
        sent = []

        def script(request, peer):
            peer.sendall(head)
            while True:
                sent.append(peer.send(part))
        self.scripted_once(script, timeout="2s")
        before = self.responder.process.resident_kib()
        self.within(1.0, "1", status)
        self.assertLess(self.responder.process.resident_kib() - before, 20000)
        time.sleep(0.2)
        self.assertLess(sum(sent), 20 << 20)
        self.good_afterwards()

    def test_endless_body(self):
        self.endless(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65536, 500)

    def test_endless_chunks(self):
        self.endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b" " * 4096 + b"\r\n", 500)

    def test_endless_headers(self):
        self.endless(b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"y" * 8192 + b"\r\n", 503)

    def test_endless_chunk_extension(self):
        self.scripted_once(lambda request, peer: peer.sendall(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 1000000))
        self.within(1.5, "1", 503)

    def test_a_length_that_is_too_large(self):
        """Announced: refused at once.  Announced and not kept: the answer is not complete."""
        self.scripted_once(lambda request, peer: peer.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n{") or time.sleep(3))
        self.within(0.5, "1", 500)
        self.good_afterwards()
        self.responder.process.stop()
        body = json.dumps(member("1")).encode()
        self.scripted_once(lambda request, peer: peer.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body) + 1, body)))
        self.within(0.5, "1", 503)
        self.good_afterwards()

    def test_a_length_that_is_too_small(self):
        """What is behind an answer is never taken for the next one's."""
        lie = http(member("2", appUserName="smuggled"))
        self.scripted_once(lambda request, peer: peer.sendall(http(member("1")) + lie) or True)
        for _ in range(3):
            self.expect("1", 200)
            self.expect("2", 200)
        self.responder.process.stop()
        body = json.dumps(member("1")).encode()
        self.scripted_once(lambda request, peer: peer.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body) - 5, body)) or True)
        self.expect("1", 500)
        self.good_afterwards()

    def test_a_late_answer_is_nobody_elses(self):
        def script(request, peer):
            time.sleep(1.0)
            peer.sendall(http(member("1")))
            return True
        self.scripted_once(script)
        self.within(1.1, "1", 503)
        for _ in range(3):
            self.expect("2", 200)
            time.sleep(0.2)

    def test_two_lengths(self):
        self.scripted_once(lambda request, peer: peer.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 90\r\n\r\n" + json.dumps(member("1")).encode()))
        self.assertIn(self.ask("1").status, (500, 503))
        self.good_afterwards()

    def test_gzip_bomb(self):
        """No more than max_body is decompressed, however often it was compressed."""
        bomb = gzip.compress(b"{" + b" " * (50 << 20))
        self.assertLess(len(bomb), 65536)
        for body, names in ((bomb, "gzip"), (zlib.compress(b"{" + b" " * (50 << 20)), "deflate"),
                            (gzip.compress(bomb), "gzip, gzip")):
            upstream = self.scripted_once(lambda request, peer, body=body, names=names: peer.sendall(
                http(body, fields=[f"Content-Encoding: {names}"])) or True)
            before = self.responder.process.resident_kib()
            self.within(0.5, "1", 500)
            self.expect_log('the answer is larger than "max_body" \\(65536 bytes\\)')
            self.assertLess(self.responder.process.resident_kib() - before, 10000)
            self.good_afterwards()
            self.responder.process.stop()
            upstream.close()

    def test_broken_compression(self):
        """The answer has not come through: try again later."""
        good = gzip.compress(json.dumps(member("1")).encode())
        for body in (good[:20], b"no gzip at all, but long enough", good[:15] + b"\xff" * 20, b""):
            upstream = self.scripted_once(lambda request, peer, body=body: peer.sendall(
                http(body, fields=["Content-Encoding: gzip"])) or True)
            self.assertIn(self.ask("1").status, (500, 503), body)
            self.good_afterwards()
            self.responder.process.stop()
            upstream.close()

    def test_http_1_0(self):
        body = json.dumps(member("1")).encode()
        upstream = self.scripted_once(lambda request, peer: peer.sendall(
            b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + body))
        for _ in range(3):
            self.expect("1", 200)
        self.assertEqual(3, upstream.connections)
        self.good_afterwards()

    def test_no_http_at_all(self):
        for text, status in ((json.dumps(member("1")).encode(), 500), (b"SSH-2.0-x\r\n", 500), (b"\r\n\r\n", 500),
                             (b"\0" * 100, 500), (b"", 503)):
            upstream = self.scripted_once(lambda request, peer, text=text: peer.sendall(text))
            self.assertEqual(status, self.ask("1").status, text)
            self.good_afterwards()
            self.responder.process.stop()
            upstream.close()

    def test_a_crowd_of_interim_answers(self):
        self.scripted_once(lambda request, peer: peer.sendall(
            b"HTTP/1.1 103 Early Hints\r\n\r\n" * 5 + http(member("1"))) or True)
        self.expect("1", 200)


class Restarts(FaultCase):
    def setUp(self):
        super().setUp()
        self.service = NginxService(self.scratch)
        self.serve(self.service.url + "/members/{id}")

    def test_graceful_restart_under_load(self):
        with Load(lambda: self.ask("1")) as load:
            for _ in range(3):
                time.sleep(0.5)
                self.service.process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
        load.assert_all_answered(50)

    def test_hard_restart_under_load(self):
        """While it is away there is 503; at once afterwards, all is well."""
        with Load(lambda: self.ask("1"), good=(200, 503)) as load:
            for _ in range(3):
                time.sleep(0.4)
                self.service.process.kill()
                wait_until("it is gone", lambda: not accepts(("127.0.0.1", self.service.port)))
                self.service.start()
                self.expect("1", 200)
        load.assert_all_answered(50)

    def test_frozen(self):
        self.expect("1", 200)
        workers = Path(f"/proc/{self.service.process.pid}/task/{self.service.process.pid}/children").read_text().split()
        frozen = [int(pid) for pid in workers]
        for pid in frozen:
            freeze(pid)
        try:
            results = []
            threads = [threading.Thread(target=lambda: results.append(self.within(3.5, "1", 503).status))
                       for _ in range(8)]
            for thread in threads:
                thread.start()
            time.sleep(0.3)
            self.site.check(self.responder.post("/v2/apps/me/members/guest-chat-tokens", self.site.auth(),
                                                b'{"appUserId": "g1"}'), user="g1", role="guest")
            for thread in threads:
                thread.join()
            self.assertEqual([503] * 8, results)
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
        wait_until("answers again", lambda: self.ask("1").status == 200)


class Names(FaultCase):
    """A resolver of our own, which a file makes good or bad."""

    def setUp(self):
        super().setUp()
        self.upstream = self.scripted(answer_well)
        self.resolve("127.0.0.1")
        self.write(f"http://service.test:{self.upstream.port}/members/{{id}}", allow_http=True, **FAST)
        self.responder = self.start(env=environment(
            MEMBERCHAT_TEST_RESOLVER=str(self.site.folder / "resolver"), **preloading("resolver")))

    def resolve(self, word):
        self.site.put("resolver", word + "\n", 0o644)

    def test_stops_resolving(self):
        """Connections that are there go on, and new ones wait for better times."""
        self.expect("1", 200)
        self.resolve("none")
        self.expect("1", 200)
        self.assertEqual(1, self.upstream.connections)

    def test_does_not_resolve(self):
        self.resolve("none")
        self.within(0.5, "1", 503)
        self.expect_log("service: unavailable: Could not resolve host: service.test")
        self.resolve("127.0.0.1")
        self.expect("1", 200)

    def test_resolver_hangs(self):
        """Nobody waits for it beyond his time, and the process ends in time, too."""
        self.resolve("hang")
        self.within(1.0, "1", 503)
        began = time.monotonic()
        self.assertEqual(0, self.responder.process.stop())
        self.assertLess(time.monotonic() - began, limit(3))
