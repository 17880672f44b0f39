# SPDX-License-Identifier: MIT
"""limits: who comes with wrong credentials is held off, and tokens are counted."""
import re
import subprocess
import time

from lib.answer import basic, parse_cgi
from lib.case import FreshCase, at_once
from lib.fcgi import request_pairs
from lib.programs import limit, programs
from lib.responder import RunningResponder, command, environment
from lib.scratch import wait_until
from lib.site import GUEST_PATH, KEY, member_path

WRONG = basic(KEY, "wrong-secret-wrong")
STRANGE = basic("no-such-key", "wrong-secret-wrong")
HELD_OFF = (429, "TOO_MANY_REQUESTS")
REFUSED = (401, "INVALID_APP_CREDENTIALS")


class LimitsCase(FreshCase):
    def serve(self, **limits):
        self.site.settings["limits"] = limits
        self.site.write()
        self.responder = self.start()

    def ask(self, auth, address="192.0.2.1", responder=None):
        return (responder or self.responder).post(GUEST_PATH, auth, extra={"REMOTE_ADDR": address})

    def told(self, count, auth=WRONG, address="192.0.2.1", responder=None):
        """So many are told to be wrong."""
        for _ in range(count):
            self.assertEqual(REFUSED, self.ask(auth, address, responder).error)

    def held_off(self, auth=WRONG, address="192.0.2.1", responder=None):
        """The next one is held off; or a later one, where the machine was slower than the first delays."""
        for _ in range(8):
            answer = self.ask(auth, address, responder)
            if answer.status == 429:
                self.assertEqual(HELD_OFF, answer.error)
                return answer
            self.assertEqual(REFUSED, answer.error)
        raise AssertionError("never held off")


class WrongCredentials(LimitsCase):
    def test_held_off(self):
        """By default ten are told, then there is a delay, which grows."""
        self.serve()
        self.told(10)
        self.assertIn(self.held_off().header("Retry-After"), map(str, (1, 2, 4, 8, 16, 32, 64)))
        wait_until("the end of the delay", lambda: self.ask(WRONG).status == 401, 30)
        self.assertIn(self.held_off().header("Retry-After"), map(str, range(1, 129)))

    def test_the_right_ones_always_pass(self):
        """From the same address, from another one, while others hammer."""
        self.serve(failures=2)
        self.held_off()
        for address in ("192.0.2.1", "198.51.100.7", "2001:db8::1"):
            self.site.check(self.ask(self.site.auth(), address), role="guest")

    def test_per_client(self):
        """An IPv6 network is one client; the key is of no app, so only clients are counted."""
        self.serve(failures=20, failure_window="1h")
        self.told(20, STRANGE, "2001:db8:0:1::1")
        self.held_off(STRANGE, "2001:db8:0:1:ffff::2")
        self.told(1, STRANGE, "2001:db8:0:2::1")
        for address in ("192.0.2.7", "::ffff:192.0.2.7", "192.0.2.7:1234", "[::ffff:192.0.2.7]:1"):
            self.told(5, STRANGE, address)
        self.held_off(STRANGE, "192.0.2.7")
        self.told(1, STRANGE, "192.0.2.8")

    def test_per_key(self):
        """From many addresses; another app's key is not held off."""
        self.site.settings["apps"]["other"] = self.site.new_app("other", "other-key", "other-secret-other")
        self.serve(failures=20)
        for number in range(20):
            self.told(1, WRONG, f"192.0.2.{number}")
        self.held_off(WRONG, "192.0.2.99")
        self.told(1, basic("other-key", "wrong-secret-wrong"), "192.0.2.100")
        self.site.check(self.ask(self.site.auth(), "192.0.2.99"), role="guest")

    def test_behind_a_proxy(self):
        self.site.write({"trusted_proxies": ["10.0.0.0/8"]})
        self.serve(failures=20)

        def ask(client):
            return self.responder.post(GUEST_PATH, STRANGE, extra={
                "REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": f"{client}:1234, 10.0.0.9"}).status
        self.assertEqual({401}, {ask("203.0.113.7") for _ in range(20)})
        self.assertIn(429, [ask("203.0.113.7") for _ in range(8)])
        self.assertEqual(401, ask("203.0.113.8"))

    def test_switched_off(self):
        self.serve(failures=0)
        self.told(30)

    def test_missing_credentials_do_not_count(self):
        self.serve(failures=2)
        for _ in range(5):
            self.assertEqual((401, "EMPTY_APP_CREDENTIALS"), self.ask(None).error)

    def test_no_thread_waits(self):
        """As many who are held off as like, and the others are served."""
        self.serve(failures=1)
        self.held_off()
        began = time.monotonic()
        at_once(16, lambda _: self.ask(WRONG))
        self.site.check(self.ask(self.site.auth()), role="guest")
        self.assertLess(time.monotonic() - began, limit(5))

    def test_shared_by_processes(self):
        self.site.write({"status": {"file": "figures"}})
        self.serve(failures=20, failure_window="1h")
        other = RunningResponder(self.scratch, self.site, self.scratch.path / "other.sock")
        for _ in range(10):
            self.told(1, STRANGE, responder=self.responder)
            self.told(1, STRANGE, responder=other)
        self.held_off(STRANGE, responder=self.responder)
        self.held_off(STRANGE, responder=other)

    def test_told_in_the_log(self):
        self.serve(failures=1)
        self.held_off()
        self.responder.expect_log(r"client 192\.0\.2\.1: wrong API key or secret: the key is that of app \S+; "
                                  "no token for a guest: TOO_MANY_REQUESTS")


