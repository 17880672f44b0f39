# SPDX-License-Identifier: MIT
"""What a REST service's answers mean: statuses, JSON, and who it speaks of."""
import json
import time
import urllib.parse

from lib.responder import command
from lib.upstream import RestCase, http, member


class AnswerCase(RestCase):
    """A service that answers an id with what a test put there."""

    KEYS = {}

    def setUp(self):
        super().setUp()
        self.answers = {}
        self.upstream = self.scripted(self.answer)
        self.serve(self.upstream.url + "/members/{id}", **self.KEYS)

    def answer(self, request, peer):
        user = urllib.parse.unquote(request.target.rsplit("/", 1)[1])
        known = self.answers.get(user, member(user))
        peer.sendall(known if isinstance(known, bytes) and known.startswith(b"HTTP/") else http(known))
        return True

    def tell(self, user, answer):
        self.answers[user] = answer

    def look_up(self, answer, user="1"):
        """The status that an answer of the service leads to."""
        self.tell(user, answer)
        return self.ask(user).status


class Statuses(AnswerCase):
    KEYS = {"not_found_statuses": [204, 422]}

    def test_table(self):
        rows = {404: (404, 410, 422, 204),
                500: (300, 301, 302, 304, 307, 308, 400, 401, 402, 403, 405, 406, 407, 409, 411, 412, 413, 414, 415,
                      418, 421, 423, 424, 426, 428, 431, 451, 499),
                503: (408, 425, 429, 500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 599),
                200: (200, 201, 203)}
        for expected, statuses in rows.items():
            for status in statuses:
                body = b"" if status in (204, 304) else member("1")
                self.assertEqual(expected, self.look_up(http(body, f"{status} Words", length=status != 204)), status)

    def test_no_status_at_all(self):
        for head in (b"HTTP/1.1 099 X\r\n\r\n", b"HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n",
                     b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1\r\n\r\n"):
            self.assertIn(self.look_up(head), (500, 503), head)

    def test_retry_after(self):
        for value, low, high in (("7", 7, 7), ("0", 1, 5), ("nonsense", 1, 5), ("-5", 1, 5),
                                 (http_date(30), 27, 31), (http_date(-30), 1, 5)):
            self.tell("1", http({}, "503 Busy", [f"Retry-After: {value}"]))
            answer = self.expect("1", 503)
            self.assertTrue(low <= int(answer.header("Retry-After")) <= high, (value, answer.header("Retry-After")))
        self.tell("1", http({}, "429 Slow down", ["Retry-After: 9"]))
        self.assertEqual("9", self.expect("1", 503).header("Retry-After"))

    def test_a_large_page_does_not_hide_the_status(self):
        for status, expected in (("404 Not Found", 404), ("500 Broken", 503), ("403 No", 500)):
            self.assertEqual(expected, self.look_up(http(b"<p>" * 100000, status)))

    def test_the_log_tells_how_it_began(self):
        self.assertEqual(500, self.look_up(http(b"<html>\r\n\x1b[31m\xff<title>Teapot</title>", "418 Teapot")))
        self.expect_log("service: misconfigured: HTTP status 418: it does not understand the request")
        self.expect_log(r"service: the answer begins: <html> \?\[31m\?<title>Teapot</title>")


def http_date(seconds):
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + seconds))


