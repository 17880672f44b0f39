# SPDX-License-Identifier: MIT
"""The clients of examples/clients and the Postman collection, against memberchat behind lighttpd, and against a server
that is not well.

MEMBERCHAT_EXAMPLE_CLIENTS is the folder where `npm ci` ran (a copy of clients/); without it, clients/ itself.
"""
import json
import os
import re
import shutil
import subprocess
import threading
import time
import unittest.mock
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lib.mount_cases import MountedCase
from lib.programs import SOURCE, TESTS, limit
from lib.responder import RunningResponder
from lib.servers import INSTALLED_SOCKET, Lighttpd, read_mount
from lib.site import APP, KEY, SECRET
from lib.tokens import MEMBERS_OF_AN_ANSWER, verify

CLIENTS = SOURCE / "examples/clients"
TOOLS = Path(os.environ.get("MEMBERCHAT_EXAMPLE_CLIENTS", TESTS / "examples" / "clients"))
NAME = 'Änne "x" \\ 1'
DOWN = b'{"errorCode":"MEMBER_STORE_UNAVAILABLE","errorMessage":"The member directory does not answer"}'
ENOUGH = b'{"errorCode":"TOO_MANY_REQUESTS","errorMessage":"Too many requests"}'
ANSWER = {"chatServerWebSocketUrl": "wss://chat.example.com/ws", "chatToken": "a.b.c", "appId": "my-app", "userId": "2",
          "userName": None, "avatarProfileUrl": None}
PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


