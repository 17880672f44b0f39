# SPDX-License-Identifier: MIT
"""Who a REST store says that it is, and to whom: passwords, tokens, redirects."""
import time

from lib.answer import basic
from lib.programs import limit
from lib.responder import command
from lib.upstream import RestCase, answer_well, http, member


class Credentials(RestCase):
    def setUp(self):
        super().setUp()
        self.good = None  # the only Authorization that is let in; None: any
        self.upstream = self.scripted(self.answer)
        self.url = self.upstream.url + "/members/{id}"

    def answer(self, request, peer):
        if self.good and request.header("Authorization") != self.good:
            peer.sendall(http({}, "401 Unauthorized"))
        else:
            answer_well(request, peer)
        return True

    def sent(self):
        return self.upstream.received[-1].header("Authorization")

    def test_none(self):
        self.serve(self.url)
        self.expect("1", 200)
        self.assertIsNone(self.sent())

    def test_basic(self):
        self.site.put("password", "pass:wörd".encode("ascii", "replace") + b"\n", 0o600)
        self.serve(self.url, username="me", password_file="password")
        self.expect("1", 200)
        self.assertEqual(basic("me", "pass:w?rd"), self.sent())

    def test_bearer(self):
        self.site.put("token", "abc.def-ghi\r\n", 0o600)
        self.serve(self.url, bearer_token_file="token")
        self.expect("1", 200)
        self.assertEqual("Bearer abc.def-ghi", self.sent())

    def test_files_are_read_again(self):
        """Within a second or two, without a signal."""
        self.site.put("token", "token-one", 0o600)
        self.serve(self.url, bearer_token_file="token")
        self.expect("1", 200)
        self.site.put("token", "token-two", 0o600)
        self.expect_log("token has changed and was read again")
        self.expect("1", 200)
        self.assertEqual("Bearer token-two", self.sent())

    def test_no_request_is_lost_while_a_token_changes(self):
        """A 401 makes the file be looked at at once."""
        self.site.put("token", "token-0", 0o600)
        self.serve(self.url, bearer_token_file="token")
        for number in range(5):
            self.good = f"Bearer token-{number}"
            self.site.put("token", f"token-{number}", 0o600)
            self.expect("1", 200)
        self.assertGreater(len(self.upstream.received), 5)

    def test_a_file_that_cannot_be_used_changes_nothing(self):
        self.site.put("token", "token-one", 0o600)
        self.serve(self.url, bearer_token_file="token")
        for content, words in ((b"", "is empty"), (b"two words", "visible ASCII"), (b"x\0y", "one line of text")):
            self.site.put("token", content, 0o600)
            self.expect_log(f"token.* {words}.*the old one stays in use")
            self.expect("1", 200)
            self.assertEqual("Bearer token-one", self.sent())
        (self.site.folder / "token").unlink()
        self.expect_log("token cannot be read: No such file or directory: make it, or correct its path; the old one stays in use")
        self.expect("1", 200)

    def test_refused(self):
        """401 and 403 are our fault, and no member's."""
        self.site.put("token", "token-one", 0o600)
        self.serve(self.url, bearer_token_file="token")
        self.good = "Bearer another"
        self.expect("1", 500)
        self.expect_log("service: misconfigured: HTTP status 401: it refused our credentials: check them")
        self.assertEqual(1, len(self.upstream.received), "asked again with the same token")

    def test_secrets_are_not_logged(self):
        def script(request, peer):
            echo = "; ".join(f"{name}={value}" for name, value in request.fields)
            peer.sendall(http(f"you sent {echo}".encode(), "400 Bad Request"))
            return True
        self.upstream.script = script
        self.site.put("password", "s3cret-password", 0o600)
        for keys, secrets in (({"username": "me", "password_file": "password"},
                               ["s3cret-password", basic("me", "s3cret-password").split()[1]]),
                              ({"bearer_token_file": "password"}, ["s3cret-password"]),
                              ({"headers": ["X-Api-Key: hidden-api-key"]}, ["hidden-api-key"])):
            self.serve(self.url, **keys)
            self.expect("1", 500)
            self.expect_log("the answer repeats our credentials, and is not shown")
            for secret in secrets:
                self.assertNotIn(secret, self.responder.log_text())
            self.responder.process.stop()

    def test_exposed_files(self):
        self.site.put("token", "token-one", 0o604)
        self.write(self.url, bearer_token_file="token")
        done = command("-c", self.site.conf, "check")
        self.assertEqual(0, done.returncode)
        self.assertRegex(done.stderr, "any user of this machine can read .*token")
        self.site.put("token", "token-one", 0o602)
        done = command("-c", self.site.conf, "check")
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stderr, "any user of this machine can write to .*token")