class Json(AnswerCase):
    KEYS = {"max_body": 4096}

    def test_not_json(self):
        good = json.dumps(member("1")).encode()
        for bad in (b"", b" ", b"<html></html>", b"null", b"true", b"1", b'"1"', b"[]", b"{}", good[:-1], good + b"x",
                    good + good, good + b"\0", b"'" + good, good.replace(b'"', b"'"),
                    good.replace(b"}", b",}"), good.replace(b"}", b',"x":NaN}'), good.replace(b"}", b',"x":01}'),
                    good.replace(b"}", b',"x":"\xff"}'), good.replace(b"}", b',"x":"\xc0\xaf"}'),
                    good.replace(b"}", b',"x":"\n"}'),
                    good.replace(b"}", b',"x":' + b"[" * 1000 + b"]" * 1000 + b"}"),
                    good.replace(b"}", b"} // comment"), good.replace(b"{", b"{/* c */")):
            self.assertEqual(500, self.look_up(bad), bad[:200])
        self.expect_log("service: misconfigured: the answer is not JSON: ")

    def test_json(self):
        good = json.dumps(member("1")).encode()
        for fine in (b" \r\n\t" + good + b"\n", b"\xef\xbb\xbf" + good,
                     good.replace(b"}", b',"x":"\\ud800"}'),  # half a pair, where nothing is read
                     good.replace(b"}", b',"x":[{"y":1e5}]}'),
                     good.replace(b"}", b',"x":' + b"[" * 20 + b"]" * 20 + b"}"),
                     b'{"appUserId":"2",' + good[1:],  # the last one counts
                     good.replace(b'"foobar1"', b'"\\u0066oobar1"')):
            self.assertEqual(200, self.look_up(fine), fine)

    def test_sizes(self):
        """max_body is the largest that is read, however it comes."""
        def sized(size):
            text = json.dumps(member("1", x="")).encode()
            return text.replace(b'"x": ""', b'"x": "' + b"y" * (size - len(text)) + b'"')

        def chunked(body):
            return http(b"", fields=["Transfer-Encoding: chunked"], length=False) + b"".join(
                b"%x\r\n%s\r\n" % (len(body[i:i + 1000]), body[i:i + 1000]) for i in range(0, len(body), 1000)) \
                + b"0\r\n\r\n"
        for size, expected in ((4095, 200), (4096, 200), (4097, 500), (100000, 500)):
            self.assertEqual(expected, self.look_up(sized(size)), size)
            self.assertEqual(expected, self.look_up(chunked(sized(size))), size)
        self.expect_log('the answer is larger than "max_body" \\(4096 bytes\\)')