class Cgi(LimitsCase):
    def cgi(self, auth):
        env = environment(self.site, **dict(request_pairs("POST", GUEST_PATH, auth)))
        done = subprocess.run([programs().responder], env=env, capture_output=True, timeout=limit(15), check=False)
        return parse_cgi(done.stdout)

    def test_with_a_file(self):
        self.site.write({"status": {"file": "figures"}, "limits": {"failures": 3, "failure_window": "1h"}})
        self.assertEqual([401] * 3, [self.cgi(WRONG).status for _ in range(3)])
        answer = self.cgi(WRONG)  # within a second, unless the machine is slow; then the next delay is longer
        for _ in range(6):
            answer = answer if answer.status == 429 else self.cgi(WRONG)
        self.assertEqual(HELD_OFF, answer.error)
        self.assertEqual(200, self.cgi(self.site.auth()).status)

    def test_tokens(self):
        self.site.write({"status": {"file": "figures"}, "limits": {"tokens_per_minute": 2}})
        answers = [self.cgi(self.site.auth()) for _ in range(3)]
        self.assertEqual([200, 200, 429], [answer.status for answer in answers])

    def test_without_a_file(self):
        self.site.write({"limits": {"failures": 1, "tokens_per_minute": 1}})
        self.assertEqual([401] * 3, [self.cgi(WRONG).status for _ in range(3)])
        self.assertEqual([200] * 3, [self.cgi(self.site.auth()).status for _ in range(3)])


class Tokens(LimitsCase):
    def test_fields(self):
        self.serve(tokens_per_minute=3)
        for left in (2, 1, 0):
            answer = self.ask(self.site.auth())
            self.assertEqual(200, answer.status)
            self.assertEqual('"tokens";q=3;w=60', answer.header("RateLimit-Policy"))
            found = re.fullmatch(r'"tokens";r=(\d+);t=(\d+)', answer.header("RateLimit"))
            self.assertEqual(left, int(found[1]))
            self.assertIn(int(found[2]), range(1, 61))
        answer = self.ask(self.site.auth())
        self.assertEqual(HELD_OFF, answer.error)
        self.assertIn(int(answer.header("Retry-After")), range(1, 61))
        self.assertRegex(answer.header("RateLimit"), r'"tokens";r=0;t=\d+')
        self.assertEqual(200, self.ask(self.site.auth(), "192.0.2.2").status)
        self.assertEqual(REFUSED, self.ask(WRONG).error)

    def test_per_app(self):
        self.site.settings["apps"]["other"] = self.site.new_app("other", "other-key", "other-secret-other")
        self.serve(tokens_per_minute=2, per="app")
        statuses = [self.ask(self.site.auth(), f"192.0.2.{number}").status for number in range(4)]
        self.assertEqual([200, 200, 429, 429], statuses)
        self.assertEqual(200, self.ask(self.site.auth("other")).status)

    def test_only_tokens_count(self):
        self.serve(tokens_per_minute=2)
        for user in ("none", "none", "none"):
            answer = self.responder.post(member_path(user), self.site.auth())
            self.assertEqual(404, answer.status)
            self.assertRegex(answer.header("RateLimit"), r'"tokens";r=2;t=\d+')
        self.assertEqual([200, 200, 429],
                         [self.responder.post(member_path("1"), self.site.auth()).status for _ in range(3)])

    def test_without_a_limit(self):
        self.serve()
        answer = self.ask(self.site.auth())
        self.assertEqual((None, None), (answer.header("RateLimit"), answer.header("RateLimit-Policy")))

    def test_exactly_as_many(self):
        """However many ask at once."""
        self.serve(tokens_per_minute=20)
        statuses = [answer.status for answer in at_once(40, lambda _: self.ask(self.site.auth()))]
        self.assertEqual((20, 20), (statuses.count(200), statuses.count(429)))

    def test_mistakes(self):
        for limits, words in (({"failures": -1}, "limits.failures: is -1; it must be 0 to 1000"),
                              ({"failure_window": "1d"}, "limits.failure_window"), ({"per": "user"}, "limits.per: is"),
                              ({"tokens": 1}, "limits.tokens: unknown key")):
            with self.subTest(limits=limits):
                self.site.settings["limits"] = limits
                self.site.write()
                done = command("check", "-c", self.site.conf)
                self.assertEqual(1, done.returncode)
                self.assertIn(words, done.stderr)
