# SPDX-License-Identifier: MIT
"""Tokens that a REST store fetches for itself: OAuth 2.0 client credentials."""
import json
import threading
import time
import urllib.parse

from lib.answer import basic
from lib.programs import limit
from lib.responder import command
from lib.scratch import wait_until
from lib.upstream import RestCase, answer_well, http


class OauthCase(RestCase):
    """A token's server, which gives token-1, token-2 ..., and a service that takes the tokens that it gave."""

    def setUp(self):
        super().setUp()
        self.given = 0
        self.life = 3600
        self.accepted = None  # tokens; None: whatever was given last
        self.issuer = self.scripted(self.give)
        self.service = self.scripted(self.answer)
        self.site.put("client.secret", "s3cret-of-client\n", 0o600)

    def give(self, request, peer):
        with self.issuer.lock:
            self.given += 1
            token = f"token-{self.given}"
        peer.sendall(http({"access_token": token, "token_type": "Bearer", "expires_in": self.life}))
        return True

    def answer(self, request, peer):
        accepted = self.accepted if self.accepted is not None else [f"token-{self.given}"]
        if request.header("Authorization") not in [f"Bearer {token}" for token in accepted]:
            peer.sendall(http({}, "401 Unauthorized"))
            return True
        return answer_well(request, peer)

    def start_store(self, top=None, more=None, **keys):
        oauth2 = {"token_url": self.issuer.url + "/token", "client_id": "memberchat",
                  "client_secret_file": "client.secret", **keys}
        return self.serve(self.service.url + "/members/{id}", top, oauth2=oauth2, **(more or {}))

    def crowd(self, count=8):
        """The statuses of so many requests at once, each for somebody else."""
        statuses = []
        threads = [threading.Thread(target=lambda user=user: statuses.append(self.ask(f"u{user}").status))
                   for user in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return statuses

    def requests(self):
        return len(self.issuer.received)


class Fetching(OauthCase):
    def test_what_is_asked(self):
        """RFC 6749, sections 4.4.2 and 2.3.1."""
        self.site.put("client.secret", "s3cret +&%/: of client", 0o600)
        self.start_store(client_id="member:chat", scope="members.read a&b", audience="https://crm.example.com/")
        self.expect("1", 200)
        request = self.issuer.received[0]
        self.assertEqual("POST /token HTTP/1.1", request.line)
        self.assertEqual("application/x-www-form-urlencoded", request.header("Content-Type"))
        self.assertEqual({"grant_type": ["client_credentials"], "scope": ["members.read a&b"],
                          "audience": ["https://crm.example.com/"]},
                         urllib.parse.parse_qs(request.body.decode(), strict_parsing=True))
        self.assertEqual(basic("member%3Achat", "s3cret%20%2B%26%25%2F%3A%20of%20client"),
                         request.header("Authorization"))
        self.assertEqual("Bearer token-1", self.service.received[0].header("Authorization"))

    def test_without_scope_and_audience(self):
        self.start_store()
        self.expect("1", 200)
        self.assertEqual(b"grant_type=client_credentials", self.issuer.received[0].body)

    def test_credentials_in_the_body(self):
        """Where they are refused as Basic; it is remembered."""
        def give(request, peer):
            if request.header("Authorization"):
                peer.sendall(http({"error": "invalid_client"}, "401 No"))
                return True
            return self.give(request, peer)
        self.issuer.script = give
        self.life = 0
        self.start_store()
        for count in (2, 3, 4):
            self.expect("1", 200)
            self.assertEqual(count, self.requests())
        form = urllib.parse.parse_qs(self.issuer.received[-1].body.decode(), strict_parsing=True)
        self.assertEqual(("memberchat", "s3cret-of-client"), (form["client_id"][0], form["client_secret"][0]))

        def take_back(request, peer):
            if not request.header("Authorization"):
                peer.sendall(http({"error": "invalid_client"}, "401 No"))
                return True
            return self.give(request, peer)
        self.issuer.script = take_back
        self.expect("1", 500)
        wait_until("they are sent as Basic again", lambda: self.ask("1").status == 200, 12)

    def test_one_fetch_for_all(self):
        def give(request, peer):
            time.sleep(0.5)
            return self.give(request, peer)
        self.issuer.script = give
        self.start_store({"threads": 16})
        for _ in range(3):
            self.assertEqual([200] * 8, self.crowd())
        self.assertEqual(1, self.requests())

    def test_command_and_cgi(self):
        self.start_store()
        self.assertEqual(0, command("-c", self.site.conf, "lookup", "service", "1").returncode)
        self.assertEqual(0, command("-c", self.site.conf, "check").returncode)
        before = self.requests()
        done = command("-c", self.site.conf, "check", "--online")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(before + 1, self.requests())

    def test_odd_but_good_answers(self):
        for more in ({"expires_in": "3600"}, {"expires_in": None}, {"expires_in": 10**30}, {"token_type": "bearer"},
                     {"scope": ["x"]}, {"expires_in": 3599.9}):
            answer = {"access_token": "token-0", "token_type": "Bearer", "expires_in": 3600, **more}
            self.issuer.script = lambda request, peer, answer=answer: peer.sendall(http(
                {key: value for key, value in answer.items() if value is not None})) or True
            self.accepted = ["token-0"]
            before = self.requests()
            self.start_store()
            self.expect("1", 200)
            self.expect("2", 200)
            self.assertEqual(before + 1, self.requests(), more)
            self.responder.process.stop()


class Ends(OauthCase):
    def test_fetched_ahead_of_its_end(self):
        """While the old one is good: the service never sees one that has ended."""
        self.life = 4
        self.start_store()
        ends = {}

        def answer(request, peer):
            token = request.header("Authorization")
            ends.setdefault(token, time.monotonic() + 4)
            if time.monotonic() > ends[token]:
                self.fail("a token that has ended")
            return answer_well(request, peer)
        self.service.script = answer
        began = time.monotonic()
        while time.monotonic() < began + 4.5:
            self.expect("1", 200)
            time.sleep(0.1)
        self.assertEqual(2, self.requests())

    def test_the_old_one_serves_while_no_new_one_comes(self):
        self.life = 4
        self.start_store()
        self.expect("1", 200)
        self.accepted = ["token-1"]
        self.issuer.script = lambda request, peer: peer.sendall(http({}, "503 Busy")) or True
        time.sleep(3.1)
        for _ in range(3):
            self.expect("1", 200)
        self.assertEqual(2, self.requests(), "not asked with each request")
        time.sleep(1.1)
        self.expect("1", 503)
        self.issuer.script = self.give
        self.accepted = None
        wait_until("a new token", lambda: self.ask("1").status == 200)

    def test_tokens_of_a_second_and_of_none(self):
        for life in (1, 0, -5):
            self.life = life
            self.start_store()
            began = time.monotonic()
            while time.monotonic() < began + 2.2:
                self.expect("1", 200)
                time.sleep(0.1)
            self.responder.process.stop()

    def test_a_refused_token_is_renewed_once(self):
        self.start_store()
        self.expect("1", 200)
        self.accepted = ["token-2"]
        self.expect("1", 200)
        self.assertEqual(2, self.requests())
        self.accepted = ["token-3"]
        self.assertEqual([200] * 8, self.crowd())
        self.assertEqual(3, self.requests())
        time.sleep(5.1)
        self.accepted = ["token-4"]
        self.expect("1", 200)

    def test_tokens_of_no_time_that_are_refused(self):
        self.life = 0
        self.accepted = []
        self.start_store()
        for count in (2, 4):
            self.expect("1", 500)
            self.assertEqual(count, self.requests())

    def test_a_service_that_takes_no_token(self):
        """The token's server does not suffer for it."""
        self.accepted = []
        self.start_store()
        for _ in range(10):
            self.expect("1", 500)
        self.expect_log("HTTP status 401: it refused our credentials")
        self.assertLessEqual(self.requests(), 3)


class Failures(OauthCase):
    def test_refused(self):
        """It is told with the code, without a secret, and not asked again with each request."""
        def refuse(request, peer):
            peer.sendall(http({"error": "invalid_client", "error_description": request.header("Authorization")},
                              "401 Unauthorized"))
            return True
        self.issuer.script = refuse
        self.start_store()
        for _ in range(5):
            self.expect("1", 500)
        self.expect_log('service: misconfigured: "token_url": HTTP status 401, invalid_client: check "client_id"')
        self.assertEqual(2, self.requests(), "as Basic and in the body, and no more")
        self.assertEqual(0, len(self.service.received))
        for secret in ("s3cret-of-client", basic("memberchat", "s3cret-of-client").split()[1]):
            self.assertNotIn(secret, self.responder.log_text())
        self.issuer.script = self.give
        wait_until("a token", lambda: self.ask("1").status == 200, 12)

    def test_a_new_secret_is_tried_at_once(self):
        good = basic("memberchat", "another-s3cret")

        def give(request, peer):
            if request.header("Authorization") != good:
                peer.sendall(http({"error": "invalid_client"}, "401 No"))
                return True
            return self.give(request, peer)
        self.issuer.script = give
        self.start_store()
        self.expect("1", 500)
        self.site.put("client.secret", "another-s3cret", 0o600)
        self.expect("1", 200)

    def test_what_is_no_token(self):
        token = {"access_token": "t", "token_type": "Bearer"}
        for body, status in ((b"<html>Login</html>", 500), (b"", 500), (b"null", 500), ([token], 500), ({}, 500),
                             ({**token, "access_token": ""}, 500), ({**token, "access_token": "a b"}, 500),
                             ({**token, "access_token": "a\r\nX-Y: z"}, 500), ({**token, "access_token": 5}, 500),
                             ({**token, "access_token": "ä"}, 500), ({**token, "access_token": "x" * 8193}, 500),
                             ({**token, "token_type": "mac"}, 500), ({**token, "token_type": None}, 500),
                             (b"x" * 100000, 500), (json.dumps(token).encode()[:-1], 500),
                             (http({}, "500 Broken"), 503), (http({}, "429 Slow down"), 503),
                             (http(b"<html>", "404 No"), 500), (http(b"", "302 Go", ["Location: /login"]), 500),
                             (http({"error": "invalid_scope"}, "400 No"), 500), (http(b"x" * 100000, "502 Bad"), 503),
                             (http({"error": "<script>"}, "400 No"), 500), (b"\0" * 50, 500)):
            answer = body if isinstance(body, bytes) and body.startswith(b"HTTP/") else http(body)
            self.issuer.script = lambda request, peer, answer=answer: peer.sendall(answer) or True
            self.start_store()
            self.expect("1", status)
            self.expect_log('service: (misconfigured|unavailable): "token_url": ')
            self.assertNotIn("script>", self.responder.log_text())
            self.responder.process.stop()
        self.assertEqual(0, len(self.service.received))

    def test_slow(self):
        """Nobody waits beyond the deadline, one asks for all, and then it works again."""
        release = threading.Event()

        def give(request, peer):
            release.wait(10)
            return self.give(request, peer)
        self.issuer.script = give
        self.start_store({"threads": 16, "request_timeout": "1s"})
        began = time.monotonic()
        self.assertEqual([503] * 8, self.crowd())
        self.assertLess(time.monotonic() - began, limit(1.3))
        self.assertEqual(1, self.requests())
        self.expect_log('service: unavailable: "token_url"')
        self.issuer.script = self.give
        release.set()
        wait_until("a token", lambda: self.ask("1").status == 200)

    def test_a_slow_renewal_leaves_time_for_the_request(self):
        self.life = 4
        self.start_store({"request_timeout": "1s"})
        self.expect("1", 200)
        self.accepted = ["token-1"]
        self.issuer.script = lambda request, peer: time.sleep(5)
        time.sleep(3.1)
        began = time.monotonic()
        self.assertEqual([200] * 4, self.crowd(4))
        self.assertLess(time.monotonic() - began, limit(0.8))
        self.assertEqual(2, self.requests())

    def test_no_answer_to_credentials_in_the_body(self):
        """They were refused as Basic before."""
        self.issuer.script = lambda request, peer: bool(request.header("Authorization")) and (
            peer.sendall(http({"error": "invalid_client"}, "401 No")) or True)
        self.start_store()
        self.expect("1", 503)
        self.issuer.script = self.give
        wait_until("a token", lambda: self.ask("1").status == 200)

    def test_down(self):
        self.start_store()
        self.issuer.close()
        self.expect("1", 503)
        self.expect_log('service: unavailable: "token_url": Failed to connect')

    def test_no_secret_in_the_log(self):
        """Though the service repeats what it was sent."""
        self.service.script = lambda request, peer: peer.sendall(http(
            f"you sent {request.header('Authorization')}".encode(), "400 Bad Request")) or True
        self.start_store()
        self.expect("1", 500)
        self.expect_log("the answer repeats our credentials, and is not shown")
        self.assertNotIn("token-1", self.responder.log_text())

    def test_no_refused_secret_in_the_log_either(self):
        """The service repeats a token that it refuses, and no other is to be had."""
        self.start_store()
        self.expect("1", 200)
        self.service.script = lambda request, peer: peer.sendall(http(
            f"you sent {request.header('Authorization')}".encode(), "401 Unauthorized")) or True
        (self.site.folder / "client.secret").unlink()
        self.expect("1", 500)
        self.expect_log("the answer repeats our credentials, and is not shown")
        self.expect_log("service: misconfigured: .*client.secret cannot be read: No such file or directory")
        self.assertNotIn("token-1", self.responder.log_text())
        self.site.put("client.secret", "s3cret-of-client", 0o600)
        self.service.script = self.answer
        self.expect("1", 200)

    def test_the_file_of_the_secret(self):
        self.site.put("client.secret", "", 0o600)
        self.write(self.service.url + "/{id}", oauth2={"token_url": self.issuer.url, "client_id": "c",
                                                       "client_secret_file": "client.secret"})
        done = command("-c", self.site.conf, "check")
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stderr, r"memberchat\.conf:\d+: .*client\.secret is empty")
        self.site.put("client.secret", "x", 0o604)
        self.assertRegex(command("-c", self.site.conf, "check").stderr, "any user of this machine can read .*client.secret")
