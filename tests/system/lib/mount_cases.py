# SPDX-License-Identifier: MIT
"""What must hold behind every web server, wherever the API is mounted.

A class with these cases sets in setUpClass: cls.site, cls.web (a servers.WebServer).
"""
import json
import time

from .answer import basic
from .case import Load, ScratchCase, at_once
from .programs import limit, web_user
from .scratch import wait_until
from .site import GUEST_PATH, Site, member_path
from .supervised import kill_responders

MEMBER_PATH = member_path("1")


class MountedCase(ScratchCase):
    """A site that belongs to the web server's user."""

    SLASH_IN_ID = True  # %2F reaches the program
    LARGEST_BODY = 1 << 20  # that the web server hands on
    HEAD_REFUSED = (400, 431)  # its own answers to headers that are too large for it

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site = Site(cls.scratch.path / "site").write().give_to(web_user())

    def guest(self, body=b"{}", **more):
        return self.web.post(GUEST_PATH, self.site.auth(), body, **more)

    def member(self, encoded_id, **more):
        return self.web.post(member_path(encoded_id), self.site.auth(), **more)


class TokenCases:
    """Both endpoints, and everything about the path."""

    def test_guest_with_all_fields(self):
        avatar = "https://img.foobar.com/users/guest/profile.jpg"
        body = json.dumps({"appUserId": "g1", "appUserName": "Gäst", "appUserProfileImgUrl": avatar})
        self.site.check(self.guest(body.encode()), user="g1", name="Gäst", avatar=avatar, role="guest")

    def test_guest_with_defaults(self):
        for body in (b"{}", b""):
            with self.subTest(body=body):
                self.site.check(self.guest(body), role="guest")

    def test_member(self):
        self.site.check(self.member("1"), user="1", name="foobar1",
                        avatar="https://img.foobar.com/users/1/profile.jpg")

    def test_member_without_body_or_type(self):
        answer = self.member("2", headers={"Content-Type": None})
        self.site.check(answer, user="2", name="foobar2")

    def test_ids_are_decoded_once(self):
        wanted = {"a%2Fb": ("a/b", "slash"), "%2531": ("%31", "percent"), "%31": ("1", "foobar1"),
                  "zo%C3%AB": ("zoë", "Zoë"), "zoë": ("zoë", "Zoë"), "q,%22uote": ('q,"uote', "quoted")}
        for encoded, (user, name) in wanted.items():
            with self.subTest(id=encoded):
                answer = self.member(encoded)
                if "%2F" in encoded and not self.SLASH_IN_ID:
                    self.assertEqual(404, answer.status)
                    continue
                self.assertEqual(200, answer.status, answer)
                self.assertEqual((user, name), (answer.json["userId"], answer.json["userName"]))

    def test_ids_that_cannot_be(self):
        for encoded in ("nobody", "3", "x" * 129, "a%5Cb"):
            with self.subTest(id=encoded):
                self.assertEqual((404, "MEMBER_NOT_FOUND"), self.member(encoded).error)

    def test_nul_in_the_path(self):
        self.assertIn(self.member("%00").status, (400, 404))
        self.assertIn(self.member("1%00").status, (400, 404))

    def test_dot_segments(self):
        for encoded in ("..", ".", "%2e%2e", "x/../1/.."):
            with self.subTest(id=encoded):
                self.assertEqual(404, self.member(encoded).status)

    def test_routes_that_are_none(self):
        for path in ("/v2/apps/me/members/1/chat-tokens/", "/v2/apps/you/members/1/chat-tokens",
                     "/v2/apps/me/members/1", "/v1/apps/me/members/1/chat-tokens", "/v2",
                     "/deeper" + MEMBER_PATH, "/v2/apps/me/members/x/y/chat-tokens"):
            with self.subTest(path=path):
                answer = self.web.post(path, self.site.auth())
                self.assertEqual((404, "RESOURCE_NOT_FOUND"), answer.error)

    def test_empty_segments_are_merged(self):
        answer = self.web.post("//v2///apps/me/members//1/chat-tokens", self.site.auth())
        self.site.check(answer, user="1", name="foobar1",
                        avatar="https://img.foobar.com/users/1/profile.jpg")

    def test_query_is_ignored(self):
        answer = self.web.post(MEMBER_PATH + "?x=/v2/apps/me/members/2/chat-tokens", self.site.auth())
        self.assertEqual("1", answer.json["userId"])

    def test_lookalike_of_the_mount(self):
        if not self.web.mount:
            return  # at the root nothing looks like it
        answer = self.web.call("POST", "X" + MEMBER_PATH, auth=self.site.auth(), body=b"")
        self.assertEqual(404, answer.status)


