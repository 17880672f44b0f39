# SPDX-License-Identifier: MIT
"""Both endpoints: fields, errors, headers, credentials."""
import base64
import json
import time

from lib.answer import basic
from lib.case import ResponderCase
from lib.site import APP, GUEST_PATH, KEY, SECRET, member_path
from lib.tokens import KSUID, check_headers, ksuid_time

AVATAR = "https://img.foobar.com/users/1/profile.jpg"
BAD_BODY = (400, "INVALID_HTTP_MESSAGE_BODY")
BAD_ID = (400, "INVALID_APP_USER_ID_FORMAT")


class ApiCase(ResponderCase):
    def guest_fields(self, **fields):
        return self.guest(json.dumps(fields).encode())

    def member(self, encoded_id, **more):
        return self.responder.post(member_path(encoded_id), self.site.auth(), **more)


class Guests(ApiCase):
    def test_defaults(self):
        for body in (b"{}", b"", b" { } ", b'{"appUserId":null,"appUserName":null,"appUserProfileImgUrl":null}'):
            with self.subTest(body=body):
                self.site.check(self.guest(body), role="guest")

    def test_empty_body_of_any_type(self):
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded", None, ""):
            with self.subTest(type=kind):
                answer = self.guest(b"", extra={"CONTENT_TYPE": kind})
                self.site.check(answer, role="guest")

    def test_generated_ids_are_time_ordered(self):
        ids = []
        for _ in range(3):
            ids.append(self.guest().json["userId"])
            time.sleep(1.05)
        self.assertEqual(sorted(ids), ids)
        self.assertEqual(3, len(set(ids)))
        for text in ids:
            self.assertRegex(text, f"^{KSUID.pattern}$")
            self.assertAlmostEqual(time.time(), ksuid_time(text), delta=30)

    def test_ids_never_repeat(self):
        found = [self.guest().json["userId"] for _ in range(200)]
        self.assertEqual(len(found), len(set(found)))

    def test_fields_are_taken_as_they_are(self):
        fields = {"appUserId": "2MwN1UVGBpDL090lFjsXobNQLdq", "appUserName": "GUEST_\u00e9\U0001f600 \"x\" \\",
                  "appUserProfileImgUrl": "https://img.foobar.com/a b?c=d&e=\u00fc#f"}
        self.site.check(self.guest_fields(**fields), role="guest", user=fields["appUserId"],
                        name=fields["appUserName"], avatar=fields["appUserProfileImgUrl"])

    def test_name_defaults_from_the_id(self):
        self.site.check(self.guest_fields(appUserId="abc"), user="abc", name="GUEST_abc", role="guest")

    def test_id_defaults_with_a_name(self):
        answer = self.guest_fields(appUserName="Anna")
        self.assertEqual("Anna", answer.json["userName"])
        self.assertRegex(answer.json["userId"], f"^{KSUID.pattern}$")

    def test_lengths(self):
        for field, most, letter, wrong in (
                ("appUserId", 128, "a", BAD_BODY), ("appUserName", 256, "n", BAD_BODY),
                ("appUserProfileImgUrl", 2048, "u", BAD_BODY)):
            with self.subTest(field=field):
                self.assertEqual(200, self.guest_fields(**{field: letter * most}).status)
                answer = self.guest_fields(**{field: letter * (most + 1)})
                self.assertIn(answer.error, (wrong, BAD_ID) if field == "appUserId" else (wrong,))
                self.assertIn(field, answer.json["errorMessage"])

    def test_lengths_are_bytes(self):
        self.assertEqual(200, self.guest_fields(appUserName="é" * 128).status)
        self.assertEqual(BAD_BODY, self.guest_fields(appUserName="é" * 129).error)

    def test_ids_that_are_not_alphanumeric(self):
        for user in ("", "a-b", "a b", "a_b", "a.b", "é", "a/b", "a\n", "a\0", "'; --", "١"):
            with self.subTest(id=user):
                self.assertIn(self.guest_fields(appUserId=user).error,
                              (BAD_ID, BAD_BODY) if user[-1:] in ("\n", "\0") else (BAD_ID,))

    def test_wrong_types(self):
        for field in ("appUserId", "appUserName", "appUserProfileImgUrl", "accessToken"):
            for value in (1, 0, 1.5, True, False, [], ["x"], {}, {"x": 1}):
                with self.subTest(field=field, value=value):
                    answer = self.guest_fields(**{field: value})
                    self.assertEqual(BAD_BODY, answer.error)
                    self.assertIn(field, answer.json["errorMessage"])

    def test_control_characters(self):
        for field in ("appUserName", "appUserProfileImgUrl"):
            for bad in ("\0", "a\0b", "\7", "a\nb", "\x1f", "\x7f", "\x85", "\u200b\u0001"):
                with self.subTest(field=field, value=bad):
                    self.assertEqual(BAD_BODY, self.guest_fields(**{field: bad}).error)

    def test_unknown_fields_are_ignored(self):
        answer = self.guest_fields(appUserId="g1", more={"a": [1, 2, {"b": None}]}, role="admin", appId="x")
        self.site.check(answer, user="g1", name="GUEST_g1", role="guest")

    def test_media_types(self):
        good = ("application/json", "application/json; charset=utf-8", "APPLICATION/JSON;charset=UTF-8")
        bad = ("text/plain", "application/jsonx", "application/x-www-form-urlencoded",
               "multipart/form-data; boundary=x", "application/json, text/plain")
        for kind in good:
            with self.subTest(type=kind):
                self.assertEqual(200, self.guest(b"{}", extra={"CONTENT_TYPE": kind}).status)
        for kind in bad:
            with self.subTest(type=kind):
                answer = self.guest(b"{}", extra={"CONTENT_TYPE": kind})
                self.assertEqual((415, "UNSUPPORTED_MEDIA_TYPE"), answer.error)

    def test_access_token_is_never_ignored(self):
        answer = self.guest_fields(accessToken="e30.e30.x")
        self.assertEqual((401, "INVALID_ACCESS_TOKEN"), answer.error)
        self.assertEqual(200, self.guest(b'{"accessToken":null}').status)


