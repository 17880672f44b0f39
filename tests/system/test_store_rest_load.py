# SPDX-License-Identifier: MIT
"""Many at once at a REST store: the pool, the breaker, crowds, and members who are known already."""
import signal
import threading
import time

from lib.case import Load, at_once
from lib.programs import limit
from lib.scratch import wait_until
from lib.upstream import NginxService, RestCase, Scripted, answer_well, connections_to, http


class Sockets:
    """Counts connections to a port while a block runs, as the system knows them."""

    def __init__(self, port):
        self.port = port
        self.most = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def watch(self):
        now = set()
        while not self.over.wait(0.01):
            # the table is read line by line while connections come and go: two readings agree on those that are
            before, now = now, connections_to(self.port)
            self.most = max(self.most, len(before & now))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


class Slow(RestCase):
    """An upstream that takes its time, and counts."""

    DELAY = 0.2

    def setUp(self):
        super().setUp()
        self.upstream = self.scripted(self.answer)
        self.url = self.upstream.url + "/members/{id}"

    def answer(self, request, peer):
        time.sleep(self.DELAY)
        return answer_well(request, peer)

    def test_500_clients(self):
        """No more sockets than `connections`, everybody served in turn."""
        self.serve(self.url, {"threads": 32, "request_timeout": "30s"}, connections=25, timeout="10s")
        began = time.monotonic()
        with Sockets(self.upstream.port) as sockets:
            statuses = at_once(500, lambda i: self.ask(f"u{i}").status)
            took = time.monotonic() - began
        self.assertEqual([200] * 500, statuses)
        self.assertTrue(20 <= sockets.most <= 25, sockets.most)
        self.assertLessEqual(self.upstream.connections, 25)
        self.assertGreaterEqual(took, 500 / 25 * self.DELAY)
        self.assertLess(took, limit(500 / 25 * self.DELAY * 2 + 2))

    def test_nobody_waits_beyond_the_deadline(self):
        self.serve(self.url, {"threads": 8, "request_timeout": "1s"}, connections=4)
        took = [0.0] * 100

        def ask(i):
            began = time.monotonic()
            status = self.ask(f"u{i}").status
            took[i] = time.monotonic() - began
            return status
        with Sockets(self.upstream.port) as sockets:
            statuses = at_once(100, ask)
        self.assertEqual({200, 503}, set(statuses))
        self.assertGreaterEqual(statuses.count(200), 8)
        self.assertLess(max(took), limit(1.5))
        self.assertLessEqual(sockets.most, 4)
        self.expect_log('all 4 "connections" were in use until the deadline')

    def test_one_request_for_a_crowd(self):
        self.serve(self.url, {"threads": 16}, cache={"ttl": "60s"})
        self.assertEqual([200] * 200, at_once(200, lambda _: self.ask("crowd").status))
        self.assertEqual(1, len(self.upstream.received))


class Down(RestCase):
    def setUp(self):
        super().setUp()
        self.upstream = self.scripted(answer_well)

    def test_known_members_stay_served(self):
        users = [f"u{i}" for i in range(50)]
        self.serve(self.upstream.url + "/members/{id}", cache={"ttl": "300ms", "stale": "60s"},
                   breaker={"failures": 3, "open": "200ms"})
        for user in users:
            self.expect(user, 200)
        self.upstream.close()
        time.sleep(0.5)
        for user in users:
            self.expect(user, 200)
        self.expect("unknown", 503)
        self.expect_log("service: does not answer .*: requests are refused for a while")
        Scripted(self, answer_well, self.upstream.port)
        wait_until("unknown ones, too", lambda: self.ask("unknown").status == 200)
        self.expect_log("service: answers again")

    def test_retry_after_keeps_the_breaker_open(self):
        self.serve(self.upstream.url + "/members/{id}", breaker={"failures": 1, "open": "100ms"})
        self.upstream.script = lambda request, peer: peer.sendall(http({}, "503 Busy", ["Retry-After: 2"])) or True
        self.assertEqual("2", self.expect("1", 503).header("Retry-After"))
        self.upstream.script = answer_well
        before = len(self.upstream.received)
        for _ in range(3):
            self.expect("1", 503)
        self.assertEqual(before, len(self.upstream.received))
        wait_until("asked again", lambda: self.ask("1").status == 200)

    def test_answers_that_say_no_do_not_open_it(self):
        self.serve(self.upstream.url + "/members/{id}", breaker={"failures": 2, "open": "10s"})
        self.upstream.script = lambda request, peer: peer.sendall(http({}, "404 Not Found")) or True
        for _ in range(5):
            self.expect("1", 404)
        self.upstream.script = answer_well
        self.expect("1", 200)


class Reloading(RestCase):
    def test_from_file_to_service_and_back(self):
        """`store` of the app is all that changes."""
        service = NginxService(self.scratch)
        self.site.settings["stores"]["service"] = {"plugin": "rest", "url": service.url + "/members/{id}"}
        self.site.write()
        self.responder = self.start()
        with Load(lambda: self.ask("1")) as load:
            for store in ("service", "members", ["members", "service"], ["service", "members"]):
                time.sleep(0.3)
                self.site.change_app(store=store)
                self.responder.process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
        load.assert_all_answered(50)
        self.assertTrue(service.requests(1))