class ErrorCases:
    """Statuses, headers and bodies that the server must hand on as they are."""

    def test_no_credentials(self):
        answer = self.web.post(GUEST_PATH)
        self.assertEqual((401, "EMPTY_APP_CREDENTIALS"), answer.error)
        self.assertEqual('Basic realm="memberchat", charset="UTF-8"', answer.header("WWW-Authenticate"))

    def test_wrong_credentials(self):
        for key, secret in (("demo-key", "wrong"), ("nobody", "demo-secret-demo"), ("", ""), ("demo-key\0", "demo-secret-demo"),
                            ("demo-key", "demo-secret-demo\0")):
            with self.subTest(key=key):
                answer = self.web.post(GUEST_PATH, basic(key, secret))
                self.assertEqual((401, "INVALID_APP_CREDENTIALS"), answer.error)
                self.assertTrue(answer.header("WWW-Authenticate").startswith("Basic realm="))

    def test_methods(self):
        for method in ("GET", "PUT", "DELETE", "PATCH"):
            with self.subTest(method=method):
                answer = self.web.call(method, MEMBER_PATH, auth=self.site.auth())
                self.assertEqual((405, "UNSUPPORTED_HTTP_METHOD"), answer.error)
                self.assertIn("POST", answer.header("Allow"))

    def test_head(self):
        answer = self.web.call("HEAD", MEMBER_PATH, auth=self.site.auth())
        self.assertEqual((405, b""), (answer.status, answer.body))
        self.assertIn("POST", answer.header("Allow"))

    def test_options(self):
        answer = self.web.call("OPTIONS", GUEST_PATH)
        self.assertEqual((204, b""), (answer.status, answer.body))
        self.assertIn("POST", answer.header("Allow"))

    def test_bad_json(self):
        self.assertEqual((400, "INVALID_HTTP_MESSAGE_BODY"), self.guest(b'{"appUserId": ').error)

    def test_bad_guest_id(self):
        self.assertEqual((400, "INVALID_APP_USER_ID_FORMAT"), self.guest(b'{"appUserId":"a-b"}').error)

    def test_wrong_media_type(self):
        answer = self.guest(b"a=b", headers={"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual((415, "UNSUPPORTED_MEDIA_TYPE"), answer.error)

    def test_too_large(self):
        for size in (16385, 70_000, self.LARGEST_BODY):
            with self.subTest(size=size):
                self.assertEqual((413, "REQUEST_TOO_LARGE"), self.guest(b" " * size).error)

    def test_health(self):
        for path in ("/healthz", "/readyz"):
            with self.subTest(path=path):
                self.assertEqual(200, self.web.call("GET", path).status)


class TransportCases:
    """Bodies, connections, load."""

    GOOD_WHILE_RESTARTING = (200,)

    def test_chunked_body(self):
        answer = self.guest(None, chunks=[b'{"appUserId":', b'"g', b'2"}'])
        self.site.check(answer, user="g2", name="GUEST_g2", role="guest")

    def test_chunked_body_too_large(self):
        answer = self.guest(None, chunks=[b" " * 4096] * 20)
        self.assertEqual((413, "REQUEST_TOO_LARGE"), answer.error)

    def test_largest_body(self):
        body = b'{"appUserId":"g3"}'
        self.site.check(self.guest(body + b" " * (16384 - len(body))), user="g3", name="GUEST_g3",
                        role="guest")

    def test_large_heads(self):
        """Headers that nobody reads."""
        for count in (2, 7, 9, 90):
            headers = {f"X-Field-{number}": "v" * 8000 for number in range(count)}
            answer = self.guest(b'{"appUserId":"g4"}', headers=headers)
            if answer.status in self.HEAD_REFUSED:
                self.assertIsNone(answer.header("X-Request-Id"))
            else:
                self.site.check(answer, user="g4", name="GUEST_g4", role="guest")

    def test_large_heads_that_are_read(self):
        """More than FastCGI has room for; a process of CGI has it."""
        names = ("Origin", "X-Api-Key", "X-Api-Secret", "X-Request-Id", "X-Forwarded-For", "Traceparent", "If-None-Match",
                 "Content-Encoding")
        answer = self.web.call("GET", "/healthz", headers={name: "v" * 8000 for name in names})
        if answer.status not in self.HEAD_REFUSED:
            self.assertIn(answer.status, (200, 413))
            self.assertIsNotNone(answer.header("X-Request-Id"))
        self.site.check(self.guest(), role="guest")

    def test_24_at_once(self):
        answers = at_once(24, lambda i: self.guest(b'{"appUserId":"n%d"}' % i))
        for i, answer in enumerate(answers):
            self.site.check(answer, user=f"n{i}", name=f"GUEST_n{i}", role="guest")

    def test_big_refused_bodies_are_all_answered(self):
        body = b" " * min(300_000, self.LARGEST_BODY)
        answers = at_once(5, lambda _: [self.guest(body).status for _ in range(10)])
        self.assertEqual([[413] * 10] * 5, answers)

    def test_refused_without_credentials_and_a_big_body(self):
        body = b" " * min(300_000, self.LARGEST_BODY)
        answers = at_once(4, lambda _: self.web.post(GUEST_PATH, body=body).status)
        self.assertEqual([401] * 4, answers)

    def test_client_hangs_up_in_the_body(self):
        for sent in (b"", b'{"appUserId":"half'):
            with self.web.connect() as connection:
                head = (f"POST {self.web.mount}{GUEST_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n"
                        f"Content-Type: application/json\r\nAuthorization: {self.site.auth()}\r\n\r\n")
                connection.sendall(head.encode() + sent)
        time.sleep(0.1)
        self.site.check(self.guest(), role="guest")

    def test_graceful_restart_of_the_server(self):
        with Load(self.guest, 2, self.GOOD_WHILE_RESTARTING) as load:
            time.sleep(limit(0.3))
            self.web.restart_gracefully()
            time.sleep(limit(1.0))
        load.assert_all_answered(3)
        self.site.check(self.guest(), role="guest")


class KilledCases:
    """kill -9 of the programs, where somebody starts them anew."""

    GOOD_WHILE_KILLED = (200, 500, 502, 503)
    KILLS = 3

    def test_killed_under_load(self):
        """Requests in hand may be lost, with an answer; those that come afterwards are served."""
        with Load(self.guest, 3, self.GOOD_WHILE_KILLED) as load:
            for _ in range(self.KILLS):
                time.sleep(limit(0.3))
                kill_responders(self.scratch)
                wait_until("service again", lambda: self.guest().status == 200, 15)
        load.assert_all_answered(self.KILLS)
        with Load(self.guest, 3) as load:
            time.sleep(limit(0.3))
        load.assert_all_answered(3)


class MountCases(TokenCases, ErrorCases, TransportCases):
    """All of it."""


class RootMountCases:
    """The part that depends on where the API is mounted."""

    test_member = TokenCases.test_member
    test_guest_with_defaults = TokenCases.test_guest_with_defaults
    test_ids_are_decoded_once = TokenCases.test_ids_are_decoded_once
    test_routes_that_are_none = TokenCases.test_routes_that_are_none
    test_no_credentials = ErrorCases.test_no_credentials
    test_methods = ErrorCases.test_methods