class Mapping(AnswerCase):
    KEYS = {"id_pointer": "/user/id", "name_pointer": "/user/names/0", "avatar_pointer": "/user/a~1b/~0c",
            "role_pointer": "/user/role", "state_pointer": "/user/enabled", "active_values": ["true", "1"],
            "attributes": {"mail": "/mail", "age": "/age"}}

    def user(self, **more):
        return {"user": {"id": "1", "names": ["Ann", "A."], "a/b": {"~c": "https://x/1.jpg"}, "role": "host",
                         "enabled": True, **more}}

    def test_nested(self):
        self.tell("1", self.user())
        claims = self.site.check(self.ask("1"), user="1", name="Ann", avatar="https://x/1.jpg", role="host")
        self.assertEqual("host", claims["role"])

    def test_numbers_are_ids_and_states_too(self):
        self.tell("9007199254740993", self.user(id=9007199254740993, enabled=1))
        self.site.check(self.ask("9007199254740993"), user="9007199254740993", name="Ann", avatar="https://x/1.jpg",
                        role="host")

    def test_numbers_count_as_they_are_written(self):
        """Also beyond 64 bits; none is taken for another one."""
        for text in ("18446744073709551616", "99999999999999999999999999", "-9223372036854775809", "1e0", "1.0"):
            body = json.dumps(self.user(id="@")).replace('"@"', text).encode()
            for asked in (text, "18446744073709551615", "9223372036854775807", "-9223372036854775808", "1"):
                self.assertEqual(200 if asked == text else 404, self.look_up(body, asked), (text, asked))

    def test_states(self):
        for state, status in ((True, 200), ("TRUE", 200), ("1", 200), (1, 200), (False, 404), ("", 500), (None, 500),
                              ("tru", 404), ("truee", 404), (0, 404), ([], 500), ({}, 500), ("true\0", 404)):
            self.assertEqual(status, self.look_up(self.user(enabled=state)), state)
        self.expect_log('the answer has no state at "/user/enabled"')

    def test_missing_and_wrong_members(self):
        for change, status in (({"names": []}, 200), ({"names": [None]}, 200), ({"role": None}, 200),
                               ({"names": "Ann"}, 200), ({"a/b": None}, 200), ({"names": [["Ann"]]}, 500),
                               ({"role": {}}, 500), ({"id": None}, 500), ({"id": ""}, 500), ({"id": ["1"]}, 500),
                               ({"id": True}, 404), ({"names": ["x" * 257]}, 200), ({"names": ["a\0b"]}, 200),
                               ({"names": ["a\nb"]}, 200), ({"role": "r" * 65}, 200), ({"names": [5]}, 200)):
            self.assertEqual(status, self.look_up(self.user(**change)), change)
        self.expect_log('the answer has no id at "/user/id"')
        self.expect_log("warning: .*the name is longer than 256 bytes")

    def test_about_somebody_else(self):
        """However alike they are: not found, and one warning for all of them."""
        for other in ("2", "1 ", " 1", "01", "1\0", "11", 2, "１", "1\n", "x" * 129, 1.0, True):
            self.assertEqual(404, self.look_up(self.user(id=other)), other)
        self.expect_log('warning: .*store service: asked for "1", it answered with "2": the member is not found')
        self.assertEqual(1, self.responder.log_text().count("it answered with"))

    def test_the_spelling_of_the_service_counts(self):
        for ours in ("Upper", "UPPER", "upper"):
            self.tell(ours, self.user(id="uPPer"))
            self.site.check(self.ask(ours), user="uPPer", name="Ann", avatar="https://x/1.jpg", role="host")

    def test_what_cannot_be_used_is_left_out(self):
        """It costs nobody the token: too long, control characters, half a surrogate pair."""
        text = json.dumps(self.user(names=["@n"], role="@r", **{"a/b": {"~c": "@a"}})).replace(
            '{"user"', '{"mail": "@m", "user"')
        for bad, usable in (("\\ud800", False), ("Ann\\udc00", False), ("\\ud83d\\u0041", False), ("a\\u0000b", False),
                            ("a\\u0085b", False), ("a\\tb", False), ("x" * 5000, False),
                            ("Ann\\r\\n", True), ("Ann\\t", True), ("\\ud83d\\ude00", True)):
            good = json.loads(f'"{bad}"').strip() if usable else None
            body = text
            for mark in ("@n", "@r", "@a", "@m"):
                body = body.replace(mark, bad)
            self.tell("1", http(body.encode()))
            name = good or ("x" * 256 if bad[0] == "x" else "")
            answer = self.ask("1")
            self.assertEqual(200, answer.status, bad)
            self.assertEqual((200, name or None, good), (answer.status, answer.json["userName"],
                                                         answer.json["avatarProfileUrl"]), bad)
            if good:
                self.site.check(answer, user="1", name=good, avatar=good, role=good)

    def test_an_id_is_never_mended(self):
        body = json.dumps(self.user(id="@")).encode()
        for bad in (b"1\\ud800", b"1\\u0000", b"\\udc001", b"1\\n"):
            self.assertEqual(404, self.look_up(body.replace(b"@", bad)), bad)

    def test_several_values(self):
        """A list gives an attribute several values."""
        self.tell("1", {**self.user(), "mail": ["a@b", 5, None, "c@d"]})
        done = command("-c", self.site.conf, "lookup", "service", "1")
        self.assertEqual(0, done.returncode, done.stderr)
        for value in ("a@b", "5", "c@d"):
            self.assertIn(f'"{value}"', done.stdout)
        for wrong in ([["a"]], [{}], {}):
            self.assertEqual(500, self.look_up({**self.user(), "mail": wrong}), wrong)


