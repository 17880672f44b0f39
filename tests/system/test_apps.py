# SPDX-License-Identifier: MIT
"""Apps: their members, secrets, keys, origins; chains of stores."""
import base64
import datetime
import hashlib
import json

from lib.answer import basic
from lib.case import FreshCase, ResponderCase
from lib.site import APP, GUEST_PATH, KEY, SECRET, member_path

SECOND_MEMBERS = "appUserId,appUserName\n1,another one\nonly2,Second\n"
ORIGIN, OTHER = "https://chat.example.com", "https://evil.example.com"


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


class TwoApps(ResponderCase):
    @classmethod
    def prepare(cls, site):
        site.put("second.csv", SECOND_MEMBERS)
        site.write({"stores": {"others": {"plugin": "file", "path": "second.csv"}}, "apps": {
            "second": site.new_app("second", "second-key", "second-secret-long", store="others",
                                   chat_server_url="wss://second.example.com/ws", guests=False),
            "third": site.new_app("third", "third-key", "third-secret-long", app_id="Third App",
                                  store=None)}})
        site.write({"apps": {"third": {"store": "members"}}})

    def member(self, app, user):
        return self.responder.post(member_path(user), self.site.auth(app))

    def test_each_has_its_own_members(self):
        self.site.check(self.member("second", "1"), "second", user="1", name="another one")
        self.assertEqual((404, "MEMBER_NOT_FOUND"), self.member("second", "2").error)
        self.assertEqual((404, "MEMBER_NOT_FOUND"), self.member(APP, "only2").error)
        self.assertEqual("foobar1", self.member(APP, "1").json["userName"])

    def test_each_has_its_own_key(self):
        with self.assertRaises(AssertionError):
            self.site.check(self.member("second", "1"), APP, user="1", name="another one")

    def test_secrets_do_not_mix(self):
        answer = self.responder.post(member_path("1"), basic("second-key", SECRET))
        self.assertEqual((401, "INVALID_APP_CREDENTIALS"), answer.error)
        answer = self.responder.post(member_path("1"), basic(KEY, "second-secret-long"))
        self.assertEqual((401, "INVALID_APP_CREDENTIALS"), answer.error)

    def test_no_guests(self):
        answer = self.responder.post(GUEST_PATH, self.site.auth("second"), b"{}")
        self.assertEqual((403, "GUESTS_NOT_ALLOWED"), answer.error)

    def test_app_id(self):
        body = self.member("third", "1").json
        self.assertEqual("Third App", body["appId"])
        claims = json.loads(base64.urlsafe_b64decode(body["chatToken"].split(".")[1] + "=="))
        self.assertEqual(("Third App", "Third App"), (claims["appId"], claims["aud"]))


class Secrets(FreshCase):
    def accepted(self, responder, secret):
        return responder.post(GUEST_PATH, basic(KEY, secret), b"{}").status == 200

    def check_secrets(self, good, **settings):
        self.site.change_app(api_secret=None, **settings)
        responder = self.start()
        for secret in good:
            self.assertTrue(self.accepted(responder, secret), secret)
        for secret in ("", "x", SECRET, sha256(good[0])):
            self.assertFalse(self.accepted(responder, secret), secret)
        self.assertEqual(0, responder.process.stop())

    def test_two_plain_ones(self):
        self.site.settings["apps"][APP].pop("api_secret")
        self.check_secrets(["first", "second"], api_secret_sha256=[sha256("first"), sha256("second")])

    def test_sha256_as_a_string(self):
        self.check_secrets(["first"], api_secret_sha256=sha256("first"))

    def test_upper_case_sha256(self):
        self.check_secrets(["first"], api_secret_sha256=[sha256("first").upper()])

    def test_file(self):
        self.site.put("secret", "read from a file\n", 0o600)
        self.check_secrets(["read from a file"], api_secret_file="secret")

    def test_secret_with_colons_and_utf8(self):
        self.check_secrets(["a:b:ü:"], api_secret_sha256=[sha256("a:b:ü:")])

    def test_no_secret_in_the_log(self):
        responder = self.start()
        self.accepted(responder, SECRET)
        self.accepted(responder, "guessed-secret")
        responder.process.stop()
        for secret in (SECRET, "guessed-secret", basic(KEY, SECRET)[6:], self.site.signing_key().decode()):
            self.assertNotIn(secret, responder.log_text())