class Members(ApiCase):
    def test_found(self):
        self.site.check(self.member("1"), user="1", name="foobar1", avatar=AVATAR)
        self.site.check(self.member("2"), user="2", name="foobar2")
        self.site.check(self.member("64d0c5f2a1b2c3d4e5f60718"), user="64d0c5f2a1b2c3d4e5f60718", name="Mongo")

    def test_body_is_not_looked_at(self):
        for body in (b"{}", b"no json", b"[[[[", b"\xff\0", b" " * 16384):
            with self.subTest(body=body[:8]):
                self.assertEqual(200, self.member("1", body=body, extra={"CONTENT_TYPE": "x/y"}).status)

    def test_not_found(self):
        for encoded in ("nobody", "3", "01", "1%20", "x" * 128, "x" * 129, "x" * 2000, "%FF", "%C0%AF",
                        "%ED%A0%80", "a%09b", "%7F", "1%2C", "*", "1%0A"):
            with self.subTest(id=encoded):
                self.assertIn(self.member(encoded).error, ((404, "MEMBER_NOT_FOUND"),
                                                           (404, "RESOURCE_NOT_FOUND")))

    def test_ids_that_cannot_be_in_a_directory(self):
        for encoded in ("x" * 129, "%FF", "%C0%AF", "%ED%A0%80"):
            with self.subTest(id=encoded):
                self.assertEqual((404, "MEMBER_NOT_FOUND"), self.member(encoded).error)

    def test_malformed_paths(self):
        for encoded in ("%", "%4", "%zz", "..", ".", "%2e%2E", "%2E", "1//x", "a/b"):
            with self.subTest(id=encoded):
                self.assertEqual((404, "RESOURCE_NOT_FOUND"), self.member(encoded).error)

    def test_nothing_is_reflected_unescaped(self):
        answer = self.member("%3Cscript%3E%22%5C")
        self.assertEqual((404, "MEMBER_NOT_FOUND"), answer.error)
        self.assertNotIn(b"<script>", answer.body)