class Ill(ThreadingHTTPServer):
    """Gives the answers of a list, (status, headers, body), one after the other, and keeps what was asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Asked)
        self.answers, self.requests = [], []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Asked(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((time.monotonic(), self.path, body, self.headers["Authorization"]))
        status, headers, body = self.server.answers.pop(0)
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": len(body), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class ClientCases:
    """What every client does; a class for each has its command in `argv`."""

    argv = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        responder = RunningResponder(cls.scratch, cls.site)
        cls.web = Lighttpd(cls.scratch, read_mount("lighttpd/external.conf", {INSTALLED_SOCKET: responder.address}))
        cls.url = f"http://127.0.0.1:{cls.web.port}{cls.web.mount}"
        cls.ill = Ill()
        cls.addClassCleanup(cls.ill.shutdown)

    def call(self, *words, url=None, secret=SECRET):
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "MEMBERCHAT_URL": url or self.url,
                       "MEMBERCHAT_API_KEY": KEY, "MEMBERCHAT_API_SECRET": secret}
        return subprocess.run([*self.argv, *words], env=environment, capture_output=True, text=True, check=False,
                              timeout=limit(60))

    def good(self, done, name, user=None):
        self.assertEqual((0, ""), (done.returncode, done.stderr), done.stdout)
        body = json.loads(done.stdout)
        self.assertEqual(MEMBERS_OF_AN_ANSWER, list(body))
        self.assertEqual((APP, user or body["userId"], name), (body["appId"], body["userId"], body["userName"]))
        verify(body["chatToken"], self.site.signing_key())

    def refused(self, done, code):
        self.assertEqual((1, ""), (done.returncode, done.stdout), done.stderr)
        self.assertRegex(done.stderr, rf"^{re.escape(code)}: .+\n$")
        self.assertNotIn(SECRET, done.stderr)

    def ask_ill(self, *answers, words=("member", "2")):
        self.ill.answers, self.ill.requests = list(answers), []
        return self.call(*words, url=self.ill.url)

    def test_member(self):
        self.good(self.call("member", "1"), "foobar1", "1")

    def test_ids_are_encoded_as_one_segment(self):
        for user, name in (("zoë", "Zoë"), ("a/b", "slash"), ("%31", "percent"), ('q,"uote', "quoted")):
            with self.subTest(user=user):
                self.good(self.call("member", user), name, user)

    def test_guest(self):
        done = self.call("guest")
        self.good(done, "GUEST_" + json.loads(done.stdout)["userId"])

    def test_guest_with_a_name(self):
        self.good(self.call("guest", NAME), NAME)

    def test_nobody(self):
        self.refused(self.call("member", "nobody"), "MEMBER_NOT_FOUND")

    def test_wrong_secret(self):
        self.refused(self.call("guest", secret="wrong-" + SECRET), "INVALID_APP_CREDENTIALS")

    def test_wrong_arguments(self):
        for words in ((), ("member",), ("guest", "a", "b"), ("nothing", "1")):
            with self.subTest(words=words):
                done = self.call(*words)
                self.assertEqual((64, ""), (done.returncode, done.stdout))
                self.assertIn("usage: ", done.stderr)

    def test_waits_as_long_as_told(self):
        done = self.ask_ill((503, {"Retry-After": 1}, DOWN), (429, {"Retry-After": 1}, ENOUGH),
                            (200, {}, json.dumps(ANSWER).encode()))
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertEqual(ANSWER, json.loads(done.stdout))
        times, paths, bodies, credentials = zip(*self.ill.requests)
        self.assertEqual([1, 1, 1], [len(set(values)) for values in (paths, bodies, credentials)])
        self.assertTrue(all(later - earlier >= 1 for earlier, later in zip(times, times[1:])), times)

    def test_gives_up(self):
        self.refused(self.ask_ill(*[(503, {"Retry-After": 1}, DOWN)] * 3), "MEMBER_STORE_UNAVAILABLE")
        self.assertEqual([], self.ill.answers)

    def test_does_not_wait_for_an_hour(self):
        self.refused(self.ask_ill((429, {"Retry-After": 3600}, ENOUGH)), "TOO_MANY_REQUESTS")
        self.assertEqual(1, len(self.ill.requests))

    def test_answer_of_something_else(self):
        for status, kind, body in ((403, "text/html", PAGE), (404, "text/plain", b""), (401, "text/html", b"<html>")):
            with self.subTest(status=status):
                self.refused(self.ask_ill((status, {"Content-Type": kind}, body)), f"HTTP {status}")

    def test_nobody_there(self):
        done = self.call("guest", url="http://127.0.0.1:1")
        self.assertEqual((2, ""), (done.returncode, done.stdout), done.stderr)
        self.assertTrue(done.stderr.strip())


class Curl(ClientCases, MountedCase):
    argv = (CLIENTS / "chat_token.sh",)

    def test_the_secret_is_not_on_the_command_line(self):
        seen = self.scratch.path / "curl-arguments"
        spy = self.scratch.path / "spy"
        spy.mkdir()
        (spy / "curl").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >"{seen}"\nexec "{shutil.which("curl")}" "$@"\n')
        (spy / "curl").chmod(0o755)
        with unittest.mock.patch.dict(os.environ, PATH=f"{spy}:{os.environ['PATH']}"):
            self.good(self.call("guest", NAME), NAME)
        self.assertIn("--config", seen.read_text())
        self.assertNotIn(SECRET, seen.read_text())


class Php(ClientCases, MountedCase):
    argv = ("php", CLIENTS / "chat_token.php")


class Python(ClientCases, MountedCase):
    argv = ("/usr/bin/python3", "-B", CLIENTS / "chat_token.py")


class Node(ClientCases, MountedCase):
    argv = ("node", CLIENTS / "chat_token.mjs")


class Java(ClientCases, MountedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        classes = cls.scratch.path / "classes"
        subprocess.run(["javac", "--release", "11", "-Xlint:all", "-Werror", "-d", classes, CLIENTS / "ChatToken.java"],
                       check=True, timeout=limit(120))
        cls.argv = ("java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", classes, "ChatToken")


class Swift(MountedCase):
    def test_compiles_or_parses(self):
        source = CLIENTS / "ChatToken.swift"
        if shutil.which("swiftc"):
            command = ["swiftc", "-parse-as-library", "-o", self.scratch.path / "swift-client", source]
        else:  # Debian 12 has no compiler
            command = ["node", TOOLS / "swift.mjs", source]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit(300))
        self.assertEqual((0, ""), (done.returncode, done.stdout), done.stderr)


class Collection(MountedCase):
    """Every request of the Postman collection, by Postman's own runner."""

    def test_runs(self):
        self.site.write({"status": {"allow": ["127.0.0.1", "::1"]}})
        responder = RunningResponder(self.scratch, self.site)
        web = Lighttpd(self.scratch, read_mount("lighttpd/external.conf", {INSTALLED_SOCKET: responder.address}))
        report = self.scratch.path / "newman.json"
        variables = {"baseUrl": f"http://127.0.0.1:{web.port}{web.mount}", "apiKey": KEY, "apiSecret": SECRET}
        words = [word for name, value in variables.items() for word in ("--env-var", f"{name}={value}")]
        collection = SOURCE / "docs/memberchat.postman_collection.json"
        done = subprocess.run([TOOLS / "node_modules/.bin/newman", "run", collection, *words,
                               "--reporters", "json", "--reporter-json-export", report],
                              capture_output=True, text=True, check=False, timeout=limit(120))
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        run = json.loads(report.read_text())["run"]
        self.assertEqual([], run["failures"])
        codes = [(one["item"]["name"], one["response"]["code"]) for one in run["executions"]]
        paths = json.loads((SOURCE / "docs/openapi.json").read_text())["paths"]
        self.assertGreaterEqual(len(codes), sum(len(set(item) - {"parameters"}) for item in paths.values()))
        self.assertEqual([], [one for one in codes if one[1] not in (200, 204)])