class Redirects(RestCase):
    def setUp(self):
        super().setUp()
        self.target = None  # where to; None: there it is
        self.status = "302 Found"
        self.upstream = self.scripted(self.answer)
        self.elsewhere = self.scripted(answer_well)
        self.site.put("token", "token-one", 0o600)

    def answer(self, request, peer):
        if self.target and not request.target.startswith("/new/"):
            peer.sendall(http(b"", self.status, [f"Location: {self.target}"]))
            return True
        return answer_well(request, peer)

    def go(self, follow=True, **more):
        self.serve(self.upstream.url + "/members/{id}", follow_redirects=follow, bearer_token_file="token", **more)

    def test_off(self):
        self.target = "/new/1"
        self.go(follow=False)
        self.expect("1", 500)
        self.expect_log(f"HTTP status 302: a redirect, where none is followed: {self.upstream.url}/new/1")
        self.assertEqual(1, len(self.upstream.received))

    def test_same_host(self):
        self.go()
        for status in ("301 Moved", "302 Found", "303 See Other", "307 Go", "308 Go"):
            for target in ("/new/1", self.upstream.url + "/new/1", "../new/1"):
                self.status, self.target = status, target
                self.expect("1", 200)
                self.assertEqual("GET /new/1 HTTP/1.1", self.upstream.received[-1].line)
                self.assertEqual("Bearer token-one", self.upstream.received[-1].header("Authorization"))

    def test_nowhere_else(self):
        """Not to another host or port, nor to anything but HTTP: not even a connection."""
        self.go()
        for target in (self.elsewhere.url + "/new/1", f"http://localhost:{self.elsewhere.port}/new/1",
                       f"http://me:secret@127.0.0.1:{self.upstream.port}/new/1",
                       f"//127.0.0.2:{self.upstream.port}/new/1", "file:///etc/passwd",
                       f"ftp://127.0.0.1:{self.upstream.port}/new/1", "ldap://127.0.0.1/", "gopher://x/"):
            self.target = target
            before = len(self.upstream.received)
            self.expect("1", 500)
            self.assertEqual(before + 1, len(self.upstream.received), target)
        self.expect_log("HTTP status 302: it redirects to another place than its own host: "
                        f"{self.elsewhere.url}/new/1")
        self.assertEqual(0, self.elsewhere.connections)

    def test_what_is_told_of_a_target(self):
        """Where it is, and no secret that may be in it."""
        for target, told in (("https://me:s3cret@sso.example.com/login?token=s3cret#s3cret",
                              "sso.example.com/login"),
                             ("https://sso.example.com/s3cret@/login?a", "/login"),
                             ("https://" + "x" * 5000, "https://xxx"), ("file:///etc/passwd", "file:///etc/passwd")):
            self.target = target
            self.go()
            self.expect("1", 500)
            self.expect_log(f"HTTP status 302: it redirects to another place than its own host: {told}")
            self.assertNotIn("s3cret", self.responder.log_text())
            self.assertNotIn("x" * 300, self.responder.log_text())
            self.responder.process.stop()
        self.target = None
        self.upstream.script = lambda request, peer: peer.sendall(http(b"", "304 Not Modified", length=False)) or True
        self.go()
        self.expect("1", 500)
        self.expect_log("HTTP status 304: a redirect, where none is followed\n")

    def test_for_ever(self):
        self.target = "/members/1"
        self.go()
        self.expect("1", 500)
        self.expect_log(f"HTTP status 302: it redirects again and again: {self.upstream.url}/members/1")
        self.assertEqual(6, len(self.upstream.received))

    def test_slow_redirects_end_with_the_deadline(self):
        def script(request, peer):
            time.sleep(0.5)
            peer.sendall(http(b"", "302 Found", ["Location: /members/1"]))
            return True
        self.upstream.script = script
        self.go(top={"request_timeout": "1s"})
        began = time.monotonic()
        self.expect("1", 503)
        self.assertLess(time.monotonic() - began, limit(1.4))

    def test_post(self):
        """It stays a POST, or is not followed."""
        self.go(method="POST", body='"{id}"')
        self.upstream.script = lambda request, peer: (
            self.answer(request, peer) if not request.target.startswith("/new/") else
            peer.sendall(http(member(request.body.decode().strip('"')))) or True)
        self.target = "/new/1"
        for status, end in (("307 Go", 200), ("308 Go", 200), ("301 Moved", 500), ("303 See", 500)):
            self.status = status
            self.expect("1", end)
        self.assertEqual({"POST"}, {request.method for request in self.upstream.received})