class MemberPointer(AnswerCase):
    """Where the member is in an answer; nothing there is "not found"."""

    ANN = {"appUserId": "1", "appUserName": "Ann"}

    def expect_all(self, pointer, rows):
        self.responder.process.stop()
        self.serve(self.upstream.url + "/members/{id}", member_pointer=pointer)
        for answer, status in rows:
            self.assertEqual(status, self.look_up(answer), (pointer, answer))

    def test_lists(self):
        rows = (([self.ANN], 200), ([], 404), ([None], 404), (b"null", 404), ({}, 404), ([self.ANN] * 2, 500),
                ([{}, self.ANN], 500), ([[]], 404), ([5], 500), (["1"], 500), ("1", 404), (b"", 500))
        self.expect_all("/0", rows)
        self.expect_log('the answer has a list of 2 where "member_pointer" expects one member')
        self.expect_log('the answer\'s "/0" is not an object: correct "member_pointer"')
        self.expect_all("", [([self.ANN], 200), (self.ANN, 200), ([], 404), (b"null", 404), ([self.ANN] * 2, 500)])

    def test_objects(self):
        for pointer in ("/data", "/data/user"):
            def nest(value, pointer=pointer):
                return {"data": value} if pointer == "/data" else {"data": {"user": value, "appUserId": "9"}}
            rows = [(nest(self.ANN), 200), (nest(None), 404), ({}, 404), ([], 404), (nest([]), 404),
                    (nest([self.ANN]), 200), (nest([self.ANN] * 2), 500), (nest("1"), 500), (nest(True), 500)]
            self.expect_all(pointer, rows)

    def test_lists_on_the_way(self):
        """As with SCIM and with wrapped rows."""
        self.expect_all("/Resources/0", [({"totalResults": 1, "Resources": [self.ANN]}, 200),
                                         ({"totalResults": 0, "Resources": []}, 404), ({"totalResults": 0}, 404),
                                         ({"Resources": [self.ANN, self.ANN]}, 500)])
        self.expect_all("/rows/0/doc", [({"rows": [{"doc": self.ANN}]}, 200), ({"rows": [{"doc": None}]}, 404),
                                        ({"rows": [{}]}, 404), ({"rows": [{"doc": self.ANN}, {"doc": None}]}, 500)])
        self.expect_all("/1", [(["ok", self.ANN], 200), (["ok"], 404), (["ok", None], 404)])

    def test_only_a_good_status_counts(self):
        self.expect_all("/0", [(http([], "500 Broken"), 503), (http([], "403 No"), 500), (http([], "201 Made"), 404)])

    def test_nobody_is_remembered(self):
        self.responder.process.stop()
        self.serve(self.upstream.url + "/members/{id}", member_pointer="/0", cache={"negative_ttl": "60s"})
        for _ in range(3):
            self.assertEqual(404, self.look_up([]))
        self.assertEqual(1, len(self.upstream.received))

    def test_other_pointers_count_from_there(self):
        self.responder.process.stop()
        self.serve(self.upstream.url + "/members/{id}", member_pointer="/data/0", id_pointer="/user/id",
                   name_pointer="/user/name", state_pointer="/state")
        self.tell("1", {"state": "LEFT", "data": [{"user": {"id": "1", "name": "Ann"}, "state": "ACTIVE"}]})
        self.site.check(self.ask("1"), user="1", name="Ann", avatar=None)


class NotFoundWhen(AnswerCase):
    """Services that say so in words."""

    def expect_all(self, when, rows, **keys):
        self.responder.process.stop()
        self.serve(self.upstream.url + "/members/{id}", not_found_when=when, **keys)
        for answer, status in rows:
            self.assertEqual(status, self.look_up(answer), (when, answer))

    def test_values(self):
        good = member("1")
        self.expect_all({"pointer": "/success", "value": "false"},
                        [({"success": False}, 404), ({"success": "false"}, 404), ({**good, "success": False}, 404),
                         ({**good, "success": True}, 200), ({**good, "success": "False"}, 200), (good, 200),
                         ({**good, "success": None}, 200), ({**good, "success": [False]}, 200),
                         (http({"success": False}, "500 Broken"), 503)])
        self.expect_all({"pointer": "/error/code", "value": "17"},
                        [({"error": {"code": 17}}, 404), ({"error": {"code": "17"}}, 404),
                         ({**good, "error": {"code": 170}}, 200), ({"error": {"code": 18}}, 500)])

    def test_its_pointer_counts_from_the_beginning(self):
        self.expect_all({"pointer": "/success", "value": "false"},
                        [({"success": False, "data": member("1")}, 404), ({"success": True, "data": member("1")}, 200),
                         ({"success": True, "data": None}, 404), ({"success": True, "data": member("1", success=False)}, 200)],
                        member_pointer="/data")

    def test_null_alone(self):
        self.assertEqual(500, self.look_up(b"null"))
        self.expect_log('the answer is null: if that means that there is no such member, set "member_pointer = ..."')


class WithoutId(AnswerCase):
    KEYS = {"id_pointer": ""}

    def test_the_asked_id_counts(self):
        self.tell("7", {"appUserName": "Ann"})
        self.expect("7", 200, appUserName="Ann")


class Defaults(AnswerCase):
    """The family's own answer, without any pointer."""

    def test_state(self):
        for state, status in (("ACTIVE", 200), ("active", 200), (None, 200), ("INACTIVE", 404), ("DELETED", 404)):
            self.assertEqual(status, self.look_up(member("1", state=state)), state)

    def test_only_the_id_is_needed(self):
        self.assertEqual(200, self.look_up({"appUserId": "1"}))
        self.assertEqual(500, self.look_up({"appUserName": "1"}))
        self.expect_log('the answer has no id at "/appUserId"')