class Routing(ApiCase):
    def test_request_targets(self):
        for uri in ("http://host.example" + GUEST_PATH, "HTTPS://h:1" + GUEST_PATH, GUEST_PATH + "?a=b",
                    GUEST_PATH + "#x", "//v2/apps//me/members/guest-chat-tokens", "/mount" + GUEST_PATH):
            with self.subTest(uri=uri):
                self.assertEqual(200, self.responder.post(uri, self.site.auth()).status)

    def test_targets_that_are_none(self):
        for uri in ("*", "", "x", "/", "?", "http:/x", "/v2/apps/me/members/guest-chat-tokens/",
                    GUEST_PATH + "x", "/V2/apps/me/members/guest-chat-tokens", "/%00", "/a%0Ab",
                    "/metrics", "/status", "/.well-known/keys.json"):
            with self.subTest(uri=uri):
                self.assertIn(self.responder.post(uri, self.site.auth()).status, (400, 404))

    def test_order_of_the_checks(self):
        """Route, then method, then credentials, then body."""
        bad_body = b" " * 20_000
        self.assertEqual(404, self.responder.call("PUT", "/none", body=bad_body).status)
        self.assertEqual(405, self.responder.call("PUT", GUEST_PATH, body=bad_body).status)
        self.assertEqual(401, self.responder.post(GUEST_PATH, body=bad_body).status)
        self.assertEqual(413, self.guest(bad_body, extra={"CONTENT_TYPE": "text/plain"}).status)

    def test_methods(self):
        for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "FOO", "post", "POST ", ""):
            with self.subTest(method=method):
                answer = self.responder.call(method, GUEST_PATH, auth=self.site.auth())
                self.assertEqual(405, answer.status)
                allowed = {word.strip() for word in answer.header("Allow").split(",")}
                self.assertEqual({"POST", "OPTIONS"}, allowed)

    def test_health(self):
        for path in ("/healthz", "/readyz"):
            with self.subTest(path=path):
                answer = self.responder.call("GET", path)
                self.assertEqual(200, answer.status)
                self.assertIsNotNone(answer.json)
                self.assertEqual(200, self.responder.call("HEAD", path).status)
                self.assertEqual(405, self.responder.post(path).status)

    def test_forwarded_shapes_without_request_uri(self):
        for extra in ({"PATH_INFO": GUEST_PATH}, {"SCRIPT_NAME": "/v2", "PATH_INFO": GUEST_PATH[3:]},
                      {"SCRIPT_NAME": "/chat-api", "PATH_INFO": GUEST_PATH}):
            with self.subTest(extra=extra):
                answer = self.guest(extra={"REQUEST_URI": None, **extra})
                self.assertEqual(200, answer.status)

    def test_base_path_of_the_request(self):
        for base, uri, status in (("/chat-api", "/chat-api" + GUEST_PATH, 200), ("/chat-api", GUEST_PATH, 404),
                                  ("/chat-api", "/x/chat-api" + GUEST_PATH, 404),
                                  ("/chat-api/", "/chat-api" + GUEST_PATH, 200)):
            with self.subTest(base=base, uri=uri):
                answer = self.responder.post(uri, self.site.auth(), extra={"MEMBERCHAT_BASE_PATH": base})
                self.assertEqual(status, answer.status)


