# SPDX-License-Identifier: MIT
"""A directory that is slow, down or hanging: the core's cache, its breaker, and who waits for whom."""
import contextlib
import signal
import threading
import time

from lib.case import FreshCase, at_once
from lib.fcgi import request
from lib.programs import limit
from lib.scratch import wait_until
from lib.site import APP, GUEST_PATH, MEMBERS, member_path


class SlowCase(FreshCase):
    """One app whose members are in the store "slow", which a state file makes good or bad."""

    DELAY = "20ms"
    CACHE = {"ttl": "60s", "negative_ttl": "60s", "stale": "60s"}
    BREAKER = {"failures": 0}
    SETTINGS = {}

    def setUp(self):
        super().setUp()
        self.asked = self.site.folder / "asked"
        store = {"plugin": "slow", "delay": self.DELAY, "state_path": "state", "log_path": "asked",
                 "cache": self.CACHE, "breaker": self.BREAKER}
        self.site.write({"stores": {"slow": store}, "apps": {APP: {"store": "slow"}}, **self.SETTINGS})
        self.responder = self.start()

    def tearDown(self):
        self.assertEqual(0, self.responder.process.stop())

    def state(self, word):
        self.site.put("state", word)

    def ask(self, user):
        return self.responder.post(member_path(user), self.site.auth())

    def status(self, user):
        return self.ask(user).status

    def look_ups(self, user):
        """How often the directory was asked for this id."""
        lines = self.asked.read_text().splitlines() if self.asked.exists() else []
        return lines.count(user)


class Cache(SlowCase):
    CACHE = {"ttl": "800ms", "negative_ttl": "800ms", "stale": "60s"}

    def test_positive(self):
        for _ in range(5):
            answer = self.ask("u1")
            self.site.check(answer, user="u1", name="Slow u1")
        self.assertEqual(1, self.look_ups("u1"))

    def test_negative(self):
        for _ in range(5):
            self.assertEqual((404, "MEMBER_NOT_FOUND"), self.ask("nobody").error)
        self.assertEqual(1, self.look_ups("nobody"))

    def test_asked_again_in_time(self):
        for user, status in (("u1", 200), ("nobody", 404)):
            self.assertEqual(status, self.status(user))
            time.sleep(1.1)
            self.assertEqual(status, self.status(user))
            self.assertEqual(2, self.look_ups(user))

    def test_stale_while_unavailable(self):
        """Known members stay served; unknown ones get 503, never 404."""
        self.assertEqual([200, 404], [self.status("u1"), self.status("nobody")])
        self.state("down")
        time.sleep(1.1)
        self.site.check(self.ask("u1"), user="u1", name="Slow u1")
        for user in ("u2", "nobody"):
            answer = self.ask(user)
            self.assertEqual((503, "MEMBER_STORE_UNAVAILABLE"), answer.error)
            self.assertGreaterEqual(int(answer.header("Retry-After")), 1)
        self.state("up")
        self.assertEqual([200, 404], [self.status("u2"), self.status("nobody")])

    def test_no_stale_answer_from_a_broken_directory(self):
        self.assertEqual(200, self.status("u1"))
        self.state("broken")
        time.sleep(1.1)
        answer = self.ask("u1")
        self.assertEqual((500, "INTERNAL_SERVER_ERROR"), answer.error)
        self.assertNotIn(b"password", answer.body)
        self.responder.expect_log("refuses our password")

    def test_failures_are_not_kept(self):
        self.state("down")
        self.assertEqual(503, self.status("u1"))
        self.state("up")
        self.assertEqual(200, self.status("u1"))

    def test_survives_a_reload(self):
        """A new configuration with the same store does not send everybody to the directory."""
        self.assertEqual(200, self.status("u1"))
        self.site.change_app(chat_server_url="wss://new.example.com/ws")
        self.responder.process.send_signal(signal.SIGHUP)
        wait_until("the reload", lambda: self.ask("u1").json["chatServerWebSocketUrl"].startswith("wss://new"))
        self.assertLessEqual(self.look_ups("u1"), 2)


class StaleEnds(SlowCase):
    CACHE = {"ttl": "300ms", "negative_ttl": "300ms", "stale": "500ms"}

    def test_not_for_ever(self):
        self.assertEqual(200, self.status("u1"))
        self.state("down")
        time.sleep(1.3)
        self.assertEqual((503, "MEMBER_STORE_UNAVAILABLE"), self.ask("u1").error)


class NoCache(SlowCase):
    CACHE = {"size": 0}

    def test_every_request_asks(self):
        for _ in range(3):
            self.assertEqual(200, self.status("u1"))
        self.assertEqual(3, self.look_ups("u1"))


class SmallCache(SlowCase):
    DELAY = "0ms"
    CACHE = {"size": 10, "ttl": "60s"}

    def test_bounded(self):
        users = [f"u{i}" for i in range(200)]
        for user in users + users:
            self.assertEqual(200, self.status(user))
        again = sum(self.look_ups(user) - 1 for user in users)
        self.assertGreater(again, 150)


