# SPDX-License-Identifier: MIT
"""What memberchat counts: /metrics, the file that processes share, and who may see it."""
import os
import re
import signal
import subprocess
import time

from lib.answer import basic
from lib.case import FreshCase, ResponderCase
from lib.programs import limit, programs
from lib.responder import environment
from lib.fcgi import request_pairs
from lib.scratch import wait_until
from lib.site import APP, GUEST_PATH, KEY, member_path

LOCAL = ["127.0.0.1"]
SAMPLE = re.compile(r'([a-z_]+)(?:\{(.*)\})? (\S+)')


def samples(text):
    """{"name{labels}": number}"""
    return {f"{name}{{{labels}}}" if labels else name: float(number)
            for name, labels, number in (SAMPLE.fullmatch(line).groups()
                                         for line in text.splitlines() if not line.startswith("#"))}


def scrape(responder, **more):
    answer = responder.call("GET", "/metrics", **more)
    if answer.status != 200:
        raise AssertionError(repr(answer))
    return samples(answer.body.decode())


class Metrics(ResponderCase):
    @classmethod
    def prepare(cls, site):
        site.settings["status"] = {"allow": LOCAL}
        site.settings["stores"]["odd"] = {"plugin": "file", "path": "members.csv", "cache": {"size": 100}}
        site.settings["apps"]["quote"] = site.new_app("quote", "quote-key", "quote-secret-quote", app_id='q"\\x', store="odd")

    def difference(self, work):
        before = scrape(self.responder)
        work()
        after = scrape(self.responder)
        return {name: after[name] - before.get(name, 0) for name in after}

    def member(self, user, **more):
        return self.responder.post(member_path(user), more.pop("auth", self.site.auth()), **more)

    def test_tokens_and_refusals(self):
        def work():
            for _ in range(3):
                self.guest()
            for user in ("1", "2", "nobody"):
                self.member(user)
            self.guest(b"[")
            self.responder.post(GUEST_PATH, basic(KEY, "wrong-secret-wrong"))
            self.responder.post(GUEST_PATH, basic("unknown", "wrong-secret-wrong"))
            self.responder.call("GET", "/nowhere")
        seen = self.difference(work)
        for name, number in {
                'memberchat_tokens_issued_total{app="%s",kind="guest"}' % APP: 3,
                'memberchat_tokens_issued_total{app="%s",kind="member"}' % APP: 2,
                'memberchat_refusals_total{app="%s",error_code="MEMBER_NOT_FOUND"}' % APP: 1,
                'memberchat_refusals_total{app="%s",error_code="INVALID_HTTP_MESSAGE_BODY"}' % APP: 1,
                'memberchat_refusals_total{app="%s",error_code="INVALID_APP_CREDENTIALS"}' % APP: 1,
                'memberchat_refusals_total{app="",error_code="INVALID_APP_CREDENTIALS"}': 1,
                'memberchat_http_requests_total{route="guest",code="200"}': 3,
                'memberchat_http_requests_total{route="guest",code="400"}': 1,
                'memberchat_http_requests_total{route="guest",code="401"}': 2,
                'memberchat_http_requests_total{route="member",code="200"}': 2,
                'memberchat_http_requests_total{route="member",code="404"}': 1,
                'memberchat_http_requests_total{route="none",code="404"}': 1,
                'memberchat_store_lookups_total{store="members",outcome="found"}': 2,
                'memberchat_store_lookups_total{store="members",outcome="not_found"}': 1,
                'memberchat_store_lookup_duration_seconds_count{store="members"}': 3,
                'memberchat_request_duration_seconds_count': 11,  # and the first scrape
        }.items():
            with self.subTest(name=name):
                self.assertEqual(number, seen.get(name))

    def test_cache(self):
        auth = basic("quote-key", "quote-secret-quote")
        seen = self.difference(lambda: [self.member("2", auth=auth) for _ in range(4)])
        self.assertEqual(3, seen['memberchat_cache_hits_total{store="odd"}'])
        self.assertEqual(1, seen['memberchat_cache_misses_total{store="odd"}'])
        wait_until("entries are told", lambda: scrape(self.responder)['memberchat_cache_entries{store="odd"}'] == 1, 5)

    def test_state(self):
        seen = scrape(self.responder)
        for name, number in {
                'memberchat_store_up{store="members"}': 1, 'memberchat_store_breaker_open{store="members"}': 0,
                'memberchat_requests_in_flight': 1, 'memberchat_workers{state="busy"}': 1,
                'memberchat_config_last_reload_successful': 1,
                'memberchat_signing_key_info{app="%s",kid="k1",alg="HS256"}' % APP: 1,
                'memberchat_throttled_total{app="%s"}' % APP: 0,
        }.items():
            with self.subTest(name=name):
                self.assertEqual(number, seen.get(name))
        self.assertLess(abs(seen["process_start_time_seconds"] - time.time()), 600)
        self.assertGreater(seen['memberchat_workers{state="idle"}'], 4)
        wait_until("members are told", lambda: scrape(self.responder).get('memberchat_store_members{store="members"}'), 5)

    def test_promtool_has_nothing_to_say(self):
        self.guest()
        self.responder.post(member_path("nobody"), basic("quote-key", "quote-secret-quote"))
        text = self.responder.call("GET", "/metrics").body
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
        self.assertEqual((0, b""), (done.returncode, done.stdout + done.stderr))
        self.assertIn(b'app="q\\"\\\\x"', text)
        self.assertNotIn(b"nobody", text)

    def test_format_and_methods(self):
        answer = self.responder.call("GET", "/metrics")
        self.assertEqual(["text/plain; version=0.0.4; charset=utf-8"], answer.headers["content-type"])
        self.assertEqual(["no-store"], answer.headers["cache-control"])
        self.assertEqual((200, b""), (lambda a: (a.status, a.body))(self.responder.call("HEAD", "/metrics")))
        self.assertEqual(405, self.responder.call("POST", "/metrics").status)
        self.assertEqual(404, self.responder.call("GET", "/metrics/x").status)