class Credentials(ApiCase):
    def call(self, value, **extra):
        return self.responder.post(GUEST_PATH, value, extra=extra)

    def encoded(self, text):
        return "Basic " + base64.b64encode(text).decode()

    def refused(self, answer, *codes):
        self.assertIn(answer.error, [(401, code) for code in codes])
        self.assertEqual('Basic realm="memberchat", charset="UTF-8"', answer.header("WWW-Authenticate"))
        check_headers(answer)

    def test_none(self):
        for value in (None, "", " "):
            with self.subTest(value=value):
                self.refused(self.call(value), "EMPTY_APP_CREDENTIALS")

    def test_other_schemes(self):
        for value in ("Bearer abc", "Basic", "Basic ", "Digest username=x", "Basicx " + basic(KEY, SECRET)[6:]):
            with self.subTest(value=value):
                self.refused(self.call(value), "EMPTY_APP_CREDENTIALS", "INVALID_APP_CREDENTIALS")

    def test_remote_user_counts_for_nothing(self):
        self.refused(self.call(None, REMOTE_USER=KEY, AUTH_TYPE="Basic"), "EMPTY_APP_CREDENTIALS")

    def test_scheme_in_any_case(self):
        value = basic(KEY, SECRET)
        for scheme in ("basic", "BASIC", "bAsIc"):
            self.assertEqual(200, self.call(scheme + value[5:]).status)
        self.assertEqual(200, self.call("Basic  " + value[6:]).status)

    def test_wrong(self):
        wrong = [basic(KEY, "x"), basic(KEY, SECRET + "x"), basic(KEY, SECRET[:-1]), basic(KEY, ""),
                 basic(KEY.upper(), SECRET), basic("", SECRET), basic(SECRET, KEY), basic(APP, SECRET),
                 self.encoded(KEY.encode()), self.encoded(f"{KEY}:{SECRET}\0".encode()),
                 self.encoded(f"{KEY}\0:{SECRET}".encode()), self.encoded(b"\xff\xfe:\x80"),
                 "Basic !!!!", "Basic " + basic(KEY, SECRET)[6:-2] + "*=", "Basic ====",
                 basic(KEY, SECRET) + " x", basic(KEY, SECRET)[:-1] + "\x7f"]
        for value in wrong:
            with self.subTest(value=value):
                self.refused(self.call(value), "INVALID_APP_CREDENTIALS")

    def test_joined_duplicates(self):
        value = basic(KEY, SECRET)
        for joined in (f"{value}, {value}", f"{value}, Basic eDp5", f"Basic eDp5, {value}"):
            with self.subTest(value=joined):
                self.refused(self.call(joined), "INVALID_APP_CREDENTIALS")

    def test_long_ones(self):
        for size in (8192, 20_000):
            for value in (basic(KEY, "x" * size), basic("x" * size, SECRET), "Basic " + "=" * size, "x" * size):
                with self.subTest(size=size, value=value[:12]):
                    self.refused(self.call(value), "INVALID_APP_CREDENTIALS", "EMPTY_APP_CREDENTIALS")

    def test_where_servers_leave_it(self):
        value = self.site.auth()
        for depth in range(1, 4):
            name = "REDIRECT_" * depth + "HTTP_AUTHORIZATION"
            with self.subTest(name=name):
                self.assertEqual(200, self.call(None, **{name: value}).status)
                self.assertEqual(200, self.call("", **{name: value}).status)
        self.refused(self.call("Basic eDp5", REDIRECT_HTTP_AUTHORIZATION=value), "INVALID_APP_CREDENTIALS")

    def test_not_where_clients_may_put_it(self):
        for name in ("HTTP_REDIRECT_HTTP_AUTHORIZATION", "HTTP_X_AUTHORIZATION", "HTTP_PROXY_AUTHORIZATION"):
            self.refused(self.call(None, **{name: self.site.auth()}), "EMPTY_APP_CREDENTIALS")


class Headers(ApiCase):
    def test_on_every_answer(self):
        for answer in (self.guest(), self.member("1"), self.member("nobody"), self.responder.post("/none"),
                       self.responder.post(GUEST_PATH), self.guest(b"{"), self.guest(b" " * 20_000),
                       self.responder.call("GET", GUEST_PATH), self.responder.call("GET", "/healthz")):
            with self.subTest(status=answer.status):
                check_headers(answer)

    def test_request_id_is_echoed(self):
        for text in ("abc", "7f3c2a1e-1b2c-4d5e-8f90-123456789abc", "A.b_c-1"):
            answer = self.guest(headers={"X-Request-Id": text})
            self.assertEqual(text, answer.header("X-Request-Id"))

    def test_request_id_that_is_insane_is_replaced(self):
        for text in ("", "a b", "a\r\nX: y", "<x>", "é", "x" * 1000, "a\tb", '"', "a,b"):
            with self.subTest(text=text[:10]):
                answer = self.guest(headers={"X-Request-Id": text})
                self.assertRegex(answer.header("X-Request-Id"), r"^[A-Za-z0-9._-]{8,64}$")
                self.assertNotEqual(text, answer.header("X-Request-Id"))
                self.assertIsNone(answer.header("X"))

    def test_content_length(self):
        answer = self.guest()
        if answer.header("Content-Length"):
            self.assertEqual(len(answer.body), int(answer.header("Content-Length")))

    def test_head_has_no_body(self):
        for path in (GUEST_PATH, "/healthz", "/none"):
            self.assertEqual(b"", self.responder.call("HEAD", path).body)
