# SPDX-License-Identifier: MIT
"""Ids that want to be more than an id: whatever they hold, path, query, headers and body stay as they are."""
import json
import urllib.parse

from lib.site import APP
from lib.upstream import RestCase, http

# As they stand in the path of the request to us.
IDS = ["a%2Fb", "%2F", "%2F%2Fevil.example.com%2F", "a%5Cb", "..%2F..%2Fadmin", "a%2F..%2Fb", "a%2F.%2Fb",
       "..%5Ca", "...", "a..b", "%3Fadmin=1", "%3F", "%23", "a%23b", "%2541", "%25", "%252e%252e%252f",
       "a%26b=c", "a%3Db", "a+b", "a%20b", "a;b", "a:b", "@evil.example.com", "%40", "%22", "%27",
       "%22%2C%22admin%22%3Atrue%2C%22x%22%3A%22", "%7D%7D", "%7Bid%7D", "%7BappId%7D", "%5C", "%5C%22",
       "%5Cu0022", "%3Cscript%3E", "%24%28id%29", "%60id%60", "%C3%BC", "%E2%82%AC", "%F0%9F%98%80",
       "J%C3%BCrgen%20%2F%20%22x%22", "%C2%AD", "%E2%80%A8", "x" * 128, "%E2%82%AC" * 42]
# No directory has them, so none is asked.
NO_IDS = ["%00", "a%00b", "%0D%0AX-Admin:%201", "a%0Ab", "a%0Db", "%7F", "%C2%85", "%FF", "%C0%AF", "%ED%A0%80", "%09"]
# As a segment of a path they would lead elsewhere, however they are encoded.
NOT_IN_A_PATH = {"..%2F..%2Fadmin", "a%2F..%2Fb", "a%2F.%2Fb", "..%5Ca"}

UNRESERVED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"


class Injection(RestCase):
    def setUp(self):
        super().setUp()
        self.upstream = self.scripted(self.answer)

    def answer(self, request, peer):
        """Knows everybody, by the template that a test has."""
        peer.sendall(http({"appUserId": self.read(request), "appUserName": "found"}))
        return True

    def ask_all(self, exceptions=()):
        """Yields each id, plain, with the request that it led to."""
        for encoded in IDS:
            before = len(self.upstream.received)
            if encoded in exceptions:
                self.expect(encoded, 404)
                self.assertEqual(before, len(self.upstream.received), encoded)
                continue
            answer = self.ask(encoded)
            user = urllib.parse.unquote(encoded)
            self.site.check(answer, user=user, name="found")
            self.assertEqual(before + 1, len(self.upstream.received))
            yield user, self.upstream.received[-1]
        before = len(self.upstream.received)
        for encoded in NO_IDS:
            self.expect(encoded, 404)
        self.assertEqual(before, len(self.upstream.received))

    def fields_are_ours(self, request, more=()):
        names = [name for name, _ in request.fields]
        self.assertEqual(sorted(["Host", "Accept", "Accept-Encoding", "User-Agent", "X-Request-Id", *more]), sorted(names))
        self.assertEqual(f"127.0.0.1:{self.upstream.port}", request.header("Host"))

    def encoded_once(self, text, user):
        """Only unreserved characters and triplets, and these are the id."""
        rest = urllib.parse.unquote_to_bytes(text)
        self.assertEqual(user.encode(), rest)
        for part in text.split("%")[1:]:
            self.assertRegex(part[:2], "^[0-9A-F]{2}$")
        self.assertEqual(set(), set(text) - set(UNRESERVED + "%"))

    def test_path_segment(self):
        self.read = lambda request: urllib.parse.unquote(request.target.split("/")[3])
        self.serve(self.upstream.url + "/v1/members/{id}/profile?full=1")
        for user, request in self.ask_all(NOT_IN_A_PATH):
            parts = request.target.split("/")
            self.assertEqual(["", "v1", "members", "profile?full=1"], parts[:3] + parts[4:])
            self.encoded_once(parts[3], user)
            self.fields_are_ours(request)
            self.assertEqual(b"", request.body)

    def test_last_path_segment(self):
        self.read = lambda request: urllib.parse.unquote(request.target.removeprefix("/members/"))
        self.serve(self.upstream.url + "/members/{id}")
        for user, request in self.ask_all(NOT_IN_A_PATH):
            self.encoded_once(request.target.removeprefix("/members/"), user)
            self.fields_are_ours(request)

    def test_query(self):
        self.read = lambda request: urllib.parse.parse_qs(request.target.partition("?")[2])["id"][0]
        self.serve(self.upstream.url + "/find?a=1&id={id}&b=2")
        for user, request in self.ask_all():
            path, _, query = request.target.partition("?")
            self.assertEqual("/find", path)
            names = [part.partition("=")[::2] for part in query.split("&")]
            self.assertEqual([("a", "1"), ("b", "2")], [names[0], names[2]])
            self.encoded_once(names[1][1], user)
            self.assertEqual({"a": ["1"], "id": [user], "b": ["2"]},
                             urllib.parse.parse_qs(query, strict_parsing=True))
            self.fields_are_ours(request)

    def test_body(self):
        self.read = lambda request: json.loads(request.body)["find"]["id"]
        self.serve(self.upstream.url + "/find", method="POST",
                   body='{"find": {"id": "{id}", "key": "x-{id}"}, "of": "{appId}"}')
        for user, request in self.ask_all():
            self.assertEqual({"find": {"id": user, "key": f"x-{user}"}, "of": APP}, json.loads(request.body))
            self.assertEqual("POST /find HTTP/1.1", request.line)
            self.fields_are_ours(request, ["Content-Type", "Content-Length"])

    def test_header(self):
        self.read = lambda request: urllib.parse.unquote(request.header("X-Who"))
        self.serve(self.upstream.url + "/find?{id}", headers=["X-Who: {id}"])
        for user, request in self.ask_all():
            self.encoded_once(request.header("X-Who"), user)
            self.fields_are_ours(request, ["X-Who"])

    def test_the_name_of_an_app(self):
        """It comes from the configuration, and is encoded all the same."""
        self.read = lambda request: "1"
        self.site.settings["apps"]["odd"] = self.site.new_app("odd", "k", "s" * 16, app_id='a/../"b?#', store="service")
        self.serve(self.upstream.url + "/{appId}/{id}")
        answer = self.responder.post("/v2/apps/me/members/1/chat-tokens", self.site.auth("odd"))
        self.assertEqual(200, answer.status)
        self.assertEqual("/a%2F..%2F%22b%3F%23/1", self.upstream.received[-1].target)

    def test_the_request_id_of_a_client(self):
        """What is passed on is only what is harmless."""
        self.read = lambda request: "1"
        self.serve(self.upstream.url + "/find?{id}")
        for value in ("a b", "a\tb", 'a"b', "ä", "x" * 1000, "a,b", "{id}"):
            answer = self.ask("1", headers={"X-Request-Id": value})
            self.assertEqual(200, answer.status)
            self.fields_are_ours(self.upstream.received[-1])
            passed_on = self.upstream.received[-1].header("X-Request-Id")
            self.assertRegex(passed_on, "^[\x21-\x7e]{1,128}$")
            self.assertEqual(answer.header("X-Request-Id"), passed_on)
