# SPDX-License-Identifier: MIT
"""Peers that idle, stop in the middle or do not read, and what many requests leave behind."""
import contextlib
import os
import resource
import time
from pathlib import Path

from lib.case import FreshCase, ResponderCase, at_once
from lib.fcgi import KEEP, PARAMS, STDIN, begin, encode, record, request, request_pairs, stream
from lib.programs import SLOW, limit
from lib.scratch import wait_until
from lib.site import GUEST_PATH, member_path

PROMPTLY = 1.5  # seconds for an answer while others misbehave


class StuckPeers(ResponderCase):
    """threads + 1 of each kind; the service answers promptly all the while."""

    THREADS = 4

    def answered_promptly(self):
        began = time.monotonic()
        self.still_serves()
        self.assertLess(time.monotonic() - began, limit(PROMPTLY))

    def crowd(self, stack, data, count=None):
        peers = [stack.enter_context(self.responder.connect()) for _ in range(count or self.THREADS + 1)]
        for peer in peers:
            peer.send(data)
        return peers

    def whole(self, flags=0):
        return request("POST", GUEST_PATH, self.site.auth(), b"{}", flags=flags)

    def stuck(self, data, patience=12):
        """The service may take a moment for its time limits, and then answers promptly again."""
        with contextlib.ExitStack() as stack:
            self.crowd(stack, data)
            began = time.monotonic()
            self.still_serves()
            self.assertLess(time.monotonic() - began, limit(patience))
            self.answered_promptly()

    def test_silent(self):
        self.stuck(b"")

    def test_half_a_header(self):
        self.stuck(begin()[:4])

    def test_only_begin(self):
        self.stuck(begin())

    def test_half_of_the_parameters(self):
        pairs = encode(request_pairs("POST", GUEST_PATH, self.site.auth()))
        self.stuck(begin() + record(PARAMS, pairs[:20]))

    def test_half_of_the_body(self):
        pairs = encode(request_pairs("POST", GUEST_PATH, self.site.auth(), b"{}"))
        self.stuck(begin() + stream(PARAMS, pairs) + record(STDIN, b"{"))

    def test_kept_and_idle(self):
        """Kept connections wait without a worker: the service is prompt at once."""
        with contextlib.ExitStack() as stack:
            peers = self.crowd(stack, self.whole(KEEP), 4 * self.THREADS)
            for peer in peers:
                self.assertTrue(peer.reply().ended)
            self.answered_promptly()
            for peer in peers[:3]:
                peer.send(self.whole(KEEP))
                self.assertEqual(200, peer.reply().answer.status)

    def test_kept_connections_end_at_last(self):
        with self.responder.connect(60) as peer:
            peer.send(self.whole(KEEP))
            self.assertTrue(peer.reply().ended)
            self.assertTrue(peer.closed())

    def test_not_reading(self):
        """Pipelined requests whose answers nobody takes."""
        with contextlib.ExitStack() as stack:
            for peer in self.crowd(stack, b""):
                peer.socket.settimeout(limit(0.2))
                with contextlib.suppress(OSError):
                    for _ in range(300):
                        peer.send(self.whole(KEEP))
            began = time.monotonic()
            self.still_serves()
            self.assertLess(time.monotonic() - began, limit(15))

    def test_trickling(self):
        """A byte now and then does not keep a worker for ever."""
        with contextlib.ExitStack() as stack:
            peers = self.crowd(stack, begin())
            began = time.monotonic()
            fed = at_once(len(peers), lambda i: trickle(peers[i], began + limit(25)))
            self.assertTrue(all(fed), "a peer was fed for 25 s with a byte a second")
        self.answered_promptly()


    def test_slow_body(self):
        """A client on a bad line: its web server says when it is too slow, not we."""
        body = b'{"appUserId":"g1"}'
        pairs = encode(request_pairs("POST", GUEST_PATH, self.site.auth(), body))
        with self.responder.connect(30) as peer:
            peer.send(begin() + stream(PARAMS, pairs))
            for byte in body:
                peer.send(record(STDIN, bytes([byte])))
                time.sleep(1)
            peer.send(record(STDIN))
            self.site.check(peer.reply().answer, user="g1", name="GUEST_g1", role="guest")


def trickle(peer, until):
    """Feeds a parameter record a byte at a time; true once the other side has had enough."""
    with contextlib.suppress(OSError):
        peer.send(b"\1\4\0\1\377\377\0\0")
        while time.monotonic() < until:
            peer.send(b"A")
            time.sleep(0.5)
        return False
    return True


class Endurance(ResponderCase):
    """What stays after many requests: nothing."""

    COUNT = 10_000

    def round(self, count):
        """Good and bad requests in turn, over four connections' worth of threads."""
        auth = self.site.auth()
        kinds = [request("POST", GUEST_PATH, auth, b'{"appUserName":"x"}'),
                 request("POST", member_path("1"), auth),
                 request("POST", member_path("nobody"), auth),
                 request("POST", GUEST_PATH, auth, b'{"a":' * 20),
                 request("POST", GUEST_PATH, auth, b" " * 20_000),
                 request("POST", GUEST_PATH), begin() + b"garbage"]

        def some(_):
            for i in range(count // 4):
                with self.responder.connect() as peer:
                    with contextlib.suppress(ConnectionError):
                        peer.send(kinds[i % len(kinds)])
                        peer.end_sending()
                    peer.reply()
        at_once(4, some)

    def test_descriptors_and_memory_stay_level(self):
        process = self.responder.process
        self.round(2000)
        descriptors, memory = self.settled(), process.resident_kib()
        self.round(int(self.COUNT / min(SLOW, 10)))
        self.assertLessEqual(self.settled(), descriptors)
        if SLOW == 1:  # sanitizers and valgrind keep what was freed
            self.assertLess(process.resident_kib(), memory + 1500)
        self.still_serves()

    def settled(self):
        """The number of descriptors when no request is under way any more."""
        counts = []
        for _ in range(20):
            counts.append(self.responder.process.descriptors())
            time.sleep(0.05)
        return min(counts)


class FewDescriptors(FreshCase):
    def test_no_descriptors_left(self):
        """accept() fails with EMFILE: no busy loop, no end, and service again afterwards."""
        responder = self.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
        responder.expect_log("ready,")
        guest = request("POST", GUEST_PATH, self.site.auth(), b"{}")
        with contextlib.ExitStack() as stack:
            for _ in range(120):
                peer = stack.enter_context(responder.connect())
                with contextlib.suppress(OSError):
                    peer.send(begin(flags=KEEP)[:4])
            before = cpu_seconds(responder.process.pid)
            time.sleep(1)
            self.assertLess(cpu_seconds(responder.process.pid) - before, 0.5, "a busy loop")
        wait_until("service again", lambda: self.try_once(responder, guest), 15)
        self.assertEqual(0, responder.process.stop())

    def try_once(self, responder, data):
        with contextlib.suppress(OSError, AssertionError):
            return responder.exchange(data).status == 200
        return False


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
