# SPDX-License-Identifier: MIT
"""guest_id_prefix: no guest is named like a member."""
import json
import re
import signal
import time

from lib.case import FreshCase
from lib.keys import keygen, pyjwt_sign, read_jwk
from lib.responder import command
from lib.scratch import wait_until
from lib.site import APP, GUEST_PATH, MEMBERS, member_path
from lib.tokens import KSUID, verify

ISSUER = "https://id.example.com"


class GuestPrefix(FreshCase):
    def serve(self, prefix="guest_", **token):
        self.site.change_app(guest_id_prefix=prefix, token=token)
        self.responder = self.start()

    def guest(self, **fields):
        return self.responder.post(GUEST_PATH, self.site.auth(), json.dumps(fields).encode(),
                                   extra={"CONTENT_TYPE": "application/json"})

    def issued(self, **fields):
        answer = self.guest(**fields)
        self.assertEqual(200, answer.status, answer.body)
        return answer.json, verify(answer.json["chatToken"], self.site.signing_key())[1]

    def test_in_answer_and_claims(self):
        self.site.put("claims.json", json.dumps({"a": "{userId}", "b": "dm.{userId|id}.*"}))
        self.serve(claims="claims.json")
        body, claims = self.issued(appUserId="1")
        self.assertEqual(["guest_1"] * 3 + ["dm.guest_1.*", "GUEST_1"],
                         [body["userId"], claims["sub"], claims["a"], claims["b"], body["userName"]])
        member = self.responder.post(member_path("1"), self.site.auth()).json
        self.assertEqual("1", member["userId"])
        body, _ = self.issued()
        self.assertTrue(body["userId"].startswith("guest_"), body)
        self.assertRegex(body["userId"].removeprefix("guest_"), KSUID)

    def test_renewal_never_doubles_it(self):
        self.serve()
        body, _ = self.issued(appUserId="g1")
        for _ in range(3):
            body, claims = self.issued(accessToken=body["chatToken"])
            self.assertEqual(("guest_g1", "guest_g1"), (body["userId"], claims["sub"]))
        for sent, status in (("g1", 200), ("guest_g1", 200), ("guest_guest_g1", 401), ("g2", 401), ("guest_", 401)):
            with self.subTest(sent=sent):
                self.assertEqual(status, self.guest(accessToken=body["chatToken"], appUserId=sent).status)

    def test_tokens_from_before_it_was_set(self):
        self.serve(prefix="")
        old, _ = self.issued(appUserId="2")
        self.assertEqual("2", old["userId"])
        self.site.change_app(guest_id_prefix="guest_")
        self.responder.process.send_signal(signal.SIGHUP)
        wait_until("the prefix", lambda: self.issued(accessToken=old["chatToken"])[0]["userId"] == "guest_2")

    def test_the_id_of_another_issuer(self):
        keygen(self.site, "ES256", "idp.jwk", "--key-id", "i1")
        self.site.change_app(access_token={"algorithm": "ES256", "key_file": "keys/idp.jwk", "issuer": ISSUER})
        self.serve()
        for sub in ("2", "guest_2"):
            token = pyjwt_sign({"iss": ISSUER, "sub": sub, "exp": int(time.time()) + 300},
                               read_jwk(self.site, "idp.jwk"), kid="i1")
            self.assertEqual(f"guest_{sub}", self.issued(accessToken=token)[0]["userId"])

    def test_longest_id(self):
        self.serve()
        body, _ = self.issued(appUserId="x" * 128)
        self.assertEqual("guest_" + "x" * 128, self.issued(accessToken=body["chatToken"])[0]["userId"])
        self.assertEqual(400, self.guest(appUserId="x" * 129).status)

    def test_a_member_whose_id_a_guest_may_have(self):
        self.site.put("members.csv", MEMBERS + "".join(f"{name},,,,\n" for name in ("guest_7", "Guest_8", "guest_", "guest9")))
        self.serve()
        ask = lambda name: self.responder.post(member_path(name), self.site.auth()).status
        self.assertEqual([500, 500, 200, 200], [ask(name) for name in ("guest_7", "Guest_8", "guest_", "guest9")])
        self.responder.expect_log("app .*: no token: the ids of members must not begin with guest_id_prefix")
        self.site.change_app(guests=False)
        self.responder.process.send_signal(signal.SIGHUP)
        wait_until("there are no guests", lambda: ask("guest_7") == 200)

    def test_what_cannot_be_one(self):
        for prefix in ("a b", "guest.", "gäst", "a/", "*", "x" * 33):
            with self.subTest(prefix=prefix):
                self.site.change_app(guest_id_prefix=prefix)
                done = command("check", "-c", self.site.conf)
                self.assertEqual(1, done.returncode)
                self.assertRegex(done.stderr, rf":\d+: apps\.{APP}\.guest_id_prefix: .*must (be|have) ")

    def test_check_warns(self):
        self.site.put("id.json", json.dumps({"a": "{userId}"}))
        self.site.put("name.json", json.dumps({"a": "{userName}"}))
        for claims, guests, prefix, warned in (("id.json", True, None, True), ("id.json", True, "", True),
                                               ("id.json", True, "g-", False), ("id.json", False, None, False),
                                               ("name.json", True, None, False), (None, True, None, False)):
            with self.subTest(claims=claims, guests=guests, prefix=prefix):
                self.site.change_app(guests=guests, guest_id_prefix=prefix, token={"claims": claims})
                done = command("check", "-c", self.site.conf)
                self.assertEqual(0, done.returncode, done.stderr)
                found = re.search(rf"apps\.{APP}\.token\.claims: warning: .*guest_id_prefix", done.stderr)
                self.assertEqual(warned, found is not None, done.stderr)

    def test_new_app_sets_it(self):
        self.assertIn('guest_id_prefix = "guest_"', command("new-app", "shop").stdout)