class Access(FreshCase):
    def status(self, address="192.0.2.1", auth=None, **headers):
        return self.responder.call("GET", "/metrics", auth=auth, headers=headers, extra={"REMOTE_ADDR": address}).status

    def test_nobody_without_a_group(self):
        self.responder = self.start()
        self.assertEqual(404, self.status("127.0.0.1"))
        self.assertEqual(404, self.responder.call("POST", "/metrics").status)

    def test_addresses(self):
        self.site.write({"trusted_proxies": ["10.0.0.1"], "status": {"allow": ["192.0.2.0/24", "2001:db8::/32"]}})
        self.responder = self.start()
        for address, forwarded, status in (
                ("192.0.2.9", None, 200), ("192.0.2.9:4000", None, 200), ("[2001:db8::1]:443", None, 200),
                ("198.51.100.1", None, 404), ("127.0.0.1", None, 404), ("", None, 404), (None, None, 404),
                ("198.51.100.1", "192.0.2.9", 404), ("10.0.0.1", "192.0.2.9", 200), ("10.0.0.1", "192.0.2.9, 198.51.100.1", 404)):
            with self.subTest(address=address, forwarded=forwarded):
                headers = {"X-Forwarded-For": forwarded} if forwarded else {}
                self.assertEqual(status, self.status(address, **headers))

    def test_a_proxy_on_this_machine(self):
        """Its clients are not it, though all of them have its address, unless it is one that is trusted."""
        self.site.write({"status": {"allow": ["127.0.0.1"]}})
        self.responder = self.start()
        self.assertEqual(200, self.status("127.0.0.1"))
        self.assertEqual(404, self.status("127.0.0.1", X_Forwarded_For="203.0.113.7"))
        self.assertEqual(404, self.status("127.0.0.1", X_Forwarded_For="127.0.0.1"))
        self.site.write({"trusted_proxies": ["127.0.0.1"]})
        self.responder.process.send_signal(1)
        wait_until("the proxy is trusted", lambda: self.status("127.0.0.1", X_Forwarded_For="127.0.0.1") == 200)
        self.assertEqual(404, self.status("127.0.0.1", X_Forwarded_For="203.0.113.7"))

    def test_password(self):
        self.site.put("status.password", "open sesame\n", 0o600)
        self.site.write({"status": {"allow": ["192.0.2.1"], "password_file": "status.password"}})
        self.responder = self.start()
        self.assertEqual(200, self.status())
        for auth, status in ((None, 401), (basic("any", "open sesame"), 200), (basic("", "open sesame"), 200),
                             (basic("any", "open sesam"), 401), (basic("any", "open sesame\n"), 401), (basic("any", ""), 401)):
            with self.subTest(auth=auth):
                self.assertEqual(status, self.status("198.51.100.1", auth))
        answer = self.responder.call("GET", "/metrics", extra={"REMOTE_ADDR": "198.51.100.1"})
        self.assertEqual("INVALID_STATUS_PASSWORD", answer.json["errorCode"])
        self.assertIn("Basic", answer.headers["www-authenticate"][0])
        self.site.put("status.password", "another\n", 0o600)
        self.assertEqual(401, self.status("198.51.100.1", basic("any", "open sesame")))
        self.assertEqual(200, self.status("198.51.100.1", basic("any", "another")))
        for content in ("", "\n"):
            self.site.put("status.password", content, 0o600)
            self.assertEqual(401, self.status("198.51.100.1", basic("any", "")))
        (self.site.folder / "status.password").unlink()
        self.assertEqual(401, self.status("198.51.100.1", basic("any", "another")))


    def test_guessing_the_password(self):
        """Whoever guesses is held off, from one address or many; the right one always passes."""
        self.site.put("status.password", "open sesame\n", 0o600)
        for addresses in (["198.51.100.1"], [f"198.51.100.{number}" for number in range(9)]):
            self.site.write({"status": {"password_file": "status.password"}, "limits": {"failures": 3}})
            self.responder = self.start()
            seen = [self.status(addresses[n % len(addresses)], basic("any", "guess")) for n in range(40)]
            self.assertEqual([401] * 3, seen[:3])
            self.assertIn(429, seen)
            self.assertEqual(200, self.status("198.51.100.1", basic("any", "open sesame")))
            self.assertEqual(401, self.status("198.51.100.200"))  # nobody is asked to wait for asking
            self.responder.process.stop()


