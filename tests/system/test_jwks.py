# SPDX-License-Identifier: MIT
"""The set of public keys, and a key that is replaced while everybody goes on."""
import json
import signal
import threading
import time

import jwt
from lib.case import FreshCase, Load, ResponderCase
from lib.keys import ALGORITHMS, PUBLIC, keygen, pyjwt_verify, read_jwk, without_private
from lib.programs import limit
from lib.site import APP, GUEST_PATH, member_path

JWKS = "/.well-known/jwks.json"


class KeySet(ResponderCase):
    @classmethod
    def prepare(cls, site):
        for algorithm in ALGORITHMS:
            keygen(site, algorithm, f"{algorithm}.jwk", "--key-id", algorithm)
            site.settings["apps"][algorithm] = site.new_app(
                algorithm, f"key-{algorithm}", "s" * 16,
                token={"algorithm": algorithm, "key_file": f"keys/{algorithm}.jwk", "key_id": None})

    def get(self, method="GET", **headers):
        return self.responder.call(method, JWKS, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def test_public_keys_of_all_apps(self):
        answer = self.get()
        self.assertEqual(200, answer.status)
        self.assertEqual("application/json", answer.header("Content-Type"))
        self.assertEqual("public, max-age=300", answer.header("Cache-Control"))
        self.assertEqual("*", answer.header("Access-Control-Allow-Origin"))
        self.assertEqual(["keys"], list(answer.json))
        self.assertEqual([without_private(read_jwk(self.site, f"{a}.jwk")) for a in PUBLIC], answer.json["keys"])
        for key in answer.json["keys"]:
            self.assertEqual("sig", key["use"])
            self.assertLessEqual({"kty", "kid", "alg", "use"}, key.keys())

    def test_no_secret(self):
        text = self.get().body
        for name in ("k", "d", "p", "q", "dp", "dq", "qi"):
            self.assertNotIn(f'"{name}":'.encode(), text)
        self.assertNotIn(b'"oct"', text)

    def test_conditional_requests(self):
        etag = self.get().header("ETag")
        self.assertRegex(etag, r'^"[^"]+"$')
        for value in (etag, "W/" + etag, f'"x", {etag}', "*"):
            with self.subTest(value=value):
                answer = self.get(If_None_Match=value)
                self.assertEqual((304, b""), (answer.status, answer.body))
                self.assertEqual(etag, answer.header("ETag"))
                self.assertEqual("public, max-age=300", answer.header("Cache-Control"))
                self.assertIsNone(answer.header("Content-Length"))
                self.assertIsNone(answer.header("Content-Type"))
        for value in ('"x"', "", etag[:-1], etag[1:-1]):
            self.assertEqual(200, self.get(If_None_Match=value).status)

    def test_methods(self):
        head = self.get("HEAD")
        self.assertEqual((200, b""), (head.status, head.body))
        self.assertEqual(self.get().header("ETag"), head.header("ETag"))
        for method in ("POST", "PUT", "OPTIONS"):
            answer = self.get(method)
            self.assertEqual((405, "GET, HEAD"), (answer.status, answer.header("Allow")))
            self.assertEqual("no-store", answer.header("Cache-Control"))


class ChatServer:
    """Somebody who checks tokens by the published keys, and reads them anew only now and then."""

    def __init__(self, responder, every):
        self.responder, self.every = responder, every
        self.keys, self.read_at = {}, 0.0
        self.lock = threading.Lock()

    def check(self, token, user):
        with self.lock:
            if time.monotonic() - self.read_at > self.every:
                answer = self.responder.call("GET", JWKS)
                self.keys = {key["kid"]: key for key in answer.json["keys"]}
                self.read_at = time.monotonic()
            key = self.keys[jwt.get_unverified_header(token)["kid"]]  # unknown: an error
        claims = pyjwt_verify(token, key, APP)
        if claims["sub"] != user:
            raise AssertionError(f"{claims['sub']} is not {user}")


class Rotation(FreshCase):
    """One key after the other, as memberchat.conf(5) tells; no token is refused at any point."""

    EVERY = 0.4  # seconds that the chat server keeps what it has read

    def setUp(self):
        super().setUp()
        self.old = keygen(self.site, "ES256", "old.pem", "--key-id", "2026-11")
        self.new = keygen(self.site, "EdDSA", "new.jwk", "--key-id", "2026-12")
        self.last = keygen(self.site, "RS256", "last.jwk", "--key-id", "2027-01")
        self.configure(algorithm="ES256", key_file="keys/old.pem", key_id="2026-11", guest_ttl="2s", ttl="3s")
        self.responder = self.start()
        self.chat = ChatServer(self.responder, self.EVERY)
        self.used = set()
        self.kept = self.guest()

    def configure(self, **token):
        self.site.settings["apps"][APP]["token"] = {"guest_ttl": "2s", "ttl": "3s", **token}
        self.site.write()

    def reload(self, **token):
        self.configure(**token)
        count = self.responder.log_text().count(".conf: loaded")
        self.responder.process.send_signal(signal.SIGHUP)
        self.responder.expect_log(".conf: loaded", times=count + 1)
        time.sleep(3 * self.EVERY)

    def guest(self, **fields):
        answer = self.responder.post(GUEST_PATH, self.site.auth(), json.dumps(fields).encode(),
                                     extra={"CONTENT_TYPE": "application/json"})
        self.used_by(answer)
        return answer

    def used_by(self, answer):
        if answer.status == 200:
            self.used.add(jwt.get_unverified_header(answer.json["chatToken"])["kid"])

    def member(self):
        answer = self.responder.post(member_path("1"), self.site.auth())
        self.used_by(answer)
        self.chat.check(answer.json["chatToken"], "1")
        return answer

    def renewed(self):
        """A guest who renews again and again, and shows each token to the chat server."""
        answer = self.guest(accessToken=self.kept.json["chatToken"])
        if answer.status == 200:
            self.chat.check(answer.json["chatToken"], self.kept.json["userId"])
        return answer

    def test_no_token_is_refused(self):
        first = self.kept.json["chatToken"]
        with Load(self.member, threads=2) as members, Load(self.renewed, threads=2) as guests:
            self.reload(algorithm="ES256", key_file="keys/old.pem", key_id="2026-11",
                        next_keys=["keys/new.jwk"])
            self.assertEqual({"2026-11"}, self.used)
            self.reload(algorithm="EdDSA", key_file="keys/new.jwk", next_keys=["keys/last.jwk"],
                        previous_keys=["keys/old.pem#2026-11"])
            self.kept = self.guest(accessToken=first)
            time.sleep(limit(0.5))  # requests with the first one end before its key is dropped
            self.assertEqual({"2026-11", "2026-12"}, self.used)
            self.reload(algorithm="RS256", key_file="keys/last.jwk", previous_keys=["keys/new.jwk"])
            self.assertEqual({"2026-11", "2026-12", "2027-01"}, self.used)
        members.assert_all_answered(20)
        guests.assert_all_answered(20)
        # the old one is dropped: what it signed is nobody's any more
        self.assertEqual((401, "INVALID_ACCESS_TOKEN"), self.guest(accessToken=first).error)
        kids = [key["kid"] for key in self.responder.call("GET", JWKS).json["keys"]]
        self.assertEqual(["2027-01", "2026-12"], kids)