class Tokens(FreshCase):
    def check_token(self, settings, key=None, **expected):
        self.site.change_app(token=settings)
        if key is not None:
            self.site.put(f"keys/{APP}.key", key, 0o600)
        responder = self.start()
        answer = responder.post(member_path("2"), self.site.auth())
        return answer, self.site.check(answer, user="2", name="foobar2", **expected)

    def test_settings(self):
        self.check_token({"issuer": "https://iss.example.com", "audience": "chat", "ttl": "90s"},
                         issuer="https://iss.example.com", audience="chat", ttl=90)

    def test_default_key_id_is_the_thumbprint(self):
        self.check_token({"key_id": None})

    def test_raw_key_of_any_bytes(self):
        self.check_token({}, bytes(range(1, 100)))

    def test_jwk(self):
        raw = bytes(range(32))
        k = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        self.site.change_app(token={"key_id": None})
        self.site.put(f"keys/{APP}.key", json.dumps({"kty": "oct", "k": k, "kid": "from-jwk", "alg": "HS256"}), 0o600)
        answer = self.start().post(member_path("2"), self.site.auth())
        self.site.signing_key = lambda app: raw
        self.site.check(answer, user="2", name="foobar2", kid="from-jwk")

    def test_guest_ttl(self):
        self.site.change_app(token={"guest_ttl": "1h"})
        self.site.check(self.start().post(GUEST_PATH, self.site.auth(), b"{}"), role="guest", ttl=3600)

    def test_extended_response(self):
        self.site.change_app(extended_response=True)
        responder = self.start()
        answer = responder.post(member_path("2"), self.site.auth())
        claims = self.site.check(answer, user="2", name="foobar2", extended=True)
        self.assertEqual(900, answer.json["expiresIn"])
        expires = datetime.datetime.fromisoformat(answer.json["expiresAt"])
        self.assertEqual(claims["exp"], int(expires.timestamp()))
        self.assertTrue(answer.json["expiresAt"].endswith("Z"))

    def test_jti_never_repeats(self):
        responder = self.start()
        seen = {self.site.check(responder.post(GUEST_PATH, self.site.auth(), b"{}"), role="guest")["jti"]
                for _ in range(50)}
        self.assertEqual(50, len(seen))


class Chains(FreshCase):
    def chain(self, *stores):
        self.site.put("second.csv", SECOND_MEMBERS)
        self.site.write({"stores": {"others": {"plugin": "file", "path": "second.csv"}}})
        self.site.change_app(store=list(stores))
        return self.start()

    def name(self, responder, user):
        answer = responder.post(member_path(user), self.site.auth())
        return answer.json["userName"] if answer.status == 200 else answer.error[1]

    def test_first_that_knows_answers(self):
        responder = self.chain("members", "others")
        self.assertEqual(["foobar1", "Second", "MEMBER_NOT_FOUND"],
                         [self.name(responder, user) for user in ("1", "only2", "nobody")])

    def test_other_order(self):
        responder = self.chain("others", "members")
        self.assertEqual(["another one", "Second", "foobar2"],
                         [self.name(responder, user) for user in ("1", "only2", "2")])


class Cors(ResponderCase):
    @classmethod
    def prepare(cls, site):
        site.write({"apps": {
            APP: {"cors_origins": [ORIGIN, "http://localhost:3000"]},
            "closed": site.new_app("closed", "closed-key", "closed-secret-long", cors_origins=[]),
            "open": site.new_app("open", "open-key", "open-secret-long", cors_origins=["*"])}})

    def allowed(self, app, origin, **more):
        headers = {"Origin": origin}
        answer = self.responder.post(GUEST_PATH, self.site.auth(app), b"{}", headers=headers, **more)
        self.assertEqual(200, answer.status)
        return answer.header("Access-Control-Allow-Origin")

    def test_answers(self):
        self.assertEqual(ORIGIN, self.allowed(APP, ORIGIN))
        self.assertEqual("http://localhost:3000", self.allowed(APP, "http://localhost:3000"))
        for origin in (OTHER, "null", ORIGIN + ".evil.example", ORIGIN.upper(), "http://chat.example.com",
                       ORIGIN + "/", ""):
            with self.subTest(origin=origin):
                self.assertIsNone(self.allowed(APP, origin))
        self.assertIsNone(self.allowed("closed", ORIGIN))
        self.assertIn(self.allowed("open", OTHER), ("*", OTHER))

    def test_answers_vary(self):
        answer = self.responder.post(GUEST_PATH, self.site.auth(), b"{}", headers={"Origin": ORIGIN})
        self.assertIn("origin", answer.header("Vary").lower())

    def test_errors_of_the_app_carry_it_too(self):
        answer = self.responder.post(member_path("nobody"), self.site.auth(), headers={"Origin": ORIGIN})
        self.assertEqual((404, ORIGIN), (answer.status, answer.header("Access-Control-Allow-Origin")))

    def test_preflight(self):
        """It carries no credentials: an origin of any app will do."""
        answer = self.responder.call("OPTIONS", member_path("1"), headers={
            "Origin": ORIGIN, "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type"})
        self.assertEqual((204, b""), (answer.status, answer.body))
        self.assertIn("POST", answer.header("Allow"))
        self.assertIn(answer.header("Access-Control-Allow-Origin"), ("*", ORIGIN))
        self.assertIn("POST", answer.header("Access-Control-Allow-Methods"))
        for name in ("authorization", "content-type"):
            self.assertIn(name, answer.header("Access-Control-Allow-Headers").lower())


class ClosedCors(ResponderCase):
    """No app has an open list: foreign pages get nothing."""

    @classmethod
    def prepare(cls, site):
        site.write({"apps": {APP: {"cors_origins": [ORIGIN]}}})

    def test_preflight_of_a_foreign_page(self):
        for headers in ({"Origin": OTHER, "Access-Control-Request-Method": "POST"}, {}, {"Origin": "null"}):
            answer = self.responder.call("OPTIONS", GUEST_PATH, headers=headers)
            self.assertEqual((204, b""), (answer.status, answer.body))
            self.assertEqual([], [name for name in answer.headers if name.startswith("access-control")])

    def test_origin_cannot_split_headers(self):
        answer = self.guest(headers={"Origin": ORIGIN + "\r\nX-Evil: 1"})
        self.assertNotIn("x-evil", answer.headers)