class Shared(FreshCase):
    def setUp(self):
        super().setUp()
        self.file = self.scratch.path / "figures"
        self.site.write({"status": {"allow": LOCAL, "file": str(self.file)}})

    def guests(self, responder):
        return scrape(responder)['memberchat_tokens_issued_total{app="%s",kind="guest"}' % APP]

    def ask(self, responder):
        self.site.check(responder.post(GUEST_PATH, self.site.auth(), b"{}"), role="guest")

    def cgi(self, path=GUEST_PATH, method="POST", **popen):
        env = environment(self.site, **dict(request_pairs(method, path, self.site.auth())))
        return subprocess.Popen([programs().responder], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, **popen)

    def test_processes_and_cgi_count_together(self):
        one, two = self.start(), self.start(address=self.scratch.path / "two.sock")
        for responder in (one, two, two):
            self.ask(responder)
        for _ in range(3):
            with self.cgi() as process:
                self.assertIn(b"Status: 200", process.communicate()[0])
        self.assertEqual([6, 6], [self.guests(one), self.guests(two)])
        with self.cgi("/metrics", "GET") as process:
            self.assertIn(b'kind="guest"} 6', process.communicate()[0])
        busy = scrape(one)
        two.process.popen.kill()
        two.process.popen.wait()
        self.assertEqual(1, scrape(one)["memberchat_requests_in_flight"])
        self.assertLess(scrape(one)['memberchat_workers{state="idle"}'], busy['memberchat_workers{state="idle"}'])
        one.process.stop()
        self.assertEqual(6, self.guests(self.start(address=self.scratch.path / "three.sock")))

    def test_two_hundred_at_once_while_some_are_killed(self):
        running = [self.cgi() for _ in range(200)]
        for process in running[::40]:
            process.kill()
        good = sum(b"Status: 200" in process.communicate(timeout=limit(60))[0] for process in running)
        self.assertGreaterEqual(good, 195)
        responder = self.start()
        counted = self.guests(responder)
        self.assertTrue(good <= counted <= 200, (good, counted))
        self.assertEqual(1, scrape(responder)["memberchat_requests_in_flight"])

    def test_a_file_that_is_cut_short_removed_or_spoiled(self):
        responder = self.start()
        for spoil in (lambda: os.truncate(self.file, 0), lambda: os.truncate(self.file, 5000), self.file.unlink,
                      lambda: self.file.write_bytes(b"mchatfig" + bytes(100))):
            for _ in range(3):
                self.ask(responder)
            spoil()
            for _ in range(20):
                self.ask(responder)
            wait_until("the file is whole again", lambda: self.file.exists() and self.file.stat().st_size > 100_000, 8)
            self.ask(responder)
            wait_until("it counts again", lambda: self.guests(responder) >= 1, 5)
        self.assertTrue(responder.process.running)

    def test_no_permission_and_no_room_cost_no_token(self):
        for place in (self.scratch.path / "nowhere/figures", self.scratch.path):
            self.site.write({"status": {"file": str(place)}})
            responder = self.start(address=self.scratch.path / f"{len(str(place))}.sock")
            self.ask(responder)
            self.assertEqual(1, self.guests(responder))
            responder.expect_log("status.file: .*the figures of this process are in its memory only")
            with self.cgi() as process:
                self.assertIn(b"Status: 200", process.communicate()[0])
            time.sleep(limit(1.2))
            self.assertEqual(1, responder.log_text().count("in its memory only"))

    def test_a_reload_keeps_counting(self):
        responder = self.start()
        self.ask(responder)
        self.site.change_app(guests=True)
        responder.process.send_signal(signal.SIGHUP)
        responder.expect_log(r"memberchat\.conf: loaded")
        self.ask(responder)
        self.assertEqual(2, self.guests(responder))
        self.site.put("memberchat.conf", "threads = 0\n")
        responder.process.send_signal(signal.SIGHUP)
        responder.expect_log("stays in force")
        self.assertEqual(0, scrape(responder)["memberchat_config_last_reload_successful"])