class Crowd(SlowCase):
    DELAY = "500ms"
    SETTINGS = {"threads": 16}

    def test_one_look_up_for_a_crowd(self):
        answers = at_once(50, lambda _: self.ask("u1"))
        self.assertEqual([200] * 50, [answer.status for answer in answers])
        self.assertEqual(1, self.look_ups("u1"))

    def test_crowd_for_nobody(self):
        self.assertEqual([404] * 50, at_once(50, lambda _: self.status("nobody")))
        self.assertEqual(1, self.look_ups("nobody"))

    def test_crowd_in_front_of_a_closed_door(self):
        self.state("down")
        self.assertEqual({503}, set(at_once(50, lambda _: self.status("u1"))))
        self.assertLess(self.look_ups("u1"), 50)


class Breaker(SlowCase):
    BREAKER = {"failures": 3, "open": "1s", "max_open": "4s"}

    def refused(self, user):
        answer = self.ask(user)
        self.assertEqual((503, "MEMBER_STORE_UNAVAILABLE"), answer.error)
        self.assertGreaterEqual(int(answer.header("Retry-After")), 1)

    def test_opens_and_closes(self):
        self.state("down")
        for i in range(3):
            self.refused(f"u{i}")
        for i in range(10):
            self.refused(f"v{i}")
        self.assertEqual(0, sum(self.look_ups(f"v{i}") for i in range(10)), "asked while it was open")
        self.responder.expect_log("slow: does not answer")
        self.state("up")
        wait_until("the directory is asked again", lambda: self.status("w") == 200, 6)
        self.responder.expect_log("slow: answers again")
        self.assertEqual(200, self.status("x"))

    def test_not_found_is_no_failure(self):
        for i in range(10):
            self.assertEqual(404, self.status(f"nobody{i}"))
        self.assertEqual(200, self.status("u1"))

    def test_guests_and_other_stores_do_not_notice(self):
        self.state("down")
        for i in range(5):
            self.refused(f"u{i}")
        answer = self.responder.post(GUEST_PATH, self.site.auth(), b"{}")
        self.assertEqual(200, answer.status)


class Hanging(SlowCase):
    """Look-ups that hang until their deadline never take the last workers."""

    SETTINGS = {"threads": 4, "request_timeout": "3s"}

    def setUp(self):
        super().setUp()
        self.state("hang")

    def hang(self, count):
        """That many look-ups under way, each of another member."""
        results = []
        threads = [threading.Thread(target=lambda i=i: results.append(self.status(f"u{i}")), daemon=True)
                   for i in range(count)]
        for thread in threads:
            thread.start()
        time.sleep(limit(0.4))
        return results, threads

    def test_guests_are_answered(self):
        results, threads = self.hang(20)
        for _ in range(10):
            began = time.monotonic()
            answer = self.responder.post(GUEST_PATH, self.site.auth(), b"{}")
            self.assertEqual(200, answer.status)
            self.assertLess(time.monotonic() - began, limit(1))
        for thread in threads:
            thread.join(limit(20))
        self.assertEqual({503}, set(results))
        self.assertEqual(20, len(results))

    def test_deadline(self):
        began = time.monotonic()
        self.assertEqual((503, "MEMBER_STORE_UNAVAILABLE"), self.ask("u1").error)
        self.assertLess(abs(time.monotonic() - began - 3), limit(0.7))

    def test_clients_that_leave(self):
        for i in range(10):
            with self.responder.connect() as peer, contextlib.suppress(OSError):
                peer.send(request("POST", member_path(f"u{i}"), self.site.auth()))
        self.assertEqual(200, self.responder.post(GUEST_PATH, self.site.auth(), b"{}").status)
        self.state("up")
        wait_until("members again", lambda: self.status("x1") == 200, 8)


class Chain(SlowCase):
    """In a chain, "down" stops it: a member of a later store is not taken for another's."""

    def setUp(self):
        super().setUp()
        self.site.change_app(store=["slow", "members"])
        self.responder.process.send_signal(signal.SIGHUP)
        wait_until("the chain", lambda: self.status("no-such") == 404)

    def test_next_store_after_not_found(self):
        self.site.put("members.csv", MEMBERS + "no1,Number one,,\n")
        wait_until("member of the second store", lambda: self.status("no1") == 200, 6)

    def test_down_stops_the_chain(self):
        self.state("down")
        self.assertEqual((503, "MEMBER_STORE_UNAVAILABLE"), self.ask("1").error)
        self.state("broken")
        self.assertEqual((500, "INTERNAL_SERVER_ERROR"), self.ask("2").error)


class Readiness(SlowCase):
    def test_ready_follows_the_stores(self):
        def ready():
            return self.responder.call("GET", "/readyz").status
        self.assertEqual(200, ready())
        self.state("down")
        wait_until("not ready", lambda: ready() == 503)
        self.assertEqual(200, self.responder.call("GET", "/healthz").status)
        self.state("up")
        wait_until("ready", lambda: ready() == 200)
