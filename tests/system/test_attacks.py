# SPDX-License-Identifier: MIT
"""What somebody tries who wants in, or wants others out: headers of two spellings, and more peers than descriptors."""
import concurrent.futures
import contextlib
import os
import random
import resource
import socket
import time

from lib import fcgi
from lib.answer import basic
from lib.case import FreshCase, ScratchCase, at_once
from lib.fcgi import KEEP, PARAMS, STDIN, begin, encode, record, request, request_pairs, stream
from lib.programs import limit, web_user
from lib.responder import RunningResponder, environment, programs
from lib.scratch import free_port, wait_until
from lib.servers import INSTALLED_SOCKET, Apache, Lighttpd, Nginx, read_mount
from lib.site import GUEST_PATH, KEY, SECRET, Site, member_path

WRONG = basic(KEY, "a-secret-that-is-wrong")


class TwoSpellings(ScratchCase):
    """X_Forwarded_For and X-Forwarded-For are one CGI variable.  The test is the proxy that is trusted, and has written
    9.9.9.9; the client has written 6.6.6.6."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site = Site(cls.scratch.path / "site")
        cls.site.settings["trusted_proxies"] = ["127.0.0.1"]
        cls.site.write().give_to(web_user())
        folder, user = cls.scratch.path / "run", web_user()
        folder.mkdir()
        owner = {}
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
            owner = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        cls.responder = RunningResponder(cls.scratch, cls.site, folder / "mc.sock", **owner)

    def no_false_address(self, web):
        """Neither the client's choice, nor the proxy's own, which may be allowed to do more."""
        begin_of_log = len(self.responder.log_text())
        for fields in ({"X_Forwarded_For": "6.6.6.6", "X-Forwarded-For": "9.9.9.9"},
                       {"X-Forwarded-For": "9.9.9.9", "X_Forwarded_For": "6.6.6.6"},
                       {"X-Forwarded_For": "6.6.6.6", "X-Forwarded-For": "9.9.9.9"}):
            before = self.responder.log_text().count("wrong API key or secret")
            answer = web.post(GUEST_PATH, WRONG, b"{}", headers=fields)
            self.assertEqual((401, "INVALID_APP_CREDENTIALS"), answer.error)
            self.responder.expect_log("wrong API key or secret", times=before + 1)
        log = self.responder.log_text()[begin_of_log:]
        self.assertNotIn("client 6.6.6.6", log)
        self.assertNotIn("client 127.0.0.1", log)

    def read(self, name):
        return read_mount(name, {INSTALLED_SOCKET: self.responder.address})

    def test_lighttpd(self):
        self.no_false_address(Lighttpd(self.scratch, self.read("lighttpd/external.conf")))

    def test_apache(self):
        self.no_false_address(Apache(self.scratch, self.read("apache/proxy-fcgi.conf"), ["proxy", "proxy_fcgi"]))

    def test_nginx(self):
        self.no_false_address(Nginx(self.scratch, self.read("nginx/memberchat.conf")))

    def ask(self, *more, auth=None):
        """With variables that come after the usual ones."""
        pairs = [*request_pairs("POST", GUEST_PATH, auth), *more]
        return self.responder.exchange(begin() + stream(PARAMS, encode(pairs)) + record(STDIN))

    def test_credentials_that_come_twice(self):
        """Whatever stands in front may have looked at the other ones."""
        good = basic(KEY, SECRET)
        for more in ([("HTTP_AUTHORIZATION", WRONG)], [("HTTP_X_API_KEY", KEY), ("HTTP_X_API_KEY", "other")]):
            with self.subTest(more=more):
                self.assertEqual((401, "INVALID_APP_CREDENTIALS"), self.ask(*more, auth=good).error)
        self.site.check(self.ask(("HTTP_AUTHORIZATION", good), auth=good), role="guest")


class MorePeersThanDescriptors(FreshCase):
    """Peers that say nothing, half of something, or do not read: each kind of listening socket goes on serving."""

    DESCRIPTORS = 64
    PEERS = 200

    def limited(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (self.DESCRIPTORS, self.DESCRIPTORS))

    def survives(self, responder):
        for data in (b"", begin()[:5], begin() + b"\1\4\0\1\xff", request("GET", "/openapi.json", flags=KEEP) * 10):
            with contextlib.ExitStack() as stack:
                for _ in range(self.PEERS):
                    peer = stack.enter_context(fcgi.Connection(responder.address))
                    peer.socket.setblocking(False)
                    with contextlib.suppress(OSError):
                        peer.socket.send(data)
                for _ in range(3):
                    self.site.check(responder.post(GUEST_PATH, self.site.auth()), role="guest")
        self.assertEqual(0, responder.process.stop())

    def test_unix_socket(self):
        self.survives(RunningResponder(self.scratch, self.site, preexec_fn=self.limited))

    def test_tcp(self):
        self.survives(RunningResponder(self.scratch, self.site, ("127.0.0.1", free_port()), preexec_fn=self.limited))

    def test_inherited_socket(self):
        listener = socket.create_server(("127.0.0.1", 0), backlog=600)
        self.addCleanup(listener.close)
        responder = fcgi.Responder(listener.getsockname())
        responder.process = self.scratch.start([programs().responder], stdin=listener, env=environment(self.site),
                                               preexec_fn=self.limited)
        wait_until("it serves", lambda: "ready" in responder.process.log_text())
        self.survives(responder)


class Readiness(FreshCase):
    """Anyone may ask /readyz, so many who ask at once are one question to a directory."""

    def test_a_directory_that_hangs(self):
        self.site.put("far", "up")
        self.site.write({"threads": 4, "request_timeout": "3s"})
        self.site.settings["stores"] = {"near": {"plugin": "slow", "delay": "20ms"},
                                        "far": {"plugin": "slow", "delay": "20ms", "state_path": "far"}}
        self.site.change_app(store="near")
        responder = self.start()
        self.assertEqual(200, responder.call("GET", "/readyz").status)
        self.site.put("far", "hang")
        for refused in (1, 24):  # the last answer was good, and bad
            time.sleep(1.1)  # that is how long an answer counts
            began = time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(24) as crowd:
                asked = [crowd.submit(responder.call, "GET", "/readyz") for _ in range(24)]
                time.sleep(0.3)
                for number in range(10):
                    self.assertEqual(200, responder.post(member_path(f"m{number}"), self.site.auth()).status)
                self.assertLess(time.monotonic() - began, limit(2.5))  # of 3 s that a hanging probe takes
                answers = [one.result().status for one in asked]
            self.assertEqual(refused, answers.count(503), answers)
            self.assertEqual(503, responder.call("GET", "/readyz").status)

    def test_who_has_waited_for_its_turn(self):
        """Too long for the store to answer in what is left: it has its time all the same, for all who ask."""
        self.site.write({"threads": 1, "request_timeout": f"{int(limit(2.5) * 1000)}ms",
                         "stores": {"slow": {"plugin": "slow", "delay": f"{int(limit(1) * 1000)}ms"}}})
        self.site.change_app(store="slow")
        responder = self.start()
        with concurrent.futures.ThreadPoolExecutor(2) as crowd:
            taken = []
            for name in ("u1", "u2"):
                taken.append(crowd.submit(responder.post, member_path(name), self.site.auth()))
                time.sleep(limit(0.1))
            self.assertEqual(200, responder.call("GET", "/readyz").status)
            self.assertEqual([200, 200], [one.result().status for one in taken])

    def test_who_asks_while_another_does(self):
        """The first answer of all takes a while: whoever asks meanwhile has the same."""
        self.site.write({"threads": 8, "stores": {"slow": {"plugin": "slow", "delay": "300ms"}}})
        self.site.change_app(store="slow")
        responder = self.start()
        self.assertEqual([200] * 3, [answer.status for answer in at_once(3, lambda _: responder.call("GET", "/readyz"))])


class Figures(FreshCase):
    """Whoever may write to the file of figures falsifies them, and nothing else."""

    def write_over(self, chance):
        kinds = (b"\xff" * 8, chance.randbytes(8), bytes(64), b"<x>\"'&\n\r", chance.randbytes(300))
        with open(self.file, "r+b") as file:
            for _ in range(200):
                file.seek(chance.randrange(64, self.size - 300))
                file.write(chance.choice(kinds))

    def test_written_over_while_it_serves(self):
        self.file = self.scratch.path / "figures"
        self.site.settings["limits"] = {"failures": 5, "tokens_per_minute": 1000000, "per": "app"}
        self.site.write({"status": {"allow": ["127.0.0.1"], "file": str(self.file), "show_ids": True}})
        responder, chance = self.start(), random.Random(7)
        self.size = self.file.stat().st_size
        for _ in range(100):
            self.write_over(chance)
            self.assertIn(responder.post(GUEST_PATH, self.site.auth()).status, (200, 429))
            self.assertIn(responder.post(GUEST_PATH, WRONG).status, (401, 429))
            self.assertIn("version", responder.call("GET", "/status?json").json)
            self.assertNotIn(b"<x>", responder.call("GET", "/status").body)
            names = [line.rpartition(b" ")[0] for line in responder.call("GET", "/metrics").body.splitlines()
                     if not line.startswith(b"#")]
            self.assertEqual(len(names), len(set(names)))
        self.assertTrue(responder.process.running)
